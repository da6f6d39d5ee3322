import type { ResearchEvent, ServiceContext } from "@pf/app";
import { createServices } from "@pf/app";
import type { Logger } from "pino";

/** What a research worker is made of. */
export interface ResearchRoleSetting {
  readonly configuration: ServiceContext["configuration"];
  readonly folders: ServiceContext["folders"];
  readonly version: string;
  /** Threads; as many as cores where nobody says. */
  readonly workers: number | undefined;
  readonly logger: Logger;
  /** Asks it to take no more work, finish or give back what it has, and end. */
  readonly signal: AbortSignal;
}

/**
 * Takes units of searches from the queue until it is asked to stop.
 *
 * @throws RequestError without research.queue, QueueUnreachableError and QueueRefusedError when there is no queue to
 *   listen to; once it listens, it waits for a queue that is away
 */
export async function runResearchRole(setting: ResearchRoleSetting): Promise<void> {
  const { configuration, folders, version, workers, logger, signal } = setting;
  const services = createServices({ configuration, folders, version, signal });
  const tally = tallyOn(logger);
  const worker = await services.serveResearch({
    workers,
    onEvent(event) {
      if (event.kind === "done") return tally.add(event);
      // What it did is told before it says how much that was together.
      if (event.kind === "stopped") tally.end();
      logEvent(logger, event);
    },
  });
  try {
    await worker.ended;
  } finally {
    tally.end();
  }
}

/** Messages are worth a fifth of a second each: what was done is told together. */
const tellEveryMs = 10_000;

function tallyOn(logger: Logger) {
  const open = new Map<string, { units: number; ms: number }>();
  const tell = () => {
    for (const [run, done] of open) {
      logger.info(
        { event: "done", run, ...done },
        `run ${run}: ${units(done.units)} in ${done.ms} ms of threads`,
      );
    }
    open.clear();
  };
  const timer = setInterval(tell, tellEveryMs);
  return {
    add({ run, units, ms }: { readonly run: string; readonly units: number; readonly ms: number }) {
      const done = open.get(run) ?? { units: 0, ms: 0 };
      open.set(run, { units: done.units + units, ms: done.ms + ms });
    },
    end() {
      clearInterval(timer);
      tell();
    },
  };
}

/** One line an event, in words and in facts. */
function logEvent(logger: Logger, event: Exclude<ResearchEvent, { readonly kind: "done" }>): void {
  const { kind, ...facts } = event;
  const isDoubt = kind === "failed" || kind === "refused" || kind === "away" || kind === "trouble";
  logger[isDoubt ? "warn" : "info"]({ event: kind, ...facts }, wordsOf(event));
}

function wordsOf(event: Exclude<ResearchEvent, { readonly kind: "done" }>): string {
  switch (event.kind) {
    case "listening":
      return `listening at ${event.queue} with ${event.threads} ${event.threads === 1 ? "thread" : "threads"}, version ${event.code}`;
    case "data":
      return `bars of ${event.symbols} symbols, ${event.sessions} sessions came in (${event.bytes} bytes)`;
    case "failed":
      return `run ${event.run}: ${event.unit} failed: ${event.message}`;
    case "refused":
      return `run ${event.run} is refused: ${event.why}`;
    case "dropped":
      return `run ${event.run} is over: ${units(event.units)} dropped`;
    case "taken over":
      return `run ${event.run}: ${units(event.units)} taken over from a worker that is gone`;
    case "gave up":
      return `given up, because whoever started them is gone: ${event.runs.join(", ")}`;
    case "away":
      return `the queue at ${event.queue} is away; waiting for it`;
    case "back":
      return `the queue at ${event.queue} is back`;
    case "trouble":
      return `the queue says: ${event.message}`;
    case "given back":
      return `run ${event.run}: ${units(event.units)} given back`;
    case "stopped":
      return `left the queue after ${units(event.units)}`;
  }
}

function units(count: number): string {
  return `${count} ${count === 1 ? "unit" : "units"}`;
}
