export type { Candidate, Decision, Reason } from "./decision.js";
export { reasons } from "./decision.js";
export type {
  FeatureOptions,
  OverlayOptions,
  RebalanceOptions,
  SelectionOptions,
  StrategyOptions,
  WeightOptions,
} from "./options.js";
