import type { Panel } from "@pf/market";
import type { Strategy } from "@pf/selection";
import { BacktestOptionsError } from "./errors.js";
import type { BacktestResult, CostModel, TargetSeries } from "./result.js";
import { TargetRecorder } from "./targets.js";

export interface BacktestOptions {
  /**
   * Bars between a decision and the close at which it is traded, plus one: 1 trades at the close of the deciding bar
   * and earns from the next, 2 decides on yesterday's complete bar.
   *
   * @defaultValue 1
   */
  readonly lag?: 1 | 2;
}

/**
 * Runs a strategy over a panel, bar by bar: what a row decides is traded at that row's close, pays its costs there and
 * earns from the next row on, so that no return is ever earned by a decision that saw it.
 *
 * @returns one value a session in every column; the first row decides, earns nothing
 * @throws BacktestOptionsError for negative costs or a lag other than 1 and 2
 */
export function runBacktest(
  panel: Panel,
  strategy: Strategy,
  costs: CostModel,
  options: BacktestOptions = {},
): BacktestResult {
  const prepared = strategy.prepare(panel);
  const recorder = new TargetRecorder(panel.sessions, panel.tickers);
  let held = new Float64Array(panel.tickers.length);
  let next = new Float64Array(panel.tickers.length);
  for (let row = 0; row < panel.sessions.length; row++) {
    prepared.weightsInto(row, held, next);
    recorder.record(next);
    [held, next] = [next, held];
  }
  return runTargets(panel, recorder.finish(), costs, options);
}

/**
 * The engine beneath {@link runBacktest}: returns and costs of given targets.
 *
 * `gross[t] = sum of w[t - 1, i] * r[t, i]`; a missing return counts as 0 and the return after a hole spans it.
 * `turnover[t] = sum of |w[t, i] - w[t - 1, i]|`, on which slippage falls in basis points and the commission at
 * dollars a share over the last own close. With lag 2 all of it holds for the targets of the row before.
 *
 * @throws BacktestOptionsError for negative costs, another lag, or targets made for other rows or symbols
 */
export function runTargets(
  panel: Panel,
  targets: TargetSeries,
  costs: CostModel,
  { lag = 1 }: BacktestOptions = {},
): BacktestResult {
  requireCosts(costs);
  requireLag(lag);
  requireSameLabels(targets, panel);
  const rows = panel.sessions.length;
  const closes = panel.tickers.map((ticker) => panel.column("close", ticker));
  const run = {
    net: new Float64Array(rows),
    gross: new Float64Array(rows),
    turnover: new Float64Array(rows),
    commission: new Float64Array(rows),
    slippage: new Float64Array(rows),
    equity: new Float64Array(rows),
  };
  trade(closes, targets.rowStart, targets.symbol, targets.weight, costs, lag, run);
  return {
    sessions: panel.sessions,
    ...(panel.endsUtcMs ? { endsUtcMs: panel.endsUtcMs } : {}),
    tickers: panel.tickers,
    ...run,
    targets,
  };
}

type RunColumns = Pick<BacktestResult, "net" | "gross" | "turnover" | "commission" | "slippage" | "equity">;

/** The rows of a run, from plain columns: one piece of code whatever the panel and the targets are objects of. */
function trade(
  closes: readonly Float64Array[],
  rowStart: Int32Array,
  symbol: Int32Array,
  weight: Float64Array,
  costs: CostModel,
  lag: 1 | 2,
  { net, gross, turnover, commission, slippage, equity }: RunColumns,
): void {
  const change = new Float64Array(4);
  let grown = 1;
  for (let row = 0; row < net.length; row++) {
    // What is held after this row's trade, and what was held before it: stretches of the sparse targets.
    const traded = row + 1 - lag;
    const k = traded >= 0 ? rowStart[traded]! : 0;
    const end = traded >= 0 ? rowStart[traded + 1]! : 0;
    const before = traded >= 1 ? rowStart[traded - 1]! : 0;
    const beforeEnd = traded >= 1 ? rowStart[traded]! : 0;

    exchange(closes, symbol, weight, before, beforeEnd, k, end, row, costs, change);
    gross[row] = change[0]!;
    turnover[row] = change[1]!;
    commission[row] = change[2]!;
    slippage[row] = change[3]!;
    net[row] = gross[row]! - commission[row]! - slippage[row]!;
    grown *= 1 + net[row]!;
    equity[row] = grown;
  }
}

/**
 * What a row earns and costs where one holding gives way to another: the one earned since the row before, and the
 * difference of the two is traded. Both are stretches of `symbol` and `weight`, in universe order.
 *
 * @param into - what was earned, the turnover, commission and slippage, as fractions of equity
 */
export function exchange(
  closes: readonly Float64Array[],
  symbol: Int32Array,
  weight: Float64Array,
  before: number,
  beforeEnd: number,
  after: number,
  afterEnd: number,
  row: number,
  { commissionPerShare, slippageBps }: CostModel,
  into: Float64Array,
): void {
  let earned = 0;
  for (let h = before; h < beforeEnd; h++) earned += weight[h]! * returnAt(closes[symbol[h]!]!, row);

  let moved = 0;
  let shares = 0;
  let k = after;
  let h = before;
  while (k < afterEnd || h < beforeEnd) {
    const a = k < afterEnd ? symbol[k]! : Number.POSITIVE_INFINITY;
    const b = h < beforeEnd ? symbol[h]! : Number.POSITIVE_INFINITY;
    const i = Math.min(a, b);
    let change = 0;
    if (a === i) change += weight[k++]!;
    if (b === i) change -= weight[h++]!;
    if (change === 0) continue;
    const size = Math.abs(change);
    moved += size;
    shares += size / lastClose(closes[i]!, row);
  }
  into[0] = earned;
  into[1] = moved;
  into[2] = shares * commissionPerShare;
  into[3] = (moved * slippageBps) / 10_000;
}

type Labels = Pick<Panel, "sessions" | "tickers">;

export function requireSameLabels(targets: Labels, panel: Labels): void {
  if (!sameLabels(targets.sessions, panel.sessions) || !sameLabels(targets.tickers, panel.tickers)) {
    throw new BacktestOptionsError(
      "the targets were made for another panel: rows and symbols must be the same",
    );
  }
}

/** Whether two axes are one. Targets know symbols by position, so even another order is another panel. */
function sameLabels(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((label, at) => label === b[at]));
}

/** The return booked on a row, from the last own close before it; 0 where the symbol has no bar or no bar before. */
function returnAt(close: Float64Array, row: number): number {
  const price = close[row]!;
  if (Number.isNaN(price)) return 0;
  let at = row - 1;
  while (at >= 0 && Number.isNaN(close[at]!)) at--;
  return at < 0 ? 0 : price / close[at]! - 1;
}

/** The newest own close up to a row. A target on a symbol that never traded has no price, and so no commission. */
function lastClose(close: Float64Array, row: number): number {
  let at = row;
  while (at >= 0 && Number.isNaN(close[at]!)) at--;
  return at < 0 ? Number.POSITIVE_INFINITY : close[at]!;
}

export function requireLag(lag: number): void {
  if (lag !== 1 && lag !== 2) throw new BacktestOptionsError(`the lag must be 1 or 2, not ${String(lag)}`);
}

export function requireCosts({ commissionPerShare, slippageBps }: CostModel): void {
  for (const [name, value] of Object.entries({ commissionPerShare, slippageBps })) {
    if (!(value >= 0 && Number.isFinite(value))) {
      throw new BacktestOptionsError(`costs.${name} must be a number of at least 0, not ${value}`);
    }
  }
}
