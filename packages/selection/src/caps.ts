import { StrategyOptionsError } from "./errors.js";

/**
 * Turns raw weights into fractions of equity under a cap, in place: water-filling. What is left of the budget
 * `1 - cashBuffer` goes to the uncapped names in proportion to their raw weights; a name above the cap is set to the
 * cap and leaves; repeated until none is above. If all are capped, the rest is cash.
 *
 * @param weights - raw weights in, fractions of equity out; only the first `count` values are used
 * @param count - how many names
 * @param cap - largest fraction of one name
 * @param cashBuffer - fraction of equity that is never invested
 */
export function capInPlace(weights: Float64Array, count: number, cap: number, cashBuffer: number): void {
  let left = 1 - cashBuffer;
  // A capped name is marked by its sign, so that no second buffer is needed: raw weights are never negative.
  for (;;) {
    let open = 0;
    for (let k = 0; k < count; k++) if (weights[k]! > 0) open += weights[k]!;
    if (open === 0) break;
    let above = 0;
    for (let k = 0; k < count; k++) {
      if (weights[k]! > 0 && (left * weights[k]!) / open > cap) {
        weights[k] = -1;
        above++;
      }
    }
    if (above === 0) {
      for (let k = 0; k < count; k++) if (weights[k]! > 0) weights[k] = (left * weights[k]!) / open;
      break;
    }
    // Rounding must not leave less than nothing: a negative weight would pass for a capped one below.
    for (let k = 0; k < above; k++) left = Math.max(0, left - cap);
  }
  for (let k = 0; k < count; k++) if (weights[k]! < 0) weights[k] = cap;
}

/**
 * Fractions of equity from raw weights, largest `cap` each, `cashBuffer` left uninvested.
 *
 * @param raw - finite, not negative, in any unit
 * @param cap - above 0, at most 1
 * @param cashBuffer - at least 0, below 1
 * @throws StrategyOptionsError listing every argument out of range
 * @example
 * normalizeWithCaps({ SPY: 3, TLT: 1 }, 0.5, 0.05); // => { SPY: 0.5, TLT: 0.44999999999999996 }
 */
export function normalizeWithCaps(
  raw: Readonly<Record<string, number>>,
  cap: number,
  cashBuffer: number,
): Record<string, number> {
  const names = Object.keys(raw);
  const problems: string[] = [];
  let sum = 0;
  for (const name of names) {
    const value = raw[name]!;
    if (Number.isFinite(value) && value >= 0) sum += value;
    else problems.push(`the raw weight of ${name} must be a number of at least 0, not ${value}`);
  }
  if (!Number.isFinite(sum)) problems.push("the raw weights are too large to be added");
  if (!isCap(cap)) problems.push(`the cap must be above 0 and at most 1, not ${cap}`);
  if (!isCashBuffer(cashBuffer)) {
    problems.push(`the cash buffer must be at least 0 and below 1, not ${cashBuffer}`);
  }
  if (problems.length > 0) throw new StrategyOptionsError(problems);
  const weights = Float64Array.from(names, (name) => raw[name]!);
  capInPlace(weights, names.length, cap, cashBuffer);
  return Object.fromEntries(names.map((name, k) => [name, weights[k]!]));
}

/** Whether a number can be the largest fraction of one name. */
export function isCap(value: number): boolean {
  return Number.isFinite(value) && value > 0 && value <= 1;
}

/** Whether a number can be the fraction that is never invested. */
export function isCashBuffer(value: number): boolean {
  return Number.isFinite(value) && value >= 0 && value < 1;
}
