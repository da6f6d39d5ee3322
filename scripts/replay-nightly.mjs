// `pnpm soak:replay`: eleven years by the live path at a simulated broker, held to the account engine to the cent; on a
// synthetic market with dividends, and on real bars where ../shared/data/etf-daily is. A night's work: some minutes each.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { program, root } from "./pf.mjs";

const [start = "2015-06-01", end = "2025-12-31"] = process.argv.slice(2);
const home = mkdtempSync(join(tmpdir(), "pf-soak-replay-"));
process.on("exit", () => rmSync(home, { recursive: true, force: true }));

// Live trading does not decide on half a market, and XLE lacks a session now and then in the synthetic one.
const synthetic = {
  data: "synthetic",
  fetch: ["--source", "synthetic"],
  universe: "[SPY, QQQ, VTI, TLT, IEF, GLD, BND, BITO]",
};
const files = "../shared/data/etf-daily";
const real = {
  data: "real",
  fetch: ["--source", "csv", "--csv-dir", files],
  universe: "[SPY, QQQ, VTI, TLT, IEF, GLD, XLE, BND, BITO]",
};
const markets = existsSync(join(root, files)) ? [synthetic, real] : [synthetic];
if (markets.length === 1) process.stdout.write(`real bars are not tried: there is no ${files}\n`);

const ways = [
  { name: "default", set: [] },
  {
    name: "parts of shares, last complete bar",
    set: [
      "execution.quantity=fractional",
      "rebalance.decision_bar=last_complete",
      "costs.commission_plan=ibkr_fixed",
    ],
  },
  {
    name: "literal rule",
    set: ["selection.incumbents=rank", "rebalance.min_weight_change=0", "costs.commission_plan=ibkr_tiered"],
  },
  { name: "default, prices move", set: [], words: ["--intraday", "path"] },
];

let failed = false;
for (const market of markets) {
  run(market, ["fetch", ...market.fetch, "--end", end, "--quiet"]);
  for (const { name, set, words = [] } of ways) {
    const began = performance.now();
    const range = ["--start", start, "--end", end];
    const { status, document } = run(market, ["replay", ...range, ...words, "--quiet", "--json"], set);
    const seconds = (performance.now() - began) / 1000;
    const { sessions = [], fills = [], equity = [], difference, error } = document;
    const rate = `${sessions.length} sessions in ${seconds.toFixed(0)} s, ${(sessions.length / seconds).toFixed(1)} a second`;
    const last = equity.at(-1);
    const told = difference
      ? `${difference.equal ? "equal" : `${difference.cents / 100} dollars, ${difference.bps.toFixed(1)} bps`}; ${fills.length} fills, worth ${last.replay} and ${last.account}`
      : "";
    process.stdout.write(
      `${market.data}, ${name}: ${rate}; ${told}${error ? `\n  ${error.code}: ${error.message}` : ""}\n`,
    );
    if (status !== 0) failed = true;
  }
}
if (failed) process.exitCode = 1;

/** Runs `pf` on a market; what it says on standard error is passed through. */
function run({ data, universe }, words, set = []) {
  const settings = [`universe=${universe}`, ...set].flatMap((setting) => ["--set", setting]);
  const folders = [
    "--data-dir",
    join(home, data),
    "--out",
    join(home, "reports"),
    "--state-dir",
    join(home, "state"),
  ];
  const { status, stdout, error } = spawnSync(
    process.execPath,
    [program, ...words, ...settings, ...folders],
    { cwd: root, stdio: ["ignore", "pipe", "inherit"], encoding: "utf8", maxBuffer: 2 ** 28 },
  );
  if (error) throw error;
  if (words[0] !== "replay") {
    if (status !== 0) process.exit(status ?? 1);
    return { status, document: {} };
  }
  return { status, document: JSON.parse(stdout) };
}
