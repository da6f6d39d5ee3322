import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { BacktestResult, Metrics, TargetSeries } from "@pf/backtest";
import { dateOfDayNumber, dayNumber, type SessionDate, sessionDate, type Weights } from "@pf/market";
import type { BacktestReportInput } from "../src/index.js";

/** Consecutive weekdays. */
export function weekdays(from: string, count: number): SessionDate[] {
  const days: SessionDate[] = [];
  for (let day = dayNumber(sessionDate(from)); days.length < count; day++) {
    const weekday = (day + 4) % 7;
    if (weekday !== 0 && weekday !== 6) days.push(dateOfDayNumber(day));
  }
  return days;
}

/** A run with these net returns; a tenth of a basis point of costs wherever the targets change. */
export function runOf(
  sessions: readonly SessionDate[],
  net: readonly number[],
  weights: readonly Weights[] = [],
): BacktestResult {
  const zeros = () => new Float64Array(sessions.length);
  const turnover = zeros();
  const tickers = ["SPY", "TLT", "GLD"];
  for (let row = 0; row < sessions.length; row++) {
    for (const ticker of tickers) {
      turnover[row]! += Math.abs((weights[row]?.[ticker] ?? 0) - (weights[row - 1]?.[ticker] ?? 0));
    }
  }
  const slippage = turnover.map((value) => value * 1e-5);
  let growth = 1;
  return {
    sessions,
    tickers,
    net: Float64Array.from(net),
    gross: slippage.map((cost, row) => net[row]! + cost),
    turnover,
    commission: zeros(),
    slippage,
    equity: Float64Array.from(net, (value) => {
      growth *= 1 + value;
      return growth;
    }),
    targets: targetsOf(sessions, tickers, weights),
  };
}

function targetsOf(
  sessions: readonly SessionDate[],
  tickers: readonly string[],
  weights: readonly Weights[],
): TargetSeries {
  const rows = sessions.map((_, row) =>
    tickers.flatMap((ticker, symbol) =>
      weights[row]?.[ticker] ? [{ symbol, weight: weights[row][ticker] }] : [],
    ),
  );
  let end = 0;
  return {
    sessions,
    tickers,
    rowStart: Int32Array.from([0, ...rows.map((entries) => (end += entries.length))]),
    symbol: Int32Array.from(rows.flat().map(({ symbol }) => symbol)),
    weight: Float64Array.from(rows.flat().map(({ weight }) => weight)),
    at: (row) => weights[row] ?? {},
  };
}

/** The metrics by their definitions, as plainly as they can be written. */
export function metricsOf({ net, turnover, equity, sessions }: BacktestResult): Metrics {
  const bars = sessions.length;
  const final = equity[bars - 1]!;
  const mean = net.reduce((sum, one) => sum + one, 0) / bars;
  const variance = net.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (bars - 1);
  const downside = Math.sqrt(net.reduce((sum, one) => sum + Math.min(one, 0) ** 2, 0) / bars);
  let [high, MaxDD] = [1, 0];
  for (const value of equity) {
    high = Math.max(high, value);
    MaxDD = Math.max(MaxDD, 1 - value / high);
  }
  const sumOf = (sign: number) => net.reduce((sum, one) => sum + Math.max(0, sign * one), 0);
  const CAGR = Math.exp((Math.log(final) * 252) / bars) - 1;
  const traded = turnover.filter((value) => value > 0).length;
  const Turnover = turnover.reduce((sum, one) => sum + one, 0);
  return {
    CAGR,
    Sharpe: variance > 0 ? (mean / Math.sqrt(variance)) * Math.sqrt(252) : Number.NaN,
    MaxDD,
    AnnualVol: Math.sqrt(variance * 252),
    Sortino: downside > 0 ? (mean / downside) * Math.sqrt(252) : Number.NaN,
    Calmar: MaxDD > 0 ? CAGR / MaxDD : Number.NaN,
    PF: sumOf(-1) > 0 ? sumOf(1) / sumOf(-1) : Number.NaN,
    Turnover,
    TurnoverAnnual: (Turnover * 252) / bars,
    RebalanceDays: traded,
    RebalancesPerMonth: (traded * 21) / bars,
    FinalEquity: final,
    Bars: bars,
  };
}

export function reportOf(
  result: BacktestResult,
  benchmarks: Partial<Record<"SPY" | "equal_weight" | "60_40", BacktestResult>> = {},
): BacktestReportInput {
  const labels = { SPY: "SPY held", equal_weight: "Equal weight of the universe", "60_40": "60/40 SPY/IEF" };
  return {
    manifest: { version: "0.0.0", command: "backtest", seed: 42, data: { SPY: "ab12" } },
    result,
    metrics: metricsOf(result),
    benchmarks: (["SPY", "equal_weight", "60_40"] as const).flatMap((key) => {
      const other = benchmarks[key];
      return other ? [{ key, label: labels[key], result: other, metrics: metricsOf(other) }] : [];
    }),
    plots: false,
  };
}

/** Normal-looking returns from a small generator, so that a picture is the same on every machine. */
export function walk(seed: number, count: number, drift = 0.0004, volatility = 0.01): number[] {
  let state = seed >>> 0 || 1;
  const draw = () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
  return Array.from({ length: count }, () => {
    let sum = -6;
    for (let index = 0; index < 12; index++) sum += draw();
    return drift + volatility * sum;
  });
}

const bars = new URL("../../../../shared/data/etf-daily/", import.meta.url);
export const realBarsThere = existsSync(bars);

/**
 * Eleven years that look like a real report: holdings rotated by a plain momentum rule and three benchmarks, on real
 * bars where the folder `../shared` is beside the project, else on seeded walks.
 */
export function elevenYears(): BacktestReportInput {
  const sessions = realBarsThere ? readCloses("SPY").map(([date]) => date) : weekdays("2015-01-02", 2849);
  const series = ["SPY", "TLT", "GLD", "IEF"].map((symbol, index) =>
    realBarsThere
      ? returnsOf(symbol)
      : walk(index + 7, sessions.length, 0.0004 - index * 0.0001, 0.011 - index * 0.002),
  );
  const [spy, tlt, gld, ief] = series as [number[], number[], number[], number[]];
  const weights: Weights[] = [];
  const net = sessions.map((_, row) => {
    const held = weights[row - 1] ?? {};
    const momentum = (of: number[]) =>
      of.slice(Math.max(0, row - 120), row + 1).reduce((sum, one) => sum + one, 0);
    const best = [
      ...([
        ["SPY", spy],
        ["TLT", tlt],
        ["GLD", gld],
      ] as const),
    ].sort((a, b) => momentum(b[1]) - momentum(a[1]));
    const keep = row % 21 !== 0;
    weights.push(row < 120 ? {} : keep ? held : { [best[0]![0]]: 0.5, [best[1]![0]]: 0.45 });
    return (held.SPY ?? 0) * spy[row]! + (held.TLT ?? 0) * tlt[row]! + (held.GLD ?? 0) * gld[row]!;
  });
  const mixed = (...parts: (readonly [number, readonly number[]])[]) =>
    runOf(
      sessions,
      sessions.map((_, row) => parts.reduce((sum, [weight, of]) => sum + weight * of[row]!, 0)),
    );
  return reportOf(runOf(sessions, net, weights), {
    SPY: mixed([1, spy]),
    equal_weight: mixed([0.25, spy], [0.25, tlt], [0.25, gld], [0.25, ief]),
    "60_40": mixed([0.6, spy], [0.4, ief]),
  });
}

function readCloses(symbol: string): (readonly [SessionDate, number])[] {
  const lines = readFileSync(fileURLToPath(new URL(`${symbol}.csv`, bars)), "utf8")
    .trim()
    .split("\n")
    .slice(1);
  return lines.map((line) => {
    const cells = line.split(",");
    return [sessionDate(cells[0]!), Number(cells[4])] as const;
  });
}

function returnsOf(symbol: string): number[] {
  const closes = readCloses(symbol).map(([, close]) => close);
  return closes.map((close, row) => (row === 0 ? 0 : close / closes[row - 1]! - 1));
}
