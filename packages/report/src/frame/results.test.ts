import { sparseTargets, type TargetSeries } from "@pf/backtest";
import { alignPanel, type BarSeries, type Panel, type SessionDate } from "@pf/market";
import { gridPoints } from "@pf/research";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { madeWalkForward } from "../../test/research.js";
import { runOf, walk, weekdays } from "../../test/worlds.js";
import { metricNames } from "../json.js";
import { frameOf } from "./columns.js";
import type { DataFrame } from "./danfo.js";
import { FrameError } from "./errors.js";
import { type FoldRow, fromDataFrame, type ReturnColumns, toDataFrame } from "./results.js";

// Every double there is, and often those that inference, integers or float32 would change.
const doubles = fc.oneof(
  fc.double(),
  fc.constantFrom(0, -0, 1, 2024, 0.1, 1e308, -1e308, 5e-324, 1e-300, 2 ** 53, 16_777_217, 1e21),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
);
const numbers = (rows: number) =>
  fc.array(doubles, { minLength: rows, maxLength: rows }).map((values) => Float64Array.from(values));
const rowCounts = fc.integer({ min: 1, max: 30 });
const hour = 3_600_000;

/** Bits, so that -0 is not 0. `toEqual` tells them apart in arrays, and this says so. */
const bits = (values: Float64Array) => [...new BigUint64Array(Float64Array.from(values).buffer)];

const fields = ["open", "high", "low", "close", "volume"] as const;
const panels = fc
  .tuple(
    rowCounts,
    fc.boolean(),
    fc.uniqueArray(fc.constantFrom("SPY", "BRK.B", "600000", "TLT"), { minLength: 1 }),
  )
  .chain(([rows, isHourly, tickers]) =>
    fc
      .array(fc.tuple(...fields.map(() => numbers(rows))), {
        minLength: tickers.length,
        maxLength: tickers.length,
      })
      .map((columns): Panel => {
        const days = weekdays("2024-01-01", rows);
        const ends = Float64Array.from(days, (_, row) => Date.UTC(2024, 0, 1) + row * hour);
        return alignPanel(
          tickers.map(
            (ticker, at): BarSeries => ({
              ticker,
              sessions: isHourly ? days.map((_, row) => days[Math.floor(row / 7)]!) : days,
              ...(isHourly ? { endsUtcMs: ends } : {}),
              ...(Object.fromEntries(fields.map((field, f) => [field, columns[at]![f]!])) as Pick<
                BarSeries,
                "open" | "high" | "low" | "close" | "volume"
              >),
            }),
          ),
        );
      }),
  );

const weights = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, 0, 1, 0.475, 1e-300),
);
const targets = fc
  .tuple(rowCounts, fc.integer({ min: 1, max: 4 }))
  .chain(([rows, width]) =>
    fc.array(fc.array(weights, { minLength: width, maxLength: width }), { minLength: rows, maxLength: rows }),
  )
  .map((table): TargetSeries => {
    const held = table.map((row) =>
      row.flatMap((weight, symbol) => (weight === 0 ? [] : [{ symbol, weight }])),
    );
    let end = 0;
    return sparseTargets({
      sessions: weekdays("2023-12-20", table.length),
      tickers: ["SPY", "TLT", "GLD", "BIL"].slice(0, table[0]!.length),
      rowStart: Int32Array.from([0, ...held.map((row) => (end += row.length))]),
      symbol: Int32Array.from(held.flat(), ({ symbol }) => symbol),
      weight: Float64Array.from(held.flat(), ({ weight }) => weight),
    });
  });

const returnNames = ["net", "gross", "turnover", "commission", "slippage", "equity"] as const;
const returns = fc.tuple(rowCounts, fc.boolean()).chain(([rows, isHourly]) =>
  fc.tuple(...returnNames.map(() => numbers(rows))).map((columns): ReturnColumns => {
    const days = weekdays("2019-12-25", rows);
    return {
      sessions: isHourly ? days.map((_, row) => days[Math.floor(row / 7)]!) : days,
      ...(isHourly ? { endsUtcMs: Float64Array.from(days, (_, row) => row * hour) } : {}),
      ...Object.fromEntries(returnNames.map((name, at) => [name, columns[at]!])),
    } as unknown as ReturnColumns;
  }),
);

const scores = fc.option(fc.double({ noNaN: true }), { nil: null });
const metrics = fc
  .array(scores, { minLength: metricNames.length, maxLength: metricNames.length })
  .map((values) => Object.fromEntries(metricNames.map((name, at) => [name, values[at]!])) as FoldRow["oos"]);
const folds = fc.array(
  fc.record({
    params: fc.record({ ema_fast: fc.integer(), corr_cap: fc.double({ noNaN: true }) }),
    objective: scores,
    chosen: fc.nat(100),
    train: metrics,
    oos: metrics,
  }),
  { minLength: 1, maxLength: 8 },
);

describe("a frame gives back, bit by bit, what it was made of:", () => {
  it("bars, holes and hours included", async () => {
    await fc.assert(
      fc.asyncProperty(panels, async (panel) => {
        const again = fromDataFrame(await toDataFrame(panel), "panel");
        expect(again.sessions).toEqual(panel.sessions);
        expect(again.tickers).toEqual(panel.tickers);
        expect(again.endsUtcMs).toEqual(panel.endsUtcMs);
        for (const ticker of panel.tickers)
          for (const field of fields)
            expect(bits(again.column(field, ticker))).toEqual(bits(panel.column(field, ticker)));
      }),
    );
  });

  it("targets, sessions in cash and symbols never held included", async () => {
    await fc.assert(
      fc.asyncProperty(targets, async (series) => {
        const again = fromDataFrame(await toDataFrame(series), "weights");
        expect(again.sessions).toEqual(series.sessions);
        expect(again.tickers).toEqual(series.tickers);
        expect(again.rowStart).toEqual(series.rowStart);
        expect(again.symbol).toEqual(series.symbol);
        expect(bits(again.weight)).toEqual(bits(series.weight));
        for (const row of series.sessions.keys()) expect(again.at(row)).toEqual(series.at(row));
      }),
    );
  });

  it("returns", async () => {
    await fc.assert(
      fc.asyncProperty(returns, async (result) => {
        const again = fromDataFrame(await toDataFrame(result), "returns");
        expect([again.sessions, again.endsUtcMs]).toEqual([result.sessions, result.endsUtcMs]);
        for (const name of returnNames) expect(bits(again[name])).toEqual(bits(result[name]));
      }),
    );
  });

  it("folds, with what was undefined", async () => {
    await fc.assert(
      fc.asyncProperty(folds, async (drawn) => {
        const days = weekdays("2020-01-01", 4 * drawn.length) as SessionDate[];
        const rows = drawn.map((fold, index): FoldRow => {
          const [trainStart, trainEnd, oosStart, oosEnd] = days.slice(4 * index) as [
            SessionDate,
            SessionDate,
            SessionDate,
            SessionDate,
          ];
          return { index, trainStart, trainEnd, oosStart, oosEnd, ...fold };
        });
        expect(fromDataFrame(await toDataFrame({ folds: rows }), "folds")).toEqual(rows);
      }),
    );
  });

  it("the objectives of a grid", async () => {
    const points = gridPoints({ ema_fast: [10, 20], top_n: [1, 2], corr_cap: [0.7] });
    const objectives = fc.array(scores, { minLength: points.length, maxLength: points.length });
    await fc.assert(
      fc.asyncProperty(fc.array(objectives, { minLength: 1, maxLength: 5 }), async (table) => {
        const grid = { points, folds: table.map((objectives, index) => ({ index, objectives })) };
        expect(fromDataFrame(await toDataFrame(grid), "grid")).toEqual(grid);
      }),
    );
  });

  it("a walk-forward that was really made", async () => {
    const { study, walkForward } = await madeWalkForward();
    const rows = fromDataFrame(await toDataFrame(walkForward), "folds");
    expect(rows).toHaveLength(walkForward.folds.length);
    for (const [at, row] of rows.entries()) expect(walkForward.folds[at]).toMatchObject(row);
    const grid = { points: gridPoints(study.grid), folds: walkForward.folds };
    const read = fromDataFrame(await toDataFrame(grid), "grid");
    expect(read.points).toEqual(grid.points);
    expect(read.folds).toEqual(walkForward.folds.map(({ index, objectives }) => ({ index, objectives })));
    const { result } = walkForward;
    expect(fromDataFrame(await toDataFrame(result), "returns").net).toEqual(result.net);
    expect(fromDataFrame(await toDataFrame(result.targets), "weights").weight).toEqual(result.targets.weight);
  });
});

describe("toDataFrame", () => {
  it("names its columns as the files do, one row a session and symbol", async () => {
    const run = runOf(weekdays("2024-01-01", 3), [0, 0.1, -0.05], [{}, { SPY: 0.5 }, { SPY: 0.5, GLD: 0.2 }]);
    const frame = await toDataFrame(run);
    expect(frame.columns).toEqual(["date", "net", "gross", "turnover", "commission", "slippage", "equity"]);
    expect(frame.values[1]!.slice(0, 2)).toEqual(["2024-01-02", 0.1]);
    const held = await toDataFrame(run.targets);
    expect(held.columns).toEqual(["date", "symbol", "weight"]);
    expect(held.values.slice(6)).toEqual([
      ["2024-01-03", "SPY", 0.5],
      ["2024-01-03", "TLT", 0],
      ["2024-01-03", "GLD", 0.2],
    ]);
  });

  it("refuses what has no row, and hourly targets", async () => {
    const none = runOf([], []);
    await expect(toDataFrame(none)).rejects.toThrow(FrameError);
    await expect(toDataFrame(none.targets)).rejects.toThrow("not one row");
    const { targets: daily } = runOf(weekdays("2024-01-01", 2), [0, 0], [{ SPY: 1 }, { SPY: 1 }]);
    const hourly = { ...daily, sessions: [daily.sessions[0]!, daily.sessions[0]!] };
    await expect(toDataFrame(hourly)).rejects.toThrow("do not say which hour");
  });
});

describe("fromDataFrame", () => {
  const run = runOf(weekdays("2024-01-01", 5), walk(3, 5), [{ SPY: 1 }, {}, { TLT: 0.5 }, {}, {}]);

  it("takes columns in any order and leaves others alone", async () => {
    const { sessions, tickers } = run.targets;
    const frame = await frameOf([
      { name: "note", texts: sessions.flatMap(() => ["a", "", "b"]) },
      {
        name: "weight",
        numbers: sessions.flatMap((_, row) => tickers.map((one) => run.targets.at(row)[one] ?? 0)),
      },
      { name: "symbol", texts: sessions.flatMap(() => tickers) },
      { name: "date", texts: sessions.flatMap((session) => tickers.map(() => session)) },
    ]);
    expect(fromDataFrame(frame, "weights").weight).toEqual(run.targets.weight);
  });

  it.each([
    ["bars", "panel"],
    ["weights", "weights"],
    ["folds", "folds"],
    ["a grid", "grid"],
  ] as const)("refuses returns as %s, naming a column that is missing", async (words, kind) => {
    const frame = await toDataFrame(run);
    expect(() => fromDataFrame(frame, kind)).toThrow(FrameError);
    expect(() => fromDataFrame(frame, kind)).toThrow(
      new RegExp(`^this is no frame of ${words}: it has no column \\w+; it has date, net, gross, turnover,`),
    );
  });

  const bent = async (bend: (rows: unknown[][]) => unknown[][], made: DataFrame): Promise<DataFrame> => {
    const rows = bend(made.values.map((row) => [...row]));
    return new (made.constructor as new (rows: unknown[][], options: object) => DataFrame)(rows, {
      columns: made.columns,
      dtypes: made.dtypes,
    });
  };
  const cell = (row: number, column: number, value: unknown) => (rows: unknown[][]) => {
    rows[row]![column] = value;
    return rows;
  };

  it.each([
    [
      "dates that run backwards",
      "returns",
      cell(2, 0, "2023-12-29"),
      "its dates do not ascend: row 3 is of 2023-12-29, after one of 2024-01-02",
    ],
    ["a date twice", "returns", cell(2, 0, "2024-01-02"), "its dates do not ascend: row 3"],
    [
      "a date that is none",
      "returns",
      cell(4, 0, "2024-02-30"),
      'row 5 of its column date holds "2024-02-30", no date',
    ],
    [
      "a text where a number belongs",
      "returns",
      cell(1, 3, "much"),
      'row 2 of its column turnover holds "much", no number',
    ],
    ["no rows", "returns", () => [], "it has no rows"],
    ["dates that run backwards", "weights", cell(4, 0, "2023-12-29"), "its dates do not ascend: row 5"],
    ["a symbol twice on a day", "weights", cell(1, 1, "SPY"), "SPY comes twice on 2024-01-01"],
    ["a row without a symbol", "weights", cell(1, 1, ""), "row 2 has no symbol"],
    [
      "a weight that is none",
      "weights",
      cell(7, 2, Number.NaN),
      "row 8 of its column weight holds no number",
    ],
  ] as const)("refuses %s in %s", async (_, kind, bend, problem) => {
    const made = await toDataFrame(kind === "returns" ? run : run.targets);
    const frame = await bent(bend, made);
    expect(() => fromDataFrame(frame, kind)).toThrow(FrameError);
    expect(() => fromDataFrame(frame, kind)).toThrow(`this is no frame of ${kind}: ${problem}`);
  });

  it("refuses a grid with a point too few, or with other parameters in another fold", async () => {
    const points = gridPoints({ ema_fast: [10, 20] });
    const made = await toDataFrame({ points, folds: [0, 1].map((index) => ({ index, objectives: [1, 2] })) });
    const read = async (bend: (rows: unknown[][]) => unknown[][]) =>
      fromDataFrame(await bent(bend, made), "grid");
    await expect(read((rows) => rows.slice(0, 3))).rejects.toThrow("fold 1 has 1 of 2 points");
    await expect(read((rows) => rows.slice(1))).rejects.toThrow(
      "row 1 is point 1 of fold 0, where point 0 belongs",
    );
    await expect(read(cell(3, 2, 30))).rejects.toThrow("row 4 gives point 1 other parameters");
    await expect(read(cell(0, 0, 0.5))).rejects.toThrow("row 1 of its column fold holds 0.5, no count");
  });
});
