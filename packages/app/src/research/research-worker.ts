import {
  prepareResearch,
  type Research,
  type ResearchUnit,
  runUnit,
  type Study,
  UnitError,
} from "@pf/research";
import { Tinypool } from "tinypool";
import { openSharedPanel, type SharedPanel } from "./shared-panel.js";

/** What a thread is given when it starts. */
export interface WorkerSetting {
  readonly panel: SharedPanel;
  readonly study: Study;
}

/** What comes back for a batch of units: their results in order, or the first failure. Errors lose their class on the way. */
export type BatchOutcome = { readonly results: readonly unknown[] } | { readonly failure: UnitFailure };

export interface UnitFailure {
  readonly unit: string;
  readonly name: string;
  readonly message: string;
  readonly code: string | null;
  readonly stack: string | null;
}

let research: Research | undefined;

/** Runs in a thread of its own, one batch after the other. */
export default function runBatch(units: readonly ResearchUnit[]): BatchOutcome {
  try {
    research ??= prepare(Tinypool.workerData as WorkerSetting);
    const on = research;
    return { results: units.map((unit) => runUnit(unit, on)) };
  } catch (thrown) {
    return { failure: failureOf(thrown) };
  }
}

function prepare({ panel, study }: WorkerSetting): Research {
  return prepareResearch(openSharedPanel(panel), study);
}

function failureOf(thrown: unknown): UnitFailure {
  const unit = thrown instanceof UnitError ? thrown.unit : "starting a thread";
  const cause = thrown instanceof UnitError ? thrown.cause : thrown;
  const error = cause instanceof Error ? cause : new Error(String(cause));
  const code = "code" in error && typeof error.code === "string" ? error.code : null;
  return { unit, name: error.name, message: error.message, code, stack: error.stack ?? null };
}
