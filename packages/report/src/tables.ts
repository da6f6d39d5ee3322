import type { BacktestResult } from "@pf/backtest";

const returnColumns = ["net", "gross", "turnover", "commission", "slippage", "equity"] as const;

/**
 * `returns.csv`: one row a session, fractions of equity; `equity` is the growth of 1, or what is given for it. Every
 * number is the shortest text that reads back as the same double.
 */
export function returnsCsv(result: BacktestResult, equity: Float64Array = result.equity): string {
  const columns = { ...result, equity };
  const lines = [`date,${returnColumns.join(",")}`];
  for (let row = 0; row < result.sessions.length; row++) {
    lines.push(
      `${result.sessions[row]},${returnColumns.map((name) => String(columns[name][row])).join(",")}`,
    );
  }
  return `${lines.join("\n")}\n`;
}

/** `weights.csv`: the non-zero targets decided on each session, in universe order; fractions of equity in full precision. */
export function weightsCsv(result: BacktestResult): string {
  const lines = ["date,symbol,weight"];
  const { rowStart, symbol, weight } = result.targets;
  for (let row = 0; row < result.sessions.length; row++) {
    for (let entry = rowStart[row]!; entry < rowStart[row + 1]!; entry++) {
      lines.push(`${result.sessions[row]},${result.tickers[symbol[entry]!]},${weight[entry]}`);
    }
  }
  return `${lines.join("\n")}\n`;
}
