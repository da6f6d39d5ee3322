import {
  alertsOf,
  createServices,
  createTradeWorker,
  describeFailure,
  readConfiguration,
  requireTradable,
  type ServiceContext,
  type Teller,
  type TradeWorker,
  type TradeWorkerSetting,
  type WorkerEvent,
} from "@pf/app";
import type { Logger } from "pino";
import type { WorkerArguments } from "../arguments.js";
import { createMetrics } from "../metrics.js";
import { type KeptPage, keepPage } from "../page/keep.js";
import type { WorkerView } from "../view.js";

export interface RoleSetting extends WorkerArguments {
  readonly version: string;
  readonly logger: Logger;
  /** Asks the worker to stop at the next safe point. */
  readonly signal: AbortSignal;
  /** Where the word is left that the process was ended because it hung. */
  leaveWordAt(path: string): void;
}

/** A step that works for so long is stuck, whatever the limits of steps say. */
const longestStepMs = 30 * 60_000;
/** A message that one channel took already, and another is still being tried with when the worker ends, has so long. */
const farewellMs = 5_000;

/** Trades one account until it is asked to stop, and serves its page meanwhile. */
export async function runTradeRole(setting: RoleSetting): Promise<void> {
  const { mode, confirm, clock, configuration, folders, version, logger, signal } = setting;
  const loaded = await readConfiguration(configuration);
  // A clock that is the broker's is asked for below: what can never trade shall not connect for it.
  requireTradable(loaded);
  const { page: pageSetting } = loaded.config;
  const { host, port } = pageSetting;
  const context: ServiceContext = { configuration, folders, version };
  const timers = clock === "broker" ? await brokersTimers(context, mode) : systemTimers;
  const services = createServices({ ...context, clock: timers });
  const startedUtcMs = timers.nowUtcMs();
  const sending = new Set<Promise<unknown>>();
  const alerts = alertsOf(loaded);

  const teller: Teller = {
    isHeard: alerts.channels.some((channel) => channel !== "ping"),
    send: (alert) =>
      new Promise((resolve) => {
        const work = alerts.send(alert, undefined, ({ channel, ok, attempts, detail }) => {
          if (ok) {
            metrics.alertSent(channel);
            resolve(true);
          } else {
            metrics.alertFailed(channel);
            logger.warn({ channel, attempts, detail }, "an alarm could not be delivered");
          }
        });
        sending.add(work);
        void work.finally(() => {
          sending.delete(work);
          resolve(false);
        });
      }),
    async ping(state) {
      const delivery = await alerts.ping(state);
      if (delivery && !delivery.ok) logger.warn({ detail: delivery.detail }, "the ping did not get through");
    },
  };

  const workerSetting: TradeWorkerSetting = {
    mode,
    whose: clock,
    context,
    timers,
    teller,
    signal,
    onChange: () => page?.changed(),
    onEvent: (event) => {
      // From here on the account is its own: whoever comes second must never have said that it is ready.
      if (event.kind === "started") {
        if (worker) setting.leaveWordAt(worker.hangFile);
        // What kept an earlier process from its page is over.
        if (page?.url) worker?.pageIs(null);
        logReady();
      }
      logEvent(logger, event);
      if (event.kind === "ended") metrics.sessionEnded(event.outcome ?? event.result);
    },
    onStepTook: (step, ms) => metrics.stepTook(step, ms / 1000),
    ...(confirm === undefined ? {} : { confirm }),
  };
  let page: KeptPage | undefined;
  let worker: TradeWorker | undefined;
  const view = async (): Promise<WorkerView> => {
    if (!worker) throw new Error("the worker is starting");
    const { activity, next, preflight, log, undelivered } = worker.snapshot();
    const status = await services.status({ mode });
    const { history, trouble } = await services.history({ mode }).then(
      (found) => ({ history: found, trouble: null }),
      (error: Error) => ({ history: null, trouble: error.message }),
    );
    const atUtcMs = timers.nowUtcMs();
    return {
      ...{ atUtcMs, startedUtcMs, version, activity, next, status },
      ...{ history, trouble, preflight, log, undelivered },
    };
  };
  const metrics = createMetrics(view);
  const logReady = () => {
    logger.info({ role: "trade", mode, account: worker?.account, page: page?.url }, "ready");
    if (!page?.url) logger.warn({ host, port }, "the page cannot be served there yet, and is tried again");
    if (!teller.isHeard)
      logger.warn("no alarm reaches anybody: set alerts.webhook, alerts.ntfy or alerts.email");
  };
  let running = true;
  page = await keepPage({
    ...pageSetting,
    view,
    halt: async (reason) => void (await services.halt({ mode, reason })),
    resume: async (reason) => void (await services.resume({ mode, reason })),
    outFolder: folders.out,
    isAlive() {
      if (!worker) return { ok: true, detail: "starting" };
      const { kind, detail, sinceUtcMs } = worker.snapshot().activity;
      const isStuck = kind === "working" && timers.nowUtcMs() - sinceUtcMs > longestStepMs;
      return { ok: running && !isStuck, detail: running ? `${kind}: ${detail}` : "ended" };
    },
    metrics,
    onProblem: (error) => logger.error({ detail: String(error) }, "the page failed to answer"),
    onTrouble(error) {
      if (running) worker?.pageIs(error && describeFailure(error));
    },
  });
  try {
    // Only where the page may be served as it is configured is anything begun that leaves a trace.
    worker = await createTradeWorker(workerSetting);
    await worker.run();
  } finally {
    running = false;
    await Promise.race([
      Promise.allSettled([...sending]),
      new Promise((resolve) => setTimeout(resolve, farewellMs).unref()),
    ]);
    await page.close();
  }
}

const systemTimers: TradeWorkerSetting["timers"] = {
  nowUtcMs: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, Math.max(0, ms));
    return () => clearTimeout(timer);
  },
};

/** The clock of a simulator, as far as it runs at the speed of real time. */
async function brokersTimers(
  context: ServiceContext,
  mode: WorkerArguments["mode"],
): Promise<TradeWorkerSetting["timers"]> {
  const { server, error } = await createServices(context).connect({ mode });
  if (!server) throw Object.assign(new Error(error!.message), error);
  return { ...systemTimers, nowUtcMs: () => Date.now() + server.clockSkewMs };
}

const levels = { info: "info", warning: "warn", alarm: "error" } as const;

/** Every event is a line; what it says is meant for people, and holds no secret. */
function logEvent(logger: Logger, event: WorkerEvent): void {
  switch (event.kind) {
    case "told":
      logger[event.isOver ? "info" : levels[event.level]](
        { key: event.key, session: event.session, detail: event.detail },
        event.title,
      );
      break;
    case "preflight": {
      const { session, phase, ok, checks } = event;
      const failed = checks.filter((check) => !check.ok).map(({ name }) => name);
      logger[ok ? "info" : "warn"]({ session, phase, failed }, ok ? "ready for the session" : "not ready");
      break;
    }
    case "ended": {
      const { session, result, outcome, detail } = event;
      logger[result === "traded" ? "info" : "error"](
        { session, result, outcome, detail },
        "session done with",
      );
      break;
    }
    case "reconciled": {
      const { session, agrees, differences } = event;
      logger[agrees ? "info" : "error"](
        { session, differences },
        agrees ? "books agree with the broker" : "books differ from the broker",
      );
      break;
    }
    case "learned":
      logger.warn(event.amendment, "the broker keeps other hours than the calendar");
      break;
    case "started":
      logger.info({ version: event.version }, "started");
      break;
    case "stopped":
      logger.info({ reason: event.reason }, "stopped");
  }
}
