import type { Rule } from "./schema.js";

/** What goes wrong, and when. */
export interface Scenario {
  readonly name: string;
  readonly rules: readonly Rule[];
}
