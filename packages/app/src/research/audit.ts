import { chainedLog } from "../audit-chain.js";
import type { Manifest } from "../manifest.js";
import type { Clock } from "../ports.js";

/** Something that happened, with whatever explains it. */
export interface AuditRecord {
  readonly event: string;
  readonly [fact: string]: unknown;
}

/** The audit log of a search as JSON lines, in the form of a backtest's: time, what was known, what came of it. */
export function searchLog(
  records: readonly AuditRecord[],
  run: string,
  manifest: Manifest,
  clock: Clock,
): string {
  const data = Object.fromEntries(Object.entries(manifest.data).map(([symbol, { hash }]) => [symbol, hash]));
  // The same in every line: written once, and put into the others as text.
  const inputs = JSON.stringify({ inputs: { configHash: manifest.configHash, data } }).slice(1, -1);
  const lines: string[] = [];
  for (const { event, ...record } of records) {
    const time = new Date(clock.nowUtcMs()).toISOString();
    const head = JSON.stringify({ level: "info", time, event, run, command: manifest.command });
    lines.push(`${head.slice(0, -1)},${inputs},${JSON.stringify(record).slice(1)}\n`);
  }
  return chainedLog(lines);
}
