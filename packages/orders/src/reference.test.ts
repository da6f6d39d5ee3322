import { sessionDate } from "@pf/market";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OrderReferenceError } from "./errors.js";
import { orderReference, parseOrderReference } from "./reference.js";

const session = sessionDate("2026-11-16");
const first = { session, symbol: "SPY", side: "buy", attempt: 1 } as const;

describe("an order reference", () => {
  it("names session, symbol and side, and the attempt from the second on", () => {
    expect(orderReference(first)).toBe("pf/2026-11-16/SPY/buy");
    expect(orderReference({ ...first, symbol: "BRK-B", side: "sell", attempt: 12 })).toBe(
      "pf/2026-11-16/BRK-B/sell/12",
    );
  });
  it("reads back as what it was made of, and is as long as a broker keeps", () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[A-Z0-9]{1,6}([.-][A-Z0-9]{1,3})?$/),
        fc.constantFrom("buy", "sell"),
        fc.integer({ min: 1, max: 99 }),
        (symbol, side, attempt) => {
          const made = { session, symbol, side, attempt } as const;
          const text = orderReference(made);
          expect(parseOrderReference(text)).toEqual(made);
          expect(text.length).toBeLessThanOrEqual(40);
        },
      ),
    );
  });
  it("is not seen in the references of others", () => {
    for (const other of [
      "",
      "pf",
      "pf/2026-11-16/SPY/hold",
      "pf/2026-02-30/SPY/buy",
      "pf/2026-11-16//buy",
      "pf/2026-11-16/SPY/buy/1",
      "pf/2026-11-16/SPY/buy/0",
      "xpf/2026-11-16/SPY/buy",
    ])
      expect(parseOrderReference(other), other).toBeUndefined();
  });
  it("is refused where it could not be recognised again", () => {
    expect(() => orderReference({ ...first, symbol: "A/B" })).toThrow(OrderReferenceError);
    expect(() => orderReference({ ...first, attempt: 0 })).toThrow(OrderReferenceError);
    expect(() => orderReference({ ...first, attempt: 1.5 })).toThrow(OrderReferenceError);
    expect(() => orderReference({ ...first, symbol: "A".repeat(30) })).toThrow(OrderReferenceError);
  });
});
