import { type Registry, registry } from "./registry.js";
import { equal } from "./weightings/equal.js";
import { equalRisk } from "./weightings/equalRisk.js";
import { hierarchicalRisk } from "./weightings/hierarchicalRisk.js";
import { inverseVolatility } from "./weightings/inverseVolatility.js";
import { minimumVariance } from "./weightings/minimumVariance.js";
import type { WeightingFactory } from "./weightings/weighting.js";

/** The weightings a configuration can name; add one with `builtinWeightings.with("mine", () => myMethod)`. */
export const builtinWeightings: Registry<WeightingFactory> = registry("weighting", {
  inv_vol: inverseVolatility,
  equal,
  erc: equalRisk,
  hrp: hierarchicalRisk,
  min_var: minimumVariance,
});
