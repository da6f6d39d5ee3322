import { mkdir, open, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type AuditVerification, chainedLine, lastHashOf, verifyAudit } from "../audit-chain.js";
import { StateWriteError } from "../errors.js";
import { describeFailure, type ErrorFields, errorFields } from "../failures.js";
import { fileNameOf, type JournalIdentity } from "../journal/journal.js";
import { fillDocuments, orderDocuments, planDocument } from "./documents.js";
import { AuditLogError } from "./errors.js";
import type { RebalanceReport, ReconcileReport } from "./rebalance/report.js";

/** The log of an account: one record a rebalance or reconciliation that had news, each with the hash of the one before. */
function auditName(identity: JournalIdentity): string {
  return `trade-${fileNameOf(identity)}.jsonl`;
}

/**
 * Adds a record to an account's audit log. The log is for people: nothing is ever read back from it but the last hash.
 *
 * @returns its path relative to the folder of reports
 * @throws StateWriteError when the system refuses
 */
export async function appendAudit(
  outFolder: string,
  identity: JournalIdentity,
  {
    run,
    time,
    report,
    error,
  }: {
    readonly run: string;
    readonly time: string;
    readonly report: RebalanceReport | ReconcileReport;
    readonly error: ErrorFields | null;
  },
): Promise<string> {
  const name = auditName(identity);
  const path = join(outFolder, "logs", name);
  try {
    await mkdir(outFolder, { recursive: true });
    await mkdir(join(outFolder, "logs"), { recursive: true, mode: 0o700 });
    const text = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === "ENOENT") return "";
      throw cause;
    });
    const { decision, plan, verdict } = report;
    const record = {
      time,
      event: "agrees" in report ? "reconcile" : "rebalance",
      run,
      command: "agrees" in report ? "reconcile" : "trade",
      ...identity,
      session: report.session,
      outcome: report.outcome,
      detail: report.detail,
      inputs: { data: report.fingerprint },
      candidates: decision?.candidates ?? [],
      selected: decision?.selected ?? [],
      correlations: decision?.correlations ?? [],
      overlays: decision?.overlays ?? [],
      weights: decision?.weights ?? null,
      plan: plan && planDocument(plan),
      checks: verdict?.checks ?? [],
      orders: orderDocuments(report.orders),
      fills: fillDocuments(report.fills),
      notices: report.notices,
      halted: report.halt,
      ...("agrees" in report ? { agrees: report.agrees, differences: report.differences } : {}),
      error,
    };
    const { line } = chainedLine(JSON.stringify(record), lastHashOf(text));
    const file = await open(path, "a", 0o600);
    try {
      // A line that a crash cut short must not swallow the next one.
      await file.writeFile(text === "" || text.endsWith("\n") ? line : `\n${line}`);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    const errno = (cause as NodeJS.ErrnoException).code;
    if (typeof errno !== "string") throw cause;
    throw new StateWriteError(path, errno, { cause });
  }
  return `logs/${name}`;
}

export interface AuditLogRequest {
  /** Default: every log of the folder of reports. */
  readonly files?: readonly string[];
}

/** One log, and what is wrong with it. */
export interface AuditedFile extends AuditVerification {
  /** As it was given, or relative to the folder of reports. */
  readonly file: string;
}

export interface AuditLogOutcome {
  readonly ok: boolean;
  readonly files: readonly AuditedFile[];
  readonly error?: ErrorFields;
}

/**
 * Checks logs against the hashes in them; what is wrong is part of the outcome.
 *
 * @throws AuditLogError when a log that was named cannot be read
 */
export async function verifyAuditLogs(
  { files }: AuditLogRequest,
  outFolder: string,
): Promise<AuditLogOutcome> {
  const named = files?.map((file) => ({ file, path: file })) ?? (await logsIn(outFolder));
  const checked: AuditedFile[] = [];
  for (const { file, path } of named) {
    const text = await readFile(path, "utf8").catch((cause: unknown) => {
      throw new AuditLogError(file, ["it cannot be read"], { cause });
    });
    checked.push({ file, ...verifyAudit(text) });
  }
  const broken = checked.find(({ problems }) => problems.length > 0);
  if (!broken) return { ok: true, files: checked };
  const words = broken.problems.slice(0, 3).map(({ line, problem }) => `line ${line}: ${problem}`);
  const error = errorFields(describeFailure(new AuditLogError(broken.file, words)));
  return { ok: false, files: checked, error };
}

async function logsIn(outFolder: string): Promise<readonly { file: string; path: string }[]> {
  const folder = join(outFolder, "logs");
  const names = await readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return [];
    throw cause;
  });
  return names
    .filter((name) => name.endsWith(".jsonl"))
    .sort()
    .map((name) => ({ file: `logs/${name}`, path: join(folder, name) }));
}
