import type { Ticker } from "@pf/market";
import { InvalidTickerError } from "./errors.js";

const form = /^[A-Z0-9][A-Z0-9.-]{0,15}$/;

/**
 * Lets a symbol through that can safely be a file name: no folder, no hidden file, no look-alike in another case.
 *
 * @throws InvalidTickerError for anything but capitals, digits, dots and dashes
 * @example
 * checkedTicker("BRK.B"); // => "BRK.B"
 */
export function checkedTicker(text: string): Ticker {
  if (!form.test(text)) throw new InvalidTickerError(text);
  return text;
}
