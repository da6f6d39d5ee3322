import { type SessionDate, sessionDate, xnys } from "@pf/market";
import {
  cents,
  commissionCents,
  notionalCents,
  type OrderPlan,
  oneShare,
  planOrders,
  quantity,
  quantityOfShares,
} from "@pf/orders";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Account, emptyAccount, heldOf, totalCash } from "../src/account.js";
import { type AccountEvent, applyEvent, foldEvents } from "../src/events.js";
import { reservationFor, review } from "../src/review.js";
import type { ComplianceRules, Situation } from "../src/rules.js";
import { usSettlement } from "../src/settlement.js";
import { equityOf, snapshotOf } from "../src/snapshot.js";
import { after, cash, dollars, fill, followedBy, holding, on } from "./accounts.js";
import { orderRules, planIn, prices, rules, situationOn, universe } from "./worlds.js";

const line = (plan: OrderPlan, symbol: string) => plan.lines.find((one) => one.symbol === symbol)!;

describe("the worked examples as plans", () => {
  it("4: strict mode buys nothing with what was sold today", () => {
    const account = after(holding("2026-11-13", "SPY", 20), fill("2026-11-16", "sell", "SPY", 20, 500));
    const plan = planIn(account, situationOn("2026-11-16"), {
      weights: { GLD: 0.5 },
      order: { cashBuffer: 0 },
    });
    expect(plan.intents).toEqual([]);
    expect(line(plan, "GLD")).toMatchObject({
      reason: "waits_for_settlement",
      deferred: { quantity: quantityOfShares(20), until: "2026-11-17" },
    });
  });

  it("6: the cushion caps a market order of 1,000 settled dollars at 952.38", () => {
    const free = {
      ...rules,
      cashBuffer: 0,
      commission: { ...rules.commission, minimum: cents(0), perShare: 0 },
    };
    const situation = situationOn("2026-11-16", { GLD: 1 });
    const plan = planOrders(
      { asOf: situation.session, weights: { GLD: 1 } },
      snapshotOf(on(after(cash("2026-11-13", 1000)), "2026-11-16"), situation, free, usSettlement),
      situation.quotes,
      { ...orderRules, cashBuffer: 0, quantityStep: quantity(1), commission: free.commission },
    );
    expect(plan.cash.cost).toBe(95_238);
  });

  it("9: a sale that the broker's check forbids is deferred to the day it may be made", () => {
    const account = on(
      after(cash("2026-10-08", 5000), fill("2026-10-09", "buy", "QQQ", 10, 500)),
      "2026-10-12",
    );
    const situation = situationOn("2026-10-12");
    const plan = planIn(account, situation, { weights: {} });
    expect(plan.intents).toEqual([]);
    expect(line(plan, "QQQ").detail).toContain("sell of 10 QQQ deferred to 2026-10-13: lot unsettled");
    const lenient = planIn(account, situation, { weights: {}, rules: { ...rules, brokerEndOfDay: false } });
    expect(lenient.intents).toMatchObject([{ side: "sell", symbol: "QQQ" }]);
  });

  it("11: a rotation sells on Monday and buys up to 12,000 on Tuesday", () => {
    const held = { SPY: 600, QQQ: 470, GLD: 1 };
    const start = after(
      cash("2026-11-13", 1250),
      holding("2026-11-13", "SPY", 20),
      holding("2026-11-13", "QQQ", 25),
    );
    const weights = { GLD: 0.48, QQQ: 0.47 };
    const monday = on(start, "2026-11-16");
    const first = planIn(monday, situationOn("2026-11-16", held), { weights, order: { commission: free } });
    expect(first.intents).toMatchObject([{ side: "sell", symbol: "SPY", quantity: quantityOfShares(20) }]);
    expect(line(first, "GLD").deferred).toMatchObject({
      reason: "waits_for_settlement",
      until: "2026-11-17",
    });
    const tuesday = on(followedBy(monday, fill("2026-11-16", "sell", "SPY", 20, 600)), "2026-11-17");
    for (const orderType of ["MKT", "LMT"] as const) {
      const order = { orderType, limitOffsetBps: 0, commission: free, universe: ["GLD", "QQQ"] };
      const second = planIn(tuesday, situationOn("2026-11-17", held), { weights, order });
      expect(second.cash.cost).toBe(dollars(12_000));
      expect(second.isComplete).toBe(true);
    }
  });

  it("13: what settles on a day without a session is used on the next session", () => {
    const account = after(holding("2025-01-07", "SPY", 20), fill("2025-01-08", "sell", "SPY", 20, 500));
    const plan = planIn(account, situationOn("2025-01-08"), { weights: { GLD: 0.45 } });
    expect(line(plan, "GLD").deferred?.until).toBe("2025-01-10");
  });
});

const free = { ...rules.commission, minimum: cents(0), perShare: 0 };

interface DayDrawn {
  readonly weights: readonly number[];
  readonly moves: readonly number[];
  readonly slip: readonly number[];
  readonly filled: readonly number[];
  readonly cash: number;
  readonly isTraded: boolean;
}

const drawnDay: fc.Arbitrary<DayDrawn> = fc.record({
  weights: fc.tuple(...universe.map(() => fc.constantFrom(0, 0, 0.2375, 0.3, 0.475))),
  moves: fc.tuple(...universe.map(() => fc.integer({ min: -800, max: 800 }).map((bps) => bps / 10_000))),
  slip: fc.tuple(...universe.map(() => fc.integer({ min: -400, max: 400 }).map((bps) => bps / 10_000))),
  filled: fc.tuple(...universe.map(() => fc.constantFrom(1, 1, 1, 0.5, 0))),
  cash: fc.constantFrom(0, 0, 0, 100_000, 3),
  isTraded: fc.boolean(),
});

/** Trades day by day through plan, review and fills, as an account engine does, and keeps every event. */
function trade(
  days: readonly DayDrawn[],
  from: string,
  kept: ComplianceRules,
  step: number,
  watch: (account: Account) => void,
) {
  const sessions = xnys.sessionsBetween(sessionDate(from), sessionDate("2026-12-31"));
  const events: AccountEvent[] = [];
  let account: Account = emptyAccount;
  const book = (event: AccountEvent) => {
    events.push(event);
    account = applyEvent(account, event, usSettlement);
    watch(account);
  };
  book({ kind: "cash", session: sessions[0]!, amount: cents(2_500_000), reason: "deposit" });
  let at: Record<string, number> = { ...prices };
  let flows = 2_500_000;
  for (const [index, drawn] of days.entries()) {
    const session: SessionDate = sessions[index]!;
    const before = at;
    at = Object.fromEntries(
      universe.map((symbol, column) => [
        symbol,
        Math.round(at[symbol]! * (1 + drawn.moves[column]!) * 100) / 100,
      ]),
    );
    book({ kind: "day", session });
    if (drawn.cash > 0) {
      flows += drawn.cash;
      book({
        kind: "cash",
        session,
        amount: cents(drawn.cash),
        reason: drawn.cash > 50 ? "deposit" : "dividend",
      });
    }
    const situation: Situation = {
      ...situationOn(session, at),
      lastBars: Object.fromEntries(
        universe.map((symbol) => [symbol, { session: xnys.previous(session), close: before[symbol]! }]),
      ),
    };
    const total = drawn.weights.reduce((sum, weight) => sum + weight, 0);
    const scale = total > 0.95 ? 0.95 / total : 1;
    const weights = Object.fromEntries(
      universe.map((symbol, column) => [symbol, drawn.weights[column]! * scale]),
    );
    if (drawn.isTraded) {
      const snapshot = snapshotOf(account, situation, kept, usSettlement);
      const plan = planOrders({ asOf: session, weights }, snapshot, situation.quotes, {
        ...orderRules,
        quantityStep: quantity(step),
      });
      const verdict = review(plan, account, situation, kept, usSettlement);
      // What is planned within the snapshot's limits passes every check.
      expect(verdict.ok ? [] : verdict.breaches).toEqual([]);
      const references = plan.intents.map(({ reference }) => reference);
      book({ kind: "rebalanced", session, attempt: 1, references });
      for (const intent of plan.intents) {
        const { symbol, side, reference } = intent;
        book({
          kind: "ordered",
          session,
          reference,
          symbol,
          side,
          quantity: intent.quantity,
          reserved: reservationFor(intent, kept.commission),
        });
        const column = universe.indexOf(symbol);
        const part = Math.floor((intent.quantity * drawn.filled[column]!) / step) * step;
        if (part > 0) {
          const price = Math.round(at[symbol]! * (1 + drawn.slip[column]!) * 10_000) / 10_000;
          const fees = commissionCents(
            rules.commission,
            quantity(part),
            notionalCents(quantity(part), price),
          );
          book({
            kind: "fill",
            session,
            reference,
            execId: `${reference}#1`,
            symbol,
            side,
            quantity: quantity(part),
            price,
            fees,
          });
          flows += (side === "sell" ? 1 : -1) * notionalCents(quantity(part), price) - fees;
        }
        book({ kind: "closed", session, reference });
      }
    }
    book({ kind: "valued", session, equity: equityOf(account, situation)! });
  }
  return { account, events, flows };
}

describe("trading on random markets through plan, review and fills", () => {
  const days = fc.array(drawnDay, { minLength: 1, maxLength: 25 });
  const starts = fc.constantFrom("2017-08-28", "2024-05-20", "2026-10-05", "2026-11-02");

  it("never has less than no settled cash, never breaks a rule, and loses no cent, with prices 4 % off", () => {
    fc.assert(
      fc.property(days, starts, fc.constantFrom(1, 10_000), (drawn, from, step) => {
        const { account, flows } = trade(drawn, from, rules, step, (now) => {
          expect(now.settled).toBeGreaterThanOrEqual(0);
        });
        expect(account.violations).toEqual([]);
        expect(account.dayTrades).toEqual([]);
        expect(totalCash(account)).toBe(flows);
        for (const symbol of universe) expect(heldOf(account, symbol)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 150 },
    );
  });

  it("rebuilds the book from its events, through JSON and from any point", () => {
    fc.assert(
      fc.property(days, starts, fc.nat(), (drawn, from, cut) => {
        const { account, events } = trade(drawn, from, rules, oneShare, () => {});
        const at = cut % (events.length + 1);
        const saved: Account = JSON.parse(JSON.stringify(foldEvents(events.slice(0, at), usSettlement)));
        expect(foldEvents(events.slice(at), usSettlement, saved)).toEqual(account);
      }),
      { numRuns: 50 },
    );
  });

  it("sells nothing early even where unsettled proceeds may buy and the broker's check is off", () => {
    const permissive: ComplianceRules = { ...rules, settledCash: "permissive", brokerEndOfDay: false };
    fc.assert(
      fc.property(days, starts, (drawn, from) => {
        const { account } = trade(drawn, from, permissive, oneShare, () => {});
        expect(account.violations.filter(({ kind }) => kind !== "end_of_day")).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});
