import { describe, expect, it } from "vitest";
import { summariseNull } from "./permutation.js";

const hundred = Array.from({ length: 100 }, (_, run) => ((run * 37) % 100) + 1);

describe("summariseNull", () => {
  it("has the score that one run in twenty reaches, from the good end", () => {
    expect(summariseNull("Calmar", hundred)).toEqual({ mean: 50.5, median: 50.5, top5Percent: 96 });
    expect(summariseNull("MaxDD", hundred)).toEqual({ mean: 50.5, median: 50.5, top5Percent: 5 });
  });

  it("leaves out runs without a score, and is nothing where none has one", () => {
    expect(summariseNull("Calmar", [null, 3, 1, 2])).toEqual({ mean: 2, median: 2, top5Percent: 3 });
    expect(summariseNull("Calmar", [null])).toEqual({ mean: null, median: null, top5Percent: null });
  });
});
