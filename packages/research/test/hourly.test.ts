import { rowsPerYear } from "@pf/backtest";
import { alignPanel, newYorkTimeOf, type Panel } from "@pf/market";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { asHours, panelOf, remade, scrambledAfter, worlds } from "../../market/test/worlds.js";
import { planGrid } from "../src/grid.js";
import {
  mergeWalkForward,
  permutePanel,
  plainEvaluator,
  planWalkForward,
  prepareResearch,
  rowOrder,
  rowPatterns,
  runTrials,
  runUnit,
  type Study,
} from "../src/index.js";
import { createGridKernel } from "../src/kernel/kernel.js";
import { quickPanel, quickStudy } from "./studies.js";

const hourly = (study: Study): Study => ({
  ...study,
  options: { ...study.options, periodsPerYear: 7 * 252 },
});
const objectives = ["Calmar", "CAGR", "Sharpe", "Sortino", "AnnualVol", "MaxDD", "PF"] as const;
const traded = ["Turnover", "TurnoverAnnual", "RebalanceDays", "RebalancesPerMonth"] as const;
/** Fourteen months of hours: two windows of a year and a month. */
const long = (seed: number) => asHours(quickPanel(seed, 14 * 21 * 7));
const spans = { trainYears: 1, oosMonths: 1 };

describe("a study of hourly rows", () => {
  it("has the same objectives from the kernel and from the plain path, in any order of rows", () => {
    fc.assert(
      fc.property(
        worlds({ minRows: 20 }),
        fc.constantFrom(...objectives, ...traded),
        fc.constantFrom(1 as const, 2 as const),
        (world, objective, lag) => {
          const panel = asHours(panelOf(world));
          if (panel.tickers.length === 0) return;
          const study = hourly({ ...quickStudy, objective, lag });
          const order = rowOrder(rowPatterns(panel), world.seed, 0, 1);
          const plan = planGrid(study);
          const kernel = createGridKernel(panel, study, plan)!;
          const plain = plainEvaluator(panel, study);
          for (const rows of [undefined, order]) {
            const fused = kernel.evaluate(rows).slice();
            for (const [at, wanted] of plain.evaluate(rows).entries()) {
              if (Number.isNaN(wanted)) expect(fused[at]).toBeNaN();
              else expect(Math.abs(fused[at]! - wanted)).toBeLessThanOrEqual(1e-9 * (1 + Math.abs(wanted)));
            }
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it("walks forward by the calendar: windows begin and end with whole sessions, of the same dates as days", () => {
    const panel = long(3);
    const folds = planWalkForward(panel.sessions, spans);
    const days = planWalkForward([...new Set(panel.sessions)], spans);
    expect(folds.length).toBeGreaterThan(1);
    expect(
      folds.map(({ trainStart, trainEnd, oosStart, oosEnd }) => [trainStart, trainEnd, oosStart, oosEnd]),
    ).toEqual(
      days.map(({ trainStart, trainEnd, oosStart, oosEnd }) => [trainStart, trainEnd, oosStart, oosEnd]),
    );
    for (const { trainFrom, oosFrom, oosTo } of folds)
      for (const row of [trainFrom, oosFrom, oosTo])
        if (row > 0 && row < panel.sessions.length)
          expect(panel.sessions[row]).not.toBe(panel.sessions[row - 1]);
  });

  it("annualises everything it reports by the same rows of a year", () => {
    const panel = long(5);
    const folds = planWalkForward(panel.sessions, spans);
    const walk = (study: Study) => {
      const research = prepareResearch(panel, study);
      const results = folds.map((fold) => runUnit({ kind: "fold", fold }, research));
      return mergeWalkForward(panel, folds, results, study, research.plan);
    };
    // The final equity does not depend on it, so that both choose alike.
    const study: Study = { ...quickStudy, objective: "FinalEquity" };
    const [byHour, byDay] = [walk(hourly(study)), walk(study)];
    expect(byHour.result.net).toEqual(byDay.result.net);
    const ratio = (of: (walked: typeof byHour) => number | null) => of(byHour)! / of(byDay)!;
    for (const volatility of [
      ratio((walked) => walked.metrics.AnnualVol),
      ratio((walked) => walked.folds[0]!.train.AnnualVol),
      ratio((walked) => walked.folds[0]!.oos.AnnualVol),
      ratio((walked) => walked.comparison.fixed.AnnualVol),
    ])
      expect(volatility).toBeCloseTo(Math.sqrt(7), 9);
    const trials = (study: Study) => runTrials(panel, { ...study, objective: "AnnualVol" }).objectives[0]!;
    expect(trials(hourly(study)) / trials(study)).toBeCloseTo(Math.sqrt(7), 9);
    expect(byHour.result.endsUtcMs).toEqual(
      panel.endsUtcMs!.subarray(folds[0]!.oosFrom, folds.at(-1)!.oosTo),
    );
    expect(rowsPerYear(panel.sessions)).toBeCloseTo(7 * 252, 6);
  });

  it("chooses and holds nothing that later hours could have told it", () => {
    const panel = long(7);
    const study = hourly(quickStudy);
    const folds = planWalkForward(panel.sessions, spans);
    const walk = (market: Panel) => {
      const research = prepareResearch(market, study);
      return folds.map((fold) => runUnit({ kind: "fold", fold }, research));
    };
    const [first] = folds;
    const [real, other] = [walk(panel), walk(scrambledAfter(panel, first!.oosTo - 1, 9))];
    expect(other[0]).toEqual(real[0]);
    expect(other[1]).not.toEqual(real[1]);
  });
});

describe("rows that may change places", () => {
  it("are rows of the same hour, so that the step over night stays where it was", () => {
    const panel = asHours(quickPanel(11, 7 * 60));
    const order = rowOrder(rowPatterns(panel), 1, 0, 1);
    const time = (row: number) => newYorkTimeOf(panel.endsUtcMs![row]!);
    let moved = 0;
    for (let row = 1; row < order.length; row++) {
      expect(time(order[row]!)).toBe(time(row));
      if (panel.sessions[order[row]!] !== panel.sessions[row]) moved++;
    }
    expect(moved).toBeGreaterThan(order.length / 2);
    expect(permutePanel(panel, order).endsUtcMs).toEqual(panel.endsUtcMs);
  });

  it("are no rows of which one begins a session late", () => {
    // Nobody traded in the first hour of the third session: its first row ends at 11:00, and spans the night.
    const panel = asHours(quickPanel(11, 7 * 60, [{ kind: "walk", start: 0, holes: [] }]));
    const late = remade(panel, (series) => {
      const keep = (_: unknown, row: number) => row !== 14;
      const { sessions, endsUtcMs, open, high, low, close, volume } = series;
      return {
        ticker: series.ticker,
        sessions: sessions.filter(keep),
        endsUtcMs: endsUtcMs!.filter(keep),
        open: open.filter(keep),
        high: high.filter(keep),
        low: low.filter(keep),
        close: close.filter(keep),
        volume: volume.filter(keep),
      };
    });
    const patterns = rowPatterns(late);
    expect(newYorkTimeOf(late.endsUtcMs![14]!)).toBe("11:00");
    expect([...patterns].filter((one) => one === patterns[14])).toHaveLength(1);
    // Another row of eleven o'clock has all the others as its like.
    expect([...patterns].filter((one) => one === patterns[8])).toHaveLength(59);
  });

  it("are those of days where bars are daily", () => {
    const days = quickPanel(13);
    const patterns = rowPatterns(days);
    expect(rowPatterns(alignPanel([]))).toEqual(new Int32Array(0));
    expect(new Set(patterns.subarray(120, 370)).size).toBe(1);
  });
});
