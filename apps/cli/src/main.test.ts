import { describe, expect, it } from "vitest";
import { globalFlagsLast } from "./main.js";

describe("globalFlagsLast", () => {
  it.each([
    [["weights"], ["weights"]],
    [
      ["--json", "weights"],
      ["weights", "--json"],
    ],
    [
      ["--out", "dir", "--quiet", "backtest", "--no-plots"],
      ["backtest", "--no-plots", "--out", "dir", "--quiet"],
    ],
    [
      ["--set=a.b=1", "config", "show"],
      ["config", "show", "--set=a.b=1"],
    ],
    [
      ["--json", "fetch", "--", "x"],
      ["fetch", "--json", "--", "x"],
    ],
    [
      ["--wrong", "weights"],
      ["--wrong", "weights"],
    ],
    [["--json"], ["--json"]],
    [[], []],
  ])("%j becomes %j", (typed, expected) => expect(globalFlagsLast(typed)).toEqual(expected));
});
