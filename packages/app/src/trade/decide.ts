import type { CostModel } from "@pf/backtest";
import { runBacktest } from "@pf/backtest";
import type { Panel, SessionDate, Weights } from "@pf/market";
import type { Decision, Strategy } from "@pf/selection";

/** A decision that was taken and written down. */
export interface TakenDecision {
  readonly asOf: SessionDate;
  readonly weights: Weights;
}

/**
 * Decides on the last row of a panel, on the path that was really walked: from the last decision taken on, the sessions
 * since then are folded again; an account that never decided starts from the backtest's path.
 *
 * @param last - the last decision that was taken, in whatever session; one of the panel's last row is given again
 */
export function decideLast(
  panel: Panel,
  strategy: Strategy,
  last: TakenDecision | null,
  costs: CostModel,
  lag: 1 | 2,
): { readonly decision: Decision; readonly held: Weights } {
  const row = panel.sessions.length - 1;
  const prepared = strategy.prepare(panel);
  const from = last === null ? -1 : panel.sessions.lastIndexOf(last.asOf);
  if (from < 0 || from >= row) {
    // No path of our own, or none before this row: the backtest's.
    const { targets } = runBacktest(panel, strategy, costs, { lag });
    const held = row === 0 ? {} : targets.at(row - 1);
    return { decision: prepared.decide(row, held), held };
  }
  const at = (weights: Weights) => Float64Array.from(panel.tickers, (ticker) => weights[ticker] ?? 0);
  let held = at(last!.weights);
  let next = new Float64Array(held.length);
  for (let between = from + 1; between < row; between++) {
    prepared.weightsInto(between, held, next);
    [held, next] = [next, held];
  }
  const weights = Object.fromEntries(
    panel.tickers.flatMap((ticker, i) => (held[i] === 0 ? [] : [[ticker, held[i]!] as const])),
  );
  return { decision: prepared.decide(row, weights), held: weights };
}
