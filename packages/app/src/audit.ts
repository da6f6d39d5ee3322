import type { BacktestResult } from "@pf/backtest";
import type { Panel } from "@pf/market";
import type { Decision, Strategy } from "@pf/selection";
import { chainedLog } from "./audit-chain.js";
import type { Manifest } from "./manifest.js";
import type { Clock } from "./ports.js";

/** A change of less than this is no trade; the metrics count rebalances by the same measure. */
const noTrade = 1e-9;

/** The rows on which a run's targets changed, in order. */
export function rebalanceRows({ sessions, targets }: BacktestResult): number[] {
  const rows: number[] = [];
  let before = {} as Readonly<Record<string, number>>;
  for (let row = 0; row < sessions.length; row++) {
    const now = targets.at(row);
    let moved = 0;
    for (const ticker of new Set([...Object.keys(before), ...Object.keys(now)])) {
      moved += Math.abs((now[ticker] ?? 0) - (before[ticker] ?? 0));
    }
    if (moved > noTrade) rows.push(row);
    before = now;
  }
  return rows;
}

/** Explains every change of targets: the same rule as the engine's, asked row by row with what was held before. */
export function explainRebalances(
  panel: Panel,
  strategy: Strategy,
  result: BacktestResult,
): readonly TimedDecision[] {
  const prepared = strategy.prepare(panel);
  return rebalanceRows(result).map((row) =>
    timed(prepared.decide(row, row === 0 ? {} : result.targets.at(row - 1)), panel, row),
  );
}

/** A decision, and with hourly bars the end of the one that decided. */
type TimedDecision = Decision & { readonly ts?: string };

/** @param row - the decision's own, of the same rows */
export function timed(
  decision: Decision,
  { endsUtcMs }: Pick<Panel, "endsUtcMs">,
  row: number,
): TimedDecision {
  return endsUtcMs ? { ...decision, ts: new Date(endsUtcMs[row]!).toISOString() } : decision;
}

/** The audit log of a run as JSON lines, for people: time, what was known, what was chosen and why. */
export async function auditLines(
  decisions: readonly TimedDecision[],
  run: string,
  manifest: Manifest,
  clock: Clock,
): Promise<string> {
  const { pino } = await import("pino");
  const lines: string[] = [];
  // The lines are collected and written whole: a log that ends in the middle of a decision explains nothing.
  const log = pino(
    {
      base: null,
      timestamp: () => `,"time":"${new Date(clock.nowUtcMs()).toISOString()}"`,
      formatters: { level: (level) => ({ level }) },
    },
    { write: (line: string) => lines.push(line) },
  );
  const inputs = {
    configHash: manifest.configHash,
    data: Object.fromEntries(Object.entries(manifest.data).map(([symbol, { hash }]) => [symbol, hash])),
  };
  for (const decision of decisions) {
    const { session, ...record } = decisionRecord(decision);
    log.info({ event: "rebalance", run, command: manifest.command, session, inputs, ...record });
  }
  return chainedLog(lines);
}

/** A decision as audit logs tell it. A backtest sends no orders. */
export function decisionRecord(decision: TimedDecision) {
  const { asOf, ts, candidates, selected, correlations, overlays, weights, cash, heldByBand } = decision;
  return {
    session: asOf,
    ...(ts === undefined ? {} : { ts }),
    candidates,
    selected,
    correlations,
    overlays,
    weights,
    cash,
    heldByBand,
    orders: [],
  };
}

/** A name for a run that sorts by time and is safe in a file name: `backtest-20241231T210000123Z`. */
export function runName(command: string, clock: Clock): string {
  return `${command}-${new Date(clock.nowUtcMs()).toISOString().replace(/[-:.]/g, "")}`;
}
