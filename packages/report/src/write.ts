import { randomUUID } from "node:crypto";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { WriteError } from "./errors.js";

/** A file of a report, complete in memory. */
export interface PlannedFile {
  /** Name relative to the report's folder. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface WriteOptions {
  /** Stops the writing; files that are not yet in place are removed again. */
  readonly signal?: AbortSignal;
  /** Whether the files, and the folder where it is made, are for the user alone. */
  readonly isPrivate?: boolean;
}

/**
 * Puts planned files into a folder, which is made when missing. Each file is written beside its place under a temporary
 * name and synced; only when all of them are safely on the disk are they renamed, one after the other. So a full disk
 * leaves the previous report as it was, and no file is ever half of itself.
 *
 * @returns the paths that were written, in the order of the plan
 * @throws WriteError when the system refuses; the signal's reason when it was aborted. Temporary files are gone then.
 */
export async function writeReport(
  files: readonly PlannedFile[],
  directory: string,
  options: WriteOptions = {},
): Promise<readonly string[]> {
  const { signal, isPrivate = false } = options;
  signal?.throwIfAborted();
  await attempt(directory, [], () => makeFolder(directory, isPrivate ? 0o700 : 0o777));
  const pending: { readonly name: string; readonly temporary: string; readonly target: string }[] = [];
  const replaced: string[] = [];
  try {
    for (const { name, bytes } of files) {
      signal?.throwIfAborted();
      const target = join(directory, name);
      const temporary = join(directory, `.${name}.${randomUUID()}.tmp`);
      pending.push({ name, temporary, target });
      await attempt(target, replaced, async () => {
        await refuseFolder(target);
        await writeSynced(temporary, bytes, isPrivate ? 0o600 : 0o666);
      });
    }
    signal?.throwIfAborted();
    for (const { name, temporary, target } of pending) {
      await attempt(target, replaced, () => rename(temporary, target));
      replaced.push(name);
    }
    await attempt(directory, replaced, () => syncFolder(directory));
    return pending.map(({ target }) => target);
  } catch (cause) {
    // Those already renamed are no longer there, which `force` lets pass.
    await Promise.allSettled(pending.map(({ temporary }) => rm(temporary, { force: true })));
    throw cause;
  }
}

/**
 * Makes a folder and the missing ones above it, one by one: Node's own recursive way never returns where the system says
 * ENOENT below a folder that is there, as it does in /proc.
 */
async function makeFolder(directory: string, mode = 0o777): Promise<void> {
  try {
    await mkdir(directory, mode);
  } catch (cause) {
    if (await isFolder(directory)) return;
    const parent = dirname(directory);
    if (errnoOf(cause) !== "ENOENT" || parent === directory || (await isFolder(parent))) throw cause;
    await makeFolder(parent);
    await makeFolder(directory, mode);
  }
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() ?? false;
}

async function writeSynced(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const file = await open(path, "wx", mode);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A rename onto a folder fails, and only after other files have been replaced: better to see it before. */
async function refuseFolder(target: string): Promise<void> {
  const found = await stat(target).catch((cause: unknown) => {
    if (errnoOf(cause) === "ENOENT") return undefined;
    throw cause;
  });
  if (found?.isDirectory()) throw Object.assign(new Error(`${target} is a folder`), { code: "EISDIR" });
}

/** Makes the renames durable; Windows cannot open a folder and does not need it. */
async function syncFolder(directory: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(directory, "r");
  try {
    await folder.sync();
  } catch (cause) {
    // Some network and container file systems know no sync of a folder; the files themselves are synced.
    if (errnoOf(cause) !== "EINVAL" && errnoOf(cause) !== "ENOTSUP") throw cause;
  } finally {
    await folder.close();
  }
}

async function attempt<T>(path: string, replaced: readonly string[], action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno === undefined) throw cause;
    throw new WriteError(path, errno, [...replaced], { cause });
  }
}

function errnoOf(cause: unknown): string | undefined {
  if (!(cause instanceof Error) || !("code" in cause)) return undefined;
  // Node's own complaints about arguments are ERR_..., and are ours to repair.
  return typeof cause.code === "string" && /^E[A-Z0-9]+$/.test(cause.code) ? cause.code : undefined;
}
