import { mkdir, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { CostModel } from "@pf/backtest";
import type { StrategyOptions } from "@pf/selection";
import { StateWriteError } from "../errors.js";
import { hashOf } from "../manifest.js";
import type { MarketData } from "../market-data.js";
import type { Clock } from "../ports.js";

/** Everything ever tried on bars stands here, one line a run that tried something new. */
export const ledgerName = "trials.jsonl";

/** One way of trading that was tried: whatever changes its returns on the same bars changes its name. */
export interface Trial {
  readonly options: StrategyOptions;
  readonly costs: CostModel;
  readonly lag: 1 | 2;
}

/** What the ledger says after a run was entered. */
export interface TrialCount {
  /** Different trials on these bars, this run's included. */
  readonly count: number;
  /** How many of them this run was the first to make. */
  readonly added: number;
  /** Lines that could not be read and are counted nowhere. */
  readonly unreadable: number;
}

/** The bars of a run by their content: the same bars under other dates, folders or sources are the same data. */
export function dataHashOf({ facts }: Pick<MarketData, "facts">): string {
  return hashOf(Object.entries(facts).map(([symbol, { hash }]) => [symbol, hash]));
}

/** A trial's name in the ledger: 64 bits of its hash. */
function trialName({ options, costs, lag }: Trial): string {
  return hashOf({ options, costs, lag }).slice(0, 16);
}

/**
 * Enters a run's trials and counts all that were ever made on the same bars. A trial made before is not entered again,
 * so that repeating a run changes neither the ledger nor the count. The entry is one write at the end of the file, so
 * that runs at the same time do not mix.
 *
 * @throws StateWriteError when the ledger cannot be read or written: a run that nobody counted would make later ones
 *   look better than they are
 */
export async function enterTrials(
  stateFolder: string,
  run: { readonly command: string; readonly data: string; readonly trials: readonly Trial[] },
  clock: Clock,
): Promise<TrialCount> {
  const path = join(stateFolder, ledgerName);
  try {
    const { text, known, unreadable } = await readLedger(path, run.data);
    const fresh = [...new Set(run.trials.map(trialName))].filter((name) => !known.has(name));
    if (fresh.length > 0) {
      const time = new Date(clock.nowUtcMs()).toISOString();
      const line = `${JSON.stringify({ time, command: run.command, data: run.data, trials: fresh })}\n`;
      // A line that a crash cut short must not swallow the next one.
      await append(stateFolder, path, text === "" || text.endsWith("\n") ? line : `\n${line}`);
    }
    return { count: known.size + fresh.length, added: fresh.length, unreadable };
  } catch (cause) {
    const errno = (cause as NodeJS.ErrnoException).code;
    if (typeof errno !== "string") throw cause;
    throw new StateWriteError(path, errno, { cause });
  }
}

async function readLedger(
  path: string,
  data: string,
): Promise<{ text: string; known: Set<string>; unreadable: number }> {
  const text = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return "";
    throw cause;
  });
  const known = new Set<string>();
  let unreadable = 0;
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const entry = entryIn(line);
    if (!entry) unreadable++;
    else if (entry.data === data) for (const name of entry.trials) known.add(name);
  }
  return { text, known, unreadable };
}

function entryIn(line: string): { readonly data: string; readonly trials: readonly string[] } | undefined {
  try {
    const entry = JSON.parse(line) as { data?: unknown; trials?: unknown } | null;
    if (typeof entry?.data !== "string" || !Array.isArray(entry.trials)) return undefined;
    if (!entry.trials.every((name) => typeof name === "string")) return undefined;
    return { data: entry.data, trials: entry.trials };
  } catch {
    return undefined;
  }
}

async function append(folder: string, path: string, line: string): Promise<void> {
  // The state of accounts lives in the same folder: it is their owner's alone.
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = await open(path, "a", 0o600);
  try {
    const bytes = Buffer.from(line);
    const { bytesWritten } = await file.write(bytes);
    if (bytesWritten < bytes.length) throw Object.assign(new Error("the disk is full"), { code: "ENOSPC" });
    await file.sync();
  } finally {
    await file.close();
  }
}
