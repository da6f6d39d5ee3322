import { describe, expect, it } from "vitest";
import { golden, sharedIsThere, whyNot } from "../../../backtest/test/shared.js";
import { permutationP } from "../pValue.js";
import { probabilityOfOverfitting, purgedValidationCounts } from "./overfitting.js";
import {
  deflatedSharpe,
  expectedMaximum,
  minimumBacktestYears,
  minimumTrackRecord,
  probabilisticSharpe,
  type SharpeSample,
  sharpeSample,
  sharpeStandardError,
} from "./sharpe.js";

type Tree = number | null | readonly Tree[] | { readonly [key: string]: Tree };
type Numbers = Readonly<Record<string, number>>;
interface Case {
  readonly kind: string;
  readonly name: string;
  readonly input: Numbers;
  readonly expected: Tree;
  readonly published?: Tree;
  readonly published_tolerance?: number;
}

const sampleOf = ({ sr, T, skew, kurt }: Numbers): SharpeSample => ({
  sharpe: sr!,
  periods: T ?? Number.NaN,
  skewness: skew!,
  kurtosis: kurt!,
});

/** What this package makes of each kind of case, in the file's words. */
const computed: Readonly<Record<string, (input: Numbers) => Tree>> = {
  psr: (input) => probabilisticSharpe(sampleOf(input), input.sr0),
  sharpe_standard_error: (input) => sharpeStandardError(sampleOf(input)),
  min_track_record: (input) => {
    const periods = minimumTrackRecord(sampleOf(input), input.sr0, input.p);
    return { periods, years: periods / input.periods_per_year! };
  },
  psr_from_returns: (input) => {
    const { returns, sr0, p } = input as unknown as { returns: number[]; sr0: number; p: number };
    const sample = sharpeSample(returns);
    return {
      sr: sample.sharpe,
      psr: probabilisticSharpe(sample, sr0),
      min_track_record: minimumTrackRecord(sample, sr0, p),
    };
  },
  expected_max: ({ n }) => expectedMaximum(n!),
  deflated_sharpe: (input) => {
    const { benchmark, probability } = deflatedSharpe(sampleOf(input), input.n!, input.var!);
    return { sr0: benchmark, dsr: probability };
  },
  min_backtest_length: ({ n, sr_annual }) => minimumBacktestYears(n!, sr_annual!),
  pbo: (input) => {
    const { matrix, blocks, metric } = input as unknown as {
      matrix: number[][];
      blocks: number;
      metric: "mean";
    };
    const columns = matrix[0]!.map((_, trial) => matrix.map((row) => row[trial]!));
    const result = probabilityOfOverfitting(columns, { blocks, metric });
    return {
      pbo: result.probability,
      probability_of_loss: result.probabilityOfLoss,
      degradation_slope: result.degradation.slope,
      degradation_intercept: result.degradation.intercept,
      splits: result.splits.map((split) => ({
        in_sample_blocks: split.inSampleBlocks.map((block) => block + 1),
        best: split.best + 1,
        oos_rank: split.outOfSampleRank,
        logit: split.logit,
        is_metric: split.inSample,
        oos_metric: split.outOfSample,
      })),
    };
  },
  cpcv_counts: ({ folds, test }) => ({ ...purgedValidationCounts(folds!, test!) }),
  permutation_p: ({ count, runs }) => {
    const { p, pPlusOne } = permutationP(count!, runs!);
    return { fraction: p, plus_one: pPlusOne };
  },
};

/** Other packages' business: indicators, weightings, backtest metrics. */
const elsewhere = new Set(["erc", "hrp", "ema", "atr", "macd", "stdev", "performance"]);

describe.runIf(sharedIsThere)(
  `statistics against published and independently computed numbers${whyNot}`,
  () => {
    const cases = sharedIsThere ? golden<{ cases: Case[] }>("statistics.json").cases : [];

    it.each(cases.filter(({ kind }) => !elsewhere.has(kind)))(
      "$kind: $name",
      ({ kind, input, expected, ...rest }) => {
        const actual = computed[kind]!(input);
        expectTree(actual, expected, 1e-9, kind);
        if (rest.published !== undefined)
          expectTree(actual, rest.published, rest.published_tolerance!, "published");
      },
    );

    it("covers every kind", () => {
      const own = new Set(cases.map(({ kind }) => kind).filter((kind) => !elsewhere.has(kind)));
      expect(own).toEqual(new Set(Object.keys(computed)));
    });
  },
);

/** Every number of the expected tree, within a tolerance, relative or absolute, whichever is larger. */
function expectTree(actual: Tree, expected: Tree, tolerance: number, path: string): void {
  if (expected === null) {
    expect(actual, path).toBeNaN();
  } else if (typeof expected === "number") {
    const off = Math.abs((actual as number) - expected);
    expect(
      off <= tolerance * Math.max(1, Math.abs(expected)),
      `${path}: ${String(actual)}, expected ${expected}`,
    ).toBe(true);
  } else {
    const own = actual as Readonly<Record<string, Tree>>;
    if (Array.isArray(expected)) expect((actual as readonly Tree[]).length).toBe(expected.length);
    for (const [key, value] of Object.entries(expected))
      expectTree(own[key]!, value, tolerance, `${path}.${key}`);
  }
}
