import { sessionDate } from "@pf/market";
import type { OrderEvent, Quantity } from "@pf/orders";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ExecutionFact, OrderMessage } from "./messages.js";
import {
  appearanceOf,
  emptyBook,
  executionRoot,
  filledQuantity,
  fillsOf,
  forgetBefore,
  hasAllCommissions,
  type OrderBook,
  reduce,
} from "./reduce.js";

function reduceAll(
  book: OrderBook,
  messages: Iterable<OrderMessage>,
): { book: OrderBook; events: OrderEvent[] } {
  const events: OrderEvent[] = [];
  let present = book;
  for (const message of messages) {
    const step = reduce(present, message);
    present = step.book;
    events.push(...step.events);
  }
  return { book: present, events };
}

const session = sessionDate("2026-04-13");
const shares = (count: number) => (count * 10_000) as Quantity;

/** One order as it went at the broker, and every message about it. */
interface Story {
  readonly reference: string;
  readonly quantity: Quantity;
  /** The executions that count in the end, corrections applied. */
  readonly truth: readonly ExecutionFact[];
  readonly commissions: ReadonlyMap<string, number>;
  readonly messages: readonly OrderMessage[];
}

function tellStory(number: number, plan: StoryPlan): Story {
  const reference = `pf/2026-04-13/S${number}/buy`;
  const permId = String(9_007_199_254_740_993n + BigInt(number));
  const ids = { clientId: 17, orderId: number + 1 };
  const order = { reference, symbol: `S${number}`, side: "buy" as const, account: "DU1" };
  const sizes = plan.fills.map(({ size }) => size);
  const quantity = shares(sizes.reduce((sum, size) => sum + size, plan.unfilled));
  const messages: OrderMessage[] = [
    { kind: "intended", ...order, ...ids, quantity },
    { kind: "order", ...order, ...ids, permId, quantity, status: "Submitted", why: "" },
    { kind: "status", ...ids, permId, status: "PreSubmitted" },
    { kind: "status", ...ids, permId, status: "Submitted" },
  ];
  const truth: ExecutionFact[] = [];
  const commissions = new Map<string, number>();
  plan.fills.forEach(({ size, price, corrections, named, commission }, at) => {
    for (let revision = 1; revision <= corrections + 1; revision++) {
      const execution: ExecutionFact = {
        ...order,
        ...ids,
        permId,
        reference: named ? reference : "",
        execId: `0000e0d5.69dd${number}.${String(at).padStart(2, "0")}.${String(revision).padStart(2, "0")}`,
        quantity: shares(size),
        price: price + revision - 1 - corrections,
        session,
        time: `20260413 15:27:${String(at).padStart(2, "0")} US/Eastern`,
      };
      messages.push({ kind: "execution", ...execution });
      if (revision === corrections + 1) {
        truth.push(execution);
        if (commission === null) continue;
        commissions.set(execution.execId, commission);
        messages.push({ kind: "commission", execId: execution.execId, commission, currency: "USD" });
      }
    }
  });
  if (plan.unfilled === 0) messages.push({ kind: "status", ...ids, permId, status: "Filled" });
  if (plan.noise) messages.push({ kind: "error", ...ids, code: plan.noise, message: "words" });
  return { reference, quantity, truth, commissions, messages };
}

const storyPlan = fc.record({
  fills: fc.array(
    fc.record({
      size: fc.integer({ min: 1, max: 40 }),
      price: fc.integer({ min: 20, max: 600 }),
      corrections: fc.constantFrom(0, 0, 0, 1, 2),
      named: fc.boolean(),
      commission: fc.option(fc.integer({ min: 35, max: 500 }).map((cents) => cents / 100)),
    }),
    { maxLength: 5 },
  ),
  unfilled: fc.constantFrom(0, 0, 3),
  noise: fc.constantFrom(0, 399, 10349, 2109, 99999),
});
type StoryPlan = typeof storyPlan extends fc.Arbitrary<infer T> ? T : never;

const telling = fc.array(storyPlan, { minLength: 1, maxLength: 4 }).chain((plans) => {
  const stories = plans.map((plan, number) => tellStory(number, plan));
  // We know what we send before anybody answers; everything else comes as it likes.
  const intended = stories.map(({ messages }) => messages[0]!);
  const all = stories.flatMap(({ messages }) => messages.slice(1));
  return fc
    .tuple(
      fc.shuffledSubarray(all, { minLength: all.length }),
      fc.array(fc.tuple(fc.nat({ max: all.length - 1 }), fc.nat({ max: 2 * all.length })), { maxLength: 12 }),
    )
    .map(([shuffled, repeats]) => {
      const messages = [...shuffled];
      for (const [which, where] of repeats) messages.splice(where, 0, all[which]!);
      return { stories, messages: [...intended, ...messages] };
    });
});

/** What somebody who only hears the events believes. */
function believe(events: readonly OrderEvent[]): {
  fills: Map<string, OrderEvent & { kind: "filled" | "partiallyFilled" }>;
  commissions: Map<string, number>;
} {
  const fills = new Map<string, OrderEvent & { kind: "filled" | "partiallyFilled" }>();
  const commissions = new Map<string, number>();
  for (const event of events) {
    if (event.kind === "filled" || event.kind === "partiallyFilled") {
      fills.set(executionRoot(event.execId), event as OrderEvent & { kind: "filled" | "partiallyFilled" });
    }
    if (event.kind === "commission") commissions.set(executionRoot(event.execId), event.commission);
  }
  return { fills, commissions };
}

const inOrder = (facts: readonly ExecutionFact[]) => facts.map(({ execId }) => execId).sort();

describe("reduce", () => {
  it("gives the same fills however messages are shuffled and repeated: nothing lost, doubled or invented", () => {
    fc.assert(
      fc.property(telling, ({ stories, messages }) => {
        const { book, events } = reduceAll(emptyBook, messages);
        const heard = believe(events);
        const truth = stories.flatMap((story) => story.truth);
        expect([...heard.fills.values()].map(({ execId }) => execId).sort()).toEqual(inOrder(truth));
        for (const story of stories) {
          expect(inOrder(fillsOf(book, story.reference))).toEqual(inOrder(story.truth));
          for (const fact of story.truth) {
            expect(heard.fills.get(executionRoot(fact.execId))).toMatchObject({
              reference: story.reference,
              execId: fact.execId,
              quantity: fact.quantity,
              price: fact.price,
              permId: fact.permId,
            });
            expect(heard.commissions.get(executionRoot(fact.execId))).toBe(
              story.commissions.get(fact.execId),
            );
          }
        }
      }),
    );
  });

  it("tells each event once, and acknowledges each order once, before or at its first fill", () => {
    fc.assert(
      fc.property(telling, ({ stories, messages }) => {
        const { events } = reduceAll(emptyBook, messages);
        expect(new Set(events.map((event) => JSON.stringify(event))).size).toBe(events.length);
        for (const { reference } of stories) {
          const own = events.filter((event) => event.reference === reference);
          expect(own.filter(({ kind }) => kind === "acknowledged")).toHaveLength(1);
          if (own.length > 0) expect(own[0]!.kind).toBe("acknowledged");
        }
      }),
    );
  });

  it("tells nothing more when everything is told again", () => {
    fc.assert(
      fc.property(telling, ({ messages }) => {
        const { book } = reduceAll(emptyBook, messages);
        expect(reduceAll(book, messages).events).toEqual([]);
      }),
    );
  });

  it("says filled exactly of orders whose executions add up to their quantity, and never by a status", () => {
    fc.assert(
      fc.property(telling, ({ stories, messages }) => {
        const { book, events } = reduceAll(emptyBook, messages);
        for (const { reference, truth, quantity } of stories) {
          const sum = truth.reduce((total, fact) => total + fact.quantity, 0);
          const full = sum > 0 && sum === quantity;
          expect(filledQuantity(book, reference)).toBe(sum);
          expect(appearanceOf(book, reference).kind === "filled").toBe(full);
          const last = events.filter((event) => event.reference === reference && /illed$/.test(event.kind));
          if (full) expect(last.at(-1)?.kind).toBe("filled");
          else expect(last.some(({ kind }) => kind === "filled")).toBe(false);
        }
      }),
    );
  });

  it("does not change the book it is given", () => {
    fc.assert(
      fc.property(telling, ({ messages }) => {
        const { book } = reduceAll(emptyBook, messages.slice(0, 3));
        const before = JSON.stringify([...book.orders, ...book.executions, ...book.names, ...book.told]);
        reduceAll(book, messages);
        expect(JSON.stringify([...book.orders, ...book.executions, ...book.names, ...book.told])).toBe(
          before,
        );
        expect(emptyBook.orders.size).toBe(0);
      }),
    );
  });
});

const ids = { clientId: 17, orderId: 5 };
const reference = "pf/2026-04-13/SPY/buy";
const intended: OrderMessage = {
  kind: "intended",
  reference,
  ...ids,
  symbol: "SPY",
  side: "buy",
  quantity: shares(3),
};
const status = (name: string): OrderMessage => ({ kind: "status", ...ids, permId: "77", status: name });
const error = (code: number, message = "words"): OrderMessage => ({ kind: "error", ...ids, code, message });
const bookOf = (...messages: OrderMessage[]): OrderBook => reduceAll(emptyBook, [intended, ...messages]).book;

describe("appearanceOf", () => {
  it.each<[string, OrderMessage[], string]>([
    ["nothing was heard", [], "unanswered"],
    ["a notice was heard", [error(399)], "unanswered"],
    ["an unknown code was heard", [error(54321)], "unanswered"],
    ["it was accepted", [status("PreSubmitted")], "working"],
    ["its status says filled and no execution came", [status("Submitted"), status("Filled")], "working"],
    ["a cancellation of it was refused", [status("Submitted"), error(10147)], "working"],
    ["it was cancelled", [status("Submitted"), status("Cancelled")], "cancelled"],
    ["it was cancelled by 202", [status("Submitted"), error(202)], "cancelled"],
    ["it was refused", [status("Inactive"), error(201)], "rejected"],
    ["it was refused before any status", [error(201)], "rejected"],
    ["it is inactive and nobody says why", [status("Inactive")], "rejected"],
    ["fractions are refused", [error(10243), status("Cancelled")], "rejected"],
    ["the API is read-only", [error(321)], "rejected"],
  ])("when %s", (_, messages, kind) => {
    expect(appearanceOf(bookOf(...messages), reference).kind).toBe(kind);
  });

  it("does not know an order that nobody spoke of", () => {
    expect(appearanceOf(emptyBook, "other").kind).toBe("unanswered");
  });
});

describe("how an order ended", () => {
  it("is told only when it was settled, and once", () => {
    const settled: OrderMessage = {
      kind: "settled",
      reference,
      outcome: { kind: "cancelled", reason: "202 words" },
    };
    const { book, events } = reduceAll(emptyBook, [intended, status("Cancelled"), error(202)]);
    expect(events.map(({ kind }) => kind)).toEqual(["acknowledged"]);
    expect(reduceAll(book, [settled, settled]).events).toEqual([
      { kind: "cancelled", reference, reason: "202 words" },
    ]);
  });

  it("may be learned after it was unknown, and never becomes unknown again", () => {
    const unknown: OrderMessage = {
      kind: "settled",
      reference,
      outcome: { kind: "unknown", reason: "no answer" },
    };
    const known: OrderMessage = {
      kind: "settled",
      reference,
      outcome: { kind: "cancelled", reason: "later" },
    };
    const { events } = reduceAll(emptyBook, [intended, unknown, known, unknown]);
    expect(events.map(({ kind }) => kind)).toEqual(["unknown", "cancelled"]);
  });

  it("leaves a fill that comes afterwards to be told", () => {
    const execution: OrderMessage = {
      kind: "execution",
      execId: "a.b.01.01",
      reference,
      ...ids,
      permId: "77",
      account: "DU1",
      symbol: "SPY",
      side: "buy",
      quantity: shares(3),
      price: 500,
      session,
      time: "20260413 15:27:04 US/Eastern",
    };
    const settled: OrderMessage = {
      kind: "settled",
      reference,
      outcome: { kind: "cancelled", reason: "10349" },
    };
    const { book, events } = reduceAll(emptyBook, [intended, status("Cancelled"), settled, execution]);
    expect(events.map(({ kind }) => kind)).toEqual(["acknowledged", "cancelled", "filled"]);
    expect(hasAllCommissions(book, reference)).toBe(false);
  });
});

describe("forgetBefore", () => {
  const next = sessionDate("2026-04-14");

  it("leaves out what is over, and keeps what is not with all its fills", () => {
    fc.assert(
      fc.property(telling, ({ stories, messages }) => {
        const { book } = reduceAll(emptyBook, messages);
        const kept = forgetBefore(book, next);
        for (const { reference, truth, quantity } of stories) {
          const isFilled =
            truth.length > 0 && truth.reduce((sum, fact) => sum + fact.quantity, 0) === quantity;
          expect(kept.orders.has(reference)).toBe(!isFilled);
          expect(fillsOf(kept, reference)).toEqual(isFilled ? [] : fillsOf(book, reference));
        }
        const { events } = reduceAll(
          kept,
          messages.filter((message) => message.kind === "status"),
        );
        expect(events).toEqual([]);
      }),
    );
  });

  it("keeps everything of the session itself", () => {
    fc.assert(
      fc.property(telling, ({ messages }) => {
        const { book } = reduceAll(emptyBook, messages);
        const kept = forgetBefore(book, session);
        expect(kept.executions).toEqual(book.executions);
        expect(kept.orders).toEqual(book.orders);
        expect(reduceAll(kept, messages).events).toEqual([]);
      }),
    );
  });
});

describe("orders of others", () => {
  it("fill no memory: what belongs to nobody known is forgotten, oldest first", () => {
    const { book } = reduceAll(
      emptyBook,
      Array.from(
        { length: 3000 },
        (_, n): OrderMessage => ({
          kind: "status",
          clientId: 3,
          orderId: n + 1,
          permId: undefined,
          status: "Submitted",
        }),
      ),
    );
    expect(book.waiting.length).toBeLessThanOrEqual(1000);
  });
});
