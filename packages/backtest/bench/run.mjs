// Times the backtest as a library call, from the built packages: `pnpm bench`. Ratios count, digits depend on the machine.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { alignPanel, dateOfDayNumber } from "@pf/market";
import { createStrategy } from "@pf/selection";
import { measure, runBacktest } from "../dist/index.js";

const costs = { commissionPerShare: 0.0035, slippageBps: 1 };
const strategy = createStrategy({
  features: {
    atrWindow: 20,
    emaFast: 20,
    emaSlow: 50,
    macd: { enabled: false, fast: 12, slow: 26, signal: 9 },
  },
  selection: { topN: 2, corrWindow: 90, corrCap: 0.7, minScore: 0, incumbents: "keep" },
  weights: { method: "inv_vol", volWindow: 20, maxWeightPerAsset: 0.5, cashBuffer: 0.05 },
  rebalance: { minWeightChange: 0.05 },
});
const megabyte = 1024 * 1024;

const [mode, symbols, sessions] = process.argv.slice(2);
if (mode === "--large") large(Number(symbols), Number(sessions));
else report();

function report() {
  const { label, panel } = defaultPanel();
  const times = repeat(80, () => runBacktest(panel, strategy, costs));
  const warm = median(times.slice(40));
  say(
    `default backtest, ${label}`,
    `${warm.toFixed(2)} ms warm (target 10)`,
    `${times[0].toFixed(0)} ms cold`,
  );
  const [small, big] = [500, 3000].map((count) =>
    JSON.parse(
      execFileSync(
        process.execPath,
        ["--expose-gc", fileURLToPath(import.meta.url), "--large", String(count), "2520"],
        {
          encoding: "utf8",
        },
      ),
    ),
  );
  say(
    "500 symbols x 2,520 sessions",
    `${small.warm.toFixed(0)} ms`,
    `${small.beyond.toFixed(0)} MB beyond ${small.input.toFixed(0)} MB of bars`,
  );
  say(
    "3,000 symbols x 2,520 sessions",
    `${big.warm.toFixed(0)} ms`,
    `${big.beyond.toFixed(0)} MB beyond ${big.input.toFixed(0)} MB of bars (target 120)`,
  );
  say("3,000 / 500", `${(big.warm / small.warm).toFixed(1)} times (target 8, goal 5)`);
}

/** One large universe in a process of its own: the first run tells its memory, the later ones its warm time. */
function large(count, rows) {
  const panel = walks(count, rows);
  globalThis.gc();
  const before = process.memoryUsage().rss;
  const made = process.resourceUsage().maxRSS * 1024;
  const run = () => {
    if (!(measure(runBacktest(panel, strategy, costs)).Turnover > 10))
      throw new Error("this market trades nothing");
  };
  run();
  // The high-water mark of the process, unless making the bars went higher.
  const high = process.resourceUsage().maxRSS * 1024;
  const peak = high > made ? high : process.memoryUsage().rss;
  const times = repeat(6, run);
  console.log(
    JSON.stringify({
      warm: median(times),
      beyond: (peak - before) / megabyte,
      input: (count * rows * 40) / megabyte,
    }),
  );
}

function defaultPanel() {
  const shared = new URL("../../../../shared/data/etf-daily/", import.meta.url);
  if (!existsSync(shared)) return { label: "9 made-up symbols x 2,849 sessions", panel: walks(9, 2849) };
  const tickers = ["SPY", "QQQ", "VTI", "TLT", "IEF", "GLD", "XLE", "BND", "BITO"];
  const panel = alignPanel(
    tickers.map((ticker) => {
      const [, ...lines] = readFileSync(new URL(`${ticker}.csv`, shared), "utf8")
        .trim()
        .split("\n");
      const cells = lines.map((line) => line.split(","));
      const column = (k) => Float64Array.from(cells, (row) => Number(row[k]));
      const [open, high, low, close, volume] = [1, 2, 3, 4, 5].map(column);
      return { ticker, sessions: cells.map((row) => row[0]), open, high, low, close, volume };
    }),
  );
  return { label: `${tickers.length} ETFs x ${panel.sessions.length} sessions`, panel };
}

function walks(count, rows) {
  let state = 42;
  const draw = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 4_294_967_296;
  };
  const sessions = Array.from({ length: rows }, (_, row) => dateOfDayNumber(12_000 + row));
  const noise = () => draw() + draw() + draw() - 1.5;
  const market = Float64Array.from(sessions, () => noise() * 0.012);
  const series = [];
  for (let k = 0; k < count; k++) {
    const [open, high, low, close, volume] = Array.from({ length: 5 }, () => new Float64Array(rows));
    const beta = draw();
    let price = 100;
    for (let row = 0; row < rows; row++) {
      open[row] = price * (1 + (draw() - 0.5) * 0.004);
      price *= 1 + beta * market[row] + noise() * 0.012 + 0.0002;
      close[row] = price;
      high[row] = Math.max(open[row], price) * (1 + draw() * 0.004);
      low[row] = Math.min(open[row], price) * (1 - draw() * 0.004);
      volume[row] = 1_000_000;
    }
    series.push({ ticker: `S${k}`, sessions, open, high, low, close, volume });
  }
  return alignPanel(series);
}

function repeat(times, run) {
  return Array.from({ length: times }, () => {
    const started = performance.now();
    run();
    return performance.now() - started;
  });
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

function say(what, ...figures) {
  console.log(`${what.padEnd(40)} ${figures.join("   ")}`);
}
