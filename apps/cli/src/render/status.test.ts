import type { StatusDocument } from "@pf/app";
import { describe, expect, it } from "vitest";
import { plain } from "../terminal.js";
import { renderStatus } from "./status.js";

const style = { painter: plain, width: 80, out: "reports" };
const day = (text: string) => text as NonNullable<StatusDocument["next"]>["session"];

const status: StatusDocument = {
  mode: "paper",
  account: "DUK200445",
  venue: "ibkr",
  used: true,
  state: "halted",
  lastSession: {
    session: day("2026-11-20"),
    outcome: "halted",
    detail: "an order was rejected",
    complete: false,
  },
  next: { session: day("2026-11-23"), opens: "2026-11-23T20:55:00.000Z", closes: "2026-11-23T20:59:30.000Z" },
  halted: { code: "rejected", reason: "an order was rejected", session: day("2026-11-20") },
  cash: { settled: 1250, coming: [{ amount: 12_024.34, settles: day("2026-11-23") }], detail: "" },
  positions: [{ symbol: "QQQ", quantity: 23, cost: 12_275.91 }],
  restrictedUntil: null,
  equity: { session: day("2026-11-20"), dollars: 25_550.25 },
  others: [],
};

describe("pf status for people", () => {
  it("tells whether it trades and why not, what it did last, when it trades next, and what it holds", () => {
    expect(renderStatus(status, style)).toBe(`Account DUK200445, paper

  state    halted: nothing is traded until pf resume
  because  rejected: an order was rejected
  last     2026-11-20 halted: an order was rejected (not all was done)
  next     2026-11-23, from 2026-11-23T20:55:00.000Z to 2026-11-23T20:59:30.000Z
  equity   25,550.25 on 2026-11-20
  cash     1,250.00 settled
           12,024.34 settles on 2026-11-23

Holdings, as booked
  Symbol  Shares   Cost USD
  QQQ         23  12,275.91
`);
  });

  it("says that an account has not traded yet, and what else stands in the folder", () => {
    const text = renderStatus(
      {
        ...status,
        used: false,
        state: "idle",
        halted: null,
        lastSession: null,
        equity: null,
        positions: [],
        others: ["paper-DUK200445-tws-sim_replay.sqlite"],
      },
      style,
    );
    expect(text).toContain("It has not traded here yet.");
    expect(text).toContain("nothing is under way");
    expect(text).toContain("paper-DUK200445-tws-sim_replay.sqlite");
  });
});
