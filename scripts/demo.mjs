// `make demo`: a market out of a seed, fetched and backtested in a folder of its own, so that it never meets real data.
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { pfOrExit, root } from "./pf.mjs";

// A fixed end: the market, the numbers and the pictures are the same on every machine and on every day.
const span = ["--start", "2015-01-02", "--end", "2025-12-31"];
const folders = ["--data-dir", "demo/data", "--out", "demo/reports", "--state-dir", "demo/state"];

pfOrExit("fetch", "--source", "synthetic", ...span, ...folders);
pfOrExit("backtest", ...folders);

const say = (text = "") => process.stdout.write(`${text}\n`);
const filesIn = (folder) =>
  readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .sort();

const symbols = filesIn("demo/data/parquet").filter((name) => /^[^.]+\.parquet$/.test(name)).length;

say();
say("The demo made");
say(`  demo/data/parquet   daily bars of ${symbols} synthetic symbols, adjusted and unadjusted`);
say("  demo/reports        the default strategy on them, 2015 to 2025:");
for (const name of filesIn("demo/reports")) {
  const kilobytes = Math.max(1, Math.round(statSync(join(root, "demo/reports", name)).size / 1024));
  say(`    ${name.padEnd(18)}${String(kilobytes).padStart(5)} KB`);
}
say("  demo/reports/logs   what the run did and when, one file for each run");
say("Nothing outside demo/ was written; remove the folder to forget it.");
say();
say("Three commands to try next");
say("  node apps/cli/bin/run.js weights --data-dir demo/data");
say("      what to hold after the last session, and why every other symbol is out");
say("  node apps/cli/bin/run.js backtest --data-dir demo/data --out demo/one --set selection.top_n=1");
say("      the same market with one holding at a time");
say("  make fetch DATA=path/to/csvs && make backtest");
say("      your own bars: a folder with one SYMBOL.csv for each symbol");
