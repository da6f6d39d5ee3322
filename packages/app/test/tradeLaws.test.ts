import { type AccountEvent, foldEvents, positionsOf, totalCash, usSettlement } from "@pf/compliance";
import { type SessionDate, sessionDate, xnys } from "@pf/market";
import { cents, notionalCents, type OrderEvent, type OrderIntent, type Quantity } from "@pf/orders";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isOver, knownOrder } from "../src/trade/heard.js";
import { applyTrade, foldTrade, type TradeEvent, type TradeState, untouched } from "../src/trade/state.js";

// Laws of the book over random lives of an account. `make soak` runs more of them: PF_SOAK_RUNS.

const numRuns = Number(process.env.PF_SOAK_RUNS ?? 60);
const symbols = ["SPY", "TLT", "GLD"] as const;
const first = sessionDate("2025-09-29");
/** A span with Columbus Day and Veterans Day in it, on which nothing settles. */
const sessions = xnys.sessionsBetween(first, sessionDate("2025-11-28"));

/** One thing that may happen on a day; what cannot happen is left out by the driver. */
const happening = fc.oneof(
  fc.record({
    kind: fc.constant("trade" as const),
    symbol: fc.constantFrom(...symbols),
    side: fc.constantFrom("buy" as const, "sell" as const),
    shares: fc.integer({ min: 1, max: 40 }),
    price: fc.integer({ min: 1_000, max: 60_000 }).map((amount) => amount / 100),
    fee: fc.integer({ min: 0, max: 300 }),
    parts: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({ kind: fc.constant("cash" as const), amount: fc.integer({ min: -200_000, max: 500_000 }) }),
  fc.record({
    kind: fc.constant("split" as const),
    symbol: fc.constantFrom(...symbols),
    ratio: fc.constantFrom([2, 1] as const, [3, 2] as const, [1, 4] as const),
  }),
  fc.record({ kind: fc.constant("next" as const), days: fc.integer({ min: 1, max: 3 }) }),
);
const life = fc.array(happening, { minLength: 1, maxLength: 60 });
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

/** What an independent count says: cash in cents and shares in ten-thousandths, and nothing about settlement. */
interface Count {
  cash: number;
  readonly shares: Map<string, number>;
}

/** Lives a life: the journal's entries, the state kept beside them, and the independent count. */
function live(happenings: readonly Happening[]) {
  const entries: TradeEvent[] = [];
  let state: TradeState = untouched;
  let day = 0;
  let execution = 0;
  const count: Count = { cash: 2_500_000, shares: new Map() };
  const note = (...events: readonly TradeEvent[]) => {
    for (const event of events) {
      entries.push(event);
      state = applyTrade(state, event, usSettlement);
    }
  };
  const book = (event: AccountEvent) => note({ kind: "booked", event });
  const session = (): SessionDate => sessions[day]!;
  book({ kind: "day", session: session() });
  book({ kind: "cash", session: session(), amount: cents(2_500_000), reason: "deposit" });
  for (const [at, one] of happenings.entries()) {
    switch (one.kind) {
      case "next":
        day = Math.min(day + one.days, sessions.length - 1);
        book({ kind: "day", session: session() });
        break;
      case "cash": {
        // Nobody takes out what has not settled.
        const amount = Math.max(one.amount, -state.account.settled);
        if (amount === 0) break;
        const reason = amount > 0 ? "deposit" : "withdrawal";
        book({ kind: "cash", session: session(), amount: cents(amount), reason });
        count.cash += amount;
        break;
      }
      case "split": {
        const held = count.shares.get(one.symbol) ?? 0;
        const [numerator, denominator] = one.ratio;
        if ((held * numerator) % denominator !== 0) break;
        book({ kind: "split", session: session(), symbol: one.symbol, numerator, denominator });
        if (held > 0) count.shares.set(one.symbol, (held * numerator) / denominator);
        break;
      }
      case "trade": {
        const { symbol, side, price, fee } = one;
        const held = count.shares.get(symbol) ?? 0;
        const wanted = one.shares * 10_000;
        const most =
          side === "sell"
            ? Math.min(wanted, held)
            : Math.min(wanted, Math.floor((state.account.settled - fee) / (price * 100)) * 10_000);
        if (most < 10_000) break;
        const quantity = (Math.floor(most / 10_000) * 10_000) as Quantity;
        const reference = `pf/${session()}/${symbol}/${side}/${at}`;
        for (const [part, filled] of portions(quantity, one.parts).entries()) {
          const execId = `e${++execution}.01`;
          const fees = cents(part === 0 ? fee : 0);
          book({
            kind: "fill",
            session: session(),
            reference,
            execId,
            symbol,
            side,
            quantity: filled,
            price,
            fees: cents(0),
          });
          if (fees > 0) book({ kind: "fee", session: session(), execId, amount: fees });
          const worth = notionalCents(filled, price);
          count.cash += (side === "buy" ? -worth : worth) - fees;
        }
        count.shares.set(symbol, held + (side === "buy" ? quantity : -quantity));
        break;
      }
    }
  }
  return { entries, state, count, session: session() };
}

function portions(quantity: number, parts: number): Quantity[] {
  const each = Math.floor(quantity / 10_000 / parts) * 10_000;
  const rest = quantity - each * (parts - 1);
  return [...Array.from({ length: parts - 1 }, () => each), rest].filter((one) => one > 0) as Quantity[];
}

const asEntries = (events: readonly TradeEvent[]) =>
  events.map((body, at) => ({ seq: at + 1, atUtcMs: at, body }));

describe("the book of an account", () => {
  it("conserves cash and shares to the cent, whatever happens", () => {
    fc.assert(
      fc.property(life, (happenings) => {
        const { state, count } = live(happenings);
        expect(totalCash(state.account)).toBe(count.cash);
        const held = Object.fromEntries([...count.shares].filter(([, shares]) => shares > 0));
        expect(positionsOf(state.account)).toEqual(held);
      }),
      { numRuns },
    );
  });

  it("never has less than nothing settled where only settled cash buys, and all of it settles in the end", () => {
    fc.assert(
      fc.property(life, (happenings) => {
        const { entries, state, session } = live(happenings);
        let at: TradeState = untouched;
        for (const event of entries) {
          at = applyTrade(at, event, usSettlement);
          expect(at.account.settled).toBeGreaterThanOrEqual(0);
        }
        let later = session;
        for (let days = 0; days < 5; days++) later = xnys.next(later);
        const end = foldEvents([{ kind: "day", session: later }], usSettlement, state.account);
        expect(end.settled).toBe(totalCash(state.account));
        expect(end.pending).toEqual([]);
      }),
      { numRuns },
    );
  });

  it("rebuilt from the journal is the one that was kept: in one go, in portions, and through JSON", () => {
    fc.assert(
      fc.property(life, fc.nat(), (happenings, where) => {
        const { entries, state } = live(happenings);
        const written = asEntries(JSON.parse(JSON.stringify(entries)) as TradeEvent[]);
        expect(foldTrade(written, usSettlement)).toEqual(state);
        const cut = where % (written.length + 1);
        const half = foldTrade(written.slice(0, cut), usSettlement);
        expect(foldTrade(written.slice(cut), usSettlement, half)).toEqual(state);
      }),
      { numRuns },
    );
  });

  it("books an execution once, however often it is told on its day", () => {
    fc.assert(
      fc.property(life, fc.nat(), (happenings, which) => {
        const { entries, state, session } = live(happenings);
        const today = entries.filter(
          ({ kind, ...rest }) =>
            kind === "booked" &&
            "event" in rest &&
            rest.event.kind === "fill" &&
            rest.event.session === session,
        );
        if (today.length === 0) return;
        expect(applyTrade(state, today[which % today.length]!, usSettlement)).toEqual(state);
      }),
      { numRuns },
    );
  });
});

const intent = {
  reference: "pf/2025-06-02/SPY/buy",
  quantity: 90_000 as Quantity,
} satisfies Partial<OrderIntent>;
const fill = (id: number, quantity: number, revision = 1): OrderEvent => ({
  kind: "partiallyFilled",
  reference: intent.reference,
  permId: "1",
  execId: `0001.${id}.01.0${revision}`,
  symbol: "SPY",
  side: "buy",
  quantity: quantity as Quantity,
  price: 500,
  session: sessionDate("2025-06-02"),
  time: "",
});
const said = fc.constantFrom<OrderEvent>(
  { kind: "acknowledged", reference: intent.reference, permId: "1", orderId: 1 },
  { kind: "cancelled", reference: intent.reference, reason: "202 cancelled" },
  { kind: "rejected", reference: intent.reference, brokerCode: 201, message: "no" },
  { kind: "unknown", reference: intent.reference, reason: "silence" },
  { kind: "cancelled", reference: "pf/2025-06-02/TLT/buy", reason: "another order" },
);

describe("what is known of an order", () => {
  it("is that it is filled as soon as its executions add up, whatever else is said before or after", () => {
    fc.assert(
      fc.property(
        fc.array(said),
        fc.shuffledSubarray([1, 2, 3], { minLength: 3 }),
        fc.nat(),
        (words, ids, where) => {
          const fills = ids.map((id) => fill(id, 30_000));
          const cut = where % (words.length + 1);
          const events = [...words.slice(0, cut), ...fills, ...words.slice(cut)];
          expect(knownOrder(events, intent)).toMatchObject({ filled: 90_000, end: "filled", detail: "" });
        },
      ),
    );
  });

  it("counts an execution and its corrections once, as corrected last", () => {
    const events = [fill(1, 50_000), fill(2, 30_000), fill(1, 40_000, 2), fill(1, 40_000, 2)];
    expect(knownOrder(events, intent)).toMatchObject({ filled: 70_000, end: null });
  });

  it("is over only when nothing more can come: not while it is unknown, and not before anything was heard", () => {
    const ends = (events: readonly OrderEvent[]) => isOver(knownOrder(events, intent));
    expect(ends([])).toBe(false);
    expect(ends([{ kind: "unknown", reference: intent.reference, reason: "" }])).toBe(false);
    expect(ends([{ kind: "cancelled", reference: intent.reference, reason: "" }])).toBe(true);
    expect(ends([{ kind: "rejected", reference: intent.reference, brokerCode: 201, message: "" }])).toBe(
      true,
    );
  });
});
