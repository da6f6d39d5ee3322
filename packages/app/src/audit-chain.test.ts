import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chainedLog, lastHashOf, verifyAudit } from "./audit-chain.js";

const log = fc.array(fc.record({ event: fc.string(), facts: fc.jsonValue() }), {
  minLength: 2,
  maxLength: 8,
});
const written = (records: readonly unknown[]) => chainedLog(records.map((record) => JSON.stringify(record)));
const isSound = (text: string) => verifyAudit(text).problems.length === 0;
const linesOf = (text: string) => text.trimEnd().split("\n");

describe("a chained log", () => {
  it("verifies as it was written, and every record still says what it said", () => {
    fc.assert(
      fc.property(log, (records) => {
        const text = written(records);
        expect(verifyAudit(text)).toMatchObject({
          records: records.length,
          problems: [],
          last: lastHashOf(text),
        });
        const read = linesOf(text).map((line) => JSON.parse(line));
        for (const [at, record] of read.entries())
          expect(record).toMatchObject(JSON.parse(JSON.stringify(records[at])));
      }),
    );
  });

  it("does not verify when a character was changed, wherever it stands", () => {
    fc.assert(
      fc.property(log, fc.nat(), fc.constantFrom("x", "0", "9", " "), (records, where, character) => {
        const text = written(records);
        const at = where % text.length;
        if (text[at] === character) return;
        expect(isSound(text.slice(0, at) + character + text.slice(at + 1))).toBe(false);
      }),
    );
  });

  it("does not verify when a record was removed, doubled or moved; one cut off at the end changes the last hash", () => {
    fc.assert(
      fc.property(log, fc.nat(), (records, where) => {
        const lines = linesOf(written(records));
        const at = where % (lines.length - 1);
        const one = lines[at]!;
        const text = (changed: readonly string[]) => `${changed.join("\n")}\n`;
        expect(isSound(text(lines.filter((_, index) => index !== at)))).toBe(false);
        expect(isSound(text([...lines.slice(0, at), one, ...lines.slice(at)]))).toBe(false);
        expect(isSound(text([...lines.filter((_, index) => index !== at), one]))).toBe(false);
        const shorter = text(lines.slice(0, -1));
        expect(isSound(shorter)).toBe(true);
        expect(lastHashOf(shorter)).not.toBe(lastHashOf(text(lines)));
      }),
    );
  });

  it("says which line a crash cut short, and goes on behind it", () => {
    const text = written([{ event: "a" }, { event: "b" }]);
    const cut = `${text}{"event":"c","prev\n`;
    expect(verifyAudit(cut).problems).toEqual([{ line: 3, problem: "the record is cut short or is none" }]);
    expect(lastHashOf(cut)).toBe(lastHashOf(text));
  });
});
