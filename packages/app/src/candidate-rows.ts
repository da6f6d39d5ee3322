import type { Ticker } from "@pf/market";
import type { Candidate, Reason } from "@pf/selection";

/** One symbol of the universe; numbers that are undefined are `null`. */
export interface CandidateRow {
  readonly symbol: Ticker;
  readonly score: number | null;
  readonly eligible: boolean;
  readonly selected: boolean;
  readonly reason: Reason;
  readonly detail: string;
  readonly values: Readonly<Record<keyof Candidate["values"], number | null>>;
}

/** A candidate in the form that survives JSON, which knows no `NaN`. */
export function candidateRow({
  symbol,
  score,
  eligible,
  selected,
  reason,
  detail,
  values,
}: Candidate): CandidateRow {
  const known = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, orNull(value)]));
  return {
    symbol,
    score: orNull(score),
    eligible,
    selected,
    reason,
    detail,
    values: known as CandidateRow["values"],
  };
}

function orNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
