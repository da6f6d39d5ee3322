import { join } from "node:path";
import type { CalendarAmendment, SessionDate } from "@pf/market";
import type { AccountMode } from "../broker.js";
import { type Journal, openJournal } from "../journal/journal.js";
import type { Clock } from "../ports.js";
import type { Preflight } from "./preflight.js";

/** What a worker did and said, kept beside the account's journal: it decides nothing about orders. */
export type WorkerEvent =
  | { readonly kind: "started"; readonly version: string }
  | { readonly kind: "stopped"; readonly reason: string }
  | ({ readonly kind: "preflight" } & Omit<Preflight, "atUtcMs">)
  /** The broker keeps other hours than the calendar has. */
  | { readonly kind: "learned"; readonly amendment: CalendarAmendment }
  /** A session is done with; nothing more is tried for it. */
  | {
      readonly kind: "ended";
      readonly session: SessionDate;
      readonly result: SessionResult;
      /** As `pf trade` names it; `null` where it was never asked or never answered. */
      readonly outcome: string | null;
      readonly detail: string;
    }
  | {
      readonly kind: "reconciled";
      readonly session: SessionDate;
      readonly agrees: boolean;
      readonly differences: readonly string[];
    }
  /** Something a person should know; `over` when trouble with that key has ended. */
  | {
      readonly kind: "told";
      readonly key: string;
      readonly level: Level;
      readonly session: SessionDate | null;
      readonly title: string;
      readonly detail: string;
      readonly isOver: boolean;
    };

export type Level = "info" | "warning" | "alarm";

/** `traded`: its rebalance came to its end, also where nothing was to be done. `skipped`: nothing was sent. */
export type SessionResult = "traded" | "skipped" | "halted";

/** A line of the log as people read it. */
export interface LogEntry {
  readonly atUtcMs: number;
  readonly level: Level;
  readonly session: SessionDate | null;
  readonly title: string;
  readonly detail: string;
}

/** What is known from the log when a worker starts. */
export interface WorkerState {
  readonly isNew: boolean;
  readonly ended: ReadonlyMap<SessionDate, Extract<WorkerEvent, { kind: "ended" }>>;
  readonly reconciled: ReadonlySet<SessionDate>;
  readonly amendments: readonly CalendarAmendment[];
  readonly preflight: Preflight | null;
  /** Trouble that has not ended, by its key. */
  readonly open: ReadonlyMap<string, Level>;
  /** When the last entry was written. */
  readonly lastUtcMs: number;
  /** Newest first. */
  readonly entries: readonly LogEntry[];
}

/** Beside the journals of accounts, which are looked for by their names. */
export function workerFolder(stateFolder: string): string {
  return join(stateFolder, "worker");
}

const keptEntries = 300;

/** The log of a worker: it outlives the process, so that no session goes by without a word. */
export class WorkerLog {
  private readonly ended = new Map<SessionDate, Extract<WorkerEvent, { kind: "ended" }>>();
  private readonly reconciled = new Set<SessionDate>();
  private readonly amendments: CalendarAmendment[] = [];
  private readonly open = new Map<string, Level>();
  private preflight: Preflight | null = null;
  private lines: LogEntry[] = [];
  private lastUtcMs = 0;
  private readonly isNew: boolean;

  private constructor(
    private readonly journal: Journal<WorkerEvent>,
    private readonly clock: Clock,
  ) {
    const entries = journal.entries();
    this.isNew = entries.length === 0;
    for (const { atUtcMs, body } of entries) this.apply(body, atUtcMs);
  }

  /** @throws what `openJournal` throws */
  static open(
    stateFolder: string,
    { mode, account, venue }: { mode: AccountMode; account: string; venue: string },
    clock: Clock,
  ): WorkerLog {
    const journal = openJournal<WorkerEvent>(workerFolder(stateFolder), { mode, account, venue }, clock);
    return new WorkerLog(journal, clock);
  }

  get state(): WorkerState {
    const { isNew, ended, reconciled, amendments, preflight, open, lastUtcMs } = this;
    return {
      isNew,
      ended,
      reconciled,
      amendments,
      preflight,
      open,
      lastUtcMs,
      entries: this.lines,
    };
  }

  /** @throws what the journal's `append` throws */
  note(event: WorkerEvent): void {
    this.journal.append(event);
    this.apply(event, Math.max(this.clock.nowUtcMs(), this.lastUtcMs));
  }

  close(): void {
    this.journal.close();
  }

  private apply(event: WorkerEvent, atUtcMs: number): void {
    this.lastUtcMs = atUtcMs;
    const line = lineOf(event);
    if (line) this.lines = [{ atUtcMs, ...line }, ...this.lines].slice(0, keptEntries);
    switch (event.kind) {
      case "ended":
        this.ended.set(event.session, event);
        break;
      case "reconciled":
        this.reconciled.add(event.session);
        break;
      case "learned":
        this.amendments.push(event.amendment);
        break;
      case "preflight": {
        const { session, phase, ok, checks } = event;
        this.preflight = { session, phase, ok, checks, atUtcMs };
        break;
      }
      case "told":
        if (event.isOver) this.open.delete(event.key);
        else if (event.level !== "info") this.open.set(event.key, event.level);
        break;
      case "started":
      case "stopped":
        break;
    }
  }
}

function lineOf(event: WorkerEvent): Omit<LogEntry, "atUtcMs"> | undefined {
  switch (event.kind) {
    case "started":
      return {
        level: "info",
        session: null,
        title: "The worker started",
        detail: `version ${event.version}`,
      };
    case "stopped":
      return { level: "info", session: null, title: "The worker stopped", detail: event.reason };
    case "preflight": {
      const failed = event.checks.filter(({ ok }) => !ok);
      return {
        level: event.ok ? "info" : "warning",
        session: event.session,
        title: event.ok ? "Ready" : "Not ready",
        detail: event.ok
          ? `${event.checks.length} checks passed`
          : failed.map(({ name, detail }) => `${name}: ${detail}`).join("; "),
      };
    }
    case "learned": {
      const { day, closes, reason } = event.amendment;
      const hours = closes === null ? "closed" : `closes at ${closes}`;
      return { level: "warning", session: day, title: `${day} ${hours}`, detail: reason };
    }
    case "ended":
      return {
        level: event.result === "traded" ? "info" : "alarm",
        session: event.session,
        title: endTitles[event.result],
        detail: event.detail,
      };
    case "reconciled":
      return {
        level: event.agrees ? "info" : "alarm",
        session: event.session,
        title: event.agrees ? "Books agree with the broker" : "Books differ from the broker",
        detail: event.differences.join("; "),
      };
    case "told":
      return {
        level: event.isOver ? "info" : event.level,
        session: event.session,
        title: event.title,
        detail: event.detail,
      };
  }
}

const endTitles: Readonly<Record<SessionResult, string>> = {
  traded: "Session done",
  skipped: "Session skipped",
  halted: "Trading halted",
};
