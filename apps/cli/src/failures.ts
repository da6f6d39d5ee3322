// See services.ts: a command that does not fail need not load what failures mean.
export { describeFailure, exitCodeOf } from "@pf/app";
