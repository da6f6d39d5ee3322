export type { ScenarioIssue } from "./errors.js";
export { PortInUseError, ScenarioError, SimulatorOptionsError, WireLogError } from "./errors.js";
export type {
  SimulatedAccount,
  SimulatedSymbol,
  Simulator,
  SimulatorOptions,
  SimulatorSpeed,
} from "./options.js";
export type { Scenario } from "./scenario/scenario.js";
export { loadScenario, parseScenario } from "./scenario/scenario.js";
export type { WrittenAction } from "./scenario/schema.js";
export type { Replay, ReplayDifference, ReplayOptions } from "./server/replay.js";
export { replayWireLog } from "./server/replay.js";
export { startSimulator } from "./start.js";
export type {
  VenueAccount,
  VenueHolding,
  VenueInstrument,
  VenueLatency,
  VenueOptions,
  VenueSplit,
} from "./venue/options.js";
export type {
  AccountFigures,
  Arrangement,
  Contract,
  ContractQuery,
  Execution,
  ExecutionFilter,
  HistoryAnswer,
  HistoryRequest,
  NewOrder,
  OrderState,
  Position,
  Quote,
  Venue,
  VenueBar,
  VenueError,
  VenueEvent,
  WhatIf,
} from "./venue/venue.js";
