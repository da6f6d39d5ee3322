import type { Block } from "./blocks.js";
import type { RowTrace } from "./rowTrace.js";

/** What the pass over the rows needs to know beside the columns in {@link Memory}. */
export interface RowTask {
  readonly block: Block;
  readonly rows: number;
  readonly names: number;
  readonly stride: number;
  /** Symbols that may be held at some time, ascending. */
  readonly active: Int32Array;
  readonly activeCount: number;
  /** First row on which anything may be held. */
  readonly firstDecision: number;
  readonly lag: 1 | 2;
  readonly keep: boolean;
  readonly equalWeights: boolean;
  /** Whether sums for other metrics than final equity and drawdown are wanted. */
  readonly withSums: boolean;
  /** Told what the lanes hold after every row. */
  readonly trace: RowTrace | undefined;
}
