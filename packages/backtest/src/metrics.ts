import type { SessionDate } from "@pf/market";
import type { BacktestResult, Metrics } from "./result.js";

/** Sessions of a year, by which daily figures are annualised. */
export const sessionsPerYear = 252;

/**
 * How many rows make a year: 252 times the rows that a session has on average, those of the whole panel counted. Daily
 * bars have one row a session, so 252; hours of New York have seven, less what half days lack: about 1,760.
 *
 * It is a property of the data that somebody computes on, and one number for all of it: windows and folds of one panel
 * are annualised by the panel's, so that they compare. Measured by sessions and not by the calendar, it does not depend
 * on where in a year the data begins, and bars that repeat daily ones as one bar a session give the daily figures.
 *
 * @param sessions - the session of each row, ascending
 */
export function rowsPerYear(sessions: readonly SessionDate[]): number {
  let different = 0;
  for (let row = 0; row < sessions.length; row++) if (sessions[row] !== sessions[row - 1]) different++;
  return different === 0 ? sessionsPerYear : (sessionsPerYear * sessions.length) / different;
}
const sessionsPerMonth = 21;
/** Turnover of rounding alone is no rebalance. */
const tradedAtLeast = 1e-9;

/**
 * Performance of a run over all of its rows, warm-up and first row included.
 *
 * Growth, volatility, Sharpe, Sortino and turnover a year are those of a row, taken to `periodsPerYear` rows; drawdown,
 * profit factor, turnover and the counts are of the rows as they are. A month is 21 of a year's 252 sessions, however
 * many rows they have. Hourly rows count each hour with a trade as a rebalance, also two in one session.
 *
 * @param periodsPerYear - rows of a year: 252 for daily bars, {@link rowsPerYear} of the whole panel for hourly ones
 * @returns `NaN` for what is undefined: Calmar without a drawdown, PF and Sortino without a loss, Sharpe without
 *   variance, everything but the counts of a run without rows
 */
export function measure(
  result: Pick<BacktestResult, "net" | "turnover">,
  periodsPerYear: number = sessionsPerYear,
): Metrics {
  const { net, turnover } = result;
  const bars = net.length;
  const returns = measureReturns(net, periodsPerYear);
  const turned = sumOf(turnover, bars);
  const rebalanceDays = countTrades(turnover, bars);
  return {
    CAGR: returns.CAGR,
    Sharpe: returns.Sharpe,
    Sortino: returns.Sortino,
    AnnualVol: returns.AnnualVol,
    MaxDD: returns.MaxDD,
    Calmar: returns.Calmar,
    PF: returns.PF,
    Turnover: turned,
    TurnoverAnnual: (turned * periodsPerYear) / bars,
    RebalanceDays: rebalanceDays,
    RebalancesPerMonth: (rebalanceDays * sessionsPerMonth * periodsPerYear) / sessionsPerYear / bars,
    FinalEquity: returns.FinalEquity,
    Bars: bars,
  };
}

function sumOf(turnover: Float64Array, bars: number): number {
  let sum = 0;
  for (let row = 0; row < bars; row++) sum += turnover[row]!;
  return sum;
}

function countTrades(turnover: Float64Array, bars: number): number {
  let count = 0;
  for (let row = 0; row < bars; row++) if (turnover[row]! > tradedAtLeast) count++;
  return count;
}

/**
 * What a column of returns alone tells; conventions as {@link measure}.
 *
 * @param net - returns a period, as fractions
 */
export function measureReturns(
  net: Float64Array,
  periodsPerYear: number = sessionsPerYear,
): Pick<Metrics, "CAGR" | "Sharpe" | "Sortino" | "AnnualVol" | "MaxDD" | "Calmar" | "PF" | "FinalEquity"> {
  const bars = net.length;
  let equity = 1;
  let peak = 1;
  let deepest = 0;
  let sum = 0;
  let gains = 0;
  let losses = 0;
  let downside = 0;
  let varies = false;
  for (let row = 0; row < bars; row++) {
    const value = net[row]!;
    equity *= 1 + value;
    if (equity > peak) peak = equity;
    const fall = 1 - equity / peak;
    if (fall > deepest) deepest = fall;
    sum += value;
    if (value > 0) gains += value;
    else if (value < 0) {
      losses -= value;
      downside += value * value;
    }
    if (value !== net[0]) varies = true;
  }
  const mean = sum / bars;
  let squares = 0;
  for (let row = 0; row < bars; row++) {
    const deviation = net[row]! - mean;
    squares += deviation * deviation;
  }
  // Equal returns have no variance, whatever rounding leaves of it.
  const deviation = bars < 2 ? Number.NaN : varies ? Math.sqrt(squares / (bars - 1)) : 0;
  const annual = Math.sqrt(periodsPerYear);
  // A return that is not a number leaves the equity so: then nothing is known, least of all that nothing fell.
  const known = bars > 0 && !Number.isNaN(equity);
  // exp and log agree between engines where pow does not: equal results must be equal bytes.
  const growth = !known
    ? Number.NaN
    : equity > 0
      ? Math.exp((Math.log(equity) * periodsPerYear) / bars) - 1
      : -1;
  const deepestFall = known ? deepest : Number.NaN;
  return {
    CAGR: growth,
    Sharpe: orUndefined(mean * annual, deviation),
    Sortino: orUndefined(mean * annual, Math.sqrt(downside / bars)),
    AnnualVol: deviation * annual,
    MaxDD: deepestFall,
    Calmar: orUndefined(growth, deepestFall),
    PF: known ? orUndefined(gains, losses) : Number.NaN,
    FinalEquity: known ? equity : Number.NaN,
  };
}

function orUndefined(numerator: number, denominator: number): number {
  return denominator > 0 ? numerator / denominator : Number.NaN;
}
