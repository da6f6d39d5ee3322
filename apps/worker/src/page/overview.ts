import type { AccountHistory, HaltCode } from "@pf/app";
import { html } from "hono/html";
import type { PhaseName, WorkerView } from "../view.js";
import { lineChart, type Series } from "./chart.js";
import {
  change,
  countdown,
  dollars,
  newYorkDay,
  newYorkTime,
  percent,
  sessionText,
  utcTime,
} from "./format.js";
import type { Html } from "./html.js";
import { instant, iso, mark, nothing, part, table, timeOfDay } from "./pieces.js";

/** Halted, at work or waiting: one word for the head, the title and whoever listens. */
function stateOf({ status, activity }: WorkerView): { readonly name: string; readonly text: string } {
  if (status.state === "halted") return { name: "halted", text: "Halted" };
  if (status.state === "open") return { name: "open", text: "Rebalancing" };
  if (activity.kind === "stopping") return { name: "stopping", text: "Stopping" };
  return activity.kind === "working"
    ? { name: "working", text: "Working" }
    : { name: "waiting", text: "Waiting" };
}

/** What follows the state: "for the rebalance of …", ": fetching bars". */
function doing({ activity }: WorkerView, state: string): string {
  if (activity.kind !== "waiting") return `: ${activity.detail}`;
  return `${state === "waiting" ? "" : ", waiting"} for ${activity.detail}`;
}

export function titleOf(view: WorkerView): string {
  const { status, next } = view;
  const trade = next?.phases.find(({ phase }) => phase === "trade");
  const when =
    status.state === "idle" && trade
      ? `, next ${newYorkDay(trade.atUtcMs)} ${newYorkTime(trade.atUtcMs)}`
      : "";
  return `${stateOf(view).text}${when} · ${status.mode.toUpperCase()} ${status.account} · pf`;
}

const links = [
  ["next", "Next run"],
  ["equity", "Equity"],
  ["positions", "Positions"],
  ["decision", "Decision"],
  ["orders", "Orders"],
  ["checks", "Checks"],
  ["sessions", "Sessions"],
  ["research", "Research"],
] as const;

/** Whose money it is, and what is being done with it. */
export function head(view: WorkerView, controls: unknown): Html {
  const { status, activity } = view;
  const state = stateOf(view);
  const isSimulated = status.venue !== "ibkr";
  return html`<header id="head" class="${status.mode}" data-live data-state="${state.name}" data-news="${state.text}, ${status.mode} account ${status.account}">
<div class="ribbon"><strong class="mode">${status.mode === "live" ? "LIVE" : "PAPER"}</strong> <span>${
    status.mode === "live" ? "real money" : isSimulated ? "a simulated market" : "no real money"
  }</span></div>
<div class="who">
<h1>Account ${status.account} <small>at ${status.venue}</small></h1>
<p class="activity"><span class="state ${state.name}">${state.text}</span>${doing(view, state.name)}, since ${instant(activity.sinceUtcMs)} in New York</p>
</div>
<div class="controls">${controls}</div>
<nav aria-label="Parts of this page"><ul>${links.map(([id, text]) => html`<li><a href="#${id}">${text}</a></li>`)}</ul></nav>
</header>`;
}

const remedies: Readonly<Record<HaltCode, string>> = {
  rejected:
    "Find out why the broker refused the order (its words are in the reason and among the orders below), correct the cause, then resume.",
  unknown_outcome:
    "Look in TWS or in the broker's client portal what became of the order. Then resume: before anything is sent, the worker asks the broker for all orders and fills and books what it finds.",
  check:
    "Read the check that did not pass below and put its cause right. Resuming accepts what differs between our book and the broker.",
  asked: "Somebody asked for this. Resume when the reason for it is gone.",
};

/** What needs a human, first of all things. */
export function attention(view: WorkerView, hasToken: boolean): Html {
  const { halted } = view.status;
  return html`<div id="attention" data-live>${
    halted &&
    html`<section class="notice bad" aria-labelledby="halted-title">
<h2 id="halted-title"><span aria-hidden="true">■</span> Trading is halted</h2>
<p class="reason">${halted.reason}</p>
<p>${halted.session && html`It happened in the session of ${sessionText(halted.session)}. `}No order is sent until somebody resumes trading. ${remedies[halted.code]}</p>
<p>${
      hasToken
        ? html`<a class="button" href="/resume">Resume trading…</a>`
        : html`Run <code>pf resume${view.status.mode === "live" && " --live"}</code> on the worker's machine.`
    }</p>
</section>`
  }${
    view.undelivered.count > 0 &&
    html`<section class="notice watch" aria-labelledby="undelivered-title">
<h2 id="undelivered-title"><span aria-hidden="true">!</span> ${undeliveredText(view)}</h2>
<p>No channel took ${view.undelivered.count === 1 ? "it" : "them"}${
      view.undelivered.sinceUtcMs !== null && html` since ${instant(view.undelivered.sinceUtcMs)} in New York`
    }; ${view.undelivered.count === 1 ? "it stands" : "they stand"} in the log below, and ${view.undelivered.count === 1 ? "is" : "are"} sent again every quarter of an hour.${
      view.undelivered.dropped > 0 &&
      ` ${view.undelivered.dropped} more ${view.undelivered.dropped === 1 ? "was" : "were"} dropped.`
    } Run <code>pf alert test</code> to see what is wrong.</p>
</section>`
  }${
    view.trouble !== null &&
    html`<section class="notice watch" aria-labelledby="trouble-title">
<h2 id="trouble-title"><span aria-hidden="true">!</span> Not everything can be shown</h2>
<p>${view.trouble}</p>
</section>`
  }</div>`;
}

function undeliveredText({ undelivered: { count } }: WorkerView): string {
  return count === 1 ? "1 message reached nobody yet" : `${count} messages reached nobody yet`;
}

const phaseNames: Readonly<Record<PhaseName, string>> = {
  lookAhead: "Look ahead",
  morning: "Morning pre-flight",
  early: "Early pre-flight",
  late: "Late pre-flight",
  trade: "Rebalance",
  afterClose: "Reconcile, report",
};

/** When the account is traded next. */
export function nextRun({ next, status, atUtcMs }: WorkerView): Html {
  if (!next)
    return part("next", "Next run", nothing("The calendar ends before another session."), { size: "third" });
  const trade = next.phases.find(({ phase }) => phase === "trade");
  const coming = next.phases.find((phase) => phase.atUtcMs > atUtcMs);
  return part(
    "next",
    "Next run",
    html`${
      trade &&
      html`<p class="countdown"><small>Rebalance of ${sessionText(next.session)}</small> <span role="timer" data-until="${trade.atUtcMs}">${countdown(trade.atUtcMs - atUtcMs)}</span></p>`
    }${next.isEarlyClose && html`<p>${mark("watch", `A half day: the session closes at ${newYorkTime(next.closeUtcMs)}.`)}</p>`}${
      status.state === "halted" &&
      html`<p>${mark("bad", "Halted: nothing will be sent before trading is resumed.")}</p>`
    }
${table(
  "What is done for it, and when",
  [
    { head: "Phase" },
    { head: "New York", kind: "number" },
    { head: html`<span data-local-head>UTC</span>`, kind: "number" },
  ],
  next.phases.map((phase) => ({
    kind: phase.atUtcMs <= atUtcMs ? "past" : phase === coming ? "coming" : "due",
    cells: [
      html`${phaseNames[phase.phase]}${phase.atUtcMs <= atUtcMs && html`<span class="unseen">, past</span>`}`,
      html`${newYorkDay(phase.atUtcMs).slice(0, 3)} ${timeOfDay(phase.atUtcMs)}`,
      html`<time data-local datetime="${iso(phase.atUtcMs)}">${utcTime(phase.atUtcMs)}</time>`,
    ],
  })),
)}
<p class="note">Orders are sent from ${newYorkTime(next.opensUtcMs)} to ${newYorkTime(next.closesUtcMs)} in New York; the session closes at ${newYorkTime(next.closeUtcMs)}.</p>`,
    { size: "third" },
  );
}

/** The figures that are looked at first. */
export function figures({ status, history }: WorkerView): Html {
  const curve = history?.curve;
  const worth = curve?.equity.at(-1) ?? status.equity?.dollars ?? null;
  const asOf = curve?.sessions.at(-1) ?? status.equity?.session ?? null;
  const grown = curve && growth(curve.equity);
  const pending = status.cash.coming.reduce((sum, { amount }) => sum + amount, 0);
  const tile = (name: string, value: unknown, detail: unknown) =>
    html`<div><dt>${name}</dt><dd><span class="figure">${value}</span> <small>${detail}</small></dd></div>`;
  return html`<section id="figures" class="full" aria-labelledby="figures-title" data-live>
<h2 id="figures-title" class="unseen">At a glance</h2>
<dl class="figures">
${tile("Worth", dollars(worth, 0), asOf ? `on ${sessionText(asOf)}` : "not valued yet")}
${tile("Since the start", change(grown), curve?.sessions[0] ? `from ${sessionText(curve.sessions[0])}` : "no session yet")}
${tile("Model", change(curve && growth(curve.model)), "what research expected")}
${tile("SPY", change(curve && growth(curve.spy)), "held instead")}
${tile("Below its peak", curve ? percent(fallNow(curve.equity)) : "n/a", curve && curve.equity.length > 0 ? `at most ${percent(deepestFall(curve.equity))}` : "no session yet")}
${tile("Settled cash", dollars(status.cash.settled, 0), pending > 0 ? `${dollars(pending, 0)} to come` : "nothing to come")}
</dl>
</section>`;
}

/** The account beside what research expected of it and beside SPY. */
export function equity({ history }: WorkerView): Html {
  const curve = history?.curve;
  if (!curve || curve.sessions.length === 0)
    return part("equity", "Equity", nothing("The curve begins with the first rebalance."), {
      size: "twothirds",
    });
  const series: readonly Series[] = [
    { name: "account", label: "Account", values: curve.equity },
    { name: "model", label: "Model", values: curve.model },
    { name: "spy", label: "SPY", values: curve.spy },
  ];
  const [first, last] = [curve.sessions[0]!, curve.sessions.at(-1)!];
  const ends = series.map(
    ({ label, values }) => `${label} ${dollars(lastKnown(values), 0)} (${change(growth(values))})`,
  );
  const description = `Dollars from ${sessionText(first)} to ${sessionText(last)}. At the end: ${ends.join(", ")}. The table below has every value.`;
  return part(
    "equity",
    "Equity",
    html`<figure class="plot" data-rows="curve">
<figcaption class="legend"><span class="legend-when" data-when="${sessionText(last)}">${sessionText(last)}</span>${series.map(
      ({ name, label, values }) => html`
<span class="key"><svg class="sample" viewBox="0 0 28 8" aria-hidden="true"><path class="line ${name}" d="M1,4H27"/></svg>${label} <b data-series="${name}">${dollars(lastKnown(values), 0)}</b> <small>${change(growth(values))}</small></span>`,
    )}</figcaption>
${lineChart(curve.sessions, series, description)}
</figure>
<details id="curve"><summary>As a table, ${curve.sessions.length} ${curve.sessions.length === 1 ? "session" : "sessions"}</summary>
${curveTable(curve)}
</details>`,
    { size: "twothirds" },
  );
}

function curveTable({ sessions, equity: worth, model, spy }: AccountHistory["curve"]): Html {
  const places = sessions.map((_, at) => at).reverse();
  return table(
    "Dollars at each session, newest first; the account some minutes before the close, the others at it",
    [
      { head: "Session" },
      { head: "Account", kind: "number" },
      { head: "Model", kind: "number" },
      { head: "SPY", kind: "number" },
    ],
    places.map((at) => ({
      cells: [sessionText(sessions[at]!), dollars(worth[at], 0), dollars(model[at], 0), dollars(spy[at], 0)],
    })),
  );
}

function growth(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  const [first, last] = [known[0], known.at(-1)];
  return first === undefined || last === undefined || first === 0 ? null : last / first - 1;
}

function lastKnown(values: readonly (number | null)[]): number | null {
  return values.filter((value) => value !== null).at(-1) ?? null;
}

function fallNow(values: readonly number[]): number | null {
  const peak = Math.max(...values);
  return values.length === 0 || peak <= 0 ? null : 1 - values.at(-1)! / peak;
}

function deepestFall(values: readonly number[]): number | null {
  let [peak, deepest] = [0, 0];
  for (const value of values) {
    peak = Math.max(peak, value);
    if (peak > 0) deepest = Math.max(deepest, 1 - value / peak);
  }
  return values.length === 0 ? null : deepest;
}
