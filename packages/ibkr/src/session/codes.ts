/**
 * What a code of TWS asks of us.
 *
 * - `notice`: something to know; what was asked for goes on
 * - `transient`: it may work when asked again after a while
 * - `permanent`: asking again gives the same answer
 * - `order`: decides an order, or speaks about one; never an answer to a request
 * - `connection`: about the link between TWS and the broker's servers, or about ours
 * - `protocol`: the library could not read a message, which is then lost
 * - `unknown`: in no table we know; nothing follows from it
 */
export type CodeKind = "notice" | "transient" | "permanent" | "order" | "connection" | "protocol" | "unknown";

/**
 * Sorts a code by what has to be done. Where the broker uses one code for many things its text decides.
 *
 * @param message - the text that came with it; TWS translates it, so nothing rests on it but code 162
 * @example
 * classifyCode(162, "Historical Market Data Service error message:API historical data query cancelled: 3"); // => "transient"
 */
export function classifyCode(code: number, message = ""): CodeKind {
  if (code === 162) return /pacing|cancell?ed/i.test(message) ? "transient" : "permanent";
  // Connection notices of data farms and the like share this range.
  if (code >= 2100 && code <= 2199 && code !== 2110) return "notice";
  return kinds.get(code) ?? "unknown";
}

const kinds: ReadonlyMap<number, CodeKind> = new Map([
  ...each("notice", [165, 366, 399, 481, 10167, 10268, 10349]),
  ...each("transient", [100, 101, 309, 420]),
  ...each(
    "permanent",
    [102, 200, 320, 321, 322, 323, 354, 10089, 10090, 10168, 10186, 10197, 10314, 10339, 10340],
  ),
  ...each(
    "order",
    [
      103, 104, 105, 106, 107, 109, 110, 135, 161, 163, 164, 201, 202, 203, 382, 383, 388, 404, 434, 435, 436,
      460, 10147, 10148, 10241, 10242, 10243, 10244, 10245, 10246, 10247, 10248, 10249, 10250, 10251, 10252,
      10285, 10317, 10318,
    ],
  ),
  ...each("protocol", [505]),
  ...each("connection", [326, 501, 502, 503, 504, 506, 507, 1100, 1101, 1102, 1300, 2110]),
]);

function each(kind: CodeKind, codes: readonly number[]): (readonly [number, CodeKind])[] {
  return codes.map((code) => [code, kind] as const);
}

/** Why an order was not taken, where that tells what to do about it. */
export type Refusal =
  /** The API is read-only: nothing was refused about this order. */
  | "readOnly"
  /** Fractions of a share are not to be had through the API: a capability of the account, not a fault of the order. */
  | "fractional"
  /** The account may not trade this. */
  | "permission"
  /** A precautionary setting of the terminal (size, price, value) stopped it. */
  | "precaution"
  /** Everything else; the text says what. */
  | "rejected";

/**
 * Tells a refusal of one order apart from a setting or a capability that refuses every order like it.
 *
 * @example
 * refusalOf(321, "Error validating request.-'bY' : cause - The API interface is currently in Read-Only mode."); // => "readOnly"
 */
export function refusalOf(code: number, message: string): Refusal {
  if (code === 321 && /read-?only/i.test(message)) return "readOnly";
  if ((code >= 10241 && code <= 10252) || [10285, 10317, 10318].includes(code)) return "fractional";
  if ([203, 460].includes(code)) return "permission";
  if ([109, 163, 164, 382, 383].includes(code)) return "precaution";
  if (code === 201 && /permission|\bKID\b/i.test(message)) return "permission";
  return "rejected";
}

/** These answer a cancellation, not the order: it may have been filled before. */
export function isAboutCancelling(code: number): boolean {
  return [135, 161, 10147, 10148].includes(code);
}
