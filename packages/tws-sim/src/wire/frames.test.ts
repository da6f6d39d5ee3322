import { Buffer } from "node:buffer";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeBody,
  encodeFrame,
  FrameReader,
  type Incoming,
  maxClientFrame,
  ProtocolError,
} from "./frames.js";

const fieldText = fc.string({ unit: "grapheme", maxLength: 30 }).map((text) => text.replaceAll("\0", ""));
const messages = fc.array(fc.array(fieldText, { minLength: 1, maxLength: 12 }), { maxLength: 8 });

function hello(versions = "v100..193"): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(versions.length);
  return Buffer.concat([Buffer.from("API\0"), length, Buffer.from(versions)]);
}

function readAll(reader: FrameReader, chunks: readonly Buffer[]): Incoming[] {
  return chunks.flatMap((chunk) => [...reader.push(chunk)]);
}

/** The bytes in pieces that end at these places. */
function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, at) => bytes.subarray(at === 0 ? 0 : ends[at - 1]!, end));
}

describe("encodeFrame", () => {
  it("ends every field with NUL and states the length in bytes", () => {
    expect([...encodeFrame(["9", "é"])]).toEqual([0, 0, 0, 5, 0x39, 0, 0xc3, 0xa9, 0]);
  });
  it("is undone by decodeBody", () => {
    fc.assert(
      fc.property(fc.array(fieldText, { minLength: 1 }), (fields) => {
        expect(decodeBody(encodeFrame(fields).subarray(4))).toEqual(fields);
      }),
    );
  });
  it("lets no field end early", () => {
    expect(decodeBody(encodeFrame(["a\0b", "c"]).subarray(4))).toEqual(["ab", "c"]);
  });
});

describe("FrameReader", () => {
  it("finds the same messages however the bytes are cut", () => {
    fc.assert(
      fc.property(messages, fc.array(fc.nat()), (sent, places) => {
        const bytes = Buffer.concat([hello(), ...sent.map((fields) => encodeFrame(fields))]);
        const [first, ...rest] = readAll(new FrameReader(), cutAt(bytes, places));
        expect(first).toEqual({
          kind: "greeting",
          greeting: { minVersion: 100, maxVersion: 193, connectOptions: "" },
        });
        expect(rest).toEqual(sent.map((fields) => ({ kind: "message", fields })));
      }),
    );
  });

  it("reads one byte at a time", () => {
    const bytes = Buffer.concat([hello("v157..178 +PACEAPI"), encodeFrame(["49", "1"])]);
    const found = readAll(
      new FrameReader(),
      [...bytes].map((byte) => Buffer.of(byte)),
    );
    expect(found).toEqual([
      { kind: "greeting", greeting: { minVersion: 157, maxVersion: 178, connectOptions: "+PACEAPI" } },
      { kind: "message", fields: ["49", "1"] },
    ]);
  });

  it("takes a single version for both", () => {
    const [greeting] = readAll(new FrameReader(), [hello("v176")]);
    expect(greeting).toMatchObject({ greeting: { minVersion: 176, maxVersion: 176 } });
  });

  it.each([
    ["HTTP", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    ["another first byte", Buffer.from("B")],
    ["a greeting without versions", hello("hello")],
    ["a greeting of a length that none has", Buffer.from("API\0\x7f\xff\xff\xff")],
    ["a greeting of no length", Buffer.from("API\0\0\0\0\0")],
    ["a message of no length", Buffer.concat([hello(), Buffer.alloc(4)])],
    ["a message longer than any", Buffer.concat([hello(), Buffer.from([0, 0x10, 0, 1])])],
    ["a negative length", Buffer.concat([hello(), Buffer.from([0xff, 0xff, 0xff, 0xff])])],
    ["a message without a NUL at its end", Buffer.concat([hello(), Buffer.from([0, 0, 0, 2, 52, 57])])],
  ])("refuses %s", (_what, bytes) => {
    expect(() => readAll(new FrameReader(), [bytes])).toThrow(ProtocolError);
  });

  it("keeps little for who claims much and sends little", () => {
    const reader = new FrameReader();
    readAll(reader, [hello(), Buffer.from([0, 0x10, 0, 0]), Buffer.alloc(100, 65)]);
    expect(reader.held).toBeLessThan(1000);
  });

  it("keeps one message and no more, and forgets it when it is whole", () => {
    const reader = new FrameReader();
    const large = encodeFrame(["x".repeat(maxClientFrame - 1)]);
    readAll(reader, [hello(), large.subarray(0, large.length - 1)]);
    expect(reader.held).toBeLessThanOrEqual(maxClientFrame + 4);
    expect(readAll(reader, [large.subarray(large.length - 1)]).length).toBe(1);
    expect(reader.held).toBe(0);
  });

  it("either gives messages or refuses, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), fc.boolean(), (chunks, greets) => {
        const reader = new FrameReader();
        try {
          if (greets) readAll(reader, [hello()]);
          for (const chunk of chunks) {
            for (const incoming of reader.push(Buffer.from(chunk))) {
              if (incoming.kind === "message") expect(incoming.fields.length).toBeGreaterThan(0);
            }
            expect(reader.held).toBeLessThanOrEqual(maxClientFrame + 4);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
    );
  });
});
