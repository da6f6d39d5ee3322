/** All messages of a client together, a simulated second. */
export const messagesPerSecond = 50;

/** Counts the messages of one client over simulated seconds. */
export class MessageRate {
  /** When the last messages were or will be read, oldest first. */
  readonly #readAt: number[] = [];

  /** How long the next message has to wait to keep within the rate, milliseconds. It counts as read then. */
  wait(nowUtcMs: number): number {
    const before = this.#readAt.length < messagesPerSecond ? undefined : this.#readAt.shift();
    const readAt = before === undefined ? nowUtcMs : Math.max(nowUtcMs, before + 1000);
    this.#readAt.push(readAt);
    return readAt - nowUtcMs;
  }

  /** Whether one more message now is too many; it does not count then. */
  isExceeded(nowUtcMs: number): boolean {
    while (this.#readAt.length > 0 && this.#readAt[0]! <= nowUtcMs - 1000) this.#readAt.shift();
    if (this.#readAt.length >= messagesPerSecond) return true;
    this.#readAt.push(nowUtcMs);
    return false;
  }
}

const smallBars = new Set(["1 secs", "5 secs", "10 secs", "15 secs", "30 secs"]);

/** The documented limits on bars of 30 seconds and less. */
export class SmallBarPacing {
  #asked: {
    readonly utcMs: number;
    readonly request: string;
    readonly contract: string;
    readonly weight: number;
  }[] = [];

  /**
   * @param request - everything that makes two requests identical
   * @param contract - contract, exchange and kind of data
   * @returns whether the request is one too many
   */
  isExceeded(
    nowUtcMs: number,
    barSize: string,
    request: string,
    contract: string,
    whatToShow: string,
  ): boolean {
    if (!smallBars.has(barSize)) return false;
    this.#asked = this.#asked.filter(({ utcMs }) => utcMs > nowUtcMs - 600_000);
    const weight = whatToShow === "BID_ASK" ? 2 : 1;
    const same = this.#asked.some((one) => one.request === request && one.utcMs > nowUtcMs - 15_000);
    const ofContract = this.#asked.filter((one) => one.contract === contract && one.utcMs > nowUtcMs - 2_000);
    const total = this.#asked.reduce((sum, one) => sum + one.weight, weight);
    this.#asked.push({ utcMs: nowUtcMs, request, contract, weight });
    return same || ofContract.length >= 5 || total > 60;
  }
}
