/** How an unset double travels. */
export const maxDouble = "1.7976931348623157E308";
/** How an unset whole number travels. */
export const unsetInteger = 2_147_483_647;
/** How an unset 64-bit number travels. */
export const unsetLong = "9223372036854775807";

/** A number in plain decimal notation with as many digits as it has. Never an exponent, which old clients cannot read. */
export function priceText(value: number): string {
  const text = String(value);
  return text.includes("e") ? value.toFixed(12).replace(/\.?0+$/, "") : text;
}

/** Text in which everything beyond ASCII is written as a backslash, u and four digits. Line ends stay what they are. */
export function encodedText(text: string): string {
  return text.replaceAll(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
