import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { WorkerView } from "./view.js";

/** What the worker counts while it works; everything else is read from its view when somebody asks. */
export interface WorkerMetrics {
  /** How a session ended: `filled`, `unchanged`, `skipped`, … */
  sessionEnded(outcome: string): void;
  stepTook(step: string, seconds: number): void;
  alertSent(channel: string): void;
  alertFailed(channel: string): void;
  /** All of it in Prometheus' own format. */
  text(): Promise<string>;
  readonly contentType: string;
}

/**
 * The registry behind `/metrics`. Names begin with `pf_`, but for those of the process that every Prometheus client has
 * (`process_…`, `nodejs_…`).
 *
 * @param view - asked once for every time somebody asks; where it fails, `pf_view_ok` is 0 and what it would say is left out
 */
export function createMetrics(view: () => Promise<WorkerView>): WorkerMetrics {
  const registers = [new Registry()];
  const [registry] = registers as [Registry];
  // The default looks at the event loop every 10 ms, which an idle machine notices.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 500 });
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Gauge<Label>({ name, help, registers, labelNames: [...labelNames] });

  const info = gauge("pf_worker_info", "1, with what the worker is and whose account it trades", [
    "version",
    "mode",
    "account",
    "venue",
  ]);
  const viewOk = gauge("pf_view_ok", "1 where the state of the account could be read, else 0");
  const halted = gauge("pf_halted", "1 while trading is halted, else 0");
  const trouble = gauge("pf_trouble", "1 while something of the account cannot be told, else 0");
  const lastSession = gauge(
    "pf_last_session_timestamp_seconds",
    "The date of the session traded last, as midnight UTC of its day",
  );
  const nextSession = gauge("pf_next_session_timestamp_seconds", "When the next rebalance is due");
  const equity = gauge("pf_equity_dollars", "What the account was worth when it was valued last");
  const settled = gauge("pf_settled_cash_dollars", "Cash that can be spent");
  const pending = gauge("pf_pending_cash_dollars", "Cash that has not settled yet");
  const positions = gauge("pf_position_value_dollars", "Worth of each position at its last close", [
    "symbol",
  ]);
  const targets = gauge("pf_target_weight", "Wanted share of the account's worth", ["symbol"]);
  const waiting = gauge("pf_alerts_waiting", "Alarms that reached nobody yet, and are kept to be sent again");
  const preflightOk = gauge("pf_preflight_ok", "1 where the last checks before a session passed, else 0");
  const preflightAt = gauge("pf_preflight_timestamp_seconds", "When these checks were made");
  const sessions = new Counter({
    name: "pf_sessions_total",
    help: "Sessions since the worker started, by how they ended",
    labelNames: ["outcome"],
    registers,
  });
  const sent = new Counter({
    name: "pf_alerts_sent_total",
    help: "Alarms that reached their channel",
    labelNames: ["channel"],
    registers,
  });
  const failed = new Counter({
    name: "pf_alerts_failed_total",
    help: "Alarms that did not reach their channel after every retry",
    labelNames: ["channel"],
    registers,
  });
  const steps = new Histogram({
    name: "pf_step_duration_seconds",
    help: "How long the steps of a session took",
    labelNames: ["step"],
    buckets: [0.1, 0.5, 1, 5, 15, 60, 180, 600],
    registers,
  });

  const labelled = [info, positions, targets];
  const single = [
    halted,
    trouble,
    lastSession,
    nextSession,
    equity,
    settled,
    pending,
    preflightOk,
    preflightAt,
    waiting,
  ];

  function show(view: WorkerView): void {
    const { status, history, next, preflight, undelivered, version, trouble: what } = view;
    const { mode, account, venue, lastSession: last, cash } = status;
    info.set({ version, mode, account, venue }, 1);
    halted.set(status.state === "halted" ? 1 : 0);
    trouble.set(what === null ? 0 : 1);
    setKnown(lastSession, last && Date.parse(`${last.session}T00:00:00Z`) / 1000);
    const due = next?.phases.find(({ phase }) => phase === "trade")?.atUtcMs;
    setKnown(nextSession, due === undefined ? null : due / 1000);
    setKnown(equity, history?.curve.equity.at(-1) ?? status.equity?.dollars ?? null);
    settled.set(cash.settled);
    pending.set(cash.coming.reduce((sum, { amount }) => sum + amount, 0));
    for (const { symbol, value, target } of history?.positions ?? []) {
      setKnown(positions.labels({ symbol }), value);
      targets.labels({ symbol }).set(target);
    }
    waiting.set(undelivered.count);
    setKnown(preflightOk, preflight && Number(preflight.ok));
    setKnown(preflightAt, preflight && preflight.atUtcMs / 1000);
  }

  return {
    sessionEnded: (outcome) => sessions.inc({ outcome }),
    stepTook: (step, seconds) => steps.observe({ step }, seconds),
    alertSent: (channel) => sent.inc({ channel }),
    alertFailed: (channel) => failed.inc({ channel }),
    async text() {
      const known = await view().catch(() => null);
      // What is not known is not there at all: a figure of yesterday would be believed.
      for (const one of labelled) one.reset();
      for (const one of single) one.remove();
      if (known) show(known);
      viewOk.set(known ? 1 : 0);
      return registry.metrics();
    },
    contentType: registry.contentType,
  };
}

function setKnown(gauge: { set(value: number): void }, value: number | null | undefined): void {
  if (value !== null && value !== undefined && Number.isFinite(value)) gauge.set(value);
}
