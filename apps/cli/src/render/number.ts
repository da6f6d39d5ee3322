/** What stands where a number is undefined. */
export const undefinedNumber = "–";

/** A fraction as a percentage, `0.0924` as `9.2%`. */
export function percent(value: number | null, decimals = 1): string {
  return value === null || Number.isNaN(value)
    ? undefinedNumber
    : `${withoutMinusZero((value * 100).toFixed(decimals))}%`;
}

/** A plain number with so many decimals. */
export function decimal(value: number | null, decimals = 2): string {
  return value === null || Number.isNaN(value) ? undefinedNumber : withoutMinusZero(value.toFixed(decimals));
}

/** A count with its thousands apart, `2,849`. */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** "1 symbol", "9 symbols" */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

function withoutMinusZero(text: string): string {
  return /^-0(\.0*)?$/.test(text) ? text.slice(1) : text;
}
