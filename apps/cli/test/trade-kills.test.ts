import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { documentOf, entry, pf, temporaryFolder } from "./process.js";
import { type SimProcess, startSim } from "./simulator.js";

// `pf trade` is killed with -9 at random moments until it comes to an end, against a simulator in a process of its own.
// `make soak` does this hundreds of times: PF_SOAK_KILLS says how often, PF_SOAK_SEED which moments.

const kills = Number(process.env.PF_SOAK_KILLS ?? 16);
const seed = Number(process.env.PF_SOAK_SEED ?? 7);
const settings = ["--set", "universe=[SPY, QQQ, TLT, GLD, BITO]", "--set", "ibkr.start=2024-06-03"];
/** Bars, so that a run spends its time with orders. */
let data: string;
/** Brokers with an account each at the same time: a run mostly waits for its broker, and another can use the time. */
const lanes = 2;
/** How long an undisturbed run takes, milliseconds. */
let usualMs = 1000;

const clock = ["--clock", "2025-06-02T15:55:05", "--speed", "4"];

beforeAll(async () => {
  data = temporaryFolder();
  const sim = await startSim(clock);
  const at = performance.now();
  const words = ["trade", "--paper", "--clock", "broker", "--json", "--data-dir", data, ...settings];
  expect((await pf([...words, ...sim.address])).code).toBe(0);
  // The second time the bars are there.
  const again = performance.now();
  await sim.end();
  const other = await startSim(clock);
  const started = performance.now();
  expect((await pf([...words, ...other.address])).code).toBe(0);
  usualMs = Math.min(again - at, performance.now() - started);
  await other.end();
}, 60_000);

describe("pf trade killed with -9", () => {
  it(
    `${kills} times at random moments sends every order once and loses no fill`,
    async () => {
      let deaths = 0;
      const dieAndFinish = async (random: () => number, times: number) => {
        let done = 0;
        while (done < times) {
          const home = temporaryFolder();
          cpSync(data, join(home, "data"), { recursive: true });
          const wireLog = join(home, "wire.jsonl");
          const sim = await startSim([...clock, "--wire-log", wireLog], { cwd: home });
          for (let death = 0; death < 4 && done < times; death++, done++) {
            // Orders are sent in the last fifth of a run, so that most of the deaths come then.
            const moment = random() < 0.7 ? 0.8 + 0.25 * random() : 0.3 + 0.5 * random();
            const ended = await killedAfter(usualMs * moment, home, sim);
            if (ended !== "SIGKILL") break;
            deaths++;
          }
          const last = await trade(home, sim);
          const document = documentOf(last);
          const about = `after ${done} kills with seed ${seed}: ${last.stdout.slice(0, 2000)}`;
          expect(["filled", "done_before"], about).toContain(document.outcome);
          expect(document.halted, about).toBeNull();

          const status = documentOf(await pf(["status", "--json", ...settings], { cwd: home }));
          const broker = documentOf(
            await pf(["connect", "--json", ...settings, ...sim.address], { cwd: home }),
          );
          const plain = (positions: readonly { symbol: string; quantity: number }[]) =>
            Object.fromEntries(positions.map(({ symbol, quantity }) => [symbol, quantity]));
          expect(plain(status.positions), about).toEqual(plain(broker.positions));
          expect(Math.abs(status.cash.settled - broker.summary.totalCash), about).toBeLessThanOrEqual(0.05);
          await sim.end();

          const { placed, executed } = wire(wireLog);
          expect(
            [...placed.values()].filter((times) => times !== 1),
            about,
          ).toEqual([]);
          expect(placed.size, about).toBe(document.orders.length);
          const told = document.fills.map(({ execId }: { execId: string }) => execId);
          expect([...told].sort(), about).toEqual([...executed].sort());
          expect((await pf(["audit-log", "verify"], { cwd: home })).code, about).toBe(0);
        }
      };
      const shares = Array.from({ length: lanes }, (_, lane) => Math.floor((kills + lane) / lanes));
      await Promise.all(shares.map((times, lane) => dieAndFinish(numbersFrom(seed + lane), times)));
      // Some runs are quicker than their death; most must not be.
      expect(deaths).toBeGreaterThan(kills / 3);
    },
    60_000 + kills * 10_000,
  );
});

function trade(home: string, sim: SimProcess) {
  return pf(["trade", "--paper", "--clock", "broker", "--json", ...settings, ...sim.address], { cwd: home });
}

/** Starts a run and kills it after so long; says how it ended, for some are quicker. */
function killedAfter(ms: number, home: string, sim: SimProcess): Promise<number | NodeJS.Signals | null> {
  const { PATH = "", HOME = "" } = process.env;
  const words = ["trade", "--paper", "--clock", "broker", "--json", ...settings, ...sim.address];
  return new Promise((resolve, reject) => {
    const child: ChildProcess = spawn(process.execPath, [entry, ...words], {
      cwd: home,
      env: { PATH, HOME },
      stdio: "ignore",
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), ms);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve(signal ?? code);
    });
  });
}

/** How often each of our orders reached the broker, and what was executed for them. */
function wire(path: string) {
  const placed = new Map<string, number>();
  const executed = new Set<string>();
  for (const line of readFileSync(path, "utf8").trimEnd().split("\n")) {
    const { event, message, fields } = JSON.parse(line) as {
      event: string;
      message?: string;
      fields?: readonly string[];
    };
    const reference = fields?.find((field) => /^pf\/\d{4}-/.test(field));
    if (reference === undefined) continue;
    if (event === "in" && message === "placeOrder") placed.set(reference, (placed.get(reference) ?? 0) + 1);
    if (event === "out" && message === "execDetails") {
      executed.add(fields!.find((field) => /^[0-9a-f]+\.[0-9a-f]+\.\d+\.\d+$/.test(field))!);
    }
  }
  return { placed, executed };
}

/** Numbers from 0 to 1, the same for the same seed. */
function numbersFrom(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
