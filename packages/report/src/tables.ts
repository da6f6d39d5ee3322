import type { BacktestResult } from "@pf/backtest";

/** The columns of `returns.csv` after the date. */
export const returnColumns = ["net", "gross", "turnover", "commission", "slippage", "equity"] as const;

/**
 * `returns.csv`: one row a bar, fractions of equity; `equity` is the growth of 1, or what is given for it. Every
 * number is the shortest text that reads back as the same double. Daily bars are named by their `date`; of hourly ones
 * that is the session, and a column `ts` after it says when the hour ended, in UTC.
 */
export function returnsCsv(result: BacktestResult, equity: Float64Array = result.equity): string {
  const columns = { ...result, equity };
  const lines = [`${keyColumns(result)},${returnColumns.join(",")}`];
  for (let row = 0; row < result.sessions.length; row++) {
    lines.push(`${keyOf(result, row)},${returnColumns.map((name) => String(columns[name][row])).join(",")}`);
  }
  return `${lines.join("\n")}\n`;
}

/**
 * `weights.csv`: the non-zero targets decided on each bar, in universe order; fractions of equity in full precision. Bars
 * are named as in `returns.csv`.
 */
export function weightsCsv(result: BacktestResult): string {
  const lines = [`${keyColumns(result)},symbol,weight`];
  const { rowStart, symbol, weight } = result.targets;
  for (let row = 0; row < result.sessions.length; row++) {
    for (let entry = rowStart[row]!; entry < rowStart[row + 1]!; entry++) {
      lines.push(`${keyOf(result, row)},${result.tickers[symbol[entry]!]},${weight[entry]}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function keyColumns({ endsUtcMs }: BacktestResult): string {
  return endsUtcMs ? "date,ts" : "date";
}

function keyOf({ sessions, endsUtcMs }: BacktestResult, row: number): string {
  if (!endsUtcMs) return sessions[row]!;
  return `${sessions[row]},${new Date(endsUtcMs[row]!).toISOString()}`;
}
