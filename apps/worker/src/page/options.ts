import type { WorkerView } from "../view.js";

/** What a page is told by the worker that serves it. */
export interface PageOptions {
  /** Where the page listens; anything but loopback takes a token. */
  readonly host: string;
  /** 0 lets the system choose one. */
  readonly port: number;
  /** Empty: everybody who reaches the page may read it, and nobody may halt or resume. */
  readonly token: string;
  /** What is shown. Never asked twice at once, and at most once a second while nothing changes. */
  view(): Promise<WorkerView>;
  halt(reason: string): Promise<void>;
  resume(reason: string): Promise<void>;
  /** The folder of reports: of it `metrics.json`, `walkforward.json`, `permutation.json` and their pictures are shown. */
  readonly outFolder: string;
  /** For `/healthz`, which anybody may ask: nothing that is secret. */
  isAlive(): { readonly ok: boolean; readonly detail: string };
  /** For `/metrics`. */
  readonly metrics: { text(): Promise<string>; readonly contentType: string };
  /** Hears of requests that failed by a fault of ours. */
  onProblem?(error: unknown): void;
}
