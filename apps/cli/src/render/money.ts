import { count, undefinedNumber } from "./number.js";

/** An amount in dollars with cents and its thousands apart, `25,000.00`. */
export function dollars(amount: number | null): string {
  if (amount === null) return undefinedNumber;
  const [whole = "0", cents = "00"] = Math.abs(amount).toFixed(2).split(".");
  return `${amount < 0 ? "-" : ""}${count(Number(whole))}.${cents}`;
}
