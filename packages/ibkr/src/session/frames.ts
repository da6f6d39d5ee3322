import { ProtocolError } from "../errors.js";

/** The library drops a connection that goes beyond this, and no message of TWS comes near it. */
const longestFrame = 0xff_ffff;
const lengthBytes = 4;

/**
 * Cuts what arrives at a socket into whole frames: four bytes of length, then that many bytes, the last of them NUL.
 *
 * It stands before the library because the library trusts the lengths it reads: one of -4 makes it loop for ever. Memory
 * stays below two frames, whatever arrives and however it is cut.
 */
export class FrameReader {
  private store = Buffer.alloc(0);
  private have = 0;

  /**
   * @returns the frames that are complete now, lengths included
   * @throws ProtocolError at the first length that no frame has, or when a frame does not end as frames do
   */
  push(chunk: Buffer): Buffer[] {
    if (this.have === 0) return this.cut(chunk);
    this.keep(chunk);
    if (this.have >= lengthBytes && this.have < lengthBytes + this.lengthAt(this.store, 0)) return [];
    const whole = this.store.subarray(0, this.have);
    this.store = Buffer.alloc(0);
    this.have = 0;
    return this.cut(whole);
  }

  private cut(bytes: Buffer): Buffer[] {
    const frames: Buffer[] = [];
    let from = 0;
    while (bytes.length - from >= lengthBytes) {
      const end = from + lengthBytes + this.lengthAt(bytes, from);
      if (end > bytes.length) break;
      if (bytes[end - 1] !== 0) throw new ProtocolError("a message without its closing NUL");
      frames.push(bytes.subarray(from, end));
      from = end;
    }
    if (from < bytes.length) this.keep(bytes.subarray(from));
    return frames;
  }

  private lengthAt(bytes: Buffer, at: number): number {
    const length = bytes.readUInt32BE(at);
    if (length === 0 || length > longestFrame) throw new ProtocolError(`a message of ${length} bytes`);
    return length;
  }

  /** Doubles its room as it grows, so that one byte at a time costs no more than all at once. */
  private keep(chunk: Buffer): void {
    if (this.have + chunk.length > this.store.length) {
      const larger = Buffer.alloc(Math.max(this.have + chunk.length, 2 * this.store.length, 256));
      this.store.copy(larger, 0, 0, this.have);
      this.store = larger;
    }
    chunk.copy(this.store, this.have);
    this.have += chunk.length;
  }
}

/** The fields of a frame. */
export function fieldsOf(frame: Buffer): string[] {
  return frame.toString("utf8", lengthBytes, frame.length - 1).split("\0");
}

/** The frame of these fields. */
export function frameOf(fields: readonly string[]): Buffer {
  const body = Buffer.from(`${fields.join("\0")}\0`, "utf8");
  const frame = Buffer.alloc(lengthBytes + body.length);
  frame.writeUInt32BE(body.length);
  body.copy(frame, lengthBytes);
  return frame;
}
