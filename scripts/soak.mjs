// Hours instead of minutes: what continuous integration does a few times, this does hundreds of times, with other random
// moments each time. `make soak`, or `KILLS=1000 YEARS=10 SEED=5 make soak`.
import { spawnSync } from "node:child_process";
import { root } from "./pf.mjs";

const kills = process.env.KILLS ?? "300";
const years = process.env.YEARS ?? "3";
const seed = process.env.SEED ?? String(Date.now() % 1_000_000);

const checks = [
  {
    what: `pf trade killed ${kills} times with -9, seed ${seed}`,
    folder: "apps/cli",
    file: "test/trade-kills.test.ts",
    env: { PF_SOAK_KILLS: kills, PF_SOAK_SEED: seed },
  },
  {
    what: "the books of accounts through a thousand random lives",
    folder: "packages/app",
    file: "test/tradeLaws.test.ts",
    env: { PF_SOAK_RUNS: "1000" },
  },
  {
    what: `live trading held to the account engine in 200 random settings, seed ${seed}`,
    folder: "packages/app",
    file: "test/replayLaws.test.ts",
    env: { PF_SOAK_REPLAYS: "200", PF_TEST_SEED: seed },
  },
  {
    what: `a worker left alone for ${years} years with a fault a week, from seed ${seed} on`,
    folder: "packages/app",
    file: "test/workerYear.test.ts",
    env: { PF_SOAK_YEARS: years, PF_SOAK_SEED: seed },
  },
];

let failed = false;
for (const { what, folder, file, env } of checks) {
  console.log(`\n${what}`);
  const { status } = spawnSync("npx", ["vitest", "run", file], {
    cwd: `${root}${folder}`,
    env: { ...process.env, ...env },
    stdio: "inherit",
  });
  failed ||= status !== 0;
}
process.exitCode = failed ? 1 : 0;
