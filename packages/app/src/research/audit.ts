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
  const inputs = {
    configHash: manifest.configHash,
    data: Object.fromEntries(Object.entries(manifest.data).map(([symbol, { hash }]) => [symbol, hash])),
  };
  return records
    .map(({ event, ...record }) => {
      const time = new Date(clock.nowUtcMs()).toISOString();
      return `${JSON.stringify({ level: "info", time, event, run, command: manifest.command, inputs, ...record })}\n`;
    })
    .join("");
}
