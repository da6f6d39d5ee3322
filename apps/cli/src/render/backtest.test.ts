import type { BacktestOutcome } from "@pf/app";
import { describe, expect, it } from "vitest";
import { plain } from "../terminal.js";
import { renderBacktest } from "./backtest.js";

const metrics = (CAGR: number, TurnoverAnnual: number) => ({
  CAGR,
  Sharpe: 0.7,
  MaxDD: 0.25,
  Calmar: 0.3,
  PF: 1.1,
  Turnover: 90,
  TurnoverAnnual,
  RebalanceDays: 1234,
  RebalancesPerMonth: 4.1,
  FinalEquity: 1.1,
  Bars: 252,
});

const account = {
  metrics: { ...metrics(0.05, 27.8), MaxDD: 0.274, Sharpe: 0.61 },
  initialCash: 25_000,
  finalEquity: 26_250,
  quantity: "whole",
  commissionPlan: "ibkr_tiered",
  commissions: 699,
  slippage: 977.4,
  dividends: 0,
  fills: 1286,
  planned: 1020,
  waited: { waits_for_settlement: 585, unsettled_lots: 117, cash_short: 3 },
  blocked: [
    { session: "2023-03-13", checks: ["price_sanity"] },
    { session: "2023-03-14", checks: ["data_complete", "drawdown"] },
    { session: "2023-03-15", checks: ["drawdown"] },
  ],
  idleCash: { account: 0.296, targets: 0.244 },
  difference: [
    { name: "drift", cagr: 0.0014, dollars: 914 },
    { name: "buffer", cagr: -0.0014, dollars: -921 },
    { name: "fees", cagr: 0, dollars: 0 },
    { name: "rounding", cagr: 0.001, dollars: 742 },
    { name: "settlement", cagr: -0.0196, dollars: -12_075.4 },
  ],
};

const sessions = ["2024-01-02", "2024-12-31"];
const barsDocument = {
  engine: "bars",
  metrics: metrics(0.1, 33.3),
  benchmarks: {},
  literal: metrics(0.12, 86.3),
  bars: metrics(0.1, 33.3),
  account,
  files: ["metrics.json"],
  log: "logs/one.jsonl",
  manifest: {
    first: sessions[0],
    last: sessions[1],
    sessions: 252,
    data: { SPY: {}, TLT: {} },
    warnings: [],
    config: { selection: { incumbents: "keep" }, rebalance: { min_weight_change: 0.05 } },
  },
};
const shown = (document: object, width = 80) => {
  const outcome = { document, result: { sessions, equity: [1, 1.1] }, benchmarks: [] };
  return renderBacktest(outcome as unknown as BacktestOutcome, {
    painter: plain,
    width,
    out: "reports",
  }).split("\n");
};
const lineOf = (text: readonly string[], start: string) =>
  text
    .find((line) => line.trimStart().startsWith(start))
    ?.trim()
    .split(/ {2,}/);

describe("the summary of a backtest", () => {
  const text = shown(barsDocument);
  const account80 = text.slice(text.findIndex((line) => line.includes("In a cash account")));

  it("shows both engines side by side, and where the difference comes from", () => {
    expect(account80[0]).toContain("In a cash account of $25,000");
    expect(lineOf(account80, "Growth a year")).toEqual(["Growth a year (CAGR)", "10.00%", "5.00%"]);
    expect(lineOf(account80, "Sharpe")).toEqual(["Sharpe ratio", "0.70", "0.61"]);
    expect(lineOf(account80, "Deepest")).toEqual(["Deepest drawdown", "25.0%", "27.4%"]);
    expect(lineOf(account80, "Became")).toEqual(["Became", "$27,500", "$26,250"]);
    expect(lineOf(account80, "Mean cash")).toEqual(["Mean cash", "24.4%", "29.6%"]);
    expect(lineOf(account80, "whole shares")).toEqual(["whole shares", "+0.10%", "+$742"]);
    expect(lineOf(account80, "settlement")).toEqual(["settlement and checks", "-1.96%", "-$12,075"]);
  });

  it("says what it cost, how often buys waited, and which checks forbade what", () => {
    const words = account80.map((line) => line.trim()).join(" ");
    expect(words).toContain(
      "$699 of commissions (ibkr_tiered), $977 of slippage, 1,286 fills in whole shares.",
    );
    expect(words).toContain(
      "Buys waited for settlement on 585 of 1,020 sessions with a plan, sales on 117, for what was bought had not settled;",
    );
    const prompt = { ...barsDocument, account: { ...account, waited: {}, blocked: [] } };
    expect(shown(prompt).join("\n")).toContain("on 0 of 1,020 sessions with a plan.");
    expect(words).toContain(
      "a check forbade 3 plans: 2023-03-13 price_sanity; 2023-03-14 data_complete, drawdown; …",
    );
  });

  it("says of hours that they have no account, and leaves other reasons to the warnings", () => {
    const { account: _, ...alone } = barsDocument;
    const why = "No account was traded with it: that is done once a session, by daily bars.";
    const hours = {
      ...alone,
      manifest: { ...alone.manifest, timeframe: "1 hour", bars: 1764, barsPerYear: 1764 },
    };
    expect(shown(hours).join("\n")).toContain(why);
    const early = {
      ...alone,
      manifest: { ...alone.manifest, warnings: ["no account was traded with it: early"] },
    };
    expect(shown(early).join("\n")).not.toContain("once a session");
    expect(shown(early).join("\n")).toContain("no account was traded with it: early");
  });

  it("compares the rule with the literal one by the same engine, whichever is reported", () => {
    const reported = {
      ...barsDocument,
      engine: "account",
      metrics: account.metrics,
      literalAccount: account,
    };
    const inAccount = shown(reported);
    const chosen = ["this run (keep, band 0.05)", "33.3x", "1,234", "4.1", "10.00%"];
    expect(lineOf(text, "this run")).toEqual(chosen);
    expect(lineOf(inAccount, "this run")).toEqual(chosen);
    expect(lineOf(inAccount, "literal rule")).toEqual([
      "literal rule (rank, band 0)",
      "86.3x",
      "1,234",
      "4.1",
      "12.00%",
    ]);
    expect(lineOf(inAccount, "Rotation")?.[0]).toBe("Rotation (bars engine)");
    expect(lineOf(inAccount, "Mean cash")).toEqual(["Mean cash", "24.4%", "29.6%", "29.6%"]);
  });

  it("fits 80 columns", () => {
    for (const line of text) expect(line.length).toBeLessThanOrEqual(80);
  });
});
