import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Clock } from "../ports.js";
import { type Database, openDatabase } from "./database.js";
import { ClockBackwardsError, StateDamagedError, StateFromFutureError } from "./errors.js";

/** Whose state it is. Paper and live, the broker and a simulator never share any. */
export interface JournalIdentity {
  readonly mode: "paper" | "live";
  readonly account: string;
  /** `ibkr`, or the name by which a simulator calls itself. */
  readonly venue: string;
}

/** An entry as it stands in the journal. */
export interface Entry<Body extends { readonly kind: string }> {
  /** Counted from 1 without holes. */
  readonly seq: number;
  readonly atUtcMs: number;
  readonly body: Body;
}

/**
 * What an account did and meant to do, written before the act: append-only, and on the disk when `append` returns.
 * What is true now is a fold over the entries; nothing else is stored.
 */
export interface Journal<Body extends { readonly kind: string }> {
  readonly path: string;
  readonly identity: JournalIdentity;
  /** Everything in order, or what came after the entry with a number. */
  entries(after?: number): readonly Entry<Body>[];
  /**
   * Writes entries, all or none.
   *
   * @throws ClockBackwardsError when the clock shows a time before the last entry
   * @throws StateWriteError when the disk is full or refuses: then nothing was written, and nothing may be done
   */
  append(...bodies: readonly Body[]): void;
  /** @throws ClockBackwardsError as {@link append} would */
  checkClock(): void;
  /** Writes an entry only if the session was never claimed before; says whether it was the first. */
  claim(session: string, body: Body): boolean;
  /**
   * Writes a whole copy beside the journal, `<name>.<label>.bak.sqlite`, unless it is there already, and keeps the last
   * ten of those labelled with a session.
   *
   * @returns its path
   */
  backup(label: string): string;
  close(): void;
}

const keptCopies = 10;
/** Raised by one whenever entries mean something else than before. */
const format = 1;
/** Says "pf journal" in the file's header. */
const applicationId = 0x70666a6c;
/** Clocks of one machine differ by less between two readings; more is a clock set back. */
const toleranceMs = 1_000;

export function journalPath(folder: string, identity: JournalIdentity): string {
  return join(folder, `${fileNameOf(identity)}.sqlite`);
}

/** Whose something is, as the beginning of a file's name: `paper-DU1`, `paper-DU1-tws-sim_demo`. */
export function fileNameOf({ mode, account, venue }: JournalIdentity): string {
  return `${mode}-${account}${venue === "ibkr" ? "" : `-${fileForm(venue)}`}`;
}

/** A venue as part of a file's name. */
function fileForm(venue: string): string {
  return venue.replace(/[^A-Za-z0-9-]+/g, "_");
}

/** Whether this account ever wrote a journal. */
export function hasJournal(folder: string, identity: JournalIdentity): boolean {
  return existsSync(journalPath(folder, identity));
}

/**
 * Opens the journal of an account, creating it at first use. Many may read it at once; who trades takes
 * {@link lockAccount} first.
 *
 * @param options - `isChecked`: this process has looked through the whole file before, and only reads on; for whoever acts
 *   on what it says, it is looked through every time
 * @throws StateDamagedError, StateFromFutureError, StateWriteError: then nothing may be traded
 */
export function openJournal<Body extends { readonly kind: string }>(
  folder: string,
  identity: JournalIdentity,
  clock: Clock,
  { isChecked = false }: { readonly isChecked?: boolean } = {},
): Journal<Body> {
  const path = journalPath(folder, identity);
  const isNew = !existsSync(path);
  const database = openDatabase(path);
  let owner: JournalIdentity;
  try {
    owner = prepare(database, path, identity, { isNew, isChecked });
  } catch (error) {
    database.close();
    throw error;
  }
  const lastUtcMs = () => Number(database.all("SELECT max(at_utc_ms) AS last FROM events")[0]?.last ?? 0);
  const requireClock = () => {
    const now = clock.nowUtcMs();
    const last = lastUtcMs();
    if (now < last - toleranceMs) throw new ClockBackwardsError(now, last);
    return Math.max(now, last);
  };
  const insert = (bodies: readonly Body[]) => {
    const atUtcMs = requireClock();
    for (const body of bodies) {
      database.run(
        "INSERT INTO events (at_utc_ms, kind, body) VALUES (?, ?, ?)",
        atUtcMs,
        body.kind,
        JSON.stringify(body),
      );
    }
  };
  return {
    path,
    identity: owner,
    entries(after = 0) {
      const rows = database.all("SELECT seq, at_utc_ms, body FROM events WHERE seq > ? ORDER BY seq", after);
      return rows.map((row, at) => {
        const seq = after + at + 1;
        if (row.seq !== seq) throw new StateDamagedError(path, `entry ${seq} is missing`);
        return { seq, atUtcMs: Number(row.at_utc_ms), body: parsed<Body>(row.body, seq, path) };
      });
    },
    append(...bodies) {
      if (bodies.length > 0) database.transaction(() => insert(bodies));
    },
    checkClock: () => void requireClock(),
    claim(session, body) {
      return database.transaction(() => {
        if (database.all("SELECT 1 FROM claims WHERE session = ?", session).length > 0) return false;
        database.run("INSERT INTO claims (session) VALUES (?)", session);
        insert([body]);
        return true;
      });
    },
    backup(label) {
      const copy = path.replace(/\.sqlite$/, `.${label}.bak.sqlite`);
      if (!existsSync(copy)) {
        // Under another name first: a copy that a crash cut short must not pass for one.
        const unfinished = `${copy}.part`;
        rmSync(unfinished, { force: true });
        writeFileSync(unfinished, "", { mode: 0o600 });
        database.run("VACUUM INTO ?", unfinished);
        renameSync(unfinished, copy);
        removeOldCopies(path);
      }
      return copy;
    },
    close: () => database.close(),
  };
}

/**
 * Makes this process the only one that trades the account, until it is let go or the process ends in whatever way: the
 * system holds the lock for the open file, so that none is ever left behind.
 *
 * @returns lets the lock go
 * @throws StateLockedError when another process has it
 */
export function lockAccount(folder: string, { mode, account }: Omit<JournalIdentity, "venue">): () => void {
  // Before anybody is connected to, so that nobody knows yet whether it is a simulator.
  const path = join(folder, `${mode}-${account}.lock`);
  const database = openDatabase(path, { busyMs: 0 });
  try {
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    throw error;
  }
  return () => {
    database.exec("ROLLBACK");
    database.close();
  };
}

function removeOldCopies(path: string): void {
  const prefix = basename(path).replace(/\.sqlite$/, ".");
  const copies = readdirSync(dirname(path))
    .filter(
      (name) => name.startsWith(prefix) && /^\d{4}-\d\d-\d\d\.bak\.sqlite$/.test(name.slice(prefix.length)),
    )
    .sort();
  for (const name of copies.slice(0, -keptCopies)) rmSync(join(dirname(path), name), { force: true });
}

/** Whose journal it is, by its own words. */
function prepare(
  database: Database,
  path: string,
  identity: JournalIdentity,
  { isNew, isChecked }: { readonly isNew: boolean; readonly isChecked: boolean },
): JournalIdentity {
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("PRAGMA synchronous = FULL");
  const pragma = (name: string) => Object.values(database.all(`PRAGMA ${name}`)[0] ?? {})[0];
  if (pragma("journal_mode") !== "wal" || pragma("synchronous") !== 2) {
    throw new StateDamagedError(path, "this disk cannot keep what is committed (no write-ahead log)");
  }
  const version = Number(pragma("user_version"));
  if (version > format) throw new StateFromFutureError(path, version, format);
  if (version === 0) {
    if (!isNew && database.all("SELECT 1 FROM sqlite_master").length > 0) {
      throw new StateDamagedError(path, "it is another program's database");
    }
    database.transaction(() => create(database, identity));
  }
  if (pragma("application_id") !== applicationId) {
    throw new StateDamagedError(path, "it is another program's database");
  }
  const check = isChecked ? "ok" : pragma("quick_check");
  if (check !== "ok") throw new StateDamagedError(path, String(check));
  const [owner] = database.all("SELECT mode, account, venue FROM identity");
  const isOurs =
    owner?.mode === identity.mode &&
    owner.account === identity.account &&
    // Who found the journal by its file knows no more of the venue than the name says.
    (owner.venue === identity.venue || fileForm(String(owner.venue)) === identity.venue);
  if (!isOurs) {
    throw new StateDamagedError(path, `it belongs to ${owner?.mode} ${owner?.account} at ${owner?.venue}`);
  }
  return { ...identity, venue: String(owner.venue) };
}

function create(database: Database, { mode, account, venue }: JournalIdentity): void {
  database.exec("CREATE TABLE identity (mode TEXT NOT NULL, account TEXT NOT NULL, venue TEXT NOT NULL)");
  database.exec(`CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at_utc_ms INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL)`);
  database.exec("CREATE TABLE claims (session TEXT PRIMARY KEY)");
  for (const change of ["UPDATE", "DELETE"]) {
    database.exec(`CREATE TRIGGER events_no_${change.toLowerCase()} BEFORE ${change} ON events
      BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END`);
  }
  database.run("INSERT INTO identity (mode, account, venue) VALUES (?, ?, ?)", mode, account, venue);
  database.exec(`PRAGMA application_id = ${applicationId}`);
  database.exec(`PRAGMA user_version = ${format}`);
}

function parsed<Body>(text: unknown, seq: number, path: string): Body {
  try {
    return JSON.parse(String(text)) as Body;
  } catch (cause) {
    throw new StateDamagedError(path, `entry ${seq} cannot be read`, { cause });
  }
}
