import { measure, runBacktest } from "@pf/backtest";
import { builtinScores, createStrategy } from "@pf/selection";
import { describe, expect, it } from "vitest";
import { quickPanel, quickStudy } from "../test/studies.js";
import { applyPoint, planGrid } from "./grid.js";
import { gridTargets } from "./kernel/kernel.js";
import { bestPosition } from "./objective.js";
import { probabilityOfOverfitting } from "./statistics/overfitting.js";
import { deflatedSharpe, sharpeSample, trialVariance } from "./statistics/sharpe.js";
import { assessTrials, runTrials } from "./trials.js";

const panel = quickPanel(51);
const trials = runTrials(panel, quickStudy);

const furthest = (a: Float64Array, b: Float64Array) =>
  a.length === b.length ? a.reduce((most, value, k) => Math.max(most, Math.abs(value - b[k]!)), 0) : Infinity;

describe("runTrials", () => {
  it("has every point's own backtest, in grid order: the same holdings, returns equal to rounding", () => {
    for (const [at, point] of trials.points.entries()) {
      const run = runBacktest(panel, createStrategy(applyPoint(quickStudy.options, point)), quickStudy.costs);
      expect(furthest(trials.returns[at]!, run.net)).toBeLessThan(1e-14);
      expect(trials.objectives[at]).toBeCloseTo(measure(run).Calmar, 12);
    }
    expect(trials.points.length).toBe(8);
    expect(trials.returns.some((column) => column!.some((value) => value !== 0))).toBe(true);
  });

  it("has them to the last bit where extensions leave the fused kernel aside", () => {
    const plain = runTrials(panel, quickStudy, { scores: builtinScores });
    for (const [at, point] of plain.points.entries()) {
      const run = runBacktest(panel, createStrategy(applyPoint(quickStudy.options, point)), quickStudy.costs);
      expect(plain.returns[at]).toEqual(run.net);
    }
  });

  it("gives points that cannot differ one run, and each its own otherwise, of the plain path's holdings", () => {
    const study = { ...quickStudy, grid: { top_n: [1, 2], corr_cap: [0.3, 0.9] } };
    const { targets, runOf } = gridTargets(panel, study)!;
    expect([...runOf]).toEqual([0, 0, 1, 2]);
    for (const [at, point] of planGrid(study).points.entries()) {
      const run = runBacktest(panel, createStrategy(applyPoint(study.options, point)), study.costs);
      for (const row of panel.sessions.keys()) {
        const holding = targets.held[runOf[at]!]![row]!;
        const [from, to] = [targets.start[holding]!, targets.start[holding + 1]!];
        const { rowStart, symbol, weight } = run.targets;
        expect(targets.symbol.slice(from, to)).toEqual(symbol.slice(rowStart[row], rowStart[row + 1]));
        expect(
          furthest(targets.weight.slice(from, to), weight.slice(rowStart[row], rowStart[row + 1])),
        ).toBeLessThan(1e-14);
      }
    }
  });

  it("writes a holding down once for all runs and rows that keep it", () => {
    const { targets } = gridTargets(panel, quickStudy)!;
    const changes = targets.held.reduce(
      (count, column) =>
        count + column.filter((holding, row) => row > 0 && holding !== column[row - 1]).length,
      0,
    );
    expect(targets.start.length - 2).toBeLessThanOrEqual(changes);
    expect(changes).toBeGreaterThan(20);
  });

  it("has no returns of an impossible combination", () => {
    const { returns, objectives } = runTrials(panel, {
      ...quickStudy,
      grid: { ema_fast: [9, 3], ema_slow: [8, 12] },
    });
    expect(returns.map((column) => column !== undefined)).toEqual([false, true, true, true]);
    expect(objectives[0]).toBeNaN();
  });
});

describe("assessTrials", () => {
  it("puts the statistics of the best point together from the trials' returns", () => {
    const report = assessTrials(trials, quickStudy, { blocks: 8 });
    const at = bestPosition("Calmar", trials.objectives);
    const columns = trials.returns.map((column) => column!);
    const spread = trialVariance(columns.map((column) => sharpeSample(column).sharpe));
    expect(report.best).toEqual({ point: trials.points[at], objective: trials.objectives[at] });
    expect(report.sample).toEqual(sharpeSample(columns[at]!));
    expect(report.deflatedSharpe).toEqual(deflatedSharpe(report.sample, 8, spread));
    expect(report.overfitting).toEqual(probabilityOfOverfitting(columns, { blocks: 8 }));
    expect(report.map.points[at]!.objective).toBe(trials.objectives[at]);
  });

  it("takes the number of trials from whoever keeps count, never fewer than the grid has", () => {
    const counted = (count: number) =>
      assessTrials(trials, quickStudy, { trials: count, blocks: 4 }).deflatedSharpe;
    expect(counted(500).trials).toBe(500);
    expect(counted(500).probability).toBeLessThan(counted(8).probability);
    expect(counted(2)).toEqual(counted(8));
  });

  it("chooses nothing in a grid of one point, and deflates it for the trials elsewhere only if their spread is known", () => {
    const study = { ...quickStudy, grid: { top_n: [2] } };
    const one = runTrials(panel, study);
    const alone = assessTrials(one, study);
    expect(alone.overfitting).toBeUndefined();
    expect(alone.deflatedSharpe.probability).toBe(alone.probabilisticSharpe);
    expect(assessTrials(one, study, { trials: 9 }).deflatedSharpe.probability).toBeNaN();
  });

  it("has no numbers where nothing trades", () => {
    const frozen = { kind: "constant" as const, start: 0, holes: [] };
    const study = { ...quickStudy, grid: { ema_fast: [9, 3], ema_slow: [8, 12] } };
    const report = assessTrials(runTrials(quickPanel(1, 200, [frozen]), study), study);
    expect(report.best).toEqual({ point: { ema_fast: 9, ema_slow: 12 }, objective: null });
    expect([report.sample.sharpe, report.deflatedSharpe.probability]).toEqual([Number.NaN, Number.NaN]);
    expect(report.overfitting).toMatchObject({ splits: [], undecided: 12_870 });
  });
});
