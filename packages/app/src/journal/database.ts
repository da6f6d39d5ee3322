import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import LibsqlDatabase from "libsql";
import { StateWriteError } from "../errors.js";
import { StateDamagedError, StateLockedError } from "./errors.js";

/** The little that the journal needs of SQLite, so that another driver can take this one's place. */
export interface Database {
  exec(sql: string): void;
  run(sql: string, ...values: readonly (string | number | null)[]): void;
  all(
    sql: string,
    ...values: readonly (string | number | null)[]
  ): readonly Readonly<Record<string, unknown>>[];
  /** All or nothing; concurrent writers wait for each other. */
  transaction<T>(work: () => T): T;
  close(): void;
}

/** How long a writer waits for another one's commit. */
const busyMs = 5_000;

/**
 * Opens a database whose commits are on the disk when they return.
 *
 * @throws StateWriteError when the system refuses to write; StateDamagedError when the file is no database
 */
export function openDatabase(path: string, options: { readonly busyMs?: number } = {}): Database {
  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw translated(error, path);
    }
  };
  return guarded(() => {
    // What an account holds and does is nobody else's business, from the file's first moment on; what SQLite puts beside
    // it takes its rights after it.
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    closeSync(openSync(path, "a", 0o600));
    const raw = new LibsqlDatabase(path, { timeout: options.busyMs ?? busyMs });
    const all: Database["all"] = (sql, ...values) =>
      guarded(() => (raw.prepare(sql).all(...values) as Record<string, unknown>[]).map(ownColumns));
    return {
      exec: (sql) => guarded(() => void raw.exec(sql)),
      run: (sql, ...values) => guarded(() => void raw.prepare(sql).run(...values)),
      all,
      transaction: (work) =>
        guarded(() => {
          raw.exec("BEGIN IMMEDIATE");
          try {
            const result = work();
            raw.exec("COMMIT");
            return result;
          } catch (error) {
            // After a full disk SQLite may have rolled back by itself.
            if (raw.inTransaction) raw.exec("ROLLBACK");
            throw error;
          }
        }),
      close: () => void raw.close(),
    };
  });
}

/** Rows of the driver carry a key of its own. */
function ownColumns({ _metadata, ...columns }: Record<string, unknown>): Record<string, unknown> {
  return columns;
}

const full = /SQLITE_FULL|disk is full/;
const refused =
  /SQLITE_(READONLY|IOERR|CANTOPEN|PERM|AUTH)|unable to open database|readonly database|disk I\/O/;
const damaged = /SQLITE_(CORRUPT|NOTADB)|malformed|not a database/;
const busy = /SQLITE_(BUSY|LOCKED)|database is locked/;

function translated(error: unknown, path: string): unknown {
  if (!(error instanceof Error)) return error;
  const { code } = error as Error & { code?: unknown };
  const text = `${typeof code === "string" ? code : ""} ${error.message}`;
  if (damaged.test(text))
    return new StateDamagedError(path, "it is damaged, or no journal", { cause: error });
  if (busy.test(text)) return new StateLockedError(path, { cause: error });
  if (full.test(text)) return new StateWriteError(path, "ENOSPC", { cause: error });
  if (refused.test(text))
    return new StateWriteError(path, typeof code === "string" ? code : "EIO", { cause: error });
  if (typeof code === "string" && /^E[A-Z]+$/.test(code))
    return new StateWriteError(path, code, { cause: error });
  return error;
}
