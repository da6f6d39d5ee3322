export { normalizeWithCaps } from "./caps.js";
export type { CovarianceEstimator } from "./covariance.js";
export type { Candidate, Decision, Reason } from "./decision.js";
export { reasons } from "./decision.js";
export { ExtensionError, RowRangeError, StrategyOptionsError, UnknownNameError } from "./errors.js";
export type { Features } from "./features.js";
export { createFeatures, windowFeatures } from "./features.js";
export type {
  FeatureOptions,
  OverlayOptions,
  RebalanceOptions,
  SelectionOptions,
  StrategyOptions,
  WeightOptions,
} from "./options.js";
export { defaultOptions } from "./options.js";
export type {
  OverlayFactory,
  OverlayProblem,
  OverlayVerdict,
  OverlayView,
  RegimeOverlay,
} from "./overlays/overlay.js";
export { builtinOverlays, overlayProblems } from "./overlays.js";
export type { Registry } from "./registry.js";
export type { ColumnScore, ScoreFactory, ScoreFunction, ScoreView } from "./scores.js";
export { builtinScores } from "./scores.js";
export type { Extensions, PreparedStrategy, Strategy } from "./strategy.js";
export { createStrategy } from "./strategy.js";
export type { WeightingFactory, WeightingInput, WeightingMethod } from "./weightings/weighting.js";
export { builtinWeightings } from "./weightings.js";
