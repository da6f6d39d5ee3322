import type { BacktestResult } from "@pf/backtest";
import type { SessionDate } from "@pf/market";

/** What drawdowns are read from; any {@link BacktestResult} fits. */
export type EquityPath = Pick<BacktestResult, "sessions" | "equity">;

/** One fall of equity below an earlier high, from that high until it is reached again. */
export interface DrawdownPeriod {
  /** The deepest fall below the high, a positive fraction. */
  readonly depth: number;
  /** The last session at the high; the first session when equity falls from its start of 1 at once. */
  readonly peak: SessionDate;
  readonly trough: SessionDate;
  /** The first session at the high again or above it; `null` when that never happened. */
  readonly recovery: SessionDate | null;
  /** Row of the peak, -1 for the start of 1 before the first row. */
  readonly peakRow: number;
  readonly troughRow: number;
  /** Row of the recovery, `null` when there is none. */
  readonly recoveryRow: number | null;
}

/**
 * The deepest drawdowns, deepest first and the earlier of two equal ones first. They never overlap: a fall within a
 * fall belongs to it. Highs count the start at 1, so the first depth is the `MaxDD` of the metrics.
 *
 * @param count - how many at most; fewer when equity fell fewer times
 */
export function worstDrawdowns(path: EquityPath, count: number): readonly DrawdownPeriod[] {
  return allDrawdowns(path)
    .sort((a, b) => b.depth - a.depth || a.troughRow - b.troughRow)
    .slice(0, count);
}

/** How far equity lies below its highest value so far (the start of 1 included): 0 at a high, -0.2 a fifth below it. */
export function underwater(equity: Float64Array): Float64Array {
  const out = new Float64Array(equity.length);
  let high = 1;
  for (let row = 0; row < equity.length; row++) {
    const value = equity[row]!;
    if (value >= high) high = value;
    else out[row] = value / high - 1;
  }
  return out;
}

function allDrawdowns({ sessions, equity }: EquityPath): DrawdownPeriod[] {
  const periods: DrawdownPeriod[] = [];
  let high = 1;
  let highRow = -1;
  let troughRow = -1; // -1 while equity is at its high
  const close = (recoveryRow: number | null) => {
    periods.push({
      depth: 1 - equity[troughRow]! / high,
      peak: sessions[Math.max(highRow, 0)]!,
      trough: sessions[troughRow]!,
      recovery: recoveryRow === null ? null : sessions[recoveryRow]!,
      peakRow: highRow,
      troughRow,
      recoveryRow,
    });
    troughRow = -1;
  };
  for (let row = 0; row < equity.length; row++) {
    const value = equity[row]!;
    if (value >= high) {
      if (troughRow >= 0) close(row);
      high = value;
      highRow = row;
    } else if (troughRow < 0 || value < equity[troughRow]!) {
      troughRow = row;
    }
  }
  if (troughRow >= 0) close(null);
  return periods;
}
