// The same weighting without a configuration: registered by name, no line of a package touched.
import { syntheticSource } from "@pf/bars";
import { alignPanel, sessionDate, xnys } from "@pf/market";
import { builtinWeightings, createStrategy, defaultOptions } from "@pf/selection";
import { inverseVariance } from "./my-weighting.js";

const source = syntheticSource({ seed: 42, calendar: xnys });
const [from, to] = [sessionDate("2024-01-01"), sessionDate("2025-06-30")];
const bars = await Promise.all(["SPY", "TLT", "GLD", "XLE"].map((symbol) => source.fetch(symbol, from, to)));
const panel = alignPanel(bars.map(({ adjusted }) => adjusted));

const weightings = builtinWeightings.with("inverse_variance", () => inverseVariance);
for (const method of ["inv_vol", "inverse_variance"]) {
  const weights = { ...defaultOptions.weights, method, maxWeightPerAsset: 0.9 };
  const strategy = createStrategy({ ...defaultOptions, weights }, { weightings });
  const decision = strategy.prepare(panel).decide(panel.sessions.length - 1, {});
  const held = Object.entries(decision.weights).map(
    ([symbol, weight]) => `${symbol} ${(100 * weight).toFixed(1)} %`,
  );
  console.log(`${method}: ${held.join(", ")}`);
}
