// Times whole commands as a person waits for them, from the built command line: `pnpm bench`.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const pf = fileURLToPath(new URL("../bin/run.js", import.meta.url));
const csvs = fileURLToPath(new URL("../../../../shared/data/etf-daily/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "pf-bench-"));

try {
  const source = existsSync(csvs) ? ["--source", "csv", "--csv-dir", csvs] : ["--source", "synthetic"];
  run(["fetch", ...source]);
  say("node, doing nothing", node(["-e", ""]), "");
  say("pf --help", () => run(["--help"]), "target 0.2 s");
  say("pf backtest --no-plots", () => run(["backtest", "--no-plots"]), "target 1 s");
  say("pf backtest", () => run(["backtest"]), "target 2.5 s");
  say("pf weights", () => run(["weights"]), "");
} finally {
  rmSync(folder, { recursive: true });
}

function run(words) {
  node([pf, ...words, "--quiet"])();
}

function node(words) {
  return () => {
    const { status, stderr } = spawnSync(process.execPath, words, { cwd: folder, encoding: "utf8" });
    if (status !== 0) throw new Error(`${words.join(" ")} ended with ${status}: ${stderr}`);
  };
}

/** The median and the best of seven whole processes, after one that warms the disk cache. */
function say(what, once, target) {
  once();
  const seconds = Array.from({ length: 7 }, () => {
    const started = performance.now();
    once();
    return (performance.now() - started) / 1000;
  }).sort((a, b) => a - b);
  console.log(`${what.padEnd(40)} ${seconds[3].toFixed(3)} s, best ${seconds[0].toFixed(3)} s   ${target}`);
}
