import fc from "fast-check";
import {
  alignPanel,
  type BarSeries,
  dateOfDayNumber,
  dayNumber,
  newYorkToUtcMs,
  type Panel,
  xnys,
} from "../src/index.js";

/** How one symbol of a made-up market behaves: the awkward cases that rules meet sooner or later. */
export interface SymbolShape {
  readonly kind: "walk" | "twin" | "constant" | "stepwise";
  /** First row with a bar. */
  readonly start: number;
  /** Rows without a bar. */
  readonly holes: readonly number[];
}

export interface World {
  readonly seed: number;
  readonly rows: number;
  readonly shapes: readonly SymbolShape[];
}

/** Random markets: walks, identical twins, frozen and stepwise prices (ties), late starters, holes; also none and one. */
export function worlds(
  options: { readonly minRows?: number; readonly maxRows?: number; readonly maxSymbols?: number } = {},
): fc.Arbitrary<World> {
  const { minRows = 1, maxRows = 90, maxSymbols = 6 } = options;
  return fc.integer({ min: minRows, max: maxRows }).chain((rows) =>
    fc.record({
      seed: fc.integer({ min: 1, max: 0x7fffffff }),
      rows: fc.constant(rows),
      shapes: fc.array(
        fc.record({
          kind: fc.constantFrom(
            "walk" as const,
            "walk" as const,
            "walk" as const,
            "twin" as const,
            "constant" as const,
            "stepwise" as const,
          ),
          start: fc.oneof(fc.constant(0), fc.constant(0), fc.integer({ min: 0, max: rows - 1 })),
          holes: fc.oneof(fc.constant([]), fc.array(fc.integer({ min: 0, max: rows - 1 }), { maxLength: 4 })),
        }),
        { maxLength: maxSymbols },
      ),
    }),
  );
}

/** The bars of a world; equal worlds have equal bits. Every session has a bar of some symbol. */
export function seriesOf({ seed, rows, shapes }: World): BarSeries[] {
  const draw = generator(seed);
  const market = Float64Array.from({ length: rows }, () => (draw() - 0.5) * 0.03);
  let twin: readonly Bar[] | undefined;
  return shapes.map(({ kind, start, holes }, index) => {
    const all = kind === "twin" && twin ? twin : walk(kind, rows, market, draw);
    twin = all;
    const kept = all.flatMap((bar, row) => (row < start || holes.includes(row) ? [] : [{ ...bar, row }]));
    return {
      ticker: `S${index}`,
      sessions: kept.map(({ row }) => dateOfDayNumber(18_000 + row)),
      open: Float64Array.from(kept, (bar) => bar.open),
      high: Float64Array.from(kept, (bar) => bar.high),
      low: Float64Array.from(kept, (bar) => bar.low),
      close: Float64Array.from(kept, (bar) => bar.close),
      volume: Float64Array.from(kept, () => 1000),
    };
  });
}

export const panelOf = (world: World): Panel => alignPanel(seriesOf(world));

/** The panel's bars as series again, each changed by `change`, and aligned anew. */
export function remade(panel: Panel, change: (series: BarSeries) => BarSeries): Panel {
  return alignPanel(panel.tickers.map((ticker) => change(ownBars(panel, ticker))));
}

/** A panel in which every bar after `row` is another one: what nothing at or before `row` may notice. */
export function scrambledAfter(panel: Panel, row: number, seed: number): Panel {
  const last = panel.endsUtcMs?.[row] ?? panel.sessions[row]!;
  const draw = generator(seed);
  return remade(panel, (series) => {
    const copy = { ...series };
    for (const field of ["open", "high", "low", "close"] as const) copy[field] = series[field].slice();
    for (let bar = 0; bar < series.sessions.length; bar++) {
      if ((series.endsUtcMs?.[bar] ?? series.sessions[bar]!) <= last) continue;
      const factor = 0.5 + draw();
      for (const field of ["open", "high", "low", "close"] as const) copy[field][bar]! *= factor;
    }
    return copy;
  });
}

const firstDay = dayNumber("2019-04-15" as Panel["sessions"][number]);
const hours = ["10:00", "11:00", "12:00", "13:00", "14:00", "15:00", "16:00"];

/**
 * The bars of a world as hours: seven rows a session, from 2019-04-15 on, across changes of clocks. Half days are full
 * ones here, because rows shall stay the same.
 */
export function asHours(panel: Panel): Panel {
  const rows = panel.sessions.length;
  const days: Panel["sessions"][number][] = [];
  for (let day = firstDay; days.length * hours.length < rows; day++) {
    if (xnys.isSession(dateOfDayNumber(day))) days.push(dateOfDayNumber(day));
  }
  const place = new Map(panel.sessions.map((session, row) => [session, row]));
  return remade(panel, (series) => {
    const sessions = series.sessions.map((session) => days[Math.floor(place.get(session)! / hours.length)]!);
    const ends = series.sessions.map((session, bar) =>
      newYorkToUtcMs(sessions[bar]!, hours[place.get(session)! % hours.length]!),
    );
    return { ...series, sessions, endsUtcMs: Float64Array.from(ends) };
  });
}

function ownBars(panel: Panel, ticker: string): BarSeries {
  const close = panel.column("close", ticker);
  const rows = Array.from(close.keys()).filter((row) => !Number.isNaN(close[row]!));
  const column = (field: "open" | "high" | "low" | "close" | "volume") => {
    const values = panel.column(field, ticker);
    return Float64Array.from(rows, (row) => values[row]!);
  };
  return {
    ticker,
    sessions: rows.map((row) => panel.sessions[row]!),
    ...(panel.endsUtcMs ? { endsUtcMs: Float64Array.from(rows, (row) => panel.endsUtcMs![row]!) } : {}),
    open: column("open"),
    high: column("high"),
    low: column("low"),
    close: column("close"),
    volume: column("volume"),
  };
}

interface Bar {
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
}

function walk(kind: SymbolShape["kind"], rows: number, market: Float64Array, draw: () => number): Bar[] {
  const beta = draw() * 1.5;
  const drift = (draw() - 0.3) * 0.006;
  let price = 20 + Math.floor(draw() * 200);
  return Array.from({ length: rows }, (_, row) => {
    if (kind === "constant") return { open: price, high: price, low: price, close: price };
    const open = price;
    // Steps of a quarter are exact in binary, so that equal moves are equal returns: ties.
    if (kind === "stepwise") price += draw() < 0.5 ? 0.25 : 0;
    else price *= 1 + drift + beta * market[row]! + (draw() - 0.5) * 0.02;
    const high = Math.max(open, price) * (1 + draw() * 0.005);
    const low = Math.min(open, price) * (1 - draw() * 0.005);
    return { open, high, low, close: price };
  });
}

/** mulberry32: tests need dice that fall the same everywhere. */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
