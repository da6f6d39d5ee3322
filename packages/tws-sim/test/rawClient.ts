import { Buffer } from "node:buffer";
import { createConnection, type Socket } from "node:net";

/**
 * A client that knows frames and nothing else: what it sends and sees is what is on the wire. Written apart from the
 * simulator's own reader, so that neither hides a mistake of the other.
 */
export class RawClient {
  readonly frames: string[][] = [];
  /** Whether the other side has ended the connection, and how. */
  closed: "end" | "error" | undefined;
  #bytes = Buffer.alloc(0);
  #waiting: (() => void)[] = [];

  private constructor(readonly socket: Socket) {
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("error", () => this.#end("error"));
    socket.on("close", () => this.#end("end"));
  }

  /** A connection over which nothing has been said yet. */
  static async open(port: number): Promise<RawClient> {
    const socket = createConnection({ host: "127.0.0.1", port, noDelay: true });
    await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    return new RawClient(socket);
  }

  /** A client that has been greeted and has its next valid id. */
  static async connect(port: number, clientId: number, version = 193): Promise<RawClient> {
    const client = await RawClient.open(port);
    client.write(greeting(100, version));
    await client.until(() => client.frames.length > 0);
    client.send("71", "2", String(clientId), "");
    await client.until((frame) => frame[0] === "9");
    return client;
  }

  write(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  send(...fields: readonly string[]): void {
    this.write(frame(...fields));
  }

  /** The first frame from `since` on that fits, as soon as it is there. */
  async until(
    fits: (frame: readonly string[]) => boolean,
    since = 0,
    withinMs = 5000,
  ): Promise<readonly string[]> {
    const found = await this.#wait(() => this.frames.slice(since).find(fits), withinMs);
    if (!found)
      throw new Error(
        `no such frame came; closed: ${this.closed ?? "no"}; last: ${JSON.stringify(this.frames.slice(-4))}`,
      );
    return found;
  }

  async ended(withinMs = 5000): Promise<boolean> {
    return (await this.#wait(() => (this.closed ? true : undefined), withinMs)) ?? false;
  }

  /** The number of frames so far: what comes after is an answer to what is sent next. */
  get mark(): number {
    return this.frames.length;
  }

  close(): void {
    this.socket.destroy();
  }

  async #wait<T>(look: () => T | undefined, withinMs: number): Promise<T | undefined> {
    const deadline = Date.now() + withinMs;
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      const left = deadline - Date.now();
      if (left <= 0) return undefined;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  #read(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    while (this.#bytes.length >= 4) {
      const length = this.#bytes.readUInt32BE(0);
      if (this.#bytes.length < 4 + length) break;
      const fields = this.#bytes.toString("utf8", 4, 4 + length).split("\0");
      // Every field ends with a NUL, the last one too; a frame without it shows as a last field "<unended>".
      const rest = fields.pop();
      if (rest !== "") fields.push("<unended>");
      this.frames.push(fields);
      this.#bytes = this.#bytes.subarray(4 + length);
    }
    this.#wake();
  }

  #end(how: "end" | "error"): void {
    this.closed ??= how;
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

/** `API` NUL, then the versions that a client knows, with their length. */
export function greeting(min: number, max: number, options = ""): Buffer {
  const text = `v${min === max ? min : `${min}..${max}`}${options === "" ? "" : ` ${options}`}`;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length, 0);
  return Buffer.concat([Buffer.from("API\0"), length, Buffer.from(text)]);
}

export function frame(...fields: readonly string[]): Buffer {
  const body = Buffer.from(fields.map((field) => `${field}\0`).join(""));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length, 0);
  return Buffer.concat([length, body]);
}

/** The contract block of a request for a stock: twelve fields. */
export function stock(symbol: string, conId = "0"): string[] {
  return [conId, symbol, "STK", "", "0.0", "", "", "SMART", "", "USD", "", ""];
}
