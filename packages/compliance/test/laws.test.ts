import { dayNumber, type SessionDate, sessionDate, xnys } from "@pf/market";
import { cents, notionalCents, quantity } from "@pf/orders";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Account, emptyAccount, heldOf, pendingCash, positionsOf, totalCash } from "../src/account.js";
import { type AccountEvent, applyEvent, foldEvents } from "../src/events.js";
import { usSettlement } from "../src/settlement.js";

const symbols = ["SPY", "TLT", "GLD"] as const;
/** Some weeks with bank holidays, an early close, Thanksgiving, and the ends of two settlement eras. */
const sessions = [
  ...xnys.sessionsBetween(sessionDate("2017-08-28"), sessionDate("2017-09-12")),
  ...xnys.sessionsBetween(sessionDate("2024-05-20"), sessionDate("2024-06-03")),
  ...xnys.sessionsBetween(sessionDate("2026-10-05"), sessionDate("2026-10-16")),
  ...xnys.sessionsBetween(sessionDate("2026-11-09"), sessionDate("2026-12-04")),
];

/** Steps that a random day may take; what cannot happen (selling what is not held) is scaled down to what can. */
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("next" as const), days: fc.nat(2) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("trade" as const),
      side: fc.constantFrom("buy", "sell"),
      symbol: fc.constantFrom(...symbols),
      quantity: fc.integer({ min: 1, max: 2_000_000 }),
      price: fc.integer({ min: 1, max: 9_999_999 }).map((price) => price / 10_000),
      fees: fc.integer({ min: 0, max: 200 }),
      late: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("cash" as const),
      amount: fc.integer({ min: -500_000, max: 900_000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("split" as const),
      symbol: fc.constantFrom(...symbols),
      numerator: fc.integer({ min: 1, max: 20 }),
      denominator: fc.integer({ min: 1, max: 20 }),
    }),
  },
);

/** A possible life of an account as a list of events, with what a plain sum says of it. */
function lifeOf(steps: readonly (typeof step extends fc.Arbitrary<infer Step> ? Step : never)[]) {
  const events: AccountEvent[] = [];
  const shares = new Map<string, number>(symbols.map((symbol) => [symbol, 0]));
  let [cash, at] = [0, 0];
  for (const [index, move] of steps.entries()) {
    const session = sessions[at]!;
    if (move.kind === "next") {
      at = Math.min(sessions.length - 1, at + move.days);
      events.push({ kind: "day", session: sessions[at]! });
    } else if (move.kind === "cash") {
      cash += move.amount;
      events.push({
        kind: "cash",
        session,
        amount: cents(move.amount),
        reason: move.amount < 0 ? "withdrawal" : move.amount % 2 ? "dividend" : "deposit",
      });
    } else if (move.kind === "split") {
      const { symbol, numerator, denominator } = move;
      shares.set(symbol, Math.floor((shares.get(symbol)! * numerator) / denominator));
      events.push({ kind: "split", session, symbol, numerator, denominator });
    } else {
      const { side, symbol, price, fees, late } = move;
      const most = side === "buy" ? move.quantity : Math.min(move.quantity, shares.get(symbol)!);
      if (most === 0) continue;
      const amount = quantity(most);
      const execId = `e${index}`;
      const notional = notionalCents(amount, price);
      cash += (side === "buy" ? -notional : notional) - fees;
      shares.set(symbol, shares.get(symbol)! + (side === "buy" ? most : -most));
      const fill = {
        kind: "fill",
        session,
        reference: null,
        execId,
        symbol,
        side,
        quantity: amount,
        price,
      } as const;
      events.push({ ...fill, fees: cents(late ? 0 : fees) });
      if (late && fees > 0) events.push({ kind: "fee", session, execId, amount: cents(fees) });
    }
  }
  return { events, cash, shares };
}

const lives = fc.array(step, { maxLength: 60 }).map(lifeOf);

describe("the account over random lives", () => {
  it("conserves cash to the cent and shares to the ten-thousandth", () => {
    fc.assert(
      fc.property(lives, ({ events, cash, shares }) => {
        const account = foldEvents(events, usSettlement);
        expect(totalCash(account)).toBe(cash);
        for (const symbol of symbols) expect(heldOf(account, symbol), symbol).toBe(shares.get(symbol));
        expect(Object.values(positionsOf(account)).every((held) => held > 0)).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  it("settles everything once, and the book shows when", () => {
    fc.assert(
      fc.property(lives, ({ events, cash }) => {
        const account = foldEvents(events, usSettlement);
        if (account.session === null) return;
        const dates = account.pending.map(({ settles }) => settles);
        expect(dates).toEqual([...dates].sort());
        for (const date of dates) expect(date > account.session).toBe(true);
        const later = applyEvent(account, { kind: "day", session: sessionDate("2027-06-01") }, usSettlement);
        expect(later.pending).toEqual([]);
        expect(later.settled).toBe(cash);
      }),
      { numRuns: 200 },
    );
  });

  it("accounts for every cent that is owed: a lot is unpaid only while cash is below 0", () => {
    fc.assert(
      fc.property(lives, ({ events }) => {
        let account: Account = emptyAccount;
        for (const event of events) {
          account = applyEvent(account, event, usSettlement);
          let unpaid = 0;
          for (const lot of Object.values(account.lots).flat()) {
            unpaid += lot.unpaid;
            expect(lot.unpaid > 0 ? lot.paid === null : true).toBe(true);
            expect(lot.unpaid).toBeGreaterThanOrEqual(0);
          }
          expect(unpaid).toBeLessThanOrEqual(Math.max(0, -account.settled));
        }
      }),
      { numRuns: 200 },
    );
  });

  it("rebuilt from its events, from the start or from any saved state, is the account that was kept", () => {
    fc.assert(
      fc.property(lives, fc.nat(), ({ events }, cut) => {
        const at = cut % (events.length + 1);
        const kept = events.reduce(
          (account, event) => applyEvent(account, event, usSettlement),
          emptyAccount,
        );
        expect(foldEvents(events, usSettlement)).toEqual(kept);
        const saved: Account = JSON.parse(JSON.stringify(foldEvents(events.slice(0, at), usSettlement)));
        const read: AccountEvent[] = JSON.parse(JSON.stringify(events.slice(at)));
        expect(JSON.stringify(foldEvents(read, usSettlement, saved))).toBe(JSON.stringify(kept));
      }),
      { numRuns: 200 },
    );
  });

  it("books no execution twice, and leaves the account it was given alone", () => {
    fc.assert(
      fc.property(lives, ({ events }) => {
        let account: Account = emptyAccount;
        for (const event of events) {
          const before = JSON.stringify(account);
          const next = applyEvent(account, event, usSettlement);
          expect(JSON.stringify(account)).toBe(before);
          if (event.kind === "fill") expect(applyEvent(next, event, usSettlement)).toBe(next);
          account = next;
        }
      }),
      { numRuns: 100 },
    );
  });

  it("restricts for 90 days from the latest violation", () => {
    fc.assert(
      fc.property(lives, ({ events }) => {
        const { violations, restrictedUntil } = foldEvents(events, usSettlement);
        const last = violations.at(-1);
        if (!last) expect(restrictedUntil).toBeNull();
        else expect(dayNumber(restrictedUntil as SessionDate) - dayNumber(last.session)).toBe(90);
      }),
    );
  });

  it("never shows a violation, nor less than no cash, while only settled cash buys and only free lots are sold", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let account: Account = emptyAccount;
        let at = 0;
        const book = (event: AccountEvent) => {
          account = applyEvent(account, event, usSettlement);
        };
        book({ kind: "cash", session: sessions[0]!, amount: cents(2_500_000), reason: "deposit" });
        for (const move of steps) {
          const session = sessions[at]!;
          if (move.kind === "next") {
            at = Math.min(sessions.length - 1, at + move.days);
            book({ kind: "day", session: sessions[at]! });
          } else if (move.kind === "trade") {
            const free = freeShares(account, move.symbol, session);
            const most = move.side === "sell" ? Math.min(move.quantity, free) : move.quantity;
            if (most === 0) continue;
            const notional = notionalCents(quantity(most), move.price);
            if (move.side === "buy" && notional + move.fees > account.settled) continue;
            book({
              kind: "fill",
              session,
              reference: null,
              execId: null,
              symbol: move.symbol,
              side: move.side as "buy" | "sell",
              quantity: quantity(most),
              price: move.price,
              fees: move.side === "sell" ? cents(Math.min(move.fees, notional)) : cents(move.fees),
            });
          }
          expect(account.settled).toBeGreaterThanOrEqual(0);
          expect(pendingCash(account)).toBeGreaterThanOrEqual(0);
          expect(account.violations).toEqual([]);
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** Counted from the lots' dates alone: a lot bought less than a settlement cycle ago is not free. */
function freeShares(account: Account, symbol: string, session: SessionDate): number {
  let free = 0;
  for (const lot of account.lots[symbol] ?? []) {
    if (usSettlement.settleDate(lot.traded!) > session) break;
    free += lot.quantity;
  }
  return free;
}
