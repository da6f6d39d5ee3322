import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { usSettlement } from "@pf/compliance";
import { type SessionDate, sessionDate } from "@pf/market";
import { cents, type OrderIntent, type OrderPlan, type Quantity } from "@pf/orders";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Journal, type JournalIdentity, openJournal } from "../journal/journal.js";
import { createPastReader, Past, type PastReader } from "./past.js";
import { foldTrade, type TradeEvent } from "./state.js";

const [first, second, third] = ["2025-06-02", "2025-06-03", "2025-06-04"].map(sessionDate) as [
  SessionDate,
  SessionDate,
  SessionDate,
];
const identity: JournalIdentity = { mode: "paper", account: "DU1", venue: "ibkr" };

let folder: string;
let journal: Journal<TradeEvent>;
let read: PastReader;
let now = Date.UTC(2025, 5, 2, 19, 55);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pf-past-"));
  journal = openJournal(folder, identity, { nowUtcMs: () => now++ });
  read = createPastReader(folder);
});
afterEach(() => {
  journal.close();
  rmSync(folder, { recursive: true, force: true });
});

const booked = (event: Extract<TradeEvent, { kind: "booked" }>["event"]): TradeEvent => ({
  kind: "booked",
  event,
});
const valued = (session: SessionDate, dollars: number) =>
  booked({ kind: "valued", session, equity: cents(dollars * 100) });
const cash = (
  session: SessionDate,
  dollars: number,
  reason: "deposit" | "external" | "rounding" | "interest",
) => booked({ kind: "cash", session, amount: cents(dollars * 100), reason });
const shares = (kind: "adopted" | "removed", session: SessionDate, quantity: number) =>
  kind === "adopted"
    ? booked({
        kind,
        session,
        symbol: "TLT",
        quantity: quantity as Quantity,
        cost: cents(90_00),
        isSettled: true,
      })
    : booked({ kind, session, symbol: "TLT", quantity: quantity as Quantity });
const reference = (session: SessionDate, at: number) => `pf/${session}/TLT/buy/${at}`;
const intent = (session: SessionDate, at: number) =>
  ({
    reference: reference(session, at),
    symbol: "TLT",
    side: "buy",
    quantity: 10_000,
    detail: "below its target",
  }) as unknown as OrderIntent;
/** A session in which so many orders are sent, and the first of them is filled in two parts of which one is corrected. */
const traded = (session: SessionDate, orders: number): readonly TradeEvent[] => {
  const plan = {
    session,
    attempt: 1,
    asOf: session,
    intents: Array.from({ length: orders }, (_, at) => intent(session, at)),
  } as unknown as OrderPlan;
  const references = plan.intents.map((one) => one.reference);
  const fill = (execId: string, quantity: number): TradeEvent => ({
    kind: "order",
    session,
    event: {
      kind: "partiallyFilled",
      reference: references[0]!,
      permId: "1",
      execId,
      symbol: "TLT",
      side: "buy",
      quantity: quantity as Quantity,
      price: 90,
      session,
      time: "",
    },
  });
  return [
    { kind: "claimed", session, run: "run", version: "1" },
    { kind: "reviewed", session, attempt: 1, plan, ok: true, breaches: [] },
    { kind: "submitting", session, attempt: 1, references },
    fill("a.1.01", 4_000),
    fill("a.1.02", 5_000),
    fill("a.2.01", 5_000),
    { kind: "done", session, outcome: "filled", isComplete: true, detail: "as planned" },
  ];
};
const told = (past: Past) => ({
  seq: past.seq,
  state: past.state,
  valued: past.valued,
  held: past.held,
  orders: past.orders,
  sessions: past.sessions,
  review: past.review,
});

describe("the past of an account", () => {
  it("is the same in whatever portions the journal is read", () => {
    const events: readonly TradeEvent[] = [
      cash(first, 1_000, "deposit"),
      ...traded(first, 2),
      valued(first, 1_000),
      shares("adopted", second, 10_000),
      ...traded(second, 1),
      valued(second, 1_090),
      booked({ kind: "split", session: third, symbol: "TLT", numerator: 2, denominator: 1 }),
      valued(third, 1_090),
    ];
    journal.append(...events);
    const whole = told(read(identity));
    expect(whole.state).toEqual(foldTrade(journal.entries(), usSettlement));
    fc.assert(
      fc.property(fc.array(fc.nat(events.length)), (cuts) => {
        const entries = journal.entries();
        const past = new Past(identity);
        const ends = [...cuts.sort((a, b) => a - b), entries.length];
        ends.forEach((end, at) => {
          past.read(entries.slice(at === 0 ? 0 : ends[at - 1]!, end));
        });
        expect(told(past)).toEqual(whole);
      }),
      { numRuns: 30 },
    );
  });

  it("is read on where it was left, and anew where the journal is another", () => {
    const empty = read({ ...identity, account: "DU2" });
    expect([empty.seq, empty.sessions]).toEqual([0, []]);
    journal.append(...traded(first, 1));
    const past = read(identity);
    expect(read(identity)).toBe(past);
    journal.append(...traded(second, 1));
    expect(read(identity)).toBe(past);
    expect(past.sessions.map(({ session }) => session)).toEqual([first, second]);
    // Somebody put copies back: one ends earlier, one goes on otherwise.
    const replace = (...events: readonly TradeEvent[]) => {
      journal.close();
      rmSync(folder, { recursive: true });
      journal = openJournal(folder, identity, { nowUtcMs: () => now++ });
      journal.append(...events);
    };
    replace(...traded(first, 1));
    const shorter = read(identity);
    expect(shorter).not.toBe(past);
    expect(shorter.sessions.map(({ session }) => session)).toEqual([first]);
    replace(...traded(second, 1), ...traded(third, 1));
    expect(read(identity).sessions.map(({ session }) => session)).toEqual([second, third]);
    rmSync(folder, { recursive: true });
    expect(read(identity).sessions).toEqual([]);
  });

  it("counts orders and executions by session, corrections once, and keeps the last hundred orders", () => {
    journal.append(...traded(first, 60), ...traded(second, 60));
    const past = read(identity);
    expect(past.sessions).toMatchObject([
      { session: first, outcome: "filled", orders: 60, fills: 2 },
      { session: second, outcome: "filled", orders: 60, fills: 2 },
    ]);
    expect(past.orders).toHaveLength(100);
    expect(past.orders.at(-1)!.intent.reference).toBe(reference(second, 59));
    expect(past.orders.at(-60)!.events).toHaveLength(3);
  });

  it("calls a session open until it is done, and open again when it is begun again", () => {
    const [claimed, ...rest] = traded(first, 1);
    journal.append(claimed!);
    const outcomes = () => read(identity).sessions.map(({ outcome }) => outcome);
    expect(outcomes()).toEqual(["open"]);
    journal.append(...rest);
    expect(outcomes()).toEqual(["filled"]);
    journal.append(claimed!);
    expect(outcomes()).toEqual(["open"]);
  });

  it("keeps what moved with the valuation that follows it, and nothing that is performance", () => {
    journal.append(
      cash(first, 1_000, "deposit"),
      valued(first, 1_000),
      cash(first, 500, "external"),
      cash(second, 3, "interest"),
      cash(second, 0.02, "rounding"),
      shares("adopted", second, 10_000),
      valued(second, 1_590),
      cash(second, 10, "deposit"),
      valued(second, 1_600),
      booked({ kind: "split", session: third, symbol: "TLT", numerator: 2, denominator: 1 }),
      shares("removed", third, 10_000),
      valued(third, 1_555),
    );
    const past = read(identity);
    expect(past.valued).toEqual([
      {
        session: first,
        equity: 1_000_00,
        movements: [{ kind: "cash", session: first, amount: 1_000_00, isFound: false }],
      },
      {
        session: second,
        equity: 1_600_00,
        movements: [
          { kind: "cash", session: first, amount: 500_00, isFound: true },
          // In shares of now: two for one since.
          { kind: "shares", session: second, symbol: "TLT", quantity: 20_000, cost: 90_00 },
          { kind: "cash", session: second, amount: 10_00, isFound: false },
        ],
      },
      {
        session: third,
        equity: 1_555_00,
        movements: [{ kind: "shares", session: third, symbol: "TLT", quantity: -10_000, cost: -45_00 }],
      },
    ]);
    expect(past.held).toEqual([
      { session: second, quantities: { TLT: 20_000 } },
      { session: third, quantities: { TLT: 10_000 } },
    ]);
  });
});
