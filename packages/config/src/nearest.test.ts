import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nearest } from "./nearest.js";

const names = ["corr_cap", "corr_window", "top_n", "min_score", "incumbents", "score"];

describe("nearest", () => {
  it.each([
    ["corr_kap", "corr_cap"],
    ["corrCap", "corr_cap"],
    ["CORR-CAP", "corr_cap"],
    ["topn", "top_n"],
    ["incum", "incumbents"],
    ["incumbants", "incumbents"],
    ["minscore", "min_score"],
    ["scroe", "score"],
  ])("takes %s for %s", (written, meant) => expect(nearest(written, names)).toBe(meant));

  it.each(["x", "universe", "cap", "n", ""])("takes %j for nothing", (written) => {
    expect(nearest(written, names)).toBeUndefined();
  });

  it("forgives one mistake or two swapped letters in a symbol, no more", () => {
    const symbols = ["SPY", "TLT", "IEF"];
    expect(nearest("SPX", symbols)).toBe("SPY");
    expect(nearest("TTL", symbols)).toBe("TLT");
    expect(nearest("SXX", symbols)).toBeUndefined();
  });

  it("finds a name itself, wherever it stands in the list", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(names, { minLength: 1 }), fc.nat(), (some, pick) => {
        const name = some[pick % some.length]!;
        return nearest(name, some) === name && nearest(name.toUpperCase(), some) === name;
      }),
    );
  });
});
