const { measure, runBacktest } = require("@pf/backtest");
const { syntheticSource } = require("@pf/bars");
const { alignPanel, sessionDate, xnys } = require("@pf/market");
const { builtinScores, createStrategy, defaultOptions } = require("@pf/selection");

/**
 * The return of the last half year. The view ends at the session being decided; NaN keeps a symbol out.
 *
 * @type {import("@pf/selection").ScoreFunction}
 */
const momentum = (view) => {
  const close = view.column("close");
  return close.at(-1) / close.at(-127) - 1;
};

async function main() {
  const source = syntheticSource({ seed: 42, calendar: xnys });
  const [from, to] = [sessionDate("2016-01-01"), sessionDate("2025-12-31")];
  const bars = await Promise.all(
    ["SPY", "QQQ", "TLT", "GLD"].map((symbol) => source.fetch(symbol, from, to)),
  );
  const panel = alignPanel(bars.map(({ adjusted }) => adjusted));

  const selection = { ...defaultOptions.selection, score: "momentum" };
  const scores = builtinScores.with("momentum", () => momentum);
  const strategy = createStrategy({ ...defaultOptions, selection }, { scores });
  const metrics = measure(runBacktest(panel, strategy, { commissionPerShare: 0.0035, slippageBps: 1 }));
  console.log(`${metrics.Bars} sessions, ${metrics.RebalanceDays} days with trades`);
  console.log(`CAGR ${(100 * metrics.CAGR).toFixed(1)} %, Sharpe ${metrics.Sharpe.toFixed(2)}`);
  console.log(`deepest fall ${(100 * metrics.MaxDD).toFixed(1)} %`);
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
