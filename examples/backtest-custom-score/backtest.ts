import { measure, runBacktest } from "@pf/backtest";
import { syntheticSource } from "@pf/bars";
import { alignPanel, sessionDate, xnys } from "@pf/market";
import { builtinScores, createStrategy, defaultOptions, type ScoreFunction } from "@pf/selection";

/** The return of the last half year. The view ends at the session being decided; NaN keeps a symbol out. */
const momentum: ScoreFunction = (view) => {
  const close = view.column("close");
  return (close.at(-1) ?? Number.NaN) / (close.at(-127) ?? Number.NaN) - 1;
};

const source = syntheticSource({ seed: 42, calendar: xnys });
const [from, to] = [sessionDate("2016-01-01"), sessionDate("2025-12-31")];
const bars = await Promise.all(["SPY", "QQQ", "TLT", "GLD"].map((symbol) => source.fetch(symbol, from, to)));
const panel = alignPanel(bars.map(({ adjusted }) => adjusted));

const selection = { ...defaultOptions.selection, score: "momentum" };
const scores = builtinScores.with("momentum", () => momentum);
const strategy = createStrategy({ ...defaultOptions, selection }, { scores });
const metrics = measure(runBacktest(panel, strategy, { commissionPerShare: 0.0035, slippageBps: 1 }));
console.log(`${metrics.Bars} sessions, ${metrics.RebalanceDays} days with trades`);
console.log(`CAGR ${(100 * metrics.CAGR).toFixed(1)} %, Sharpe ${metrics.Sharpe.toFixed(2)}`);
console.log(`deepest fall ${(100 * metrics.MaxDD).toFixed(1)} %`);
