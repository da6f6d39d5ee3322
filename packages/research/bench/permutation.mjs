// One permutation job as a process of its own, so that its CPU and memory can be measured: the grid of the default
// configuration on every window and on `runs` re-orderings of it. Prints the sum of the best objectives; with --dump
// every objective and every best, in the fields that the comparison with the baseline reads.
//
//   node bench/permutation.mjs prices.bin --windows prices.windows --keep --band 0.05 --runs 200 [--dump]
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { alignPanel, dateOfDayNumber } from "@pf/market";
import { createGridKernel, rowOrder, rowPatterns } from "../dist/index.js";

const {
  values,
  positionals: [file],
} = parseArgs({
  allowPositionals: true,
  options: {
    windows: { type: "string" },
    runs: { type: "string", default: "200" },
    seed: { type: "string", default: "42" },
    band: { type: "string", default: "0" },
    keep: { type: "boolean", default: false },
    dump: { type: "boolean", default: false },
  },
});
const runs = Number(values.runs);
const seed = Number(values.seed);

const panel = readPanel(file);
const study = {
  options: {
    features: {
      atrWindow: 20,
      emaFast: 20,
      emaSlow: 50,
      macd: { enabled: false, fast: 12, slow: 26, signal: 9 },
    },
    selection: {
      topN: 2,
      corrWindow: 90,
      corrCap: 0.7,
      minScore: 0,
      incumbents: values.keep ? "keep" : "rank",
    },
    weights: { method: "inv_vol", volWindow: 20, maxWeightPerAsset: 0.5, cashBuffer: 0.05 },
    rebalance: { minWeightChange: Number(values.band) },
  },
  costs: { commissionPerShare: 0.0035, slippageBps: 1 },
  lag: 1,
  grid: { ema_fast: [10, 20, 30], ema_slow: [40, 50, 80], top_n: [1, 2, 3], corr_cap: [0.6, 0.7, 0.8] },
  objective: "Calmar",
};

let sum = 0;
const folds = [];
const perm = [];
for (const [fold, [from, to]] of windows().entries()) {
  const window = panel.between(from, to);
  const kernel = createGridKernel(window, study);
  const patterns = rowPatterns(window);
  const order = new Int32Array(to - from);
  const real = kernel.evaluate();
  if (values.dump) folds.push({ fold, arg: position(real), calmar: Array.from(real, orNull) });
  for (let run = 0; run < runs; run++) {
    const best = highest(kernel.evaluate(rowOrder(patterns, seed, fold, run, order)));
    sum += best;
    if (values.dump) perm.push(orNull(best));
  }
}
process.stdout.write(
  `${JSON.stringify(values.dump ? { folds, perm } : { sumBest: sum, maxRssMegabytes: process.resourceUsage().maxRSS / 1024 })}\n`,
);

function highest(objectives) {
  let best = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < objectives.length; k++) if (objectives[k] > best) best = objectives[k];
  return best;
}

function position(objectives) {
  let at = 0;
  for (let k = 1; k < objectives.length; k++) {
    if (objectives[k] > (Number.isNaN(objectives[at]) ? Number.NEGATIVE_INFINITY : objectives[at]) + 1e-12)
      at = k;
  }
  return at;
}

function orNull(value) {
  return Number.isFinite(value) ? value : null;
}

/** Train windows as rows: of the file, or 756 rows every 63. */
function windows() {
  if (values.windows) {
    return readFileSync(values.windows, "utf8")
      .trim()
      .split("\n")
      .map((line) => line.split(" ").map(Number));
  }
  const found = [];
  for (let from = 0; from + 756 + 63 <= panel.sessions.length; from += 63) found.push([from, from + 756]);
  return found;
}

/** The baseline's file: 8 bytes, rows, symbols, then open, high, low and close of each symbol; NaN is no bar. */
function readPanel(path) {
  const bytes = readFileSync(path);
  const rows = bytes.readUInt32LE(8);
  const names = bytes.readUInt32LE(12);
  const numbers = new Float64Array(
    bytes.buffer.slice(bytes.byteOffset + 16, bytes.byteOffset + 16 + rows * names * 32),
  );
  return alignPanel(
    Array.from({ length: names }, (_, i) => {
      const [open, high, low, close] = [0, 1, 2, 3].map((k) =>
        numbers.subarray((i * 4 + k) * rows, (i * 4 + k + 1) * rows),
      );
      const own = Array.from(close.keys()).filter((row) => !Number.isNaN(close[row]));
      const column = (values) => Float64Array.from(own, (row) => values[row]);
      return {
        ticker: `S${i}`,
        sessions: own.map((row) => dateOfDayNumber(10_000 + row)),
        open: column(open),
        high: column(high),
        low: column(low),
        close: column(close),
        volume: new Float64Array(own.length).fill(1),
      };
    }),
  );
}
