import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameReader, fieldsOf, frameOf } from "./frames.js";

const field = fc.string({ unit: "binary", maxLength: 30 }).filter((text) => !text.includes("\0"));
const messages = fc.array(fc.array(field, { minLength: 1, maxLength: 12 }), { maxLength: 12 });

describe("FrameReader", () => {
  it("gives the same messages wherever the bytes are cut", () => {
    fc.assert(
      fc.property(messages, fc.array(fc.nat({ max: 40 }), { minLength: 1 }), (sent, cuts) => {
        const bytes = Buffer.concat(sent.map(frameOf));
        const reader = new FrameReader();
        const got: string[][] = [];
        for (let from = 0, turn = 0; from < bytes.length; turn++) {
          const to = from + 1 + cuts[turn % cuts.length]!;
          got.push(...reader.push(bytes.subarray(from, to)).map(fieldsOf));
          from = to;
        }
        expect(got).toEqual(sent.map((fields) => fields.map((text) => Buffer.from(text).toString())));
      }),
    );
  });

  it("takes one byte at a time without copying everything at each", () => {
    const frame = frameOf(["17", "x".repeat(3_000_000)]);
    const reader = new FrameReader();
    for (let at = 0; at < frame.length - 1; at++) reader.push(frame.subarray(at, at + 1));
    expect(reader.push(frame.subarray(-1))).toHaveLength(1);
  });

  it.each([0, 0x01_00_00_00, 0x48545450, 0x8000_0000, 0xffff_fffc, 0xffff_ffff])(
    "refuses a length of %i at its fourth byte",
    (length) => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(length);
      const reader = new FrameReader();
      expect(reader.push(bytes.subarray(0, 3))).toEqual([]);
      expect(() => reader.push(bytes.subarray(3))).toThrowError(
        expect.objectContaining({ code: "PF_IBKR_PROTOCOL" }),
      );
    },
  );

  it("refuses a message that does not end with NUL", () => {
    const frame = frameOf(["49", "1", "1700000000"]);
    frame[frame.length - 1] = 0x31;
    expect(() => new FrameReader().push(frame)).toThrowError(/closing NUL/);
  });

  it("never throws anything else, and keeps less than what a frame may hold, whatever arrives", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), (chunks) => {
        const reader = new FrameReader();
        try {
          for (const chunk of chunks) reader.push(Buffer.from(chunk));
        } catch (error) {
          expect(error).toMatchObject({ code: "PF_IBKR_PROTOCOL" });
        }
      }),
    );
  });
});
