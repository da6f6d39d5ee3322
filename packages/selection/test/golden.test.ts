import { existsSync, readFileSync } from "node:fs";
import { dateOfDayNumber } from "@pf/market";
import { describe, expect, it } from "vitest";
import { builtinWeightings, normalizeWithCaps } from "../src/index.js";
import { leafOrder, makeTree } from "../src/weightings/hierarchicalRisk.js";
import { smallOptions } from "./options.js";

const folder = new URL("../../../../shared/golden/", import.meta.url);
const isThere = existsSync(folder);
const whyNot = isThere ? "" : " (not run: there is no folder ../shared with expected results)";
const read = <T>(file: string): T => JSON.parse(readFileSync(new URL(file, folder), "utf8")) as T;

type Matrix = readonly (readonly number[])[];

describe.runIf(isThere)(`weights from covariances, against an independent implementation${whyNot}`, () => {
  it("are those of weightings.json, raw and after the cap, in its order of leaves", () => {
    const { cases } = read<{
      cases: {
        symbols: string[];
        cov: Matrix;
        cap: number;
        cash_buffer: number;
        hrp_leaf_order: string[];
        raw: Record<string, number[]>;
        capped: Record<string, number[]>;
      }[];
    }>("weightings.json");
    expect(cases.length).toBeGreaterThan(5);
    for (const { symbols, cov, cap, cash_buffer, hrp_leaf_order, raw, capped } of cases) {
      expect(Object.keys(raw)).toEqual(["equal", "erc", "hrp"]);
      for (const [method, expected] of Object.entries(raw)) {
        const weights = weigh(method, cov);
        expectClose(weights, expected);
        const named = Object.fromEntries(symbols.map((symbol, k) => [symbol, weights[k]!]));
        expectClose(Object.values(normalizeWithCaps(named, cap, cash_buffer)), capped[method]!);
      }
      expect(leaves(cov).map((k) => symbols[k])).toEqual(hrp_leaf_order);
    }
  });

  it("are those of the published examples", () => {
    const { cases } = read<{
      cases: {
        kind: string;
        input: { cov: Matrix };
        expected: { weights: number[]; leaf_order?: number[]; volatility?: number };
        published?: { weights: number[] };
        published_tolerance?: number;
      }[];
    }>("statistics.json");
    const ours = cases.filter(({ kind }) => builtinWeightings.names.includes(kind));
    expect(new Set(ours.map(({ kind }) => kind))).toEqual(new Set(["erc", "hrp"]));
    expect(ours.filter(({ published }) => published).length).toBeGreaterThan(2);
    for (const { kind, input, expected, published, published_tolerance } of ours) {
      const weights = weigh(kind, input.cov);
      expectClose(weights, expected.weights);
      if (published) expectClose(weights, published.weights, published_tolerance);
      if (expected.leaf_order) expect(leaves(input.cov).map((k) => k + 1)).toEqual(expected.leaf_order);
    }
  });
});

function weigh(method: string, cov: Matrix): number[] {
  const raw = new Float64Array(cov.length);
  builtinWeightings.get(method)(smallOptions)(
    {
      session: dateOfDayNumber(20_000),
      tickers: cov.map((_, k) => `S${k}`),
      volatility: (k) => Math.sqrt(cov[k]![k]!),
      returns: () => expect.fail("there are none"),
      covariance: () => Float64Array.from(cov.flat()),
    },
    raw,
  );
  return [...raw];
}

function leaves(cov: Matrix): number[] {
  const order = new Int32Array(cov.length);
  leafOrder(Float64Array.from(cov.flat()), cov.length, makeTree(cov.length), order);
  return [...order];
}

function expectClose(actual: readonly number[], expected: readonly number[], tolerance = 1e-9): void {
  expect(actual.length).toBe(expected.length);
  for (const [k, value] of expected.entries())
    expect(Math.abs(actual[k]! - value)).toBeLessThanOrEqual(tolerance);
}
