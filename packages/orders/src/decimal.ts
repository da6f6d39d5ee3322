/** A decimal number without any rounding: `digits * 10 ** exponent`. */
export interface Decimal {
  readonly digits: bigint;
  readonly exponent: number;
}

/**
 * The decimal that a number stands for when it is written down: its shortest text. So 0.1 is one tenth, not the binary
 * fraction near it, which is what a price on a screen and a broker's message mean.
 */
export function decimalOf(value: number): Decimal | undefined {
  return Number.isFinite(value) ? decimalOfText(String(value)) : undefined;
}

/** The decimal in a text such as `12`, `-0.5`, `1e-7`; `undefined` when it is none. */
export function decimalOfText(text: string): Decimal | undefined {
  const match = /^([+-]?)(\d+)(?:\.(\d*))?(?:e([+-]?\d{1,3}))?$/i.exec(text);
  if (!match) return undefined;
  const fraction = match[3] ?? "";
  const digits = BigInt(`${match[2]}${fraction}`);
  return {
    digits: match[1] === "-" ? -digits : digits,
    exponent: Number(match[4] ?? "0") - fraction.length,
  };
}

/** `decimal * 10 ** power` as a fraction of two integers, the lower one positive. */
export function scaled({ digits, exponent }: Decimal, power: number): readonly [over: bigint, under: bigint] {
  const at = exponent + power;
  return at >= 0 ? [digits * 10n ** BigInt(at), 1n] : [digits, 10n ** BigInt(-at)];
}

/** The nearest integer to `over / under` (`under` positive); exactly between two, the even one. */
export function divideHalfEven(over: bigint, under: bigint): bigint {
  const below = divideFloor(over, under);
  const twice = 2n * (over - below * under);
  if (twice < under || (twice === under && below % 2n === 0n)) return below;
  return below + 1n;
}

/** The largest integer at or below `over / under` (`under` positive). */
export function divideFloor(over: bigint, under: bigint): bigint {
  const towardsZero = over / under;
  return over < 0n && towardsZero * under !== over ? towardsZero - 1n : towardsZero;
}

/** The smallest integer at or above `over / under` (`under` positive). */
export function divideCeil(over: bigint, under: bigint): bigint {
  return -divideFloor(-over, under);
}

/**
 * `over / under` rounded half-even, for whole numbers below 2^53 (`under` positive): the remainder of such numbers is
 * exact, so nothing is lost on the way.
 */
export function quotientHalfEven(over: number, under: number): number {
  const below = quotientFloor(over, under);
  const twice = 2 * (over - below * under);
  return twice < under || (twice === under && below % 2 === 0) ? below : below + 1;
}

/** `over / under` rounded down, for whole numbers below 2^53 (`under` positive). */
export function quotientFloor(over: number, under: number): number {
  const rest = over % under;
  const towardsZero = (over - rest) / under;
  return rest < 0 ? towardsZero - 1 : towardsZero;
}

/** `over / under` rounded up, for whole numbers below 2^53 (`under` positive). */
export function quotientCeil(over: number, under: number): number {
  return -quotientFloor(-over, under);
}

/**
 * The digits of a number that has at most so many decimals, `undefined` for others: 12.34 with two decimals is 1234.
 * Exact: two different decimals of at most 15 digits are never the same number, so the one that gives the number back is
 * the one it is written as.
 *
 * @param power - ten to the number of decimals
 */
export function digitsOf(value: number, power: number): number | undefined {
  const digits = Math.round(value * power);
  return digits / power === value && Math.abs(digits) < 1e15 ? digits : undefined;
}
