import type { TradeDocument } from "@pf/app";
import { describe, expect, it } from "vitest";
import { plain } from "../terminal.js";
import { renderTrade } from "./trade.js";

const style = { painter: plain, width: 80, out: "reports" };

const symbol = (name: string, more: object) => ({
  symbol: name,
  price: 100,
  held: 0,
  weight: 0,
  wanted: 0,
  action: "none" as const,
  quantity: 0,
  reason: "on_target",
  detail: "nothing held and nothing wanted",
  deferred: null,
  drift: 0,
  ...more,
});

const document: TradeDocument = {
  mode: "paper",
  account: "DUK200445",
  venue: "ibkr",
  session: "2026-11-20" as TradeDocument["session"],
  asOf: "2026-11-20" as TradeDocument["asOf"],
  outcome: "partial",
  detail: "1 of 2 orders filled; the rest waits, as the plan says",
  weights: { QQQ: 0.5 },
  overlays: [
    { name: "vol_target", exposure: 1, reason: "the weights' volatility is 8.0 % a year, within 10.0 %" },
    {
      name: "sma_filter",
      exposure: 0.5,
      reason: "SPY closed at 601.23, below its average of 200 bars, 612.00",
    },
  ],
  plan: {
    session: "2026-11-20" as TradeDocument["session"],
    attempt: 1,
    asOf: "2026-11-20" as TradeDocument["session"],
    equity: 25_000.5,
    orders: [],
    symbols: [
      symbol("SPY", {
        price: 601.2345,
        held: 20,
        action: "sell",
        quantity: 20,
        detail: "sell 20 SPY: not wanted",
      }),
      symbol("QQQ", {
        price: 1533.7,
        weight: 0.5,
        wanted: 8,
        detail: "8 wanted, 0 held; the money for it settles on 2026-11-23",
        deferred: { quantity: 8, reason: "waits_for_settlement", until: "2026-11-23" },
      }),
      symbol("TLT", { price: null, wanted: null }),
    ],
    cash: { spendable: 1250, buffer: 1250, cost: 0, proceeds: 12_024.34, fees: 0.35 },
    complete: false,
  },
  verdict: {
    ok: true,
    checks: [
      {
        name: "long_only",
        passed: true,
        warning: false,
        halts: false,
        inputs: {},
        detail: "nothing is sold short",
      },
      {
        name: "day_trades",
        passed: true,
        warning: true,
        halts: false,
        inputs: {},
        detail: "3 in five sessions",
      },
      { name: "settled_cash", passed: false, warning: false, halts: false, inputs: {}, detail: "too dear" },
    ],
  },
  orders: [
    {
      reference: "r",
      symbol: "SPY",
      side: "sell",
      quantity: 20,
      filled: 20,
      status: "filled",
      detail: "",
      permId: "1",
    },
    {
      reference: "s",
      symbol: "GLD",
      side: "sell",
      quantity: 5,
      filled: 0,
      status: "cancelled",
      detail: "202 cancelled",
      permId: "2",
    },
  ],
  fills: [
    { execId: "a", reference: "r", symbol: "SPY", side: "sell", quantity: 15, price: 601, commission: 0.25 },
    { execId: "b", reference: "r", symbol: "SPY", side: "sell", quantity: 5, price: 603, commission: 0.1 },
  ],
  notices: ["25,000.00 of cash adopted"],
  halted: null,
  log: "logs/trade-paper-DUK200445.jsonl",
};

describe("pf trade for people", () => {
  it("tells what is held and wanted, why, what is sent, what waits and until when, and what became of it", () => {
    expect(renderTrade(document, style)).toBe(`Trade 2026-11-20 (paper, account DUK200445)

  Symbol    Price  Held  Wanted  Weight    Order  Waits
  SPY      601.23    20       0    0.0%  sell 20
  QQQ     1533.70     0       8   50.0%           8 until 2026-11-23
  TLT           –     0       –    0.0%

Why
  SPY  sell 20 SPY: not wanted
  QQQ  8 wanted, 0 held; the money for it settles on 2026-11-23

Exposure
  - vol_target leaves the weights as they are: the weights' volatility is 8.0 %
    a year, within 10.0 %
  - sma_filter scales every weight by 0.50: SPY closed at 601.23, below its
    average of 200 bars, 612.00

  equity 25,000.50
  may be spent 1,250.00, of which 1,250.00 is kept
  sales bring 12,024.34

Sent
  Symbol    Order  Filled   Price  Fees
  SPY     sell 20      20  601.50  0.35  filled
  GLD      sell 5       0                cancelled: 202 cancelled

Checks
  day_trades    look    3 in five sessions
  settled_cash  failed  too dear

  2 of 3 checks passed

Notices
  - 25,000.00 of cash adopted

Partly done: 1 of 2 orders filled; the rest waits, as the plan says
Audit log: reports/logs/trade-paper-DUK200445.jsonl
`);
  });

  it("keeps to the width, and says when it is a simulator and what the decision is of", () => {
    const text = renderTrade(
      {
        ...document,
        venue: "tws-sim:x",
        asOf: "2026-11-19" as TradeDocument["asOf"],
        notices: ["word ".repeat(60)],
      },
      style,
    );
    const lines = text.split("\n");
    expect(lines.slice(0, 2)).toEqual([
      "Trade 2026-11-20, decided on 2026-11-19",
      "(paper, account DUK200445, on a simulator)",
    ]);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  });

  it("tells a session without a plan in a few lines", () => {
    const early = renderTrade(
      {
        ...document,
        plan: null,
        verdict: null,
        orders: [],
        fills: [],
        notices: [],
        log: null,
        outcome: "not_now",
        detail: "too early: orders are sent from 15:55 New York time on",
      },
      style,
    );
    expect(early).toBe(
      "Trade 2026-11-20 (paper, account DUK200445)\n\nNot now: too early: orders are sent from 15:55 New York time on\n",
    );
  });
});
