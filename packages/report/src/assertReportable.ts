import type { BacktestResult } from "@pf/backtest";
import type { SessionDate } from "@pf/market";
import { ReportInputError } from "./errors.js";

const columns = ["net", "gross", "turnover", "commission", "slippage", "equity"] as const;

/**
 * @param part - how an error names the result
 * @throws ReportInputError when it has no session, columns of unequal length, or a value that is no number
 */
export function assertReportable(result: BacktestResult, part: string): void {
  const rows = result.sessions.length;
  if (rows === 0) throw new ReportInputError(part, "there is no session in it");
  for (const name of columns) {
    const column = result[name];
    if (column.length !== rows) {
      throw new ReportInputError(part, `${name} has ${column.length} values for ${rows} sessions`);
    }
    const bad = column.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw new ReportInputError(part, `${name} is ${column[bad]} on ${result.sessions[bad]}`);
  }
}

/** @throws ReportInputError when what is compared does not lie on the same sessions: growth from another day is no comparison */
export function assertSameSessions(
  result: BacktestResult,
  sessions: readonly SessionDate[],
  part: string,
): void {
  const rows = Math.max(result.sessions.length, sessions.length);
  for (let row = 0; row < rows; row++) {
    if (result.sessions[row] !== sessions[row]) {
      throw new ReportInputError(
        part,
        `session ${row} is ${result.sessions[row] ?? "missing"} where the stitched run has ${sessions[row] ?? "none"}`,
      );
    }
  }
}
