import type { AccountHistory, StatusDocument } from "@pf/app";
import type { SessionDate } from "@pf/market";

/** What the worker is doing right now. */
export interface Activity {
  /** `waiting` for the next phase, `working` on a step, `stopping` on request. */
  readonly kind: "waiting" | "working" | "stopping";
  /** In words: "waiting for the pre-flight of 2026-11-23", "fetching bars". */
  readonly detail: string;
  readonly sinceUtcMs: number;
}

/** The session that comes next, and when what is done for it. */
export interface NextSession {
  readonly session: SessionDate;
  readonly opensUtcMs: number;
  readonly closesUtcMs: number;
  readonly isEarlyClose: boolean;
  readonly phases: readonly { readonly phase: PhaseName; readonly atUtcMs: number }[];
}

export type PhaseName = "lookAhead" | "early" | "late" | "trade" | "afterClose";

/** One thing that was looked at before a session. */
export interface PreflightCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  /** What to do where it is not ok. */
  readonly next: string | null;
}

export interface Preflight {
  readonly session: SessionDate;
  readonly phase: PhaseName;
  readonly atUtcMs: number;
  readonly ok: boolean;
  readonly checks: readonly PreflightCheck[];
}

/** What became of a session, or what the worker had to say. */
export interface LogEntry {
  readonly atUtcMs: number;
  readonly level: "info" | "warning" | "alarm";
  readonly session: SessionDate | null;
  readonly title: string;
  readonly detail: string;
}

/** Everything the page shows, as plain data. */
export interface WorkerView {
  /** The worker's clock. */
  readonly atUtcMs: number;
  readonly startedUtcMs: number;
  readonly version: string;
  readonly activity: Activity;
  /** `null` beyond the calendar. */
  readonly next: NextSession | null;
  readonly status: StatusDocument;
  /** `null` where it cannot be told, with the reason in {@link trouble}. */
  readonly history: AccountHistory | null;
  readonly trouble: string | null;
  readonly preflight: Preflight | null;
  /** Newest first. */
  readonly log: readonly LogEntry[];
}
