// A cash account as one plain value: what is booked, what settles when, and which sale would break a rule.
import { availableCash, foldEvents, sellableOn, totalCash, usSettlement } from "@pf/compliance";
import { sessionDate } from "@pf/market";
import { cents, formatCents, quantityOfShares } from "@pf/orders";

const [monday, tuesday, wednesday] = ["2026-06-01", "2026-06-02", "2026-06-03"].map(sessionDate);
/** @returns {import("@pf/compliance").AccountEvent} */
const fill = (session, execId, side, symbol, shares, price) => {
  const [quantity, fees] = [quantityOfShares(shares), cents(35)];
  return { kind: "fill", session, reference: null, execId, side, symbol, quantity, price, fees };
};
const events = [
  { kind: "cash", session: monday, amount: cents(1_000_000), reason: "deposit" },
  fill(monday, "1", "buy", "SPY", 16, 600),
  // Sold the next day: the money comes a clearing day later.
  { kind: "day", session: tuesday },
  fill(tuesday, "2", "sell", "SPY", 16, 605),
];

const sold = foldEvents(events, usSettlement);
console.log(
  `cash ${formatCents(totalCash(sold))}, free to spend ${formatCents(availableCash(sold, cents(0)))}`,
);
console.log(`a sale of ${tuesday} settles on ${usSettlement.settleDate(tuesday)}`);

// Bought all the same, with money that has not settled: these shares must wait for it.
const bought = foldEvents([...events, fill(tuesday, "3", "buy", "QQQ", 18, 500)], usSettlement);
for (const session of [tuesday, wednesday]) {
  const { quantity, next } = sellableOn(bought, "QQQ", session, { brokerEndOfDay: false });
  console.log(`${session}: ${quantity / 10_000} QQQ may be sold${next ? `, more from ${next}` : ""}`);
}

// A fill is a fact and is booked; what it broke is noted.
const broken = foldEvents([fill(tuesday, "4", "sell", "QQQ", 18, 501)], usSettlement, bought);
for (const { kind, symbol, session } of broken.violations) console.log(`${session}: ${kind} of ${symbol}`);
