// Times the permutation job from the built package against a hand-tuned C program: `pnpm bench:research`. Both run as
// whole processes in turn on the same file in the same minute, so that ratios count and digits do not; before anything is
// timed their numbers must agree. The C sources stand beside the project, in ../shared/perf, where they are at all.
// Then the built commands as a person waits for them, with one and with two threads: there the clock on the wall counts,
// and the load of the machine stands beside it, because on a busy one it says nothing.
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const pairs = Number(process.argv[2] ?? 5);
const runs = Number(process.argv[3] ?? 200);
const perf = fileURLToPath(new URL("../../../../shared/perf/", import.meta.url));
const job = fileURLToPath(new URL("permutation.mjs", import.meta.url));
const pf = fileURLToPath(new URL("../../../apps/cli/bin/run.js", import.meta.url));
const csvs = fileURLToPath(new URL("../data/etf-daily/", new URL(`file://${perf}`)));
const etfs = "SPY,QQQ,VTI,TLT,IEF,GLD,XLE,BND,BITO";

const policies = [
  {
    name: "keep, band 0.05",
    flags: ["--keep", "--band", "0.05"],
    targets: { limit: "4.0, goal 3.2", "limit-plain": "1.8, goal 1.2" },
  },
  { name: "rank", flags: [], targets: { limit: "3.5, goal 2.3", "limit-plain": "1.8, goal 1.2" } },
];

const missing = [
  existsSync(perf) ? undefined : "there is no folder ../shared/perf with the C baseline",
  spawnSync("gcc", ["--version"]).error ? "gcc is not installed" : undefined,
].filter(Boolean);

const folder = mkdtempSync(join(tmpdir(), "pf-bench-"));
try {
  if (missing.length > 0) {
    say(`not compared with C: ${missing.join(", ")}`);
  } else {
    compareWithBaseline();
  }
  if (existsSync(fileURLToPath(new URL("../dist/main.js", new URL(`file://${pf}`))))) timeCommands();
  else say("no command was timed: build the command line first");
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function compareWithBaseline() {
  const source = join(folder, "perf");
  cpSync(perf, source, { recursive: true });
  execFileSync("sh", ["build.sh"], { cwd: source, env: { ...process.env, OUT: folder }, stdio: "inherit" });
  const real = join(folder, "etf");
  const made = join(folder, "ohlc");
  execFileSync("node", ["csv2bin.mjs", csvs, `${real}.bin`, etfs], { cwd: source });
  execFileSync("node", ["gen.mjs", made], { cwd: source });
  const inputs = [
    { name: "nine ETFs, 34 windows", args: [`${real}.bin`], windows: ["--windows", `${real}.windows`] },
    { name: "nine made-up symbols, 30 windows", args: [`${made}.bin`], windows: [] },
  ];

  const spent = [];
  for (const { name, flags, targets } of policies) {
    for (const input of inputs) {
      const agreed = agree(source, input, flags, targets);
      say(`${name}, ${input.name}`, `objectives and bests agree to ${agreed.toExponential(1)}`);
    }
    const [{ args, windows }] = inputs;
    const product = ["node", job, ...args, ...windows, ...flags, "--runs", String(runs)];
    for (const [baseline, target] of Object.entries(targets)) {
      const c = [join(folder, baseline), ...args, "perm", ...windows, ...flags, "--runs", String(runs)];
      // One pair to warm the file cache.
      cpu(product);
      cpu(c);
      const ratios = [];
      let rss = 0;
      const seconds = [];
      for (let pair = 0; pair < pairs; pair++) {
        const ours = cpu(product);
        const theirs = cpu(c);
        ratios.push(ours.seconds / theirs.seconds);
        rss = Math.max(rss, ours.megabytes);
        seconds.push(ours.seconds);
      }
      spent.push({ name, seconds: median(seconds) });
      say(
        `${name}: product / ${baseline}`,
        `${median(ratios).toFixed(2)} (target ${target})`,
        `${ratios.map((ratio) => ratio.toFixed(2)).join(" ")}; ${median(seconds).toFixed(2)} s CPU, at most ${rss.toFixed(0)} MB`,
      );
    }
  }
  const of = (name) => median(spent.filter((one) => one.name === name).map((one) => one.seconds));
  const [keep, rank] = policies;
  say(
    "product keep / product rank, CPU",
    `${(of(keep.name) / of(rank.name)).toFixed(2)} (target 1.6, goal 1.35)`,
  );
}

/** Whole commands on the real bars where they are, else on made-up ones: seven walk-forwards, then one thread and two in turn. */
function timeCommands() {
  const source = existsSync(csvs) ? ["--source", "csv", "--csv-dir", csvs] : ["--source", "synthetic"];
  command(["fetch", ...source]);
  const walk = ["walkforward", "--no-plots"];
  command(walk);
  const walks = Array.from({ length: 7 }, () => command(walk));
  say("pf walkforward --no-plots", `${figures(walks)} (target 0.4 s, goal 0.2 s)`, load());

  const permute = (workers) =>
    command(["permute", "--runs", String(runs), "--workers", String(workers), "--no-plots"]);
  const [one, two] = [[], []];
  for (let pair = 0; pair < pairs; pair++) {
    one.push(permute(1));
    two.push(permute(2));
  }
  const name = (workers) => `pf permute --runs ${runs} --workers ${workers} --no-plots`;
  say(name(1), `${figures(one)} (target 120 MB, goal 70 MB)`, load());
  say(name(2), `${figures(two)} (target 6 s and 160 MB, goal 3.5 s and 100 MB)`, load());
  const ratios = one.map(({ wall }, at) => wall / two[at].wall);
  say(
    "wall of 1 worker / wall of 2",
    `${median(ratios).toFixed(2)} (target 1.7, goal 1.8)`,
    `${ratios.map((ratio) => ratio.toFixed(2)).join(" ")}; ${load()}; meaningless unless the machine is idle`,
  );
}

function figures(times) {
  const [wall, seconds] = [median(times.map((one) => one.wall)), median(times.map((one) => one.seconds))];
  const best = Math.min(...times.map((one) => one.wall));
  const megabytes = Math.max(...times.map((one) => one.megabytes));
  return `${wall.toFixed(2)} s wall, best ${best.toFixed(2)} s, ${seconds.toFixed(2)} s CPU, at most ${megabytes.toFixed(0)} MB`;
}

function load() {
  return `load average ${loadavg()[0].toFixed(1)} on ${availableParallelism()} cores`;
}

/** Wall time of a command with its start, its CPU time and its largest resident set, threads included. */
function command(words) {
  const usage = join(folder, "usage.json");
  const tell = `import { writeFileSync } from "node:fs";
    process.on("exit", () => writeFileSync(${JSON.stringify(usage)}, JSON.stringify(process.resourceUsage())));`;
  const before = ["--import", `data:text/javascript,${encodeURIComponent(tell)}`];
  const started = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [...before, pf, ...words, "--quiet"], {
    cwd: folder,
    encoding: "utf8",
  });
  const wall = (performance.now() - started) / 1000;
  if (status !== 0) throw new Error(`pf ${words.join(" ")} ended with ${status}: ${stderr}`);
  const { userCPUTime, systemCPUTime, maxRSS } = JSON.parse(readFileSync(usage, "utf8"));
  return { wall, seconds: (userCPUTime + systemCPUTime) / 1e6, megabytes: maxRSS / 1024 };
}

/** Largest difference, relative or absolute, of all objectives and all permuted bests; ends the run above 1e-9. */
function agree(source, { args, windows }, flags, targets) {
  const few = ["--runs", "20", "--dump"];
  const ours = join(folder, "ours.json");
  writeFileSync(ours, output(["node", job, ...args, ...windows, ...flags, ...few]));
  let worst = 0;
  for (const baseline of Object.keys(targets)) {
    const theirs = join(folder, "theirs.json");
    writeFileSync(theirs, output([join(folder, baseline), ...args, "perm", ...windows, ...flags, ...few]));
    const found = spawnSync("node", ["compare.mjs", ours, theirs], { cwd: source, encoding: "utf8" });
    if (found.status !== 0)
      throw new Error(`the numbers disagree with ${baseline}: ${found.stdout}${found.stderr}`);
    const { maxDiffObjective, maxDiff_perm: maxDiffBest } = JSON.parse(found.stdout);
    worst = Math.max(worst, maxDiffObjective, maxDiffBest);
  }
  return worst;
}

function output([command, ...args]) {
  return execFileSync(command, args, { encoding: "utf8", maxBuffer: 1 << 28 });
}

/** User and system time of a process in seconds; the product also tells its largest resident set. */
function cpu([command, ...args]) {
  const usage = join(folder, "usage");
  const timed = spawnSync("sh", ["-c", `"$@" && times > ${usage}`, "sh", command, ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (timed.status !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${timed.status}`);
  const children = readFileSync(usage, "utf8").trim().split("\n").at(-1);
  const seconds = [...children.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, m, s]) => sum + 60 * m + Number(s),
    0,
  );
  return { seconds, megabytes: JSON.parse(timed.stdout).maxRssMegabytes ?? 0 };
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function say(...columns) {
  process.stdout.write(`${columns.join("  |  ")}\n`);
}
