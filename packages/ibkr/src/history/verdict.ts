import type { BrokerWords } from "./errors.js";
import { isSessionElsewhere } from "./errors.js";

/** What a broker's error means for a historical request. */
export type HistoryVerdict =
  /** Another attempt may succeed, after waiting. */
  | "pacing"
  | "cancelled"
  | "interrupted"
  /** No attempt will. */
  | "unknownContract"
  | "noData"
  | "noPermission"
  | "refused"
  /** Said beside the answer, which still comes. */
  | "notice";

/**
 * Reads an error that came for a historical request. Code 162 says everything by its text, which is English or
 * localised after an English prefix; what none of the known texts matches is a refusal, never an empty answer.
 */
export function verdictOn(words: BrokerWords): HistoryVerdict {
  const { code, message } = words;
  if (code === 200) return "unknownContract";
  if (noPermissionCodes.has(code) || (code === 162 && isSessionElsewhere(words))) return "noPermission";
  if (noticeCodes.has(code)) return "notice";
  if (code === 366) return "cancelled";
  if (code !== 162 && code !== 420) return "refused";
  if (/pacing/i.test(message)) return "pacing";
  if (/cancel/i.test(message)) return "cancelled";
  if (/no market data permission|no permission|not subscribed|subscription/i.test(message))
    return "noPermission";
  if (/no data/i.test(message)) return "noData";
  if (/disconnect|reconnect|not connected/i.test(message)) return "interrupted";
  return "refused";
}

// 10197 is a competing session, which no repetition ends.
const noPermissionCodes: ReadonlySet<number> = new Set([354, 10089, 10090, 10168, 10186, 10197]);
// 10167: delayed data instead of live; 165, 2103 to 2108, 2119, 2157, 2158: the state of a data farm; 2174, 2176: how a
// date was read. The answer comes all the same.
const noticeCodes: ReadonlySet<number> = new Set([
  165, 10167, 2103, 2104, 2105, 2106, 2107, 2108, 2119, 2157, 2158, 2174, 2176,
]);
