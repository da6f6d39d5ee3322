import { describe, expect, it } from "vitest";
import { panelOf } from "../../market/test/worlds.js";
import {
  builtinOverlays,
  builtinScores,
  builtinWeightings,
  createStrategy,
  type OverlayView,
  type ScoreFunction,
  type ScoreView,
} from "../src/index.js";
import { optionsWith } from "./options.js";

const walk = { kind: "walk" as const, start: 0, holes: [] };
const rows = 60;
const market = (symbols = 4) =>
  panelOf({ seed: 21, rows, shapes: Array.from({ length: symbols }, () => walk) });
const panel = market();
const rowOf = (session: string) => panel.sessions.indexOf(session as never);

/** All that stands in the memory behind a column, its own part included. */
const memoryOf = (column: Float64Array) => new Float64Array(column.buffer);
const isAfter = (row: number, memory: Float64Array) =>
  memory.subarray(row + 1).some((value) => !Number.isNaN(value));

const columnsOfScore = (view: ScoreView) => [
  view.column("open"),
  view.column("close"),
  view.returns(),
  view.ema(3),
  view.atr(3),
  view.volatility(5),
  view.macdLine(3, 6),
];
const columnsOfOverlay = (view: OverlayView) => [
  view.column("close", "S0"),
  view.returns("S1"),
  view.ema("S1", 3),
  view.sma("S2", 4),
  view.volatility("S3", 5),
];

function withScore(score: ScoreFunction, symbols = 4) {
  const scores = builtinScores.with("mine", () => score);
  return createStrategy(optionsWith({ selection: { score: "mine" } }), { scores }).prepare(market(symbols));
}

describe("a score that tries to look ahead", () => {
  it.each([4, 101])("finds nothing later in the memory of what it is shown, of %d symbols", (symbols) => {
    let asked = 0;
    withScore((view) => {
      for (const column of columnsOfScore(view)) {
        expect(Number.isNaN(column.at(-1))).toBe(false);
        expect(isAfter(rowOf(view.session), memoryOf(column))).toBe(false);
        asked++;
      }
      return 1;
    }, symbols);
    expect(asked).toBeGreaterThan(symbols * 7 * 40);
  });

  it("finds of another symbol, whose columns it kept, what stood there at the same session", () => {
    let first: { view: ScoreView; close: Float64Array } | undefined;
    let compared = 0;
    withScore((view) => {
      const close = view.column("close");
      if (view.ticker === "S0") first = { view, close };
      else {
        expect(first!.view.session).toBe(view.session);
        expect(first!.close.length).toBe(close.length);
        expect(isAfter(rowOf(view.session), memoryOf(first!.close))).toBe(false);
        compared++;
      }
      return 1;
    });
    expect(compared).toBeGreaterThan(100);
  });

  it.each([4, 101])("finds what it kept emptied when its symbols are done, of %d symbols", (symbols) => {
    const kept: Float64Array[] = [];
    withScore((view) => {
      if (view.ticker !== "S0" && symbols > 100)
        expect(kept.every((one) => one.every(Number.isNaN))).toBe(true);
      if (view.ticker === "S0") kept.push(...columnsOfScore(view));
      return 1;
    }, symbols);
    expect(kept.length).toBeGreaterThan(100);
    expect(kept.every((column) => column.every(Number.isNaN))).toBe(true);
  });

  it.each([
    ["sorts what it is shown", "close", (view: ScoreView) => view.column("close").sort()],
    ["turns it round", "ema\\(3\\)", (view: ScoreView) => view.ema(3).reverse()],
    ["writes into it", "returns", (view: ScoreView) => view.returns().fill(0, 10, 11)],
  ])("is told that it %s, with symbol and session, and spoils no bar", (_, column, write) => {
    const before = market();
    const scores = builtinScores.with("mine", () => (view) => {
      if (view.ticker === "S1") write(view);
      return 1;
    });
    const strategy = createStrategy(optionsWith({ selection: { score: "mine" } }), { scores });
    expect(() => strategy.prepare(panel)).toThrow(
      new RegExp(`^score "mine" on \\d{4}-\\d\\d-\\d\\d for S1: changed ${column} of its view`),
    );
    for (const ticker of panel.tickers) {
      expect(panel.column("close", ticker)).toEqual(before.column("close", ticker));
    }
  });

  it("may sort a copy", () => {
    const median: ScoreFunction = (view) => view.column("close").slice(-5).sort()[2]!;
    const byHand: ScoreFunction = (view) => [...view.column("close")].slice(-5).sort((a, b) => a - b)[2]!;
    expect(withScore(median).decide(50, {})).toEqual(withScore(byHand).decide(50, {}));
  });

  it("cannot put another symbol or column into its view", () => {
    expect(() =>
      withScore((view) => {
        (view as { ticker: string }).ticker = "S3";
        return 1;
      }),
    ).toThrow(/^score "mine" on .* for S0: Cannot assign to read only property/);
  });
});

describe("an overlay that tries to look ahead", () => {
  function withOverlay(look: (view: OverlayView) => void) {
    const overlays = builtinOverlays.with("mine", () => (view) => {
      look(view);
      return { exposure: 1, reason: "" };
    });
    return createStrategy(optionsWith({ overlays: [{ name: "mine" }] }), { overlays }).prepare(panel);
  }

  it("finds nothing later in memory, in whatever order rows are asked for", () => {
    let asked = 0;
    const prepared = withOverlay((view) => {
      for (const column of columnsOfOverlay(view)) {
        expect(isAfter(rowOf(view.session), memoryOf(column))).toBe(false);
        if (rowOf(view.session) > 10) expect(Number.isNaN(column.at(-1))).toBe(false);
        asked++;
      }
    });
    for (const row of [20, 59, 7, 30, 30, 12, 58]) prepared.decide(row, {});
    expect(asked).toBe(7 * 5);
  });

  it("spoils no bar when it writes, and is told with the column and the session", () => {
    const before = market();
    const prepared = withOverlay((view) => {
      if (rowOf(view.session) === 20) view.column("close", "S2")[17] = 1;
    });
    for (let row = 0; row < rows - 1; row++) prepared.decide(row, {});
    expect(() => prepared.decide(rows - 1, {})).toThrow(
      `overlay "mine" on ${panel.sessions[17]}: changed close of S2 of its view`,
    );
    expect(panel.column("close", "S2")).toEqual(before.column("close", "S2"));
  });

  it("cannot reorder the universe", () => {
    const prepared = withOverlay((view) => (view.tickers as string[]).reverse());
    expect(() => prepared.decide(50, {})).toThrow(/^overlay "mine" on/);
    expect(panel.tickers).toEqual(["S0", "S1", "S2", "S3"]);
  });
});

it("a weighting may work in the covariances it is given: the volatility target reads others", () => {
  const weightings = builtinWeightings
    .with("reads", () => (input, raw) => {
      input.covariance();
      raw.fill(1, 0, input.tickers.length);
    })
    .with("writes", () => (input, raw) => {
      input.covariance().fill(1);
      expect(input.covariance()[0]).not.toBe(1);
      input.covariance().fill(1);
      raw.fill(1, 0, input.tickers.length);
    });
  const [reads, writes] = ["reads", "writes"].map((method) =>
    createStrategy(optionsWith({ weights: { method, volTarget: 0.05 } }), { weightings }).prepare(panel),
  );
  let lowered = 0;
  for (let row = 0; row < rows; row++) {
    const decision = reads!.decide(row, {});
    if (decision.overlays.some(({ exposure }) => exposure < 1)) lowered++;
    expect(writes!.decide(row, {})).toEqual(decision);
  }
  expect(lowered).toBeGreaterThan(5);
});
