import type { AccountHistory } from "@pf/app";
import { html } from "hono/html";
import type { LogEntry, Preflight, WorkerView } from "../view.js";
import { decimal, dollars, percent, sessionText, words } from "./format.js";
import type { Html } from "./html.js";
import { instant, longTable, type Mood, mark, nothing, part, table } from "./pieces.js";

/** What was decided last, with the reason for every symbol. */
export function decision({ history }: WorkerView): Html {
  const last = history?.decision;
  return part("decision", "Last decision", last ? decided(last) : nothing("Nothing was decided yet."), {
    size: "full",
  });
}

function decided({
  session,
  asOf,
  isChange,
  weights,
  candidates,
  overlays,
  heldByBand,
}: NonNullable<AccountHistory["decision"]>): Html {
  const targets = Object.entries(weights).map(([symbol, weight]) => `${symbol} ${percent(weight)}`);
  return html`<p>For ${sessionText(session)}, on bars up to ${sessionText(asOf)}: <strong>${targets.join(", ") || "all cash"}</strong>, ${isChange ? "other targets than before" : "the same targets as before"}.${
    heldByBand === true && " The change was smaller than the no-trade band, so the old targets stand."
  }</p>${(overlays ?? []).map(
    ({ name, exposure, reason }) =>
      html`<p>${words(name)} scales every weight by ${decimal(exposure)}: ${reason}</p>`,
  )}${
    candidates
      ? table(
          "Every symbol of the universe, and why it is in or out",
          [
            { head: "Symbol" },
            { head: "Score", kind: "number" },
            { head: "Target", kind: "number" },
            { head: "Reason", kind: "grow" },
          ],
          candidates.map(({ symbol, score, eligible, selected, reason, detail }) => ({
            cells: [
              symbol,
              decimal(score),
              percent(weights[symbol] ?? 0),
              html`${mark(selected ? "good" : eligible ? "calm" : "out", html`<b>${words(reason)}</b>${!selected && eligible && ", eligible"}`)}<small class="under">${detail}</small>`,
            ],
          })),
        )
      : nothing("This journal was written by a version that did not keep the reasons.")
  }`;
}

/** What was looked at before the session and before the orders. */
export function checks({ preflight, history }: WorkerView): Html {
  const reviewed = history?.checks ?? [];
  const failed = reviewed.filter(({ passed }) => !passed).length;
  return html`${part("preflight", "Pre-flight checks", preflight ? preflightTable(preflight) : nothing("None was made since the worker started."))}${part(
    "checks",
    "Compliance checks",
    reviewed.length === 0
      ? nothing("No plan was reviewed yet.")
      : table(
          `${history?.plan ? `Of the plan of ${sessionText(history.plan.session)}: ` : ""}${failed === 0 ? "all passed" : `${failed} did not pass`}`,
          [{ head: "Check" }, { head: "Result", kind: "short" }, { head: "What it looked at", kind: "grow" }],
          [...reviewed]
            .sort((a, b) => rank(a) - rank(b))
            .map((check) => ({
              cells: [
                words(check.name),
                check.passed
                  ? check.warning
                    ? mark("watch", "Passed, look")
                    : mark("good", "Passed")
                  : mark("bad", check.halts ? "Failed, halts" : "Failed"),
                check.detail,
              ],
            })),
        ),
  )}`;
}

/** What failed stands first, then what somebody should know. */
function rank({ passed, warning }: AccountHistory["checks"][number]): number {
  return passed ? (warning ? 1 : 2) : 0;
}

function preflightTable({ session, atUtcMs, ok, checks: made }: Preflight): Html {
  return table(
    html`For ${sessionText(session)}, made ${instant(atUtcMs)}: ${ok ? "ready" : "not ready"}`,
    [{ head: "Check" }, { head: "Result", kind: "short" }, { head: "What was found", kind: "grow" }],
    [...made]
      .sort((a, b) => Number(a.ok) - Number(b.ok))
      .map((check) => ({
        cells: [
          words(check.name),
          check.ok ? mark("good", "Ready") : mark("bad", "Not ready"),
          html`${check.detail}${check.next !== null && html`<small class="under">→ ${check.next}</small>`}`,
        ],
      })),
  );
}

const outcomeMoods: Readonly<Record<string, Mood>> = {
  filled: "good",
  unchanged: "calm",
  open: "calm",
  partial: "watch",
  blocked: "watch",
  abandoned: "watch",
  halted: "bad",
};

/** What became of every session, and why. */
export function sessions({ history }: WorkerView): Html {
  const past = history?.sessions ?? [];
  return part(
    "sessions",
    "Sessions",
    past.length === 0
      ? nothing("No session was traded yet.")
      : longTable(
          "sessions",
          "How the rebalance of each session ended, newest first",
          [
            { head: "Session" },
            { head: "Outcome", kind: "grow" },
            { head: "Worth", kind: "number" },
            { head: "Orders", kind: "number" },
          ],
          past.map(({ session, outcome, detail, complete, equity, orders, fills }) => ({
            cells: [
              html`<span class="nowrap">${sessionText(session)}</span>`,
              html`${mark(outcomeMoods[outcome] ?? "calm", html`<b>${words(outcome)}</b>${!complete && ", more to do"}`)}<small class="under">${detail}</small>`,
              dollars(equity, 0),
              html`${orders}${orders > 0 && html`<small class="under">${fills} ${fills === 1 ? "fill" : "fills"}</small>`}`,
            ],
          })),
          12,
        ),
  );
}

const logMoods: Readonly<Record<LogEntry["level"], Mood>> = { info: "calm", warning: "watch", alarm: "bad" };
const levelNames: Readonly<Record<LogEntry["level"], string>> = {
  info: "",
  warning: "Warning: ",
  alarm: "Alarm: ",
};

/** What the worker had to say. */
export function workerLog({ log }: WorkerView): Html {
  return part(
    "log",
    "Worker log",
    log.length === 0
      ? nothing("The worker has said nothing yet.")
      : longTable(
          "log",
          "Newest first, times of New York",
          [{ head: "When" }, { head: "What", kind: "grow" }],
          log.map(({ atUtcMs, level, title, detail }) => ({
            cells: [
              instant(atUtcMs),
              html`${mark(logMoods[level], html`<b>${levelNames[level]}${title}</b>`)}${detail !== "" && html`<small class="under lines">${detail}</small>`}`,
            ],
          })),
          12,
        ),
  );
}
