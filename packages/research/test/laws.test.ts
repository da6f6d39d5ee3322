import { measure, runBacktest, runTargets, targetSeries } from "@pf/backtest";
import { alignPanel, dayNumber, type Panel } from "@pf/market";
import { builtinScores, createStrategy } from "@pf/selection";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { panelOf, remade, scrambledAfter, worlds } from "../../market/test/worlds.js";
import {
  collect,
  type Executor,
  explainFold,
  type Fold,
  inlineExecutor,
  LivenessError,
  type MergeError,
  mergePermutation,
  mergeProcedure,
  mergeWalkForward,
  type PermutationPart,
  permutePanel,
  plainEvaluator,
  plainMetrics,
  planFolds,
  planPermutation,
  planProcedure,
  planWalkForward,
  prepareResearch,
  type Research,
  type ResearchUnit,
  rowOrder,
  rowPatterns,
  runUnit,
  type Study,
} from "../src/index.js";
import { quickPanel, quickSpans, quickStudy } from "./studies.js";

const seeds = fc.integer({ min: 1, max: 0x7fffffff });
const policies = fc.record({
  incumbents: fc.constantFrom("rank" as const, "keep" as const),
  lag: fc.constantFrom(1 as const, 2 as const),
  objective: fc.constantFrom("Calmar" as const, "Sharpe" as const, "MaxDD" as const),
});

function studyWith({
  incumbents,
  lag,
  objective,
}: {
  incumbents: "rank" | "keep";
  lag: 1 | 2;
  objective: Study["objective"];
}): Study {
  const { options } = quickStudy;
  return {
    ...quickStudy,
    lag,
    objective,
    options: { ...options, selection: { ...options.selection, incumbents } },
  };
}

function walk(panel: Panel, study: Study) {
  const folds = planWalkForward(panel.sessions, quickSpans);
  const research = prepareResearch(panel, study);
  const results = folds.map((fold) => runUnit({ kind: "fold", fold }, research));
  return { folds, results, walked: mergeWalkForward(panel, folds, results, study, research.plan) };
}

describe("a walk-forward", () => {
  it("chooses on the train rows alone: other out-of-sample bars change no choice made before them", () => {
    fc.assert(
      fc.property(seeds, policies, fc.nat(), (seed, policy, dice) => {
        const panel = quickPanel(seed);
        const study = studyWith(policy);
        const { folds, results } = walk(panel, study);
        const fold = folds[dice % folds.length]!;
        const other = walk(scrambledAfter(panel, fold.oosFrom - 1, dice + 1), study);
        for (const known of results.slice(0, fold.index + 1)) {
          const { objectives, chosen, objective, train } = other.results[known.fold]!;
          expect({ objectives, chosen, objective, train }).toEqual({
            objectives: known.objectives,
            chosen: known.chosen,
            objective: known.objective,
            train: known.train,
          });
        }
        // And the scrambled bars were not simply ignored.
        expect(other.walked.result.net).not.toEqual(walk(panel, study).walked.result.net);
      }),
      { numRuns: 8 },
    );
  });

  it("holds nothing that bars after a fold could have told it", () => {
    fc.assert(
      fc.property(seeds, policies, fc.nat(), (seed, policy, dice) => {
        const panel = quickPanel(seed);
        const study = studyWith(policy);
        const { folds, results, walked } = walk(panel, study);
        const fold = folds[dice % (folds.length - 1)]!;
        const other = walk(scrambledAfter(panel, fold.oosTo - 1, dice + 1), study);
        expect(other.results.slice(0, fold.index + 1)).toEqual(results.slice(0, fold.index + 1));
        const rows = fold.oosTo - folds[0]!.oosFrom;
        expect(other.walked.result.net.subarray(0, rows)).toEqual(walked.result.net.subarray(0, rows));
      }),
      { numRuns: 8 },
    );
  });

  it("starts every train window cold: other bars before the window change nothing in it", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const panel = quickPanel(seed);
        const { folds, results } = walk(panel, quickStudy);
        const last = folds.at(-1)!;
        const cut = panel.between(last.trainFrom, last.oosTo);
        const alone: Fold = {
          ...last,
          trainFrom: 0,
          oosFrom: last.oosFrom - last.trainFrom,
          oosTo: last.oosTo - last.trainFrom,
        };
        const result = runUnit({ kind: "fold", fold: alone }, prepareResearch(cut, quickStudy));
        expect(result).toEqual(results.at(-1));
      }),
      { numRuns: 5 },
    );
  });

  it("merges to the same bytes whatever the order of its results, and after a journey through JSON", () => {
    const panel = quickPanel(7);
    const { folds, results, walked } = walk(panel, quickStudy);
    const { plan } = prepareResearch(panel, quickStudy);
    const travelled = JSON.parse(JSON.stringify([...results].reverse())) as typeof results;
    const merged = mergeWalkForward(panel, folds, travelled, quickStudy, plan);
    expect(JSON.stringify(merged)).toBe(JSON.stringify(walked));
    expect(() => mergeWalkForward(panel, folds, results.slice(1), quickStudy, plan)).toThrow(/results came/);
    expect(() =>
      mergeWalkForward(panel, folds, [...results.slice(1), results[1]!], quickStudy, plan),
    ).toThrow(/twice/);
  });

  it("counts changes of parameters and the growth of its folds", () => {
    const { folds, walked } = walk(quickPanel(11), quickStudy);
    const chosen = walked.folds.map((fold) => fold.chosen);
    expect(walked.stability.changes).toBe(
      chosen.filter((one, at) => at > 0 && one !== chosen[at - 1]).length,
    );
    for (const { key, values } of walked.stability.keys) {
      expect(values.map((one) => one.value)).toEqual(quickStudy.grid[key]);
      for (const { value, folds: count, share } of values) {
        expect(count).toBe(walked.folds.filter((fold) => fold.params[key] === value).length);
        expect(share).toBe(count / folds.length);
      }
    }
    const product = walked.folds.reduce((growth, fold) => growth * fold.oos.FinalEquity!, 1);
    expect(product).toBeCloseTo(walked.metrics.FinalEquity, 12);
  });

  it("stands beside the fixed parameters and SPY on the same sessions, each from cash", () => {
    const panel = remade(quickPanel(17), (series) =>
      series.ticker === "S0" ? { ...series, ticker: "SPY" } : series,
    );
    const { folds, walked } = walk(panel, quickStudy);
    const from = folds[0]!.oosFrom;
    const span = panel.between(from, panel.sessions.length);
    const spy = runTargets(
      span,
      targetSeries(span, () => ({ SPY: 1 })),
      quickStudy.costs,
    );
    expect(walked.comparison.spy).toEqual(plainMetrics(measure(spy)));
    const whole = runBacktest(panel, createStrategy(quickStudy.options), quickStudy.costs);
    const fixed = runTargets(
      span,
      targetSeries(span, (row) => whole.targets.at(row + from)),
      quickStudy.costs,
    );
    expect(walked.comparison.fixed).toEqual(plainMetrics(measure(fixed)));
    expect(walked.comparison.gainOverFixed).toBe(walked.metrics.Calmar - measure(fixed).Calmar);
    expect(walked.comparison.efficiency! * meanOf(walked.folds.map((fold) => fold.train.CAGR!))).toBeCloseTo(
      walked.metrics.CAGR,
      12,
    );
    expect(walk(quickPanel(17), quickStudy).walked.comparison.spy).toBeNull();
  });

  it("has nothing to change in a grid of one point", () => {
    const study = { ...quickStudy, grid: { ema_fast: [quickStudy.options.features.emaFast] } };
    const { walked } = walk(quickPanel(13), study);
    expect(walked.stability).toMatchObject({ changes: 0, changeRate: 0 });
  });
});

describe("a permuted panel", () => {
  const markets = worlds({ minRows: 2 });
  const permutedOf = (panel: Panel, seed: number) => {
    const patterns = rowPatterns(panel);
    const order = rowOrder(patterns, seed, 0, 0);
    return { patterns, order, permuted: permutePanel(panel, order) };
  };

  it("takes every row once and only from its own group", () => {
    fc.assert(
      fc.property(markets, fc.nat(), (world, seed) => {
        const { patterns, order } = permutedOf(panelOf(world), seed);
        expect([...order].sort((a, b) => a - b)).toEqual([...order.keys()]);
        expect([...order].map((from) => patterns[from])).toEqual([...patterns]);
        expect(order[0] ?? 0).toBe(0);
      }),
    );
  });

  it("moves the whole row: every symbol takes its four ratios from the same source row", () => {
    fc.assert(
      fc.property(markets, fc.nat(), (world, seed) => {
        const panel = panelOf(world);
        const { order, permuted } = permutedOf(panel, seed);
        for (const ticker of panel.tickers) {
          const [open, high, low, close] = columnsOf(panel, ticker);
          const [opened, highest, lowest, closed] = columnsOf(permuted, ticker);
          for (let row = 1; row < order.length; row++) {
            if (Number.isNaN(close![row]!) || Number.isNaN(close![row - 1]!)) continue;
            const from = order[row]!;
            expectNear(opened![row]! / closed![row - 1]!, open![from]! / close![from - 1]!);
            expectNear(highest![row]! / opened![row]!, high![from]! / open![from]!);
            expectNear(lowest![row]! / opened![row]!, low![from]! / open![from]!);
            expectNear(closed![row]! / opened![row]!, close![from]! / open![from]!);
            expect(highest![row]!).toBeGreaterThanOrEqual(Math.max(opened![row]!, closed![row]!));
            expect(lowest![row]!).toBeLessThanOrEqual(Math.min(opened![row]!, closed![row]!));
          }
        }
      }),
    );
  });

  it("keeps sessions, holes, first bars and, without holes, the last close", () => {
    fc.assert(
      fc.property(markets, fc.nat(), (world, seed) => {
        const panel = panelOf(world);
        const { permuted } = permutedOf(panel, seed);
        expect(permuted.sessions).toEqual(panel.sessions);
        for (const [i, ticker] of panel.tickers.entries()) {
          const before = panel.column("close", ticker);
          const after = permuted.column("close", ticker);
          expect([...after].map(Number.isNaN)).toEqual([...before].map(Number.isNaN));
          const first = before.findIndex((price) => !Number.isNaN(price));
          if (first < 0) continue;
          expect(after[first]).toBe(before[first]);
          const holds = world.shapes[i]!.holes.every((row) => row <= first || row >= before.length);
          if (holds && !before.subarray(first).some(Number.isNaN)) expectNear(after.at(-1)!, before.at(-1)!);
        }
      }),
    );
  });

  it("is the panel itself, up to rounding, in its own order", () => {
    fc.assert(
      fc.property(markets, (world) => {
        const panel = panelOf(world);
        const same = permutePanel(panel, [...panel.sessions.keys()]);
        for (const ticker of panel.tickers) {
          for (const field of ["open", "high", "low", "close", "volume"] as const) {
            const column = panel.column(field, ticker);
            for (const [row, value] of same.column(field, ticker).entries()) {
              if (Number.isNaN(value)) expect(column[row]).toBeNaN();
              else expectNear(value, column[row]!);
            }
          }
        }
      }),
    );
  });

  it("keeps the instants of hourly bars", () => {
    const daily = quickPanel(5, 60);
    const hourly = remade(daily, (series) => ({
      ...series,
      endsUtcMs: Float64Array.from(series.sessions, (session) => dayNumber(session) * 86_400_000),
    }));
    const order = rowOrder(rowPatterns(hourly), 1, 0, 0);
    const permuted = permutePanel(hourly, order);
    expect(permuted.endsUtcMs).toEqual(hourly.endsUtcMs);
    expect(permuted.column("close", "S0")).toEqual(permutePanel(daily, order).column("close", "S0"));
  });

  it("refuses an order that is none of its rows", () => {
    const panel = quickPanel(3, 120);
    expect(() => permutePanel(panel, [0, 1])).toThrow(/does not fit/);
    const mixed = Int32Array.from(panel.sessions.keys());
    mixed[10] = 90; // the late symbol has its first bar there, and no bar on row 10: nobody else minds
    mixed[95] = 10;
    expect(() => permutePanel(panel, mixed)).toThrow(/cannot take its moves from row 10/);
  });
});

describe("a permutation test", () => {
  const runs = 12;
  const test = (research: Research, folds: readonly Fold[], seed: number, runsPerUnit: number) => {
    const units = planPermutation(folds, { runs, seed, runsPerUnit });
    const parts = units.map((unit) => runUnit(unit, research));
    return mergePermutation(research.study.objective, folds, runs, parts);
  };

  it("gives the same bytes for any chunk size, order of work, and journey of its parts", () => {
    fc.assert(
      fc.property(seeds, policies, fc.integer({ min: 1, max: 13 }), (seed, policy, runsPerUnit) => {
        const panel = quickPanel(seed, 460);
        const study = studyWith(policy);
        const folds = planWalkForward(panel.sessions, quickSpans);
        const whole = test(prepareResearch(panel, study), folds, seed, runs);
        const units = [...planPermutation(folds, { runs, seed, runsPerUnit })].reverse();
        const parts = units.map((unit) => {
          const sent = JSON.parse(JSON.stringify(unit)) as typeof unit;
          return JSON.parse(JSON.stringify(runUnit(sent, prepareResearch(panel, study)))) as PermutationPart;
        });
        expect(JSON.stringify(mergePermutation(study.objective, folds, runs, parts))).toBe(
          JSON.stringify(whole),
        );
      }),
      { numRuns: 4 },
    );
  });

  it("gives a window the same numbers alone as among the others", () => {
    const panel = quickPanel(21);
    const folds = planWalkForward(panel.sessions, quickSpans);
    const research = prepareResearch(panel, quickStudy);
    const all = test(research, folds, 5, 4);
    const last = test(research, folds.slice(-1), 5, 12);
    expect(last.windows).toEqual(all.windows.slice(-1));
  });

  it("has p-values between 0 and 1 that count what they say, and means over its windows", () => {
    fc.assert(
      fc.property(seeds, policies, (seed, policy) => {
        const panel = quickPanel(seed, 460);
        const study = studyWith(policy);
        const folds = planWalkForward(panel.sessions, quickSpans);
        const { windows, overall } = test(prepareResearch(panel, study), folds, seed, 5);
        for (const { real, p, pPlusOne, permuted } of [...windows, overall]) {
          expect(permuted.length).toBe(runs);
          if (real === null) continue;
          const better = permuted.filter(
            (score) => score !== null && (study.objective === "MaxDD" ? score <= real : score >= real),
          ).length;
          expect(p).toBe(better / runs);
          expect(pPlusOne).toBe((better + 1) / (runs + 1));
        }
        const counted = windows.filter((window) => window.real !== null);
        expect(overall.windows).toBe(counted.length);
        if (overall.real !== null) {
          expectNear(overall.real, counted.reduce((sum, window) => sum + window.real!, 0) / counted.length);
          expectNear(
            overall.permuted[0]!,
            counted.reduce((sum, window) => sum + window.permuted[0]!, 0) / counted.length,
          );
        }
      }),
      { numRuns: 5 },
    );
  });

  it("falls with another seed on other dice", () => {
    const panel = quickPanel(23, 460);
    const folds = planWalkForward(panel.sessions, quickSpans);
    const research = prepareResearch(panel, quickStudy);
    const one = test(research, folds, 1, 4);
    const other = test(research, folds, 2, 4);
    expect(other.windows.map((window) => window.real)).toEqual(one.windows.map((window) => window.real));
    expect(other.windows[0]!.permuted).not.toEqual(one.windows[0]!.permuted);
    expect(new Set(one.windows[0]!.permuted).size).toBe(runs);
  });

  it("is dead, and says so, on prices that never move", () => {
    const frozen = { kind: "constant" as const, start: 0, holes: [] };
    const panel = quickPanel(1, 460, [frozen, frozen]);
    const folds = planWalkForward(panel.sessions, quickSpans);
    expect(() => test(prepareResearch(panel, quickStudy), folds, 1, 5)).toThrow(LivenessError);
  });

  it("is dead when the objective does not notice the order of days", () => {
    const panel = quickPanel(2, 460);
    const folds = planWalkForward(panel.sessions, quickSpans);
    expect(() => test(prepareResearch(panel, { ...quickStudy, objective: "Bars" }), folds, 1, 5)).toThrow(
      /dead: 12 runs .* the same/,
    );
  });

  it("leaves out of the overall test a window without a score, and one whose runs stand still", () => {
    const folds = [0, 1, 2].map((index) => ({ index, trainStart: "a", trainEnd: "b" }) as unknown as Fold);
    const part = (window: number, real: number | null, permuted: (number | null)[]) => ({
      window,
      firstRun: 0,
      real,
      permuted,
    });
    const { windows, overall } = mergePermutation("Calmar", folds, 3, [
      part(0, null, [null, null, null]),
      part(1, 2, [1, 2, null]),
      part(2, 9, [1, 1 + 1e-12, 1]),
    ]);
    expect(windows[0]).toMatchObject({ real: null, p: null, alive: false, undefinedRuns: 3 });
    expect(windows[1]).toMatchObject({ p: 1 / 3, pPlusOne: 2 / 4, alive: true, undefinedRuns: 1 });
    expect(windows[2]).toMatchObject({ real: 9, p: null, pPlusOne: null, alive: false });
    expect(overall).toMatchObject({
      real: 2,
      p: 1 / 3,
      windows: 1,
      permuted: [1, 2, null],
      undefinedRuns: 1,
    });
  });

  it("has no overall p-value where no run has a score in every window", () => {
    const folds = [0, 1].map((index) => ({ index, trainStart: "a", trainEnd: "b" }) as unknown as Fold);
    const { windows, overall } = mergePermutation("Calmar", folds, 2, [
      { window: 0, firstRun: 0, real: 2, permuted: [1, null] },
      { window: 1, firstRun: 0, real: 3, permuted: [null, 4] },
    ]);
    expect(windows.map(({ p }) => p)).toEqual([0, 1 / 2]);
    expect(overall).toMatchObject({ real: 2.5, p: null, pPlusOne: null, permuted: [null, null], windows: 2 });
  });

  it("refuses parts that do not make up the plan", () => {
    const folds = [{ index: 0, trainStart: "a", trainEnd: "b" } as unknown as Fold];
    const part = (firstRun: number, permuted: number[]) => ({
      window: 0,
      firstRun,
      permuted,
      ...(firstRun === 0 ? { real: 1 } : {}),
    });
    const merge =
      (...parts: PermutationPart[]) =>
      () =>
        mergePermutation("Calmar", folds, 4, parts);
    expect(merge(part(0, [1, 2]), part(3, [4]))).toThrow(/runs 2 to 2 are missing/);
    expect(merge(part(0, [1, 2]), part(1, [4, 5]))).toThrow(/run 1 came twice/);
    expect(merge(part(0, [1, 2]))).toThrow(/4 runs were planned and 2 came/);
    expect(merge(part(0, [1, 2, 3, 4]), { window: 8, firstRun: 0, permuted: [1] })).toThrow(/not planned/);
    expect(merge(part(2, [3, 4]), part(0, [1, 2]))().windows[0]!.permuted).toEqual([1, 2, 3, 4]);
  });

  it.each([0, -1, 2.5, Number.NaN])("refuses %s runs", (bad) => {
    expect(() => planPermutation([], { runs: bad, seed: 1 })).toThrow(/number of runs must be/);
    expect(() => planProcedure([], { runs: bad, seed: 1 })).toThrow(/number of runs must be/);
  });
});

describe("a seed", () => {
  it.each([-1, 0.5, 2 ** 32, Number.NaN])(
    "is refused when it is %s, which would be another one's twin",
    (seed) => {
      expect(() => planPermutation([], { runs: 1, seed })).toThrow(/the seed must be a whole number from 0/);
    },
  );
});

describe("a walk-forward permutation", () => {
  it("scores the walk-forward itself, and on shuffles of what follows the first train window", () => {
    const panel = quickPanel(31);
    const { folds, walked } = walk(panel, quickStudy);
    const research = prepareResearch(panel, quickStudy);
    const parts = planProcedure(folds, { runs: 5, seed: 9 }).map((unit) => runUnit(unit, research));
    const { real, p, permuted } = mergeProcedure("Calmar", 5, parts);
    expect(real).toBe(walked.metrics.Calmar);
    expect(new Set(permuted).size).toBe(5);
    expect(p).toBe(permuted.filter((score) => score! >= real!).length / 5);
    const together = planProcedure(folds, { runs: 5, seed: 9, runsPerUnit: 5 });
    expect(runUnit(together[0]!, research).permuted).toEqual(permuted);
  });

  it("moves no row of the first train window, and every later one with its group", () => {
    const panel = quickPanel(33);
    const { folds } = walk(panel, quickStudy);
    const kept = folds[0]!.oosFrom;
    const order = rowOrder(rowPatterns(panel, kept), 4, 0xffff_ffff, 1);
    expect([...order.subarray(0, kept)]).toEqual([...Array(kept).keys()]);
    expect([...order.subarray(kept)].some((from, at) => from !== kept + at)).toBe(true);
    expect(Math.min(...order.subarray(kept))).toBe(kept);
    // And that is the market the unit walked over.
    const shuffled = walk(permutePanel(panel, order), quickStudy);
    const [, second] = planProcedure(folds, { runs: 2, seed: 4 });
    expect(runUnit(second!, prepareResearch(panel, quickStudy)).permuted).toEqual([
      shuffled.walked.metrics.Calmar,
    ]);
  });
});

describe("a research context", () => {
  it("remembers the last window and never takes another for it", () => {
    const panel = quickPanel(71);
    const research = prepareResearch(panel, quickStudy);
    const first = research.window(0, 300);
    expect(research.window(0, 300)).toBe(first);
    for (const [from, to] of [
      [0, 400],
      [100, 400],
      [0, 300],
    ] as const) {
      const remembered = research.window(from, to);
      const fresh = prepareResearch(panel, quickStudy).window(from, to);
      expect(remembered.evaluate().slice()).toEqual(fresh.evaluate().slice());
      expect(remembered.patterns).toEqual(fresh.patterns);
    }
  });
});

describe("an executor", () => {
  const panel = quickPanel(41, 460);
  const folds = planWalkForward(panel.sessions, quickSpans);
  const units = planPermutation(folds, { runs: 4, seed: 3, runsPerUnit: 1 });
  const research = prepareResearch(panel, quickStudy);
  const expected = units.map((unit) => runUnit(unit, research));

  /** Hands outcomes back last to first, as a queue of machines may. */
  const backwards: Executor = {
    async *run<U extends ResearchUnit>(plan: readonly U[]) {
      for (const at of [...plan.keys()].reverse()) yield { at, result: runUnit(plan[at]!, research) };
    },
  };

  it("gives results in plan order, whichever comes first", async () => {
    expect(await collect(backwards, units)).toEqual(expected);
    expect(await collect(inlineExecutor(research), units)).toEqual(expected);
  });

  it("stops at the signal after telling what was finished, and continues from there to the same results", async () => {
    const signal = { aborted: false };
    const known = new Map<number, PermutationPart>();
    const stopped = collect(inlineExecutor(research), units, {
      signal,
      onResult({ at, result }, done, total) {
        known.set(at, result);
        expect([done, total]).toEqual([known.size, units.length]);
        if (done === 3) signal.aborted = true;
      },
    });
    await expect(stopped).rejects.toMatchObject({ code: "PF_INTERRUPTED", done: 3, total: units.length });
    const ran: number[] = [];
    const results = await collect(inlineExecutor(research), units, {
      known,
      onResult: ({ at }) => void ran.push(at),
    });
    expect(results).toEqual(expected);
    expect(ran).toEqual([...units.keys()].slice(3));
  });

  it("passes on which unit failed and why", async () => {
    const broken: Research = {
      ...research,
      window: () => {
        throw new RangeError("no such window");
      },
    };
    await expect(collect(inlineExecutor(broken), units)).rejects.toMatchObject({
      code: "PF_UNIT_FAILED",
      unit: "window 0, runs 0 to 0",
      message: "window 0, runs 0 to 0 failed: no such window",
    });
  });

  it("is caught when it leaves units out or brings one twice", async () => {
    const lazy: Executor = { async *run() {} };
    const eager: Executor = {
      async *run<U extends ResearchUnit>(plan: readonly U[]) {
        for (const _ of [1, 2]) yield { at: 0, result: runUnit(plan[0]!, research) };
      },
    };
    await expect(collect(lazy, units)).rejects.toThrow(/were run/);
    await expect(collect(eager, units)).rejects.toMatchObject({
      code: "PF_RESULTS_INCOMPLETE",
    } satisfies Partial<MergeError>);
  });

  it("may be given no work", async () => {
    expect(await collect(inlineExecutor(research), planFolds([]))).toEqual([]);
  });
});

describe("a study with scores of its own", () => {
  it("is scored by them, on every path", () => {
    // Replaces a built-in name, which the fused kernel would otherwise take for its own.
    const reversed = builtinScores.with("trend", ({ features }) => ({ column, ema }) => {
      const close = column("close");
      return ema(features.emaFast).at(-1)! / close.at(-1)! - 1;
    });
    const options = { ...quickStudy.options, selection: { ...quickStudy.options.selection, minScore: -1 } };
    const study: Study = { ...quickStudy, options };
    const panel = quickPanel(61, 460);
    const [fold] = planWalkForward(panel.sessions, quickSpans);
    const own = runUnit({ kind: "fold", fold: fold! }, prepareResearch(panel, study, { scores: reversed }));
    const usual = runUnit({ kind: "fold", fold: fold! }, prepareResearch(panel, study));
    const window = panel.between(fold!.trainFrom, fold!.oosFrom);
    expect(own.objectives).toEqual([...plainEvaluator(window, study, { scores: reversed }).evaluate()]);
    expect(own.objectives).not.toEqual(usual.objectives);
  });
});

describe("a window in which nothing trades", () => {
  const frozen = { kind: "constant" as const, start: 0, holes: [] };

  it("is undecided: the first possible point stands in, and the fold says that nothing was scored", () => {
    const panel = quickPanel(1, 460, [frozen, { kind: "walk", start: 440, holes: [] }]);
    const study = { ...quickStudy, grid: { ema_fast: [12, 4], ema_slow: [8, 15] } };
    const { folds, results, walked } = walk(panel, study);
    expect(results.every((result) => result.objectives.every((one) => one === null))).toBe(true);
    expect(walked.undecided).toEqual(folds.map((fold) => fold.index));
    // 12 over 8 is impossible, 12 over 15 is the first that can trade.
    expect(walked.folds[0]).toMatchObject({
      chosen: 1,
      params: { ema_fast: 12, ema_slow: 15 },
      objective: null,
    });
    expect(walked.comparison.efficiency).toBeNull();
  });

  it("gives cash where nothing ever moves", () => {
    const { walked } = walk(quickPanel(1, 460, [frozen]), quickStudy);
    expect(walked.metrics.FinalEquity).toBe(1);
    expect(walked.metrics.Calmar).toBeNaN();
  });

  it("is also a panel of nothing: no symbol, no session", () => {
    expect(() => walk(alignPanel([]), quickStudy)).toThrow(/no session/);
  });
});

function columnsOf(panel: Panel, ticker: string): Float64Array[] {
  return (["open", "high", "low", "close"] as const).map((field) => panel.column(field, ticker));
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Rounding of a product of a few hundred ratios. */
function expectNear(actual: number, expected: number): void {
  if (!(Math.abs(actual - expected) <= 1e-11 * Math.max(1, Math.abs(expected)))) {
    expect.fail(`${actual}, expected ${expected}`);
  }
}

describe("explainFold", () => {
  it("gives what the fold decided on every row, in its own thread and where only results arrive", () => {
    fc.assert(
      fc.property(seeds, policies, (seed, policy) => {
        const panel = quickPanel(seed);
        const research = prepareResearch(panel, studyWith(policy));
        const elsewhere = prepareResearch(panel, studyWith(policy));
        for (const unit of planFolds(planWalkForward(panel.sessions, quickSpans))) {
          const { fold } = unit;
          const result = JSON.parse(JSON.stringify(runUnit(unit, research)));
          const rows = Array.from({ length: fold.oosTo - fold.oosFrom }, (_, row) => row);
          const { rowStart, symbol, weight } = result.targets;
          const decided = rows.map((row) =>
            Object.fromEntries(
              Array.from({ length: rowStart[row + 1] - rowStart[row] }, (_, k) => {
                const at = rowStart[row] + k;
                return [panel.tickers[symbol[at]], weight[at]];
              }),
            ),
          );
          const { plan } = research;
          const here = explainFold(research.features, fold, result, plan, rows, research.rules);
          expect(here.map(({ asOf }) => asOf)).toEqual(panel.sessions.slice(fold.oosFrom, fold.oosTo));
          expect(here.map(({ weights }) => weights)).toEqual(decided);
          expect(explainFold(elsewhere.features, fold, result, plan, rows)).toEqual(here);
        }
      }),
      { numRuns: 15 },
    );
  });
});
