import { usSettlement } from "@pf/compliance";
import { sessionDate } from "@pf/market";
import { cents } from "@pf/orders";
import { describe, expect, it } from "vitest";
import { applyTrade, type HaltCode, type TradeEvent, untouched } from "./state.js";

const session = sessionDate("2025-06-02");
const after = (...events: readonly TradeEvent[]) =>
  events.reduce((state, event) => applyTrade(state, event, usSettlement), untouched);
const valued = (equity: number): TradeEvent => ({
  kind: "booked",
  event: { kind: "valued", session, equity: cents(equity) },
});
const halted = (code: HaltCode): TradeEvent => ({ kind: "halted", code, reason: "a test", session });

describe("resuming", () => {
  it("forgets what a brake compared with, so that the same fall does not brake again", () => {
    const state = after(valued(100_00), valued(80_00), halted("check"), { kind: "resumed", reason: "seen" });
    expect(state.halt).toBeNull();
    expect([state.account.peak, state.account.valued]).toEqual([null, null]);
  });

  it("keeps it where something else had halted", () => {
    const state = after(valued(100_00), halted("rejected"), { kind: "resumed", reason: "seen" });
    expect(state.account.peak).toBe(100_00);
  });
});
