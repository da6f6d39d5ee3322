import type { Panel, SessionDate, Ticker } from "@pf/market";
import { type BacktestOptions, exchange, requireCosts, requireLag, requireSameLabels } from "./engine.js";
import type { BacktestResult, CostModel } from "./result.js";

/** Targets of many runs over the same rows, each holding written down once for all runs and rows that have it. */
export interface SharedTargets {
  readonly sessions: readonly SessionDate[];
  readonly tickers: readonly Ticker[];
  /** Holding `h` owns the entries `start[h]` to `start[h + 1]` of `symbol` and `weight`; holding 0 owns none. */
  readonly start: Int32Array;
  /** Positions in `tickers`, ascending within a holding. */
  readonly symbol: Int32Array;
  /** Fractions of equity, none of them 0. */
  readonly weight: Float64Array;
  /** The holding of each run on each row: one column a run. */
  readonly held: readonly Int32Array[];
}

/**
 * Returns and turnover of many runs at once, to the last bit those of {@link runTargets} one by one. What a change from
 * one holding to another earns and costs on a row is computed once for all runs that make it.
 *
 * @returns one result a run, in the order of `held`
 * @throws BacktestOptionsError for negative costs, another lag, or targets made for other rows or symbols
 */
export function runSharedTargets(
  panel: Panel,
  targets: SharedTargets,
  costs: CostModel,
  { lag = 1 }: BacktestOptions = {},
): readonly Pick<BacktestResult, "net" | "turnover">[] {
  requireCosts(costs);
  requireLag(lag);
  requireSameLabels(targets, panel);
  const { start, symbol, weight, held } = targets;
  const rows = panel.sessions.length;
  const runs = held.length;
  const closes = panel.tickers.map((ticker) => panel.column("close", ticker));
  const results = held.map(() => ({ net: new Float64Array(rows), turnover: new Float64Array(rows) }));

  // A table of the row's changes by the two holdings; what an earlier row left behind has another number.
  let bits = 4;
  while (1 << bits < 2 * runs) bits++;
  const mask = (1 << bits) - 1;
  const row = new Int32Array(1 << bits).fill(-1);
  const from = new Int32Array(1 << bits);
  const to = new Int32Array(1 << bits);
  const net = new Float64Array(1 << bits);
  const turnover = new Float64Array(1 << bits);
  const change = new Float64Array(4);

  for (let at = 0; at < rows; at++) {
    const traded = at + 1 - lag;
    if (traded < 0) continue;
    for (let run = 0; run < runs; run++) {
      const column = held[run]!;
      const after = column[traded]!;
      const before = traded > 0 ? column[traded - 1]! : 0;
      let place = (Math.imul(before, 0x9e37_79b1) ^ Math.imul(after, 0x85eb_ca6b)) >>> (32 - bits);
      while (row[place] === at && (from[place] !== before || to[place] !== after)) place = (place + 1) & mask;
      if (row[place] !== at) {
        row[place] = at;
        from[place] = before;
        to[place] = after;
        exchange(
          closes,
          symbol,
          weight,
          start[before]!,
          start[before + 1]!,
          start[after]!,
          start[after + 1]!,
          at,
          costs,
          change,
        );
        net[place] = change[0]! - change[2]! - change[3]!;
        turnover[place] = change[1]!;
      }
      const result = results[run]!;
      result.net[at] = net[place]!;
      result.turnover[at] = turnover[place]!;
    }
  }
  return results;
}
