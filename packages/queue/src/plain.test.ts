import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pack, unpack } from "./plain.js";

// `toEqual` takes -0 for another number than 0 and NaN for itself, which is what is asked here.
const number = fc.oneof(
  fc.double(),
  fc.constantFrom(-0, Number.NaN, Number.POSITIVE_INFINITY, 5e-324, 0.1 + 0.2),
);
const text = fc.oneof(fc.string(), fc.constantFrom("\u0000", "\u0000NaN", "\u0000\u0000-0", "\u0000-", "-0"));
const plain = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    number,
    text,
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 8 }),
    fc.dictionary(
      fc.string().filter((key) => key !== "__proto__"),
      tie("value"),
      { maxKeys: 6, noNullPrototype: true },
    ),
  ),
})).value;

describe("packing", () => {
  it("gives back every plain value, to the last bit", () => {
    fc.assert(fc.property(plain, (value) => void expect(unpack(pack(value))).toEqual(value)));
  });

  it("gives equal bytes for equal values, and makes long ones shorter", () => {
    fc.assert(fc.property(plain, (value) => void expect(pack(value)).toEqual(pack(structuredClone(value)))));
    const long = Array.from({ length: 500 }, () => "window");
    expect(pack(long).length).toBeLessThan(JSON.stringify(long).length / 10);
  });
});
