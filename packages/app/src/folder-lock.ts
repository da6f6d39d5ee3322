import { randomUUID } from "node:crypto";
import { constants, copyFileSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { FolderInUseError, StateWriteError } from "./errors.js";

/** A right that one run at a time has in a folder. */
export interface FolderLock {
  /** Gives the right back; once is enough, more is harmless. */
  release(): void;
}

/** What stands in a lock file: who holds it. */
interface LockHolder {
  readonly process: number;
  readonly machine: string;
  /** Tells this holder from any other. */
  readonly token: string;
}

const pauseMs = 20;

/**
 * Takes a right in a folder that one run at a time may have, as a file that names its holder. The lock of a process that
 * is gone is taken over; that of another machine on a shared disk cannot be looked into and counts as held.
 *
 * @param folder - exists
 * @param name - of the file
 * @param patienceMs - how long to wait for a holder to finish; 0 does not wait
 * @throws FolderInUseError when somebody else holds it, naming the process
 * @throws StateWriteError when the system refuses
 */
export async function lockFolder(folder: string, name: string, patienceMs = 0): Promise<FolderLock> {
  const path = join(folder, name);
  const mine: LockHolder = { process: process.pid, machine: hostname(), token: randomUUID() };
  const giveUp = performance.now() + patienceMs;
  for (;;) {
    const holder = attempt(path, () => (take(path, mine) ? undefined : holderOf(path)));
    if (!holder) break;
    if (holder !== "nobody") {
      if (holder === "unreadable" || isThere(holder)) {
        if (performance.now() >= giveUp) {
          throw new FolderInUseError(folder, path, holder === "unreadable" ? undefined : holder.process);
        }
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      } else attempt(path, () => takeAway(path, holder));
    }
  }
  return {
    release() {
      // Whoever took the lock away in the meantime has a lock of their own there.
      const holder = attempt(path, () => holderOf(path));
      if (typeof holder === "object" && holder.token === mine.token) rmSync(path, { force: true });
    },
  };
}

/** Puts the lock there, whole or not at all: a link is refused where there is a file. */
function take(path: string, mine: LockHolder): boolean {
  const draft = `${path}.${mine.token}`;
  try {
    writeFileSync(draft, `${JSON.stringify(mine)}\n`);
    putInto(path, draft);
    return true;
  } catch (cause) {
    if (errnoOf(cause) === "EEXIST") return false;
    throw cause;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** A second name for a file where there is none yet; a copy on disks that know no second names. */
function putInto(path: string, file: string): void {
  try {
    linkSync(file, path);
  } catch (cause) {
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(errnoOf(cause) ?? "")) throw cause;
    copyFileSync(file, path, constants.COPYFILE_EXCL);
  }
}

function holderOf(path: string): LockHolder | "nobody" | "unreadable" {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    if (errnoOf(cause) === "ENOENT") return "nobody";
    throw cause;
  }
  try {
    const { process, machine, token } = JSON.parse(text) as Partial<LockHolder>;
    if (Number.isInteger(process) && typeof machine === "string" && typeof token === "string") {
      return { process: process!, machine, token };
    }
  } catch {
    // Not written by this program: the person who put it there knows what for.
  }
  return "unreadable";
}

/** Whether the holder may still be at work. */
function isThere({ process: id, machine }: LockHolder): boolean {
  if (machine !== hostname()) return true;
  try {
    process.kill(id, 0);
    return true;
  } catch (cause) {
    // EPERM: it lives and belongs to somebody else.
    return errnoOf(cause) !== "ESRCH";
  }
}

/** Removes the lock of a process that is gone, and only that one: two who find it must not remove each other's next. */
function takeAway(path: string, gone: LockHolder): void {
  const aside = `${path}.${randomUUID()}`;
  try {
    renameSync(path, aside);
  } catch (cause) {
    if (errnoOf(cause) === "ENOENT") return;
    throw cause;
  }
  try {
    const found = holderOf(aside);
    if (typeof found === "object" && found.token === gone.token) return;
    // Somebody was faster and holds it by right: it goes back.
    putInto(path, aside);
  } finally {
    rmSync(aside, { force: true });
  }
}

function attempt<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno === undefined) throw cause;
    throw new StateWriteError(path, errno, { cause });
  }
}

function errnoOf(cause: unknown): string | undefined {
  const code = (cause as { readonly code?: unknown } | null)?.code;
  return typeof code === "string" && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}
