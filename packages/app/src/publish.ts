import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { PlannedFile } from "@pf/report";

/** A run's audit log, by its name in the folder of logs. */
export interface AuditLog {
  readonly name: string;
  readonly text: string;
}

/**
 * Puts a report and the log that explains it into the folder of reports. The log goes first: a report without it would
 * look finished. When the report cannot follow, the log is taken back.
 *
 * @returns the log's path relative to the folder
 * @throws WriteError when the system refuses; the signal's reason when it was aborted
 */
export async function publishReport(
  files: readonly PlannedFile[],
  log: AuditLog,
  outFolder: string,
  signal?: AbortSignal,
): Promise<string> {
  const { writeReport } = await import("@pf/report");
  const writing = signal ? { signal } : {};
  const bytes = new TextEncoder().encode(log.text);
  const [path] = await writeReport([{ name: log.name, bytes }], join(outFolder, "logs"), writing);
  try {
    await writeReport(files, outFolder, writing);
  } catch (error) {
    await rm(path!, { force: true });
    throw error;
  }
  return `logs/${log.name}`;
}
