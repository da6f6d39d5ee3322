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
      /** Whether it is kept until somebody took it; absent where there was no channel, and in entries of versions that kept nothing. */
      readonly waits?: boolean;
    }
  /** A channel took what was told as the nth that waits. */
  | {
      readonly kind: "delivered";
      readonly nth: number;
      /** How many that were dropped it spoke of. */
      readonly dropped: number;
    }
  /** A step began, or came to its end in whatever way; of interest to whoever comes after a process that was killed. */
  | {
      readonly kind: "step";
      readonly step: string;
      readonly session: SessionDate;
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

/** Something told that no channel has taken yet. */
export interface Waiting {
  /** Counted from 1 over all that ever waited. */
  readonly nth: number;
  readonly atUtcMs: number;
  readonly key: string;
  readonly level: Level;
  readonly title: string;
  readonly detail: string;
}

/** Trouble that was told of and has not ended. */
export interface OpenTrouble {
  readonly level: Level;
  readonly session: SessionDate | null;
  /** When it was told last. */
  readonly atUtcMs: number;
}

/** A process that has begun and not said that it ended. */
export interface Life {
  readonly startedUtcMs: number;
  readonly step: { readonly name: string; readonly session: SessionDate; readonly atUtcMs: number } | null;
}

/** What is known from the log when a worker starts. */
export interface WorkerState {
  readonly isNew: boolean;
  readonly ended: ReadonlyMap<SessionDate, Extract<WorkerEvent, { kind: "ended" }>>;
  readonly reconciled: ReadonlySet<SessionDate>;
  readonly amendments: readonly CalendarAmendment[];
  readonly preflight: Preflight | null;
  /** Trouble that has not ended, by its key. */
  readonly open: ReadonlyMap<string, OpenTrouble>;
  /** What nobody has heard yet, oldest first. */
  readonly waiting: readonly Waiting[];
  /** Counts everything that ever waited. */
  readonly everWaited: number;
  /** How many more of these there were, and nobody was told of that yet. */
  readonly dropped: number;
  /** `null` where the last process ended in order, or there was none. */
  readonly life: Life | null;
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
/** Of more messages that wait, the oldest of the lowest level is dropped. */
export const mostWaiting = 30;
const ranks: Readonly<Record<Level, number>> = { info: 0, warning: 1, alarm: 2 };

/** The log of a worker: it outlives the process, so that no session goes by without a word. */
export class WorkerLog {
  private readonly ended = new Map<SessionDate, Extract<WorkerEvent, { kind: "ended" }>>();
  private readonly reconciled = new Set<SessionDate>();
  private readonly amendments: CalendarAmendment[] = [];
  private readonly open = new Map<string, OpenTrouble>();
  private waiting: readonly Waiting[] = [];
  private everWaited = 0;
  private dropped = 0;
  private life: Life | null = null;
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
    const { waiting, everWaited, dropped, life } = this;
    return {
      isNew,
      ended,
      reconciled,
      amendments,
      preflight,
      open,
      waiting,
      everWaited,
      dropped,
      life,
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
        else if (event.level !== "info") {
          const { key, level, session } = event;
          this.open.set(key, { level, session, atUtcMs });
        }
        if (event.waits) this.wait({ ...event, nth: ++this.everWaited, atUtcMs });
        break;
      case "delivered":
        this.deliver(event);
        break;
      case "step": {
        const { step, session, isOver } = event;
        if (this.life) this.life = { ...this.life, step: isOver ? null : { name: step, session, atUtcMs } };
        break;
      }
      case "started":
        this.life = { startedUtcMs: atUtcMs, step: null };
        break;
      case "stopped":
        this.life = null;
        break;
    }
  }

  private wait({ nth, atUtcMs, key, level, title, detail }: Waiting): void {
    const all = [...this.waiting, { nth, atUtcMs, key, level, title, detail }];
    if (all.length > mostWaiting) {
      const least = Math.min(...all.map((one) => ranks[one.level]));
      all.splice(
        all.findIndex((one) => ranks[one.level] === least),
        1,
      );
      this.dropped++;
    }
    this.waiting = all;
  }

  private deliver({ nth, dropped }: Extract<WorkerEvent, { kind: "delivered" }>): void {
    const rest = this.waiting.filter((one) => one.nth !== nth);
    // What was dropped while it was under way has arrived all the same.
    const isBack = rest.length === this.waiting.length;
    this.dropped = Math.max(0, this.dropped - dropped - (isBack ? 1 : 0));
    this.waiting = rest;
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
    case "delivered":
    case "step":
      return undefined;
  }
}

const endTitles: Readonly<Record<SessionResult, string>> = {
  traded: "Session done",
  skipped: "Session skipped",
  halted: "Trading halted",
};
