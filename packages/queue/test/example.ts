// What the README's example takes for granted.
import { alignPanel } from "@pf/market";
import { type Executor, inlineExecutor, planWalkForward, prepareResearch } from "@pf/research";
import type { ResearchData } from "../src/research-data.js";
import { startRedis, type TestRedis } from "./redis.js";
import { panel } from "./world.js";

export { research, study } from "./world.js";
export const folds = planWalkForward(panel.sessions, { trainYears: 1, oosMonths: 1 });

const started: TestRedis[] = [];

export async function redis(): Promise<TestRedis> {
  const one = await startRedis();
  started.push(one);
  return one;
}

/** Ends what the example started. */
export async function tidy(): Promise<void> {
  for (const one of started.splice(0)) await one.close();
}

const fields = ["open", "high", "low", "close", "volume"] as const;

/** Runs units in this thread: enough for an example, too little for a worker. */
export function openInline({
  sessions,
  tickers,
  bars,
  study,
}: ResearchData): Executor & { close(): Promise<void> } {
  const values = new Float64Array(bars);
  const rows = sessions.length;
  const column = (at: number) => values.subarray(at * rows, (at + 1) * rows);
  const series = tickers.map((ticker, at) => {
    const [open, high, low, close, volume] = fields.map((_, of) => column(at * fields.length + of));
    return { ticker, sessions, open: open!, high: high!, low: low!, close: close!, volume: volume! };
  });
  const executor = inlineExecutor(prepareResearch(alignPanel(series), study));
  return { run: executor.run, close: async () => {} };
}
