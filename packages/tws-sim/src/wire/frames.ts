import { Buffer } from "node:buffer";

/** The longest frame a client may send. Real requests stay below a few kilobytes. */
export const maxClientFrame = 1 << 20;

/** What comes in is no TWS API traffic, or too long to be any; the connection must end. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

/** A message as it travels: four bytes of length, big endian, then each field followed by a NUL. */
export function encodeFrame(fields: readonly string[]): Buffer {
  // A NUL inside a field would become a field's end.
  const body = `${fields.map((field) => (field.includes("\0") ? field.replaceAll("\0", "") : field)).join("\0")}\0`;
  const length = Buffer.byteLength(body);
  const frame = Buffer.allocUnsafe(4 + length);
  frame.writeUInt32BE(length, 0);
  frame.write(body, 4);
  return frame;
}

/** The fields of a frame's body. A body must end with a NUL. */
export function decodeBody(body: Buffer): string[] {
  if (body.length === 0 || body[body.length - 1] !== 0)
    throw new ProtocolError("a message does not end with NUL");
  return body.toString("utf8", 0, body.length - 1).split("\0");
}

/** What a client asks for in its first bytes. */
interface Greeting {
  readonly minVersion: number;
  readonly maxVersion: number;
  /** What follows the versions, as in `+PACEAPI`. */
  readonly connectOptions: string;
}

export type Incoming =
  | { readonly kind: "greeting"; readonly greeting: Greeting }
  | { readonly kind: "message"; readonly fields: string[] };

const opening = Buffer.from("API\0");
const maxGreeting = 256;

/**
 * Reads what a client sends, in pieces of any size, and hands over what is complete. It keeps at most one unfinished
 * message, and refuses lengths that no request has before a byte of them is kept.
 *
 * @throws ProtocolError from `push`; nothing can be read after it
 */
export class FrameReader {
  #state: "opening" | "greeting" | "messages" = "opening";
  #pending: Buffer = Buffer.alloc(0);
  #filled = 0;

  constructor(private readonly maxFrame = maxClientFrame) {}

  /** Bytes of memory that are kept between calls. */
  get held(): number {
    return this.#pending.length;
  }

  *push(chunk: Buffer): Generator<Incoming> {
    let at = 0;
    while (at < chunk.length) {
      const needed = this.#needed();
      const taken = Math.min(needed - this.#filled, chunk.length - at);
      this.#keep(chunk.subarray(at, at + taken), needed);
      at += taken;
      if (
        this.#state === "opening" &&
        !opening.subarray(0, this.#filled).equals(this.#pending.subarray(0, this.#filled))
      )
        throw new ProtocolError("the first bytes are not those of an API client");
      const whole = this.#filled === needed && needed === this.#needed() ? this.#take() : undefined;
      if (whole) yield whole;
    }
  }

  /** How many bytes the part that is being read has, as far as is known: its length first, then all of it. */
  #needed(): number {
    if (this.#state === "opening") return opening.length;
    if (this.#filled < 4) return 4;
    const length = this.#pending.readUInt32BE(0);
    const most = this.#state === "greeting" ? maxGreeting : this.maxFrame;
    if (length === 0 || length > most) throw new ProtocolError(`a message claims to have ${length} bytes`);
    return 4 + length;
  }

  #keep(bytes: Buffer, needed: number): void {
    if (this.#pending.length < needed) {
      // Grown as bytes arrive, not as announced: who claims a megabyte and sends nothing costs nothing.
      const room = Math.min(needed, Math.max(64, 2 * (this.#filled + bytes.length)));
      if (this.#pending.length < this.#filled + bytes.length) {
        const larger = Buffer.allocUnsafe(room);
        this.#pending.copy(larger, 0, 0, this.#filled);
        this.#pending = larger;
      }
    }
    bytes.copy(this.#pending, this.#filled);
    this.#filled += bytes.length;
  }

  #take(): Incoming | undefined {
    if (this.#state === "opening") {
      this.#reset("greeting");
      return undefined;
    }
    const body = this.#pending.subarray(4, this.#filled);
    if (this.#state === "greeting") {
      const greeting = readGreeting(body.toString("latin1"));
      this.#reset("messages");
      return { kind: "greeting", greeting };
    }
    const fields = decodeBody(body);
    this.#reset("messages");
    return { kind: "message", fields };
  }

  #reset(state: "greeting" | "messages"): void {
    this.#state = state;
    this.#filled = 0;
    if (this.#pending.length > 4096) this.#pending = Buffer.alloc(0);
  }
}

function readGreeting(text: string): Greeting {
  const match = /^v(\d{1,5})(?:\.\.(\d{1,5}))?(?: (.*))?$/.exec(text);
  if (!match) throw new ProtocolError("the greeting names no versions");
  const minVersion = Number(match[1]);
  return { minVersion, maxVersion: Number(match[2] ?? minVersion), connectOptions: match[3] ?? "" };
}
