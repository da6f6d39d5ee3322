import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { PlannedFile } from "@pf/report";
import { lockFolder } from "./folder-lock.js";

/** A run's audit log, by its name in the folder of logs. */
export interface AuditLog {
  readonly name: string;
  readonly text: string;
}

/** Who writes a report is done in milliseconds; a disk may be slow. */
const patienceMs = 30_000;

/**
 * Puts a report and the log that explains it into the folder of reports. The log goes first: a report without it would
 * look finished. When the report cannot follow, the log is taken back. One run writes at a time, so that two that end
 * together leave the files of one of them and not a mixture.
 *
 * @returns the log's path relative to the folder
 * @throws WriteError when the system refuses; FolderInUseError when another run does not get done with writing; the
 *   signal's reason when it was aborted
 */
export async function publishReport(
  files: readonly PlannedFile[],
  log: AuditLog,
  outFolder: string,
  signal?: AbortSignal,
): Promise<string> {
  const { writeReport } = await import("@pf/report");
  const writing = signal ? { signal } : {};
  const privately = { ...writing, isPrivate: true };
  const logs = join(outFolder, "logs");
  const bytes = new TextEncoder().encode(log.text);
  // Makes the folders, or says why it cannot.
  await writeReport([], logs, privately);
  const lock = await lockFolder(outFolder, ".report.lock", patienceMs);
  try {
    const name = freeName(logs, log.name);
    const [path] = await writeReport([{ name, bytes }], logs, privately);
    try {
      await writeReport(files, outFolder, writing);
    } catch (error) {
      await rm(path!, { force: true });
      throw error;
    }
    return `logs/${name}`;
  } finally {
    lock.release();
  }
}

/** Two runs that began in the same millisecond both keep their log. */
function freeName(folder: string, name: string): string {
  const [stem, ending] = [name.replace(/\.jsonl$/, ""), ".jsonl"];
  let free = name;
  for (let k = 2; existsSync(join(folder, free)); k++) free = `${stem}-${k}${ending}`;
  return free;
}
