import { type FileHandle, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { PermutationUnit, ProcedureUnit, RunScores } from "@pf/research";
import { OtherRunError, StateWriteError } from "../errors.js";
import { type FolderLock, lockFolder } from "../folder-lock.js";

/** Held by the test that writes the file below, from its first look at it until it is finished. */
const lockName = ".permutation.lock";

/** What an interrupted permutation test leaves in the folder of reports, to be continued from. */
const unfinishedName = "permutation.unfinished.jsonl";

/** The number that stands for the walk-forward permutation where window permutations have their window. */
const procedure = -1;

type PermutationLikeUnit = PermutationUnit | ProcedureUnit;

/**
 * The scores of a test so far, which is the only one at work in its folder until it is released. Which units they came in does not matter, only which runs of which window they are.
 */
export interface UnfinishedRun {
  /** What is known already of a unit, if all of it is. */
  known(unit: PermutationLikeUnit): RunScores | undefined;
  /** Adds a unit's scores, in one write: a crash loses at most the line being written. */
  add(unit: PermutationLikeUnit, scores: RunScores): Promise<void>;
  /** Makes what was added durable and lets go of the file. */
  close(): Promise<void>;
  /** The test is finished and reported: nothing is left to continue. */
  discard(): Promise<void>;
  /** Lets another test into the folder. */
  release(): void;
}

/** A line of the file: scores of consecutive runs of one window. */
interface Line extends RunScores {
  /** The study, data and seed they belong to. */
  readonly run: string;
  readonly window: number;
}

interface WindowScores {
  real?: number | null;
  /** By run. */
  readonly permuted: Map<number, number | null>;
}

/** A line more may be lost to a power cut than to a crash: the disk is waited for this often, in milliseconds. */
const syncEveryMs = 500;

/**
 * Opens the record of a test, empty or where it was left.
 *
 * @param run - the hash of all that decides the scores; lines of any other run are never used
 * @param resume - whether to continue; otherwise whatever was left is discarded
 * @throws FolderInUseError when another test is at work there
 * @throws OtherRunError when there is something to continue, but of another study, seed or data
 * @throws StateWriteError when the file cannot be read or written
 */
export async function openUnfinished(
  outFolder: string,
  run: string,
  resume: boolean,
): Promise<UnfinishedRun> {
  const path = join(outFolder, unfinishedName);
  const { writeReport } = await import("@pf/report");
  await writeReport([], outFolder);
  const lock = await lockFolder(outFolder, lockName);
  try {
    return await openLocked(path, run, resume, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function openLocked(
  path: string,
  run: string,
  resume: boolean,
  lock: FolderLock,
): Promise<UnfinishedRun> {
  const { lines, length } = await attempt(path, () => (resume ? readLines(path) : nothing));
  const ours = lines.filter((line) => line.run === run);
  if (lines.length > 0 && ours.length === 0) throw new OtherRunError(path);

  const windows = new Map<number, WindowScores>();
  const windowOf = (number: number) => {
    const found: WindowScores = windows.get(number) ?? { permuted: new Map<number, number | null>() };
    windows.set(number, found);
    return found;
  };
  for (const { window, firstRun, permuted, real } of ours) {
    const entry = windowOf(window);
    for (const [at, score] of permuted.entries()) entry.permuted.set(firstRun + at, score);
    if (real !== undefined) entry.real = real;
  }

  let file: FileHandle | undefined;
  let synced = performance.now();
  const opened = async () => {
    if (file) return file;
    // What a crash cut short in the middle of a line is cut off, so that the next line starts on its own.
    file = await open(path, length > 0 ? "r+" : "w");
    await file.truncate(length);
    return file;
  };
  const close = async () => {
    const held = file;
    file = undefined;
    if (!held) return;
    await attempt(path, async () => {
      try {
        await held.datasync();
      } finally {
        await held.close();
      }
    });
  };
  let end = length;
  return {
    known(unit) {
      const { permuted, real } = windowOf(numberOf(unit));
      const scores: (number | null)[] = [];
      for (let at = unit.firstRun; at < unit.firstRun + unit.runs; at++) {
        const score = permuted.get(at);
        if (score === undefined) return undefined;
        scores.push(score);
      }
      const part = { ...placeOf(unit), firstRun: unit.firstRun, permuted: scores };
      if (unit.firstRun > 0) return part;
      return real === undefined ? undefined : { ...part, real };
    },
    async add(unit, { firstRun, permuted, real }) {
      const line: Line = {
        run,
        window: numberOf(unit),
        firstRun,
        permuted,
        ...(real === undefined ? {} : { real }),
      };
      const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
      await attempt(path, async () => {
        const { bytesWritten } = await (await opened()).write(bytes, 0, bytes.length, end);
        if (bytesWritten < bytes.length) throw Object.assign(new Error("short write"), { code: "ENOSPC" });
        end += bytes.length;
        if (performance.now() - synced < syncEveryMs) return;
        await file!.datasync();
        synced = performance.now();
      });
    },
    close,
    async discard() {
      await close();
      await attempt(path, () => rm(path, { force: true }));
    },
    release: lock.release,
  };
}

const nothing = { lines: [] as readonly Line[], length: 0 };

/** The whole lines of the file, and where the last of them ends. */
async function readLines(
  path: string,
): Promise<{ readonly lines: readonly Line[]; readonly length: number }> {
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return Buffer.alloc(0);
    throw cause;
  });
  const length = bytes.lastIndexOf("\n") + 1;
  const texts = bytes.subarray(0, length).toString("utf8").split("\n").slice(0, -1);
  return { lines: texts.flatMap((text) => lineIn(text) ?? []), length };
}

function lineIn(text: string): Line | undefined {
  let line: Partial<Line> | null;
  try {
    line = JSON.parse(text) as Partial<Line> | null;
  } catch {
    // A line that is none holds no score; its runs are made again.
    return undefined;
  }
  const isLine =
    typeof line?.run === "string" &&
    Number.isInteger(line.window) &&
    Number.isInteger(line.firstRun) &&
    Array.isArray(line.permuted) &&
    line.permuted.every(isScore) &&
    (line.real === undefined || isScore(line.real));
  return isLine ? (line as Line) : undefined;
}

function isScore(value: unknown): boolean {
  return value === null || (typeof value === "number" && Number.isFinite(value));
}

function numberOf(unit: PermutationLikeUnit): number {
  return unit.kind === "permutation" ? unit.fold.index : procedure;
}

function placeOf(unit: PermutationLikeUnit): { readonly window?: number } {
  return unit.kind === "permutation" ? { window: unit.fold.index } : {};
}

async function attempt<T>(path: string, action: () => T | Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    const errno = (cause as NodeJS.ErrnoException).code;
    if (typeof errno !== "string" || errno.startsWith("PF_")) throw cause;
    throw new StateWriteError(path, errno, { cause });
  }
}
