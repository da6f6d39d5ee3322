import {
  type Decimal,
  decimalOf,
  decimalOfText,
  digitsOf,
  divideCeil,
  divideFloor,
  divideHalfEven,
  quotientCeil,
  quotientFloor,
  quotientHalfEven,
  scaled,
} from "./decimal.js";
import { AmountError } from "./errors.js";

declare const unit: unique symbol;

/** Whole cents of US dollars, a safe integer. Money is added and compared in nothing else. */
export type Cents = number & { readonly [unit]: "cents" };

/** Ten-thousandths of a share, a safe integer: 10,000 is one share, the finest step that brokers keep. */
export type Quantity = number & { readonly [unit]: "1/10000 share" };

/** One whole share. */
export const oneShare = 10_000 as Quantity;

/**
 * Takes a whole number as cents.
 *
 * @throws AmountError when it is not a safe integer
 */
export function cents(value: number): Cents {
  if (!Number.isSafeInteger(value)) throw new AmountError(`${value} cents`, "is no whole number of cents");
  // Minus nothing is nothing: two ledgers that agree shall also look alike.
  return (value === 0 ? 0 : value) as Cents;
}

/**
 * Takes a whole, non-negative number as ten-thousandths of a share.
 *
 * @throws AmountError when it is not a safe integer or below 0
 */
export function quantity(value: number): Quantity {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new AmountError(`${value} ten-thousandths of a share`, "is no whole number at or above 0");
  }
  return (value === 0 ? 0 : value) as Quantity;
}

export function isCents(value: unknown): value is Cents {
  return Number.isSafeInteger(value);
}

export function isQuantity(value: unknown): value is Quantity {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/**
 * Dollars as cents, rounded half-even on the number's shortest decimal text: 0.125 is 12 cents, 0.135 is 14, and 1.005
 * is 100, however the binary fraction behind it lies.
 *
 * @param dollars - a number, or decimal text as it came from a broker
 * @throws AmountError when it is not finite or beyond safe integers
 * @example
 * centsOfDollars(1.0042); // => 100
 */
export function centsOfDollars(dollars: number | string): Cents {
  const decimal = decimalFrom(dollars);
  if (!decimal) throw new AmountError(`${dollars} dollars`, "is no number");
  return toCents(divideHalfEven(...scaled(decimal, 2)), `${dollars} dollars`);
}

/** Cents as dollars, for showing and for ratios; never add the results. */
export function dollarsOf(amount: Cents): number {
  return amount / 100;
}

/**
 * Shares as a quantity, exactly.
 *
 * @param shares - a number, or decimal text as it came from a broker
 * @throws AmountError when it is below 0, or finer than a ten-thousandth of a share
 * @example
 * quantityOfShares("0.5"); // => 5000
 */
export function quantityOfShares(shares: number | string): Quantity {
  const decimal = decimalFrom(shares);
  if (!decimal) throw new AmountError(`${shares} shares`, "is no number");
  const [over, under] = scaled(decimal, 4);
  if (over % under !== 0n) throw new AmountError(`${shares} shares`, "is finer than a ten-thousandth");
  const units = Number(over / under);
  if (!Number.isSafeInteger(units) || units < 0) {
    throw new AmountError(`${shares} shares`, units < 0 ? "is below 0" : "is too many to count exactly");
  }
  return units as Quantity;
}

/** A quantity in shares, for showing and for ratios. */
export function sharesOf(amount: Quantity): number {
  return amount / oneShare;
}

/** The largest multiple of the step at or below a quantity. */
export function floorTo(amount: Quantity, step: Quantity): Quantity {
  return (amount - (amount % step)) as Quantity;
}

/** `1234567` as `12,345.67`; a minus in front of what is owed. */
export function formatCents(amount: Cents): string {
  const digits = String(Math.floor(Math.abs(amount) / 100));
  // By hand: reviews put thousands of amounts into words, and a pattern takes several times as long.
  let whole = digits.slice(-3);
  for (let end = digits.length - 3; end > 0; end -= 3) {
    whole = `${digits.slice(Math.max(0, end - 3), end)},${whole}`;
  }
  const rest = String(Math.abs(amount) % 100).padStart(2, "0");
  return `${amount < 0 ? "-" : ""}${whole}.${rest}`;
}

/** A quantity as the decimal text of its shares, as short as it is exact: `12`, `0.5`, `3.0642`. */
export function formatQuantity(amount: Quantity): string {
  const rest = String(amount % oneShare)
    .padStart(4, "0")
    .replace(/0+$/, "");
  const whole = String(Math.floor(amount / oneShare));
  return rest === "" ? whole : `${whole}.${rest}`;
}

/**
 * What a quantity costs at a price: exact on the shortest decimal text of the price, then rounded once to cents,
 * half-even. Nothing is ever computed in binary fractions, so the same fill gives the same cents everywhere.
 *
 * @param price - dollars a share, above 0
 * @throws AmountError when the price is not finite or not above 0, or the product beyond safe integers
 * @example
 * notionalCents(quantityOfShares(3), 1.005); // => 302 (3.015 dollars lies between 301 and 302, and 302 is even)
 */
export function notionalCents(amount: Quantity, price: number): Cents {
  const digits = fastDigits(price, amount);
  if (digits > 0) return quotientHalfEven(amount * digits, 100_000_000) as Cents;
  const [over, under] = product(amount, price);
  return toCents(divideHalfEven(over, under), `${formatQuantity(amount)} shares at ${price}`);
}

/**
 * The largest quantity, in whole steps, that costs at most a budget at a price, fees aside.
 *
 * @param budget - 0 is given for one below 0
 * @throws AmountError as {@link notionalCents}
 */
export function affordable(budget: Cents, price: number, step: Quantity): Quantity {
  if (budget <= 0) return 0 as Quantity;
  const digits = fastDigits(price, step);
  if (digits > 0 && budget <= Number.MAX_SAFE_INTEGER / 100_000_000) {
    return (quotientFloor(budget * 100_000_000, step * digits) * step) as Quantity;
  }
  const [over, under] = product(step, price);
  const steps = divideFloor(BigInt(budget) * under, over);
  const units = Number(steps) * step;
  if (!Number.isSafeInteger(units)) throw new AmountError(`${units} shares`, "is too many to count exactly");
  return units as Quantity;
}

/**
 * A fraction of an amount, rounded half-even, or down or up on request: `fractionOf(equity, 0.05)`.
 *
 * @param fraction - at or above 0; exact on its shortest decimal text
 * @throws AmountError when the fraction is not finite, below 0, or the result beyond safe integers
 */
export function fractionOf(
  amount: Cents,
  fraction: number,
  rounding: "halfEven" | "down" | "up" = "halfEven",
): Cents {
  const digits = fraction >= 0 ? digitsOf(fraction, 1_000_000) : undefined;
  if (digits !== undefined && Math.abs(amount) * digits <= Number.MAX_SAFE_INTEGER) {
    const over = amount * digits;
    if (rounding === "halfEven") return cents(quotientHalfEven(over, 1_000_000));
    return cents(rounding === "up" ? quotientCeil(over, 1_000_000) : quotientFloor(over, 1_000_000));
  }
  const decimal = decimalOf(fraction);
  if (!decimal || fraction < 0)
    throw new AmountError(`the fraction ${fraction}`, "is no number at or above 0");
  const [over, under] = scaled(decimal, 0);
  const round = { halfEven: divideHalfEven, down: divideFloor, up: divideCeil }[rounding];
  return toCents(round(BigInt(amount) * over, under), `${fraction} of ${formatCents(amount)}`);
}

/**
 * A limit price: the middle of bid and ask moved by basis points and put on the tick on the safe side, down for a buy
 * and up for a sell, so that it is never worse than it was meant to be.
 *
 * @param tick - smallest price step in dollars, 0.01 for shares above a dollar
 * @throws AmountError when a price or the tick is not above 0, the offset is below 0, or a buy's limit falls to 0
 * @example
 * limitPrice({ bid: 100.01, ask: 100.04 }, "buy", 2, 0.01); // => 100.04 (100.025 * 1.0002 = 100.045005)
 */
export function limitPrice(
  quote: { readonly bid: number; readonly ask: number },
  side: "buy" | "sell",
  offsetBps: number,
  tick: number,
): number {
  const [bid, ask, offset, step] = [quote.bid, quote.ask, offsetBps, tick].map(decimalOf);
  if (!bid || !ask || !offset || !step || quote.bid <= 0 || quote.ask <= 0 || offsetBps < 0 || tick <= 0) {
    throw new AmountError(`bid ${quote.bid}, ask ${quote.ask}, tick ${tick}`, "make no limit price");
  }
  // Everything as integers of one common power of ten.
  const power = -Math.min(bid.exponent, ask.exponent, offset.exponent, step.exponent, 0);
  const whole = (decimal: Decimal) => scaled(decimal, power)[0];
  const unit = 10n ** BigInt(power);
  const factor = 10_000n * unit + (side === "buy" ? whole(offset) : -whole(offset));
  const over = (whole(bid) + whole(ask)) * factor;
  const under = 2n * 10_000n * unit * whole(step);
  const ticks = side === "buy" ? divideFloor(over, under) : divideCeil(over, under);
  if (ticks <= 0n)
    throw new AmountError(`bid ${quote.bid}, ask ${quote.ask}, tick ${tick}`, "make no limit price");
  return Number(`${ticks * step.digits}e${step.exponent}`);
}

/**
 * A price in millionths of a dollar where it has six decimals at most and its product with a quantity is exact, as for
 * most prices: many times faster than integers of any length, and the same. Else 0.
 */
function fastDigits(price: number, amount: Quantity): number {
  const digits = price > 0 ? digitsOf(price, 1_000_000) : undefined;
  return digits !== undefined && digits * amount <= Number.MAX_SAFE_INTEGER ? digits : 0;
}

/** Quantity times price in cents, as a fraction. */
function product(amount: Quantity, price: number): readonly [over: bigint, under: bigint] {
  const decimal = decimalOf(price);
  if (!decimal || price <= 0) throw new AmountError(`a price of ${price}`, "is not above 0");
  // Dollars to cents is 10^2, ten-thousandths to shares 10^-4.
  const [over, under] = scaled(decimal, -2);
  return [over * BigInt(amount), under];
}

function decimalFrom(value: number | string): Decimal | undefined {
  return typeof value === "number" ? decimalOf(value) : decimalOfText(value.trim());
}

function toCents(value: bigint, what: string): Cents {
  const amount = Number(value);
  if (!Number.isSafeInteger(amount)) throw new AmountError(what, "is too much money to count exactly");
  return amount as Cents;
}
