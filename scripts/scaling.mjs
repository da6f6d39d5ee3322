// What docs/scaling.md is made of: how long the grid takes as symbols and combinations grow, and what a queue adds.
//
//   node scripts/scaling.mjs kernel           one window of 756 sessions, symbols by combinations: CPU time and memory
//   node scripts/scaling.mjs trials 50x729    what the submitter does alone, over all sessions, symbols by combinations
//   node scripts/scaling.mjs queue            a permutation test on 1, 2 and 4 worker processes beside threads
//   node scripts/scaling.mjs payload          bars of a universe on the way to the workers, and what merging them costs
//
// Build first. `queue` and `payload` need redis-server. One JSON object a line.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const [part, ...rest] = process.argv.slice(2);
/** What was begun is ended with this process, however it ends. */
const begun = [];
process.on("exit", () => {
  for (const child of begun) child.kill("SIGKILL");
});
const say = (facts) => process.stdout.write(`${JSON.stringify(facts)}\n`);

const options = {
  features: {
    atrWindow: 20,
    emaFast: 20,
    emaSlow: 50,
    macd: { enabled: false, fast: 12, slow: 26, signal: 9 },
  },
  selection: { topN: 2, corrWindow: 90, corrCap: 0.7, minScore: 0, incumbents: "keep" },
  weights: { method: "inv_vol", volWindow: 20, maxWeightPerAsset: 0.5, cashBuffer: 0.05 },
  rebalance: { minWeightChange: 0.05 },
};
/** So many combinations, none of them impossible. */
const grids = {
  9: { ema_fast: [10, 20, 30], ema_slow: [40, 50, 80] },
  81: { ema_fast: [10, 20, 30], ema_slow: [40, 50, 80], top_n: [1, 2, 3], corr_cap: [0.6, 0.7, 0.8] },
  729: { ema_fast: steps(8, 2, 9), ema_slow: steps(30, 10, 9), top_n: [1, 2, 3], corr_cap: [0.6, 0.7, 0.8] },
  2700: {
    ema_fast: steps(5, 2, 10),
    ema_slow: steps(30, 10, 10),
    top_n: [1, 2, 3],
    corr_cap: steps(0.4, 0.05, 9),
  },
  10000: {
    ema_fast: steps(5, 2, 10),
    ema_slow: steps(30, 10, 10),
    top_n: steps(1, 1, 10),
    corr_cap: steps(0.4, 0.05, 10),
  },
};
const studyOf = (points) => ({
  ...{ options, costs: { commissionPerShare: 0.0035, slippageBps: 1 }, lag: 1, objective: "Calmar" },
  grid: grids[points],
});

function steps(first, step, count) {
  return Array.from({ length: count }, (_, at) => Math.round((first + at * step) * 100) / 100);
}

/** Correlated walks out of a seed, so that nobody needs data to measure. */
async function panelOf(symbols, rows) {
  const { alignPanel, dateOfDayNumber } = await import("../packages/market/dist/index.js");
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 0) / 4_294_967_296 - 0.5;
  };
  const sessions = Array.from({ length: rows }, (_, row) => dateOfDayNumber(15_000 + row));
  const market = Float64Array.from({ length: rows }, () => random() * 0.03);
  return alignPanel(
    Array.from({ length: symbols }, (_, at) => {
      const [open, high, low, close] = Array.from({ length: 4 }, () => new Float64Array(rows));
      let price = 50 + at;
      for (let row = 0; row < rows; row++) {
        open[row] = price * (1 + random() * 0.005);
        price *= 1 + 0.0003 + (at % 3) * 0.3 * market[row] + random() * 0.03;
        close[row] = price;
        high[row] = Math.max(open[row], price) * 1.002;
        low[row] = Math.min(open[row], price) * 0.998;
      }
      return { ticker: `S${at}`, sessions, open, high, low, close, volume: new Float64Array(rows).fill(1e6) };
    }),
  );
}

async function kernelCase(symbols, points) {
  const { createGridKernel, rowOrder, rowPatterns } = await import("../packages/research/dist/index.js");
  const panel = await panelOf(symbols, 756);
  const before = process.memoryUsage().rss;
  const started = cpu();
  const kernel = createGridKernel(panel, studyOf(points));
  const patterns = rowPatterns(panel);
  const prepareMs = cpu() - started;
  const order = new Int32Array(756);
  kernel.evaluate(rowOrder(patterns, 1, 0, 0, order));
  let runs = 0;
  const from = cpu();
  while (runs < 2 || (cpu() - from < 2000 && runs < 50))
    kernel.evaluate(rowOrder(patterns, 1, 0, ++runs, order));
  const ms = (cpu() - from) / runs;
  say({
    ...{
      symbols,
      points,
      prepareMs: Math.round(prepareMs),
      runMs: round(ms),
      microsAPoint: round((ms * 1000) / points),
    },
    ...{
      barsMegabytes: round((symbols * 756 * 5 * 8) / 1e6),
      kernelMegabytes: round((process.memoryUsage().rss - before) / 1e6),
    },
    peakMegabytes: Math.round(process.resourceUsage().maxRSS / 1024),
  });
}

/** What the submitter does alone, whoever makes the permutations: it holds the grid against everything ever tried. */
async function trialsCase(symbols, points) {
  const { assessTrials, prepareResearch, runTrials } = await import("../packages/research/dist/index.js");
  const panel = await panelOf(symbols, 2849);
  const study = studyOf(points);
  const from = cpu();
  const research = prepareResearch(panel, study);
  const prepareMs = cpu() - from;
  const tried = runTrials(panel, study, {}, research.plan, research.features);
  const trialsMs = cpu() - from - prepareMs;
  assessTrials(tried, study, { trials: points, blocks: 12 });
  const assessMs = cpu() - from - prepareMs - trialsMs;
  const seconds = {
    prepare: round(prepareMs / 1000),
    trials: round(trialsMs / 1000),
    assess: round(assessMs / 1000),
  };
  say({ symbols, points, seconds, peakMegabytes: Math.round(process.resourceUsage().maxRSS / 1024) });
}

function cpu() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function round(value) {
  return Number(value.toPrecision(3));
}

async function startRedis(home) {
  const port = await new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port: free } = server.address();
      server.close(() => resolve(free));
    });
  });
  const child = spawn("redis-server", ["--port", `${port}`, "--save", "", "--dir", home], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  begun.push(child);
  await new Promise((resolve) =>
    child.stdout.on("data", (text) => /Ready to accept/.test(`${text}`) && resolve()),
  );
  const ask = (...words) => spawnSync("redis-cli", ["-p", `${port}`, ...words]).stdout.toString();
  return { address: `redis://127.0.0.1:${port}`, child, ask };
}

/** CPU milliseconds of a process so far, its threads included. Linux tells. */
function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function queue(apps = join(root, "apps")) {
  const home = mkdtempSync(join(tmpdir(), "pf-scaling-"));
  const redis = await startRedis(home);
  const set = [
    "--set",
    "data.source=synthetic",
    "--set",
    "ibkr.end=2025-12-31",
    "--data-dir",
    join(home, "data"),
  ];
  const pf = async (words) => {
    const started = performance.now();
    const child = spawn(process.execPath, [join(apps, "cli/bin/run.js"), ...words, ...set, "--quiet"], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    let cpuMs = 0;
    const timer = setInterval(() => (cpuMs = cpuOf(child.pid)), 50);
    const code = await new Promise((resolve) => child.once("exit", resolve));
    clearInterval(timer);
    if (code !== 0) throw new Error(`pf ${words[0]} ended with ${code}`);
    return { ms: performance.now() - started, cpuMs };
  };
  await pf(["fetch"]);
  const permute = (name, more) => {
    const out = ["--out", join(home, name), "--state-dir", join(home, `state-${name}`)];
    return pf(["permute", "--no-plots", ...out, ...more]);
  };
  const best = async (times, run) => {
    const all = [];
    for (let at = 0; at < times; at++) all.push(await run());
    return all.sort((a, b) => a.ms - b.ms)[0];
  };
  const windows = () => JSON.parse(readFileSync(join(home, "here/permutation.json"), "utf8")).windows.length;
  const bytes = (name) => readFileSync(join(home, name, "permutation.json"), "utf8");
  const idle = Number(/used_memory:(\d+)/.exec(redis.ask("info", "memory"))[1]);
  const show = (where, { ms, cpuMs }, more) => {
    const runs = windows() * 200;
    say({
      where,
      seconds: round(ms / 1000),
      runsASecond: Math.round(runs / (ms / 1000)),
      submitterCpu: round(cpuMs / 1000),
      ...more,
    });
  };
  for (const threads of [0, 2])
    show(
      threads === 0 ? "one thread" : `${threads} threads`,
      await best(3, () => permute("here", ["--workers", `${threads}`])),
    );
  for (const count of [1, 2, 4]) {
    const children = [];
    for (let at = 0; at < count; at++) {
      const words = ["--role", "research", "--workers", "1", "--set", `research.queue=${redis.address}`];
      const child = spawn(process.execPath, [join(apps, "worker/bin/run.js"), ...words], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      begun.push(child);
      await new Promise((resolve) =>
        child.stdout.on("data", (text) => /listening/.test(`${text}`) && resolve()),
      );
      children.push(child);
    }
    const to = ["--set", "research.executor=bullmq", "--set", `research.queue=${redis.address}`];
    await permute("queue", to);
    redis.ask("config", "resetstat");
    const before = children.map(({ pid }) => cpuOf(pid));
    const redisBefore = cpuOf(redis.child.pid);
    const took = await best(3, () => permute("queue", to));
    const count3 = (text, name) => Number(new RegExp(`${name}:(\\d+)`).exec(text)[1]) / 3;
    const [memory, stats] = [redis.ask("info", "memory"), redis.ask("info", "stats")];
    show(`${count} worker processes`, took, {
      workersCpu: round(children.reduce((sum, { pid }, at) => sum + cpuOf(pid) - before[at], 0) / 3000),
      redisCpu: round((cpuOf(redis.child.pid) - redisBefore) / 3000),
      sameBytes: bytes("queue") === bytes("here"),
      redisPeakMegabytes: round((count3(memory, "used_memory_peak") * 3 - idle) / 1e6),
      redisCommands: Math.round(count3(stats, "total_commands_processed")),
      intoRedisMegabytes: round(count3(stats, "total_net_input_bytes") / 1e6),
    });
    for (const child of children) {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await ended;
    }
  }
  redis.child.kill();
  rmSync(home, { recursive: true, force: true });
}

async function payload(symbols, rows) {
  const { queueExecutor } = await import("../packages/queue/dist/index.js");
  const { planPermutation, planWalkForward } = await import("../packages/research/dist/index.js");
  const home = mkdtempSync(join(tmpdir(), "pf-scaling-"));
  const redis = await startRedis(home);
  const panel = await panelOf(symbols, rows);
  const folds = planWalkForward(panel.sessions, { trainYears: 3, oosMonths: 3 });
  const units = planPermutation(folds, { runs: 200, seed: 1, runsPerUnit: 1 });
  const stop = new AbortController();
  const executor = queueExecutor(
    { panel, study: studyOf(81) },
    {
      address: redis.address,
      code: "none",
      program: "none",
      label: "payload",
      timing: { nobodyMs: 0 },
      onNotice: () => stop.abort(),
    },
  );
  const from = performance.now();
  for await (const _ of executor.run(units, stop.signal)) break;
  const keys = redis.ask("--raw", "keys", "pf:data:*").trim();
  const bytes = Number(redis.ask("--raw", "strlen", keys));
  say({
    ...{
      symbols,
      rows,
      barsMegabytes: round((symbols * rows * 40) / 1e6),
      sentMegabytes: round(bytes / 1e6),
    },
    ...{ untilSentSeconds: round((performance.now() - from) / 1000) },
    redisMegabytes: round(Number(/used_memory_peak:(\d+)/.exec(redis.ask("info", "memory"))[1]) / 1e6),
  });
  await executor.close();
  redis.child.kill();
  rmSync(home, { recursive: true, force: true });
}

if (part === "case") await kernelCase(Number(rest[0]), Number(rest[1]));
else if (part === "trials-case") await trialsCase(Number(rest[0]), Number(rest[1]));
else if (part === "kernel" || part === "trials") {
  const cases = rest.length > 0 ? rest.map((one) => one.split("x").map(Number)) : undefined;
  const child = part === "kernel" ? "case" : "trials-case";
  for (const [symbols, points] of cases ??
    [9, 50, 200, 500, 1000].flatMap((s) => [81, 729].map((p) => [s, p]))) {
    const words = [fileURLToPath(import.meta.url), child, `${symbols}`, `${points}`];
    process.stdout.write(spawnSync(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"] }).stdout);
  }
} else if (part === "queue") await queue(rest[0]);
else if (part === "payload") await payload(Number(rest[0] ?? 1000), Number(rest[1] ?? 2700));
else throw new Error("say kernel, trials, queue or payload");
