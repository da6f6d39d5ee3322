// What continuous integration does a few times, this does hundreds of times, with other random moments each time:
// `make soak`, half an hour on two free cores. `KILLS=1000 YEARS=10 REPLAYS=1000 SEED=5 make soak` does more, and the same
// SEED does the same again; a number of 0 leaves that part out.
import { spawnSync } from "node:child_process";
import { root } from "./pf.mjs";

const [kills, years, replays] = [count("KILLS", 300), count("YEARS", 2), count("REPLAYS", 200)];
const seed = count("SEED", Date.now() % 1_000_000);

const checks = [
  {
    what: `pf trade killed ${kills} times with -9`,
    times: kills,
    folder: "apps/cli",
    words: ["test/trade-kills.test.ts"],
    env: { PF_SOAK_KILLS: kills, PF_SOAK_SEED: seed },
  },
  {
    what: "the books of accounts through five thousand random lives",
    times: 5_000,
    folder: "packages/app",
    words: ["test/tradeLaws.test.ts"],
    env: { PF_SOAK_RUNS: 5_000 },
  },
  {
    what: `live trading held to the account engine in ${replays} random settings`,
    times: replays,
    folder: "packages/app",
    words: ["test/replayLaws.test.ts"],
    env: { PF_SOAK_REPLAYS: replays },
  },
  {
    what: `a worker left alone for ${years} years with a fault a week`,
    times: years,
    folder: "packages/app",
    // The weeks that continuous integration lives through are no part of it.
    words: ["test/workerYear.test.ts", "-t", "of 250 sessions"],
    env: { PF_SOAK_YEARS: years, PF_SOAK_SEED: seed },
  },
].filter(({ times }) => times > 0);

const ends = checks.map(({ what, folder, words, env }) => {
  console.log(`\n${what}, seed ${seed}`);
  const began = performance.now();
  const own = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, String(value)]));
  const { status, signal, error } = spawnSync("npx", ["vitest", "run", ...words], {
    cwd: `${root}${folder}`,
    // Without a seed of its own every property would meet the worlds it meets every day.
    env: { ...process.env, PF_TEST_SEED: String(seed), ...own },
    stdio: "inherit",
  });
  if (error) throw error;
  // Somebody who stops one of them has seen enough.
  if (signal === "SIGINT" || status === 130) process.exit(130);
  return { what, seconds: Math.round((performance.now() - began) / 1000), isWell: status === 0 };
});

console.log(`\nseed ${seed}`);
for (const { what, seconds, isWell } of ends)
  console.log(`${isWell ? "well  " : "FAILED"} ${String(seconds).padStart(5)} s  ${what}`);
process.exitCode = ends.every(({ isWell }) => isWell) ? 0 : 1;

/** A whole number from the environment. */
function count(name, usual) {
  const text = process.env[name] ?? String(usual);
  if (/^\d{1,9}$/.test(text)) return Number(text);
  console.error(`${name} is a whole number, not ${text}`);
  process.exit(2);
}
