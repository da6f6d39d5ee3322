import type { BacktestResult } from "@pf/backtest";
import { describe, expect, it } from "vitest";
import { quickStudy } from "../../research/test/studies.js";
import { madeWalkForward } from "../test/research.js";
import { runOf, walk, weekdays } from "../test/worlds.js";
import { metricsJson } from "./json.js";
import { returnsCsv, weightsCsv } from "./tables.js";
import { planWalkForwardReport, type WalkForwardReportInput, walkForwardJson } from "./walkForward.js";
import type { PlannedFile } from "./write.js";

const input = await madeWalkForward();
const { walkForward } = input;
const textOf = (files: readonly PlannedFile[], name: string) =>
  new TextDecoder().decode(files.find((file) => file.name === name)!.bytes);
const numbers = ["walkforward.json", "walkforward-returns.csv", "walkforward-weights.csv"];

describe("planWalkForwardReport", () => {
  it("plans numbers alone, or numbers and pictures; the map where the grid's statistics are given", async () => {
    const names = async (one: WalkForwardReportInput) =>
      (await planWalkForwardReport(one)).map(({ name }) => name);
    expect(await names(input)).toEqual(numbers);
    expect(await names({ ...input, plots: true })).toEqual([
      ...numbers,
      "walkforward.png",
      "parameter-map.png",
    ]);
    const { overfitting: _, ...without } = input;
    expect(await names({ ...without, plots: true })).toEqual([...numbers, "walkforward.png"]);
  });

  it("writes the stitched run's returns and weights in the forms of a backtest", async () => {
    const files = await planWalkForwardReport(input);
    expect(textOf(files, "walkforward-returns.csv")).toBe(returnsCsv(walkForward.result));
    expect(textOf(files, "walkforward-weights.csv")).toBe(weightsCsv(walkForward.result));
    expect(textOf(files, "walkforward-weights.csv").split("\n").length).toBeGreaterThan(50);
  });

  it("gives the same bytes for the same input, pictures included", async () => {
    const [one, two] = await Promise.all([
      planWalkForwardReport({ ...input, plots: true }),
      madeWalkForward().then((again) => planWalkForwardReport({ ...again, plots: true })),
    ]);
    for (const [index, file] of one.entries()) {
      expect(Buffer.compare(file.bytes, two[index]!.bytes), file.name).toBe(0);
      expect(file.bytes.length, file.name).toBeGreaterThan(1000);
    }
  });

  it("refuses a run that cannot be reported or compared, and names it", async () => {
    const { result } = walkForward;
    const { sessions } = result;
    const short: BacktestResult = { ...result, net: result.net.slice(1) };
    await expect(
      planWalkForwardReport({ ...input, walkForward: { ...walkForward, result: short } }),
    ).rejects.toThrow(/walkForward\.result: net has \d+ values/);
    await expect(planWalkForwardReport({ ...input, fixed: short })).rejects.toThrow(/from fixed: net has/);
    const later = runOf(weekdays("2031-01-01", sessions.length), walk(1, sessions.length));
    await expect(planWalkForwardReport({ ...input, fixed: later })).rejects.toThrow(
      `nothing to report from fixed: session 0 is ${later.sessions[0]} where the stitched run has ${sessions[0]}`,
    );
    const longer = runOf([...sessions, later.sessions[0]!], walk(1, sessions.length + 1));
    await expect(
      planWalkForwardReport({ ...input, benchmarks: [{ ...input.benchmarks[0]!, result: longer }] }),
    ).rejects.toThrow(
      `benchmarks.SPY: session ${sessions.length} is ${later.sessions[0]} where the stitched run has none`,
    );
  });
});

describe("walkForwardJson", () => {
  const json = walkForwardJson(input);

  it("has the keys of the contract in one order, and is what the file holds", async () => {
    expect(Object.keys(json)).toEqual(
      "objective folds metrics benchmarks comparison stability undecided grid overfitting verdict manifest".split(
        " ",
      ),
    );
    expect(JSON.parse(textOf(await planWalkForwardReport(input), "walkforward.json"))).toEqual(json);
    expect(json).toMatchObject({
      objective: "Calmar",
      metrics: metricsJson(walkForward.metrics),
      benchmarks: { SPY: metricsJson(input.benchmarks[0]!.metrics) },
      comparison: walkForward.comparison,
      stability: walkForward.stability,
      manifest: input.manifest,
      verdict: input.verdict,
    });
  });

  it("tells of each fold its dates, its choice and the objective of every point of the grid", () => {
    const folds = json.folds as Record<string, unknown>[];
    const { points } = json.grid as { points: Record<string, number>[] };
    expect(folds.length).toBe(walkForward.folds.length);
    expect(folds.length).toBeGreaterThan(2);
    for (const [index, fold] of folds.entries()) {
      const { trainStart, trainEnd, oosStart, oosEnd, chosen, objectives, objective, params } =
        walkForward.folds[index]!;
      expect(fold).toMatchObject({ index, trainStart, trainEnd, oosStart, oosEnd, objectives, objective });
      expect(fold.params).toMatchObject(points[chosen]!);
      expect(points[chosen]).toEqual(params);
      expect((fold.objectives as number[])[chosen]).toBe(objective);
    }
  });

  it("names the four usual parameters even where the grid does not vary them", async () => {
    const study = { ...quickStudy, grid: { top_n: [1, 2], min_score: [0, 0.1] } };
    const [fold] = walkForwardJson(await madeWalkForward(study)).folds as { params: object }[];
    expect(Object.keys(fold!.params)).toEqual(["ema_fast", "ema_slow", "top_n", "corr_cap", "min_score"]);
    expect(fold!.params).toMatchObject({ ema_fast: 3, ema_slow: 8, corr_cap: 0.7 });
  });

  it("says null where an objective or a metric is undefined, and leaves out what was not made", () => {
    const [first, ...others] = walkForward.folds;
    const bare = walkForwardJson({
      manifest: {},
      study: input.study,
      walkForward: {
        ...walkForward,
        metrics: { ...walkForward.metrics, Sharpe: Number.NaN },
        folds: [{ ...first!, objective: null, objectives: first!.objectives.map(() => null) }, ...others],
        undecided: [0],
      },
    });
    expect(Object.keys(bare)).toEqual(
      "objective folds metrics comparison stability undecided grid manifest".split(" "),
    );
    expect(bare).toMatchObject({ metrics: { Sharpe: null }, undecided: [0] });
    const [undecided] = bare.folds as { objective: unknown; objectives: unknown[] }[];
    expect(undecided!.objective).toBeNull();
    expect(new Set(undecided!.objectives)).toEqual(new Set([null]));
  });
});
