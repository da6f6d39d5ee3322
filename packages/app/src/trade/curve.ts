import { dayNumber, type SessionDate, type Ticker } from "@pf/market";
import type { Holding, Movement, Valued } from "./past.js";

/** What a dollar or a share came to, one value a session, ascending. */
export interface Series {
  readonly sessions: readonly SessionDate[];
  readonly values: Float64Array;
}

/** Prices as traded and dividends of one symbol, one value a session. */
export interface TradedSymbol {
  readonly sessions: readonly SessionDate[];
  /** `NaN` where there is no bar. */
  readonly close: Float64Array;
  /** Dollars a share to whoever held it over the night before; 0 for none. */
  readonly dividend: Float64Array;
}

/** Dollars that came in, above 0, or went out. */
export interface Flow {
  readonly session: SessionDate;
  readonly dollars: number;
}

/** A dividend is paid out within so many days of its ex-date, or nobody looks for it any more. */
const dividendDays = 60;
/** Dividends are read off prices, which are rounded to cents. */
const dividendSlack = 1.05;

/**
 * What the dollars of a first valuation would be in something else: a fund whose units are bought with them at the
 * close of that session, and later bought with and sold for what came into and went out of the account.
 *
 * @param flows - by valuation, what came in since the one before
 * @returns one value a valuation, in dollars and cents; `null` where the series has no value of the session. It starts at
 *   the first session of which it has one.
 */
export function followed(
  valued: readonly Pick<Valued, "session" | "equity">[],
  flows: readonly (readonly Flow[])[],
  series: Series | null,
): readonly (number | null)[] {
  if (!series) return valued.map(() => null);
  const { sessions, values } = series;
  const rows = new Map(sessions.map((session, row) => [session, row]));
  let units: number | null = null;
  let waiting: readonly Flow[] = [];
  return valued.map(({ session, equity }, at) => {
    const row = rows.get(session);
    if (units === null) {
      if (row !== undefined) units = equity / 100 / values[row]!;
      return row === undefined ? null : equity / 100;
    }
    waiting = [...waiting, ...flows[at]!];
    if (row === undefined) return null;
    for (const flow of waiting) {
      units += flow.dollars / values[Math.min(firstFrom(sessions, flow.session), row)]!;
    }
    waiting = [];
    return Math.round(units * values[row]! * 100) / 100;
  });
}

/**
 * What came in and went out, by valuation. Shares count at their close of the session or the last one before, or at
 * their cost where nobody knows one. Cash that was found is a dividend, and no flow, as far as one was due.
 */
export function flowsOf(
  valued: readonly Valued[],
  held: readonly Holding[],
  traded: ReadonlyMap<Ticker, TradedSymbol>,
): readonly (readonly Flow[])[] {
  const dues = duesOf(held, traded);
  return valued.map(({ movements }) =>
    movements.map((movement) => ({
      session: movement.session,
      dollars: movement.kind === "shares" ? worthOf(movement, traded) : paidIn(movement, dues) / 100,
    })),
  );
}

/** A dividend that the account has a right to, in cents. */
interface Due {
  readonly session: SessionDate;
  left: number;
}

function duesOf(held: readonly Holding[], traded: ReadonlyMap<Ticker, TradedSymbol>): readonly Due[] {
  const starts = held.map(({ session }) => session);
  const dues: Due[] = [];
  for (const [symbol, { sessions, dividend }] of traded) {
    const first = starts[0] === undefined ? sessions.length : firstFrom(sessions, starts[0]);
    for (let row = first; row < sessions.length; row++) {
      if (!(dividend[row]! > 0)) continue;
      const session = sessions[row]!;
      // Held over the night before: as it stood after the last session before this one.
      const quantity = held[firstFrom(starts, session) - 1]?.quantities[symbol] ?? 0;
      if (quantity > 0) dues.push({ session, left: (quantity / 100) * dividend[row]! * dividendSlack });
    }
  }
  return dues.sort((a, b) => (a.session < b.session ? -1 : 1));
}

/** What of found cash is no dividend, in cents. */
function paidIn(
  { session, amount, isFound }: Extract<Movement, { kind: "cash" }>,
  dues: readonly Due[],
): number {
  if (!isFound) return amount;
  let rest = amount;
  for (const due of dues) {
    if (rest <= 0 || due.session > session) break;
    if (dayNumber(session) - dayNumber(due.session) > dividendDays) continue;
    const paid = Math.min(rest, due.left);
    due.left -= paid;
    rest -= paid;
  }
  return rest;
}

function worthOf(
  { symbol, session, quantity, cost }: Extract<Movement, { kind: "shares" }>,
  traded: ReadonlyMap<Ticker, TradedSymbol>,
): number {
  const bars = traded.get(symbol);
  let row = bars ? firstFrom(bars.sessions, session) : -1;
  if (bars && bars.sessions[row] !== session) row--;
  while (row >= 0 && !(bars!.close[row]! > 0)) row--;
  return row >= 0 ? (quantity / 10_000) * bars!.close[row]! : cost / 100;
}

/** The position of the first session that is not before a given one. */
function firstFrom(sessions: readonly SessionDate[], session: SessionDate): number {
  let [low, high] = [0, sessions.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sessions[middle]! < session) low = middle + 1;
    else high = middle;
  }
  return low;
}
