import { addMonths, type SessionDate } from "@pf/market";
import { WindowError, WindowOptionsError } from "./errors.js";

export interface WalkForwardOptions {
  /** Calendar years to choose parameters on. */
  readonly trainYears: number;
  /** Calendar months after it to apply them to; the windows step by the same span. */
  readonly oosMonths: number;
}

/** One step of a walk-forward: rows to choose on, and the rows that follow to apply the choice to. Plain data. */
export interface Fold {
  /** Counted from 0. */
  readonly index: number;
  /** Panel rows `trainFrom..oosFrom` train, `oosFrom..oosTo` apply; ends excluded. */
  readonly trainFrom: number;
  readonly oosFrom: number;
  readonly oosTo: number;
  /** First and last session inside each span. */
  readonly trainStart: SessionDate;
  readonly trainEnd: SessionDate;
  readonly oosStart: SessionDate;
  readonly oosEnd: SessionDate;
}

/**
 * Calendar-exact rolling windows. Fold `k` trains on the sessions in `[d0 + k steps, d0 + k steps + years)`, where `d0` is
 * the first session's date, and is applied to the step that follows; the last step may be cut short by the data. Months
 * are added to `d0` itself and end-of-month dates are clamped, so that no fold drifts. Spans without any session (data
 * with a gap of months) make no fold.
 *
 * @throws WindowOptionsError when a span is no whole number of at least 1
 * @throws WindowError when the data does not reach past the first train window
 */
export function planWalkForward(
  sessions: readonly SessionDate[],
  { trainYears, oosMonths }: WalkForwardOptions,
): readonly Fold[] {
  for (const [name, value] of [
    ["trainYears", trainYears],
    ["oosMonths", oosMonths],
  ] as const) {
    if (!(Number.isInteger(value) && value >= 1)) throw new WindowOptionsError(name, value);
  }
  const first = sessions[0];
  const last = sessions.at(-1);
  if (first === undefined || last === undefined) throw new WindowError(0, first, last, undefined, trainYears);

  const folds: Fold[] = [];
  for (let step = 0; ; step++) {
    const oosDate = addMonths(first, step * oosMonths + trainYears * 12);
    if (oosDate > last) break;
    const trainFrom = rowOnOrAfter(sessions, addMonths(first, step * oosMonths));
    const oosFrom = rowOnOrAfter(sessions, oosDate);
    const oosTo = rowOnOrAfter(sessions, addMonths(first, (step + 1) * oosMonths + trainYears * 12));
    if (trainFrom === oosFrom || oosFrom === oosTo) continue;
    folds.push({
      index: folds.length,
      trainFrom,
      oosFrom,
      oosTo,
      trainStart: sessions[trainFrom]!,
      trainEnd: sessions[oosFrom - 1]!,
      oosStart: sessions[oosFrom]!,
      oosEnd: sessions[oosTo - 1]!,
    });
  }
  if (folds.length === 0) {
    throw new WindowError(sessions.length, first, last, addMonths(first, trainYears * 12), trainYears);
  }
  return folds;
}

/** The first row of that date or a later one; the number of rows if there is none. */
function rowOnOrAfter(sessions: readonly SessionDate[], date: SessionDate): number {
  let low = 0;
  let high = sessions.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sessions[middle]! < date) low = middle + 1;
    else high = middle;
  }
  return low;
}
