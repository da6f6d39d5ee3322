import type { AccountHistory, StatusDocument, WorkerSnapshot } from "@pf/app";

export type { LogEntry, PhaseName, Preflight } from "@pf/app";

/** Everything the page shows, as plain data. */
export interface WorkerView
  extends Pick<WorkerSnapshot, "activity" | "next" | "preflight" | "log" | "undelivered"> {
  /** The worker's clock. */
  readonly atUtcMs: number;
  readonly startedUtcMs: number;
  readonly version: string;
  readonly status: StatusDocument;
  /** `null` where it cannot be told, with the reason in {@link trouble}. */
  readonly history: AccountHistory | null;
  readonly trouble: string | null;
}
