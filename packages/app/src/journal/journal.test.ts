import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Clock } from "../ports.js";
import { openDatabase } from "./database.js";
import { hasJournal, type JournalIdentity, journalPath, lockAccount, openJournal } from "./journal.js";

type Note = { readonly kind: "note"; readonly text: string };
const note = (text: string): Note => ({ kind: "note", text });
const paper: JournalIdentity = { mode: "paper", account: "DU1", venue: "ibkr" };

let folder: string;
let now: number;
const clock: Clock = { nowUtcMs: () => now };
const open = (identity = paper) => openJournal<Note>(folder, identity, clock);
const code = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
  return "nothing was thrown";
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pf-journal-"));
  now = Date.UTC(2026, 10, 20, 20, 55);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("the journal of an account", () => {
  it("gives back every entry in order, through any number of reopenings", () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.string(), { maxLength: 4 }), { maxLength: 8 }), (batches) => {
        const account = { ...paper, account: `DU${Math.floor(now++ % 1e9)}` };
        for (const batch of batches) {
          const journal = open(account);
          journal.append(...batch.map(note));
          journal.close();
        }
        const journal = open(account);
        expect(journal.entries().map(({ body }) => body.text)).toEqual(batches.flat());
        expect(journal.entries().map(({ seq }) => seq)).toEqual(batches.flat().map((_, at) => at + 1));
        journal.close();
      }),
      { numRuns: 15 },
    );
  });

  it("is durable when append returns: every commit is written through, and nothing can be changed or removed", () => {
    const journal = open();
    journal.append(note("a"));
    const other = openDatabase(journal.path);
    expect(other.all("PRAGMA journal_mode")).toEqual([{ journal_mode: "wal" }]);
    expect(other.all("SELECT body FROM events")).toEqual([{ body: '{"kind":"note","text":"a"}' }]);
    expect(() => other.run("UPDATE events SET body = 'x'")).toThrow(/append-only/);
    expect(() => other.run("DELETE FROM events")).toThrow(/append-only/);
    other.close();
    journal.close();
  });

  it("lets a session be claimed once, by whoever comes first", () => {
    const [one, two] = [open(), open()];
    expect(one.claim("2026-11-20", note("one"))).toBe(true);
    expect(two.claim("2026-11-20", note("two"))).toBe(false);
    expect(two.claim("2026-11-23", note("two"))).toBe(true);
    expect(one.entries().map(({ body }) => body.text)).toEqual(["one", "two"]);
    one.close();
    two.close();
  });

  it("writes nothing of a batch when a part of it cannot be written", () => {
    const journal = open();
    const circular: Record<string, unknown> = { kind: "note" };
    circular.self = circular;
    expect(() => journal.append(note("a"), circular as never)).toThrow(/circular/i);
    expect(journal.entries()).toEqual([]);
    journal.append(note("b"));
    expect(journal.entries()).toHaveLength(1);
    journal.close();
  });

  it("refuses to go on when the clock was set back, and forgives a second", () => {
    const journal = open();
    journal.append(note("a"));
    now -= 900;
    journal.append(note("b"));
    now -= 5_000;
    expect(code(() => journal.append(note("c")))).toBe("PF_CLOCK_BACKWARDS");
    expect(code(() => journal.claim("2026-11-20", note("c")))).toBe("PF_CLOCK_BACKWARDS");
    now += 60_000;
    expect(journal.claim("2026-11-20", note("d"))).toBe(true);
    expect(journal.entries().map(({ body }) => body.text)).toEqual(["a", "b", "d"]);
    journal.close();
  });

  it("keeps paper, live and simulators apart", () => {
    const live: JournalIdentity = { ...paper, mode: "live" };
    const simulator: JournalIdentity = { ...paper, venue: "tws-sim:demo" };
    const names = [paper, live, simulator].map((identity) => journalPath(folder, identity));
    expect(new Set(names).size).toBe(3);
    expect(hasJournal(folder, simulator)).toBe(false);
    open(simulator).close();
    expect(hasJournal(folder, simulator)).toBe(true);
    expect(hasJournal(folder, paper)).toBe(false);
  });

  it("belongs to its account: under another account's name it is refused", () => {
    const journal = open();
    journal.append(note("a"));
    journal.close();
    const other = { ...paper, account: "DU2" };
    openDatabase(journalPath(folder, paper)).run("VACUUM INTO ?", journalPath(folder, other));
    expect(code(() => open(other))).toBe("PF_STATE_DAMAGED");
  });

  it("is private to its user", () => {
    open().close();
    expect(statSync(journalPath(folder, paper)).mode & 0o077).toBe(0);
  });

  it("is refused when damaged, when it is no journal, and when a later version wrote it", () => {
    const path = journalPath(folder, paper);
    writeFileSync(path, "this is not a database, and long enough to be looked at as one".repeat(40));
    expect(code(open)).toBe("PF_STATE_DAMAGED");
    rmSync(path);
    const foreign = openDatabase(path);
    foreign.exec("CREATE TABLE other (a)");
    foreign.close();
    expect(code(open)).toBe("PF_STATE_DAMAGED");
    for (const file of readdirSync(folder)) rmSync(join(folder, file));
    const journal = open();
    journal.append(...Array.from({ length: 400 }, (_, at) => note(`entry ${at} ${"x".repeat(200)}`)));
    const copy = journal.backup("2026-11-20");
    journal.close();
    const later = openDatabase(path);
    later.exec("PRAGMA user_version = 99");
    later.close();
    expect(code(open)).toBe("PF_STATE_FROM_FUTURE");
    expect(statSync(copy).size).toBeGreaterThan(80_000);
  });

  it("can be restored from a backup, which a crash in the middle never leaves half made", () => {
    const journal = open();
    journal.append(note("a"), note("b"));
    const path = journal.backup("2026-11-20");
    journal.append(note("c"));
    expect(journal.backup("2026-11-20")).toBe(path);
    journal.close();
    const copy = openDatabase(path);
    expect(copy.all("SELECT count(*) AS n FROM events")).toEqual([{ n: 2 }]);
    copy.close();
    expect(readdirSync(folder).filter((name) => name.endsWith(".part"))).toEqual([]);
  });
});

describe("the lock of an account", () => {
  it("lets one in at a time, and readers always", () => {
    const unlock = lockAccount(folder, paper);
    expect(code(() => lockAccount(folder, paper))).toBe("PF_STATE_LOCKED");
    const reader = open();
    reader.append(note("a halt, from another terminal"));
    expect(reader.entries()).toHaveLength(1);
    reader.close();
    lockAccount(folder, { ...paper, mode: "live" })();
    unlock();
    lockAccount(folder, paper)();
  });
});
