// `make demo`: the whole way, from a broker to weights, in a folder of its own so that it never meets real data. The
// broker is a simulator in a process of its own: everything passes through its socket, as it would with TWS.
import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { pfOrExit, root, startSimulator } from "./pf.mjs";

const started = performance.now();
rmSync(join(root, "demo"), { recursive: true, force: true });

// A clock that stands after a close: the market, the numbers and the pictures are the same on every machine and day.
const simulator = await startSimulator(
  ...["--port", "0", "--clock", "2025-12-31T16:30", "--speed", "frozen", "--quiet"],
);
const { host, port } = simulator.listening;
const broker = ["--set", `ibkr.host=${host}`, "--set", `ibkr.port=${port}`];
const folders = ["--data-dir", "demo/data", "--out", "demo/reports", "--state-dir", "demo/state"];

pfOrExit("connect", ...broker);
pfOrExit("fetch", "--source", "ibkr", "--start", "2015-01-02", "--end", "2025-12-31", ...broker, ...folders);
await simulator.stop();
pfOrExit("backtest", ...folders);
pfOrExit("walkforward", ...folders);
pfOrExit("permute", "--runs", "5", "--windows", "last", ...folders);
pfOrExit("weights", ...folders);

const say = (text = "") => process.stdout.write(`${text}\n`);
const filesIn = (folder) =>
  readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .sort();

const symbols = filesIn("demo/data/parquet").filter((name) => /^[^.]+\.parquet$/.test(name)).length;

say();
say(`The demo made, in ${Math.round((performance.now() - started) / 1000)} seconds`);
say(`  demo/data/parquet   daily bars of ${symbols} symbols, fetched from a simulated broker`);
say("  demo/reports        the default strategy on them, 2015 to 2025, and how much of it is luck:");
for (const name of filesIn("demo/reports")) {
  const kilobytes = Math.max(1, Math.round(statSync(join(root, "demo/reports", name)).size / 1024));
  say(`    ${name.padEnd(24)}${String(kilobytes).padStart(5)} KB`);
}
say("  demo/reports/logs   what each run did and when, one file a run");
say("The simulator has ended. Nothing outside demo/ was written; remove the folder to forget it.");
say();
say("Three commands to try next");
say("  node apps/cli/bin/run.js backtest --data-dir demo/data --out demo/one --set selection.top_n=1");
say("      the same market with one holding at a time");
say("  node apps/cli/bin/run.js sim");
say("      a broker to try everything on: run `connect` beside it, in another terminal");
say("  make fetch DATA=path/to/csvs && make backtest");
say("      your own bars: a folder with one SYMBOL.csv for each symbol");
