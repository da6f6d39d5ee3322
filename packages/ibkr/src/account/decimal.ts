import type { Cents, Quantity } from "@pf/orders";
import { ProtocolError } from "../errors.js";

/**
 * A decimal text as a whole number of its finest steps, exactly: doubles never touch it.
 *
 * @param decimals - how many digits after the point count; more must be zeros, or they are rounded half away from zero
 * @returns undefined for what TWS writes when it has no number: nothing, or the largest double, integer or long
 * @throws ProtocolError when it is no number, or too large to hold exactly
 * @example
 * scaled("25000.5", 2); // => 2500050
 */
export function scaled(text: string, decimals: number): number | undefined {
  const plain = text.replaceAll(",", "").trim();
  if (plain === "" || unset.has(plain.toUpperCase())) return undefined;
  const match = /^([+-]?)(\d{1,20})(?:\.(\d{0,40}))?$/.exec(plain);
  if (!match) {
    const value = Number(plain);
    // Very small and very large numbers come with an exponent; neither is money or shares.
    if (/^[+-]?\d+(\.\d+)?e[+-]?\d+$/i.test(plain) && Math.abs(value) < 1e-9) return 0;
    throw new ProtocolError(`${JSON.stringify(text.slice(0, 40))} where a number should be`);
  }
  const [, sign, whole, fraction = ""] = match;
  const digits = fraction.padEnd(decimals + 1, "0");
  let value = BigInt(whole! + digits.slice(0, decimals));
  if (digits.charCodeAt(decimals) >= 53) value += 1n;
  if (value > BigInt(Number.MAX_SAFE_INTEGER))
    throw new ProtocolError(`${text.slice(0, 40)} is too large a number`);
  const result = Number(value);
  return sign === "-" && result !== 0 ? -result : result;
}

const unset = new Set([
  "1.7976931348623157E308",
  "1.7976931348623157E+308",
  "2147483647",
  "9223372036854775807",
  "-9223372036854775808",
  "NAN",
  "INFINITY",
  "-",
]);

/** Shares as the broker writes them. */
export function quantityOf(text: string): Quantity | undefined {
  return scaled(text, 4) as Quantity | undefined;
}

/** Dollars as the broker writes them. */
export function centsOf(text: string): Cents | undefined {
  return scaled(text, 2) as Cents | undefined;
}
