import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { errnoOf, WriteError } from "./errors.js";

/**
 * Puts bytes into a file so that, whenever the process or the machine stops, the file holds either what it held
 * before or all of the new bytes: a temporary file beside it, synced, renamed over it, and the folder synced.
 *
 * Everything is synchronous on purpose: no signal handler of ours can run between the steps, and a kill between them
 * leaves a temporary file that the next {@link prepareFolder} takes away.
 *
 * @throws WriteError when the system refuses any step; the temporary file is gone then
 */
export function writeFileAtomically(file: string, bytes: Uint8Array): void {
  const temporary = join(dirname(file), `.${basename(file)}.${runId}-${++written}.tmp`);
  let descriptor: number | undefined;
  try {
    descriptor = openSync(temporary, "wx", 0o644);
    writeFileSync(descriptor, bytes);
    fsyncSync(descriptor);
    closeSync(descriptor);
    descriptor = undefined;
    renameSync(temporary, file);
    syncFolder(dirname(file));
  } catch (error) {
    if (descriptor !== undefined) closeSync(descriptor);
    removeIfThere(temporary);
    throw asWriteError(file, error);
  }
}

/**
 * Deletes a file if it is there, durably.
 *
 * @throws WriteError when the system refuses
 */
export function removeFile(file: string): void {
  if (!existsSync(file)) return;
  try {
    rmSync(file, { force: true });
    syncFolder(dirname(file));
  } catch (error) {
    throw asWriteError(file, error);
  }
}

/**
 * Makes a folder that can be written into, and takes away the temporary files that killed runs left there. One of a
 * run that may still be writing is left alone: of this machine while its process lives, or of another machine on a
 * shared disk while it is younger than a day.
 *
 * @throws WriteError when the system refuses
 */
export function prepareFolder(folder: string): void {
  let names: string[];
  try {
    makeFolder(folder);
    accessSync(folder, constants.W_OK);
    names = readdirSync(folder);
  } catch (error) {
    throw asWriteError(folder, error);
  }
  for (const name of names) {
    const match = temporaryForm.exec(name);
    if (!match) continue;
    const file = join(folder, name);
    if (isStale(file, match[1]!, Number(match[2]))) removeIfThere(file);
  }
}

/**
 * Makes a folder and the missing ones above it, one by one: Node's own recursive way never returns where the system says
 * ENOENT below a folder that is there, as it does in /proc.
 */
function makeFolder(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (error) {
    if (isFolder(folder)) return;
    const parent = dirname(folder);
    if (errnoOf(error) !== "ENOENT" || parent === folder || isFolder(parent)) throw error;
    makeFolder(parent);
    makeFolder(folder);
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

const machine = hostname().replaceAll(/[^A-Za-z0-9]/g, "_") || "host";
const runId = `${machine}-${process.pid}`;
const temporaryForm = /^\..+\.parquet\.([A-Za-z0-9_]+)-(\d+)-\d+\.tmp$/;
const dayMs = 86_400_000;
let written = 0;

function isStale(file: string, host: string, pid: number): boolean {
  // Our own process writes synchronously, so a file with its number belongs to a predecessor of the same number.
  if (host === machine && (pid === process.pid || !isAlive(pid))) return true;
  const { mtimeMs } = statSync(file, { throwIfNoEntry: false }) ?? { mtimeMs: Number.POSITIVE_INFINITY };
  return Date.now() - mtimeMs > dayMs;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    return errnoOf(error) !== "ESRCH";
  }
}

function syncFolder(folder: string): void {
  // Windows has no way to sync a folder, and its rename is durable with the journal.
  if (process.platform === "win32") return;
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } catch (error) {
    // Some network file systems know no sync of a folder; the file itself was synced.
    if (errnoOf(error) !== "EINVAL" && errnoOf(error) !== "ENOTSUP") throw error;
  } finally {
    closeSync(descriptor);
  }
}

/** Best effort inside the handling of another failure, which is the one to report. */
function removeIfThere(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
}

function asWriteError(file: string, error: unknown): unknown {
  const errno = errnoOf(error);
  return errno === undefined ? error : new WriteError(file, errno, { cause: error });
}
