/** What shall happen at simulated instants, in order; at the same instant in the order of asking. */
export class Timeline {
  #entries: Entry[] = [];
  #asked = 0;

  /** When the next thing happens; undefined when nothing will. */
  get nextDueUtcMs(): number | undefined {
    return this.#entries[0]?.utcMs;
  }

  /** @returns a function that calls it off */
  add(utcMs: number, run: () => void): () => void {
    const entry: Entry = { utcMs, order: this.#asked++, run };
    this.#entries.push(entry);
    this.#rise(this.#entries.length - 1);
    return () => {
      entry.run = undefined;
    };
  }

  /** Repeats until called off; the first time one period from now. Instants are multiples of the period from the first. */
  every(periodMs: number, nowUtcMs: number, run: () => void): () => void {
    let isOver = false;
    const next = (utcMs: number): void => {
      this.add(utcMs, () => {
        if (isOver) return;
        run();
        next(utcMs + periodMs);
      });
    };
    next(nowUtcMs + periodMs);
    return () => {
      isOver = true;
    };
  }

  /** Does everything due up to the instant, also what is added meanwhile. */
  runUpTo(utcMs: number): void {
    for (;;) {
      const first = this.#entries[0];
      if (!first || first.utcMs > utcMs) return;
      this.#removeFirst();
      first.run?.();
    }
  }

  // A binary heap by instant, then by order of asking.
  #rise(from: number): void {
    const entries = this.#entries;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(entries[at]!, entries[parent]!)) return;
      [entries[at], entries[parent]] = [entries[parent]!, entries[at]!];
      at = parent;
    }
  }

  #removeFirst(): void {
    const entries = this.#entries;
    const last = entries.pop()!;
    if (entries.length === 0) return;
    entries[0] = last;
    let at = 0;
    for (;;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let least = at;
      if (left < entries.length && isBefore(entries[left]!, entries[least]!)) least = left;
      if (right < entries.length && isBefore(entries[right]!, entries[least]!)) least = right;
      if (least === at) return;
      [entries[at], entries[least]] = [entries[least]!, entries[at]!];
      at = least;
    }
  }
}

interface Entry {
  readonly utcMs: number;
  readonly order: number;
  run: (() => void) | undefined;
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.utcMs < b.utcMs || (a.utcMs === b.utcMs && a.order < b.order);
}
