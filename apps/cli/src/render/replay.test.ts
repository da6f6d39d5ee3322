import type { ReplayDocument, ReplaySession } from "@pf/app";
import { describe, expect, it } from "vitest";
import { plain } from "../terminal.js";
import { renderReplay } from "./replay.js";

const style = { painter: plain, width: 80, out: "reports" };

const session = (day: string, more: Partial<ReplaySession> = {}): ReplaySession => ({
  session: day as ReplaySession["session"],
  outcome: "unchanged",
  detail: "",
  asOf: day as ReplaySession["session"],
  fills: 0,
  waiting: {},
  blocked: [],
  settledCash: 1_316.39,
  differs: [],
  ...more,
});

const sessions = [
  session("2024-10-07", { outcome: "filled", fills: 1, waiting: { SPY: "waits_for_settlement" } }),
  session("2024-10-08"),
];

const equal = {
  start: "2024-10-07",
  end: "2024-10-08",
  intraday: "close",
  sessions,
  fills: [{ session: "2024-10-07", symbol: "XLE", side: "sell", quantity: 4, price: 31.17, fee: 0.35 }],
  equity: [
    { session: "2024-10-07", replay: 23_838.77, account: 23_838.77 },
    { session: "2024-10-08", replay: 23_840, account: 23_840 },
  ],
  dividends: 12.5,
  difference: {
    equal: true,
    equalOrders: true,
    cents: 0,
    bps: 0,
    largestBps: 0,
    otherDecisions: 0,
    otherOrders: 0,
    parts: [
      { name: "decision", dollars: 0, bps: 0 },
      { name: "execution", dollars: 0, bps: 0 },
    ],
    first: null,
  },
  notes: ["slippage is 0 for both: fills are what the simulated broker gives"],
  manifest: { warnings: ["no bars in the range: BITO"] },
} as unknown as ReplayDocument;

const differing: ReplayDocument = {
  ...equal,
  intraday: "path",
  equity: [equal.equity[0]!, { ...equal.equity[1]!, replay: 23_700.5 }],
  sessions: [sessions[0]!, session("2024-10-08", { differs: ["settledCash", "equity"] })],
  difference: {
    ...equal.difference,
    equal: false,
    equalOrders: false,
    cents: -13_950,
    bps: -58.51,
    largestBps: 61.2,
    otherDecisions: 1,
    otherOrders: 1,
    parts: [
      { name: "decision", dollars: -100, bps: -41.95 },
      { name: "execution", dollars: -39.5, bps: -16.57 },
    ],
  },
};

describe("a replay on the terminal", () => {
  it("says first that both are equal, and on what that rests", () => {
    expect(renderReplay(equal, style)).toMatchInlineSnapshot(`
      "Replay  2024-10-07 to 2024-10-08, 2 sessions, prices stand at the close

                          Live path  Account engine
        Worth at the end  23,840.00       23,840.00  equal to the cent
        Fills                     1                  0.35 of commissions
        Dividends             12.50           12.50
        Settled cash       1,316.39

        Sessions
               1  everything planned was filled
               1  nothing to do
               1  of them left something for another session

        Equal: every order, price, fee, settled cash and equity of every session, and
        what waited or was forbidden.

        slippage is 0 for both: fills are what the simulated broker gives

        Warning  no bars in the range: BITO
      "
    `);
  });

  it("takes the difference apart where there is one", () => {
    expect(renderReplay(differing, style)).toMatchInlineSnapshot(`
      "Replay  2024-10-07 to 2024-10-08, 2 sessions, prices move until the close

                          Live path  Account engine
        Worth at the end  23,700.50       23,840.00  -139.50, -58.5 bps
        Fills                     1                  0.35 of commissions
        Dividends                             12.50
        Settled cash       1,316.39

        Sessions
               1  everything planned was filled
               1  nothing to do
               1  of them left something for another session

        Other targets on 1 and other orders on 1 of 2 sessions; worth 61.2 bps apart
        at most.

        Where it comes from                     dollars    bps
        decided on a bar that was not finished  -100.00  -42.0
        filled at other prices than the close    -39.50  -16.6

        slippage is 0 for both: fills are what the simulated broker gives

        Warning  no bars in the range: BITO
      "
    `);
  });

  it("names the sessions that differ where none may", () => {
    const text = renderReplay({ ...differing, intraday: "close" }, style);
    expect(text).toContain("2024-10-08  unchanged  settled cash, equity");
    expect(text).not.toContain("2024-10-07  filled");
    expect(renderReplay(differing, style)).not.toContain("Differs in");
  });

  it("keeps to the width of a terminal", () => {
    for (const document of [equal, differing, { ...differing, intraday: "close" as const }]) {
      for (const line of renderReplay(document, style).split("\n"))
        expect(line.length).toBeLessThanOrEqual(80);
    }
  });
});
