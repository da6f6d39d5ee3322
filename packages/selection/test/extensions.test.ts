import { PanelLookupError } from "@pf/market";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { panelOf, worlds } from "../../market/test/worlds.js";
import {
  builtinOverlays,
  builtinScores,
  builtinWeightings,
  createFeatures,
  createStrategy,
  ExtensionError,
  normalizeWithCaps,
  RowRangeError,
  StrategyOptionsError,
  UnknownNameError,
} from "../src/index.js";
import { anyOptions, optionsWith, smallOptions } from "./options.js";

const walk = { kind: "walk" as const, start: 0, holes: [] };
const panel = panelOf({ seed: 21, rows: 60, shapes: [walk, walk, walk, walk] });
const rows = Array.from({ length: 60 }, (_, row) => row);

describe("a user's score", () => {
  it("written against the view gives what the built-in column gives, bit for bit", () => {
    const scores = builtinScores.with("mine", ({ features: { emaFast, atrWindow } }) => (view) => {
      const close = view.column("close").at(-1)!;
      return (close / view.ema(emaFast).at(-1)! - 1) / Math.max(view.atr(atrWindow).at(-1)! / close, 1e-6);
    });
    fc.assert(
      fc.property(worlds({ minRows: 10 }), anyOptions, (world, options) => {
        const market = panelOf(world);
        const mine = createStrategy(
          { ...options, selection: { ...options.selection, score: "mine" } },
          { scores },
        ).prepare(market);
        const builtin = createStrategy(options).prepare(market);
        for (let row = 0; row < market.sessions.length; row++) {
          const { selected, weights } = builtin.decide(row, {});
          expect(mine.decide(row, {})).toMatchObject({ selected, weights });
        }
      }),
      { numRuns: 40 },
    );
  });

  it("sees nothing after the row being decided", () => {
    const lengths = new Map<string, Set<number>>();
    const scores = builtinScores.with("peek", () => (view) => {
      const row = panel.sessions.indexOf(view.session);
      const seen = [
        view.column("high"),
        view.returns(),
        view.ema(3),
        view.atr(3),
        view.volatility(5),
        view.macdLine(3, 6),
      ];
      lengths.set(view.session, new Set(seen.map((column) => column.length - row - 1)));
      return 1;
    });
    createStrategy(optionsWith({ selection: { score: "peek" } }), { scores }).prepare(panel);
    expect(lengths.size).toBeGreaterThan(40);
    for (const surplus of lengths.values()) expect([...surplus]).toEqual([0]);
  });

  it("that throws or returns no number is named with its symbol and session", () => {
    const broken = builtinScores
      .with("throws", () => () => {
        throw new Error("division by a hedgehog");
      })
      .with("words", () => (() => "high") as unknown as () => number);
    for (const [score, problem] of [
      ["throws", "division by a hedgehog"],
      ["words", "returned string, not a number"],
    ] as const) {
      const strategy = createStrategy(optionsWith({ selection: { score } }), { scores: broken });
      expect(() => strategy.prepare(panel)).toThrow(ExtensionError);
      expect(() => strategy.prepare(panel)).toThrow(
        new RegExp(`score "${score}" on \\d{4}-\\d\\d-\\d\\d for S0: ${problem}`),
      );
    }
  });

  it("that is not a number keeps the symbol out", () => {
    const scores = builtinScores.with("none", () => () => Number.NaN);
    const prepared = createStrategy(optionsWith({ selection: { score: "none" } }), { scores }).prepare(panel);
    const { candidates } = prepared.decide(50, {});
    expect(candidates.map((one) => one.reason)).toContain("score_undefined");
    expect(candidates.every((one) => !one.eligible)).toBe(true);
  });
});

it("a universe of equal and infinite scores is taken in universe order, however many there are", () => {
  const shapes = Array.from({ length: 24 }, () => walk);
  const market = panelOf({ seed: 3, rows: 60, shapes });
  for (const score of [1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const scores = builtinScores.with("same", () => () => score);
    const options = optionsWith({
      selection: { score: "same", topN: 24, corrCap: 1, minScore: -Number.MAX_VALUE },
      weights: { maxWeightPerAsset: 1 },
    });
    const prepared = createStrategy(options, { scores }).prepare(market);
    const decisions = rows.map((row) => prepared.decide(row, {}));
    for (const { selected, candidates } of decisions) {
      expect(selected).toEqual(candidates.filter((one) => one.eligible).map((one) => one.symbol));
    }
    // More than one batch of candidates, or this would prove little; nothing is at or above -MAX at -Infinity.
    const most = Math.max(...decisions.map((one) => one.selected.length));
    if (score > 0) expect(most).toBeGreaterThan(16);
    else expect(most).toBe(0);
  }
});

describe("a user's weighting", () => {
  it("gets the names in universe order with their volatilities and returns", () => {
    const weightings = builtinWeightings.with("mine", () => (input, raw) => {
      expect(input.tickers).toEqual([...input.tickers].sort());
      for (let k = 0; k < input.tickers.length; k++) {
        const returns = input.returns(k);
        const last = returns.subarray(returns.length - smallOptions.weights.volWindow);
        const mean = last.reduce((sum, value) => sum + value, 0) / last.length;
        const variance = last.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (last.length - 1);
        expect(input.volatility(k)).toBeCloseTo(Math.sqrt(variance), 12);
        raw[k] = 1 / input.volatility(k);
      }
    });
    const mine = createStrategy(optionsWith({ weights: { method: "mine" } }), { weightings }).prepare(panel);
    const builtin = createStrategy(optionsWith({})).prepare(panel);
    expect(rows.some((row) => builtin.decide(row, {}).selected.length === 2)).toBe(true);
    for (const row of rows) expect(mine.decide(row, {}).weights).toEqual(builtin.decide(row, {}).weights);
  });

  it.each([
    ["negative", (raw: Float64Array) => raw.fill(-1), /the raw weight is -1/],
    ["undefined", (raw: Float64Array) => raw.fill(Number.NaN), /the raw weight is NaN/],
    ["nothing", (raw: Float64Array) => raw.fill(0), /all raw weights are 0/],
    ["huge", (raw: Float64Array) => raw.fill(1e308), /the raw weights are too large to be added/],
  ])("of %s stops the run and says where", (method, fill, message) => {
    const weightings = builtinWeightings.with(method, () => (_, raw) => void fill(raw));
    const prepared = createStrategy(optionsWith({ weights: { method } }), { weightings }).prepare(panel);
    expect(() => rows.map((row) => prepared.decide(row, {}))).toThrow(message);
  });
});

it("a weighting that forgets a name does not inherit a weight from the row before", () => {
  let calls = 0;
  const weightings = builtinWeightings.with("once", () => (input, raw) => {
    if (calls++ === 0) raw.fill(1, 0, input.tickers.length);
  });
  const prepared = createStrategy(optionsWith({ weights: { method: "once" } }), { weightings }).prepare(
    panel,
  );
  const [first, second] = rows.filter(
    (row) => createStrategy(smallOptions).prepare(panel).decide(row, {}).selected.length > 0,
  );
  expect(Object.keys(prepared.decide(first!, {}).weights)).not.toEqual([]);
  expect(() => prepared.decide(second!, {})).toThrow(/the raw weight is NaN/);
});

describe("an overlay", () => {
  it("scales every target by its exposure, after the one before it, and is reported", () => {
    const overlays = builtinOverlays
      .with("half", () => ({ targets }) => ({
        exposure: 0.5,
        reason: `saw ${Object.keys(targets).length} names`,
      }))
      .with("fifth", ({ factor }) => () => ({ exposure: Number(factor), reason: "a fifth" }));
    const options = optionsWith({
      rebalance: { minWeightChange: 0 },
      overlays: [{ name: "half" }, { name: "fifth", factor: 0.2 }],
    });
    const plain = createStrategy(optionsWith({ rebalance: { minWeightChange: 0 } })).prepare(panel);
    const scaled = createStrategy(options, { overlays }).prepare(panel);
    let invested = 0;
    for (const row of rows) {
      const before = plain.decide(row, {});
      const after = scaled.decide(row, {});
      for (const [name, weight] of Object.entries(before.weights)) {
        expect(after.weights[name]).toBe(weight * 0.5 * 0.2);
        invested++;
      }
      expect(after.overlays.map((one) => one.exposure)).toEqual([0.5, 0.2]);
      expect(after.overlays[0]!.reason).toBe(`saw ${before.selected.length} names`);
    }
    expect(invested).toBeGreaterThan(10);
  });

  it("sees the panel up to its row and no further", () => {
    const surplus = new Set<number>();
    const overlays = builtinOverlays.with("peek", () => (view) => {
      const row = panel.sessions.indexOf(view.session);
      for (const column of [
        view.column("close", "S0"),
        view.ema("S1", 5),
        view.returns("S2"),
        view.volatility("S3", 4),
      ]) {
        surplus.add(column.length - row - 1);
      }
      return { exposure: 1, reason: "" };
    });
    const prepared = createStrategy(optionsWith({ overlays: [{ name: "peek" }] }), { overlays }).prepare(
      panel,
    );
    for (const row of rows) prepared.decide(row, {});
    expect([...surplus]).toEqual([0]);
  });

  it.each([1.01, -0.1, Number.NaN])("cannot raise the exposure: %d is refused", (exposure) => {
    const overlays = builtinOverlays.with("wild", () => () => ({ exposure, reason: "" }));
    const prepared = createStrategy(optionsWith({ overlays: [{ name: "wild" }] }), { overlays }).prepare(
      panel,
    );
    expect(() => rows.map((row) => prepared.decide(row, {}))).toThrow(/exposure must lie between 0 and 1/);
  });
});

describe("an overlay of plain JavaScript", () => {
  const withMade = (factory: unknown) =>
    createStrategy(optionsWith({ overlays: [{ name: "plain" }] }), {
      overlays: builtinOverlays.with("plain", factory as never),
    });

  it.each([
    [undefined, "returned undefined, not { exposure, reason }"],
    [null, "returned null, not { exposure, reason }"],
    [0.5, "returned number, not { exposure, reason }"],
    [{ exposure: "0.5", reason: "" }, "the exposure must lie between 0 and 1, not be 0.5"],
    [{ exposure: 0.5 }, "the reason must be a text, or a function that gives one, not undefined"],
  ])("that returns %j is told so", (verdict, problem) => {
    const prepared = withMade(() => () => verdict).prepare(panel);
    expect(() => prepared.decide(50, {})).toThrow(
      new ExtensionError("overlay", "plain", panel.sessions[50]!, undefined, problem),
    );
  });

  it.each([
    [
      "looks at the view where parameters are",
      (view: { column(): object }) => view.column(),
      /cannot be made: view/,
    ],
    [
      "returns a verdict where an overlay belongs",
      () => ({ exposure: 1, reason: "" }),
      /is no function but object/,
    ],
    [
      "refuses its parameters",
      () => {
        throw new Error("months is missing");
      },
      /cannot be made: months is missing/,
    ],
  ])("that %s is told before anything runs", (_, factory, words) => {
    expect(() => withMade(factory)).toThrow(StrategyOptionsError);
    expect(() => withMade(factory)).toThrow(words);
  });
});

describe("held", () => {
  const prepared = createStrategy(optionsWith({ selection: { corrCap: 1, minScore: -1e6 } })).prepare(panel);
  const row = rows.find((at) => prepared.decide(at, {}).selected.length === 2)!;
  const fresh = prepared.decide(row, {});
  const near = Object.fromEntries(
    Object.entries(fresh.weights).map(([name, weight]) => [name, weight - 0.03]),
  );

  it("is kept within the band while it names the same symbols", () => {
    expect(prepared.decide(row, near)).toMatchObject({ weights: near, heldByBand: true });
  });
  it("that names a symbol outside the panel names others, so that the band keeps nothing", () => {
    const moved = prepared.decide(row, { ...near, GONE: 0.03 });
    expect(moved).toMatchObject({ weights: fresh.weights, heldByBand: false });
    expect(prepared.decide(row, { ...near, GONE: 0 }).heldByBand).toBe(true);
  });
  it.each([-0.02, Number.NaN])("of %d is never kept as a target", (weight) => {
    const other = panel.tickers.find((ticker) => !(ticker in near))!;
    expect(prepared.decide(row, { ...near, [other]: weight }).weights).toEqual(fresh.weights);
  });
});

describe("createStrategy", () => {
  it("prepares no panel with the features of another, which might know its future", () => {
    const strategy = createStrategy(smallOptions);
    expect(() => strategy.prepare(panel.upTo(30), createFeatures(panel))).toThrow(PanelLookupError);
    expect(strategy.prepare(panel, createFeatures(panel)).decide(50, {})).toEqual(
      strategy.prepare(panel).decide(50, {}),
    );
  });

  it("names the sections that plain JavaScript left out, and numbers given as text", () => {
    const problems = (options: unknown) =>
      (catching(() => createStrategy(options as never)) as StrategyOptionsError).problems;
    expect(problems(undefined)).toHaveLength(4);
    expect(problems({ ...smallOptions, weights: undefined })).toEqual(["the section weights is missing"]);
    const { macd: _, ...features } = smallOptions.features;
    expect(problems({ ...smallOptions, features })).toEqual(["the section features.macd is missing"]);
    const words = optionsWith({
      rebalance: { minWeightChange: "0.05" as never },
      selection: { corrCap: "1" as never },
    });
    expect(problems(words)).toHaveLength(2);
  });

  it("lists every impossible option at once", () => {
    const options = optionsWith({
      features: { emaFast: 6, atrWindow: 0 },
      selection: { topN: 0, corrCap: 1.5, minScore: Number.NaN },
      weights: { cashBuffer: 1, maxWeightPerAsset: 0, volWindow: 1.5 },
      rebalance: { minWeightChange: -1 },
    });
    const error = catching(() => createStrategy(options));
    expect(error).toBeInstanceOf(StrategyOptionsError);
    expect((error as StrategyOptionsError).problems).toHaveLength(9);
  });

  it("names the known ones when asked for an unknown score, weighting or overlay", () => {
    expect(() => createStrategy(optionsWith({ selection: { score: "magic" } }))).toThrow(
      /no score is called "magic"; known are trend/,
    );
    expect(() => createStrategy(optionsWith({ weights: { method: "hope" } }))).toThrow(
      /known are inv_vol, equal/,
    );
    expect(() => createStrategy(optionsWith({ overlays: [{ name: "fear" }] }))).toThrow(UnknownNameError);
  });

  it("leaves a registry unchanged when a name is added to it", () => {
    const more = builtinScores.with("mine", () => () => 1);
    expect(more.names).toEqual([...builtinScores.names, "mine"]);
    expect(builtinScores.names).not.toContain("mine");
  });

  it("refuses a row the panel does not have", () => {
    const prepared = createStrategy(smallOptions).prepare(panel);
    for (const row of [-1, 60, 1.5]) expect(() => prepared.decide(row, {})).toThrow(RowRangeError);
  });
});

describe("normalizeWithCaps", () => {
  it.each([
    ["a negative raw weight", { A: -1, B: 1 }, 0.5, 0.05],
    ["an undefined one", { A: Number.NaN, B: 1 }, 0.5, 0.05],
    ["sums beyond all numbers", { A: 1e308, B: 1e308 }, 0.5, 0.05],
    ["a cap in percent", { A: 1 }, 50, 0.05],
    ["a buffer of everything", { A: 1 }, 0.5, 1],
  ])("refuses %s", (_, raw, cap, cashBuffer) => {
    expect(() => normalizeWithCaps(raw, cap, cashBuffer)).toThrow(StrategyOptionsError);
  });

  it("leaves no weight below nothing, whatever rounding does to the last of the budget", () => {
    for (let names = 2; names <= 40; names++) {
      for (const budget of [1, 0.95, 0.9, 0.7]) {
        const raw = {
          ...Object.fromEntries(Array.from({ length: names }, (_, k) => [`N${k}`, 1])),
          LAST: 1e-17,
        };
        for (const cap of [budget / names, (budget / names) * (1 - 2 ** -53)]) {
          const weights = normalizeWithCaps(raw, cap, 1 - budget);
          expect(weights.LAST).toBeGreaterThanOrEqual(0);
          expect(weights.LAST).toBeLessThan(1e-12);
        }
      }
    }
  });

  it("gives what is left to the uncapped, and all of the budget unless every name is capped", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 1e-3, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 8 }),
        fc.double({ min: 0.05, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 0.9, noNaN: true }),
        (raw, cap, cashBuffer) => {
          const names = Object.fromEntries(raw.map((value, k) => [`N${k}`, value]));
          const weights = Object.values(normalizeWithCaps(names, cap, cashBuffer));
          const invested = weights.reduce((sum, weight) => sum + weight, 0);
          expect(Math.max(...weights)).toBeLessThanOrEqual(cap + 1e-12);
          expect(invested).toBeCloseTo(Math.min(1 - cashBuffer, cap * raw.length), 9);
          for (const [i, a] of raw.entries()) {
            for (const [j, b] of raw.entries())
              if (a > b) expect(weights[i]!).toBeGreaterThanOrEqual(weights[j]! - 1e-12);
          }
        },
      ),
    );
  });
});

function catching(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}
