export type {
  SimulatedAccount,
  SimulatedSymbol,
  Simulator,
  SimulatorOptions,
  SimulatorSpeed,
} from "./options.js";
