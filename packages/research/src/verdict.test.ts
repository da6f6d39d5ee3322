import { describe, expect, it } from "vitest";
import { type Evidence, judge } from "./verdict.js";

const objective = "Calmar";
const strong: Evidence = {
  objective,
  windows: { pPlusOne: 0.005, runs: 200, undefinedRuns: 0, windows: 34 },
  procedure: { pPlusOne: 0.02, runs: 100, undefinedRuns: 0 },
  deflatedSharpe: { probability: 0.97, trials: 81 },
  overfitting: 0.2,
  efficiency: 0.8,
  gainOverFixed: 0.1,
};
const weak: Evidence = {
  objective,
  windows: { pPlusOne: 0.4, runs: 200, undefinedRuns: 0, windows: 34 },
  procedure: { pPlusOne: 0.3, runs: 100, undefinedRuns: 0 },
  deflatedSharpe: { probability: 0.6, trials: 81 },
  overfitting: 0.7,
  efficiency: 0.1,
  gainOverFixed: -0.1,
};

describe("judge", () => {
  it("supports only what every test made supports, and doubts what none does", () => {
    expect(judge(strong).code).toBe("supported");
    expect(judge(weak).code).toBe("unsupported");
    for (const key of Object.keys(weak).filter((name) => name !== "objective") as (keyof Evidence)[]) {
      expect(judge({ ...strong, [key]: weak[key] }).code, key).toBe("mixed");
      expect(judge({ ...weak, [key]: strong[key] }).code, key).toBe("mixed");
    }
  });

  it("does not take success on the data that was searched for support", () => {
    const { windows, deflatedSharpe } = strong;
    expect(judge({ objective, windows: windows!, deflatedSharpe: deflatedSharpe! }).code).toBe("in_sample");
    expect(judge({ objective, windows: windows!, efficiency: null }).code).toBe("in_sample");
    for (const key of ["procedure", "overfitting", "efficiency", "gainOverFixed"] as const) {
      expect(judge({ objective, windows: windows!, [key]: strong[key] }).code).toBe("supported");
    }
  });

  it("knows nothing where nothing was tested or could be", () => {
    expect(judge({ objective })).toMatchObject({ code: "untested", findings: [] });
    const undefinedAll: Evidence = {
      objective,
      windows: { pPlusOne: null, runs: 200, undefinedRuns: 0, windows: 0 },
      procedure: { pPlusOne: null, runs: 20, undefinedRuns: 0 },
      deflatedSharpe: { probability: null, trials: 81 },
      overfitting: null,
      efficiency: null,
      gainOverFixed: null,
    };
    const { code, findings } = judge(undefinedAll);
    expect(code).toBe("untested");
    expect(findings.map((one) => one.passed)).toEqual(Array(6).fill(null));
  });

  it.each<[string, Evidence, Evidence]>([
    [
      "p at 0.05",
      { objective, procedure: { pPlusOne: 0.05, runs: 99, undefinedRuns: 0 } },
      { objective, procedure: { pPlusOne: 0.0501, runs: 99, undefinedRuns: 0 } },
    ],
    [
      "deflated Sharpe at 0.95",
      { objective, deflatedSharpe: { probability: 0.95, trials: 2 } },
      { objective, deflatedSharpe: { probability: 0.9499, trials: 2 } },
    ],
    ["overfitting below a half", { objective, overfitting: 0.499 }, { objective, overfitting: 0.5 }],
    ["efficiency of a half", { objective, efficiency: 0.5 }, { objective, efficiency: 0.499 }],
    ["any gain over fixed parameters", { objective, gainOverFixed: 1e-9 }, { objective, gainOverFixed: 0 }],
  ])("has its threshold: %s", (_, passes, fails) => {
    expect(judge(passes).findings[0]!.passed).toBe(true);
    expect(judge(fails).findings[0]!.passed).toBe(false);
    expect(judge(fails).code).toBe("unsupported");
  });

  it("takes no p-value from runs too few to show one, or without scores", () => {
    const few = judge({ objective, procedure: { pPlusOne: 1 / 19, runs: 18, undefinedRuns: 0 } });
    expect(few.code).toBe("untested");
    expect(few.findings[0]!.line).toMatch(/cannot show less than 0\.0526; make at least 19/);
    expect(judge({ objective, procedure: { pPlusOne: 1 / 20, runs: 19, undefinedRuns: 0 } }).code).toBe(
      "supported",
    );
    const holes = judge({ objective, procedure: { pPlusOne: 0.01, runs: 100, undefinedRuns: 6 } });
    expect(holes).toMatchObject({ code: "untested", findings: [{ passed: null }] });
  });

  it("tells each number once, and always what it does not show", () => {
    const { lines, limits, findings, headline } = judge(strong);
    expect(lines).toEqual([headline, ...findings.map((one) => one.line), ...limits]);
    const text = lines.join("\n");
    for (const number of [
      "34 windows, 200 runs",
      "0.005",
      "0.02",
      "0.97",
      "81 trials",
      "0.2",
      "0.8",
      "0.1",
    ]) {
      expect(text).toContain(number);
    }
    expect(limits.at(-1)).toMatch(/none of it says that the future resembles them/);
    expect(judge({ objective }).limits).toHaveLength(1);
    expect(judge({ objective, windows: strong.windows! }).limits.join()).toMatch(
      /they are one test and not many/,
    );
  });
});
