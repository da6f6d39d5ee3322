import { runBacktest, targetSeries } from "@pf/backtest";
import { heldOf, totalCash, usSettlement, usualRules } from "@pf/compliance";
import { alignPanel, type BarSeries, type Panel, type SessionDate, sessionDate, xnys } from "@pf/market";
import { cents, commissionPlan, notionalCents, oneShare, type Quantity } from "@pf/orders";
import { createStrategy, type StrategyOptions } from "@pf/selection";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareEngines } from "./compare.js";
import { type AccountRules, runAccount } from "./engine.js";
import { realPrices } from "./prices.js";

const sessions = xnys.sessionsBetween(sessionDate("2025-09-02"), sessionDate("2025-12-31"));

function seriesOf(
  ticker: string,
  close: readonly number[],
  days: readonly SessionDate[] = sessions,
): BarSeries {
  const column = Float64Array.from(close);
  return {
    ticker,
    sessions: days.slice(0, close.length),
    open: column,
    high: column,
    low: column,
    close: column,
    volume: column.map(() => 1000),
  };
}

function panelOf(columns: Readonly<Record<string, readonly number[]>>): Panel {
  return alignPanel(Object.entries(columns).map(([ticker, close]) => seriesOf(ticker, close)));
}

/** Short windows, so that a few months hold many decisions. */
const quick: StrategyOptions = {
  features: { emaFast: 3, emaSlow: 8, atrWindow: 4, macd: { enabled: false, fast: 3, slow: 6, signal: 2 } },
  selection: { score: "trend", topN: 2, corrWindow: 5, corrCap: 1, minScore: 0, incumbents: "keep" },
  weights: { method: "inv_vol", volWindow: 4, maxWeightPerAsset: 0.5, cashBuffer: 0.05 },
  rebalance: { minWeightChange: 0.05 },
  overlays: [],
};

const free = commissionPlan("per_share", 0);
const rulesFor = (
  panel: Panel,
  more: Partial<AccountRules> = {},
  step: Quantity = oneShare,
): AccountRules => ({
  initialCash: cents(2_500_000),
  orders: {
    universe: panel.tickers,
    orderType: "MKT",
    limitOffsetBps: 2,
    maxOrders: 10,
    quantityStep: step,
    minNotional: cents(0),
    cashBuffer: 0.05,
    commission: free,
  },
  compliance: { ...usualRules, commission: free, maxPriceMove: 1 },
  calendar: usSettlement,
  slippageBps: 0,
  delay: 0,
  ...more,
});

/** Closes that wander in whole cents. */
const closes = (length = 40) =>
  fc
    .tuple(
      fc.integer({ min: 2_000, max: 60_000 }),
      fc.array(fc.integer({ min: -300, max: 300 }), { minLength: length, maxLength: length }),
    )
    .map(([start, steps]) => {
      let price = start;
      return steps.map((step) => {
        price = Math.max(500, Math.round(price * (1 + step / 10_000)));
        return price / 100;
      });
    });

const worlds = fc.record({ A: closes(), B: closes(), C: closes() }).chain((columns) =>
  fc.record({
    columns: fc.constant(columns),
    picks: fc.array(fc.constantFrom("", "A", "B", "C", "AB", "BC", "CA"), { minLength: 40, maxLength: 40 }),
  }),
);
const targetsOf = (panel: Panel, picks: readonly string[]) =>
  // Nothing is traded on the first row: there is no bar before it to hold its prices against.
  targetSeries(panel, (row) =>
    row === 0 ? {} : Object.fromEntries([...picks[row]!].map((ticker) => [ticker, 0.95 / 2])),
  );

describe("the account engine", () => {
  it.each([
    ["slippage of the whole price", [10, 10, 10, 10], 10_000, 0.0001],
    ["a price of less than a tick", [3e-5, 3e-5, 3e-5, 3e-5], 1, 3e-5],
  ])("sells at a price above 0 under %s", (_, column, slippageBps, sold) => {
    const panel = panelOf({ A: column });
    const picks = ["", "A", "", ""];
    const base = rulesFor(panel, { slippageBps });
    const rules = { ...base, compliance: { ...base.compliance, brokerEndOfDay: false } };
    const { fills } = runAccount(panel, targetsOf(panel, picks), realPrices(panel, new Map()), rules);
    expect(fills.map(({ side }) => side)).toEqual(["buy", "sell"]);
    expect(fills[1]!.price).toBe(sold);
  });

  it("keeps every cent and every share: the end is the fills of the run, booked anew", () => {
    fc.assert(
      fc.property(
        worlds,
        fc.constantFrom("per_share", "ibkr_tiered", "ibkr_fixed"),
        ({ columns, picks }, plan) => {
          const panel = panelOf(columns);
          const commission = commissionPlan(plan);
          const base = rulesFor(panel, { slippageBps: 1 });
          const rules = {
            ...base,
            orders: { ...base.orders, commission },
            compliance: { ...base.compliance, commission },
          };
          const run = runAccount(panel, targetsOf(panel, picks), realPrices(panel, new Map()), rules);
          let cash = rules.initialCash as number;
          const held: Record<string, number> = {};
          for (const { symbol, side, quantity, price, fee } of run.fills) {
            const sign = side === "buy" ? 1 : -1;
            cash -= sign * notionalCents(quantity, price) + fee;
            held[symbol] = (held[symbol] ?? 0) + sign * quantity;
            expect(held[symbol]).toBeGreaterThanOrEqual(0);
          }
          expect(totalCash(run.account)).toBe(cash);
          let worth = cash;
          for (const [symbol, quantity] of Object.entries(held)) {
            expect(heldOf(run.account, symbol)).toBe(quantity);
            worth += notionalCents(quantity as Quantity, columns[symbol as "A"].at(-1)!);
          }
          expect(run.equity.at(-1)).toBe(worth);
          expect(run.account.settled).toBeGreaterThanOrEqual(0);
          expect(run.account.violations).toEqual([]);
          expect(run.blocked).toEqual([]);
          const grown = run.net.reduce((product, value) => product * (1 + value), rules.initialCash);
          expect(grown / worth).toBeCloseTo(1, 9);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("does not know tomorrow: other closes after a row change nothing up to it", () => {
    fc.assert(
      fc.property(worlds, worlds, fc.integer({ min: 0, max: 38 }), ({ columns, picks }, other, row) => {
        const mixed = Object.fromEntries(
          Object.entries(columns).map(([ticker, own]) => [
            ticker,
            own.map((close, at) => (at <= row ? close : other.columns[ticker as "A"][at]!)),
          ]),
        );
        const upTo = (of: Readonly<Record<string, readonly number[]>>) => {
          const panel = panelOf(of);
          const run = runAccount(
            panel,
            targetsOf(panel, picks),
            realPrices(panel, new Map()),
            rulesFor(panel),
          );
          const last = panel.sessions[row]!;
          return [run.equity.slice(0, row + 1), run.fills.filter(({ session }) => session <= last)];
        };
        expect(upTo(mixed)).toEqual(upTo(columns));
      }),
      { numRuns: 40 },
    );
  });

  it("sells one day and buys the next, where proceeds settle a day later", () => {
    const flat = (price: number) => sessions.slice(0, 6).map(() => price);
    const panel = panelOf({ A: flat(100), B: flat(50) });
    const targets = targetSeries(panel, (row) => (row === 0 ? {} : row < 3 ? { A: 0.95 } : { B: 0.95 }));
    const rules = rulesFor(panel);
    const run = runAccount(panel, targets, realPrices(panel, new Map()), {
      ...rules,
      compliance: { ...rules.compliance, maxWeight: 1 },
    });
    expect(
      run.fills.map(({ session, symbol, side, quantity }) => [session, symbol, side, quantity / 10_000]),
    ).toEqual([
      [sessions[1], "A", "buy", 237],
      [sessions[3], "A", "sell", 237],
      [sessions[3], "B", "buy", 1],
      [sessions[4], "B", "buy", 474],
    ]);
    expect(run.waiting.map(({ session, reasons }) => [session, reasons])).toEqual([
      [sessions[3], { B: "waits_for_settlement" }],
    ]);
    expect(run.cash[3]).toBeCloseTo(1 - 50 / 25_000, 10);
  });

  it("waits three sessions around Columbus Day, when the exchange trades and nothing settles", () => {
    const days = xnys.sessionsBetween(sessionDate("2025-10-08"), sessionDate("2025-10-16"));
    const flat = (ticker: string, price: number) =>
      seriesOf(
        ticker,
        days.map(() => price),
        days,
      );
    const panel = alignPanel([flat("A", 100), flat("B", 50)]);
    const friday = days.indexOf(sessionDate("2025-10-10"));
    const targets = targetSeries(panel, (row) =>
      row === 0 ? {} : row < friday ? { A: 0.475 } : { B: 0.95 },
    );
    const rules = rulesFor(panel);
    const run = runAccount(panel, targets, realPrices(panel, new Map()), {
      ...rules,
      compliance: { ...rules.compliance, maxWeight: 1 },
    });
    const buys = run.fills.filter(({ symbol }) => symbol === "B").map(({ session }) => session);
    expect(buys).toEqual(["2025-10-10", "2025-10-14"]);
  });

  it("pays dividends as cash on the ex-date to whoever held over the night", () => {
    const traded = seriesOf("A", [100, 100, 99, 99]);
    // A dollar is paid on the third day: adjusted closes before it are lower by the hundredth part.
    const adjusted = seriesOf("A", [99, 99, 99, 99]);
    const panel = alignPanel([adjusted]);
    const prices = realPrices(panel, new Map([["A", traded]]));
    expect([...prices.dividend[0]!]).toEqual([0, 0, expect.closeTo(1, 10), 0]);
    expect(prices.withoutTrades).toEqual([]);
    const rules = rulesFor(panel);
    const run = runAccount(
      panel,
      targetSeries(panel, () => ({ A: 0.475 })),
      prices,
      rules,
    );
    const { quantity } = run.fills[0]!;
    expect(run.dividends).toBe(Math.round(quantity / 100));
    expect(run.equity.map(Number)).toEqual([2_500_000, 2_500_000, 2_500_000, 2_500_000]);
  });

  it("makes no plan while targets stay, and none before there are any", () => {
    const panel = panelOf({ A: sessions.map((_, at) => 100 + at), B: sessions.map(() => 50) });
    const targets = targetSeries(panel, (row) => (row < 5 ? {} : { A: 0.4, B: 0.4 }));
    const run = runAccount(panel, targets, realPrices(panel, new Map()), rulesFor(panel));
    expect(run.planned).toBe(1);
    expect(new Set(run.fills.map(({ session }) => session))).toEqual(new Set([panel.sessions[5]]));
  });

  it("pays out shares whose bars have ended, at their last close, and goes on trading", () => {
    const ends = 20;
    const a = sessions.slice(0, ends).map((_, at) => 100 + at);
    const panel = panelOf({ A: a, B: sessions.map(() => 50) });
    const targets = targetSeries(panel, (row) => (row === 0 ? {} : row < ends ? { A: 0.475 } : { B: 0.475 }));
    const run = runAccount(panel, targets, realPrices(panel, new Map()), rulesFor(panel));
    const bought = run.fills.find(({ symbol }) => symbol === "A")!;
    const paid = run.fills.find(({ symbol, side }) => symbol === "A" && side === "sell")!;
    // Without its price nothing is traded, as in live trading, until a week has passed.
    const [from, until] = [ends, ends + 4];
    expect(run.blocked.map(({ session }) => session)).toEqual(panel.sessions.slice(from, until));
    expect(new Set(run.blocked.flatMap(({ checks }) => checks))).toContain("data_complete");
    expect(paid).toMatchObject({
      session: panel.sessions[until],
      quantity: bought.quantity,
      price: a.at(-1),
      fee: 0,
    });
    expect(run.equity[until]).toBe(run.equity[ends - 1]);
    expect(run.fills.at(-1)).toMatchObject({ symbol: "B", side: "buy" });
    expect(Object.keys(run.account.lots)).toEqual(["B"]);
    // A hole that is shorter, and its end, change nothing but the sessions in it.
    const days = sessions.filter((_, at) => at < ends || at >= until);
    const [rising, still] = [days.map((_, at) => 100 + at), sessions.map(() => 50)];
    const holed = alignPanel([seriesOf("A", rising, days), seriesOf("B", still)]);
    const held = targetSeries(holed, (row) => (row === 0 ? {} : { A: 0.475 }));
    const kept = runAccount(holed, held, realPrices(holed, new Map()), rulesFor(holed));
    expect(kept.fills).toHaveLength(1);
  });

  it("stops at a brake, and keeps what it holds", () => {
    const falling = sessions.map((_, at) => 100 * 0.97 ** at);
    const panel = panelOf({ A: falling, B: sessions.map(() => 50) });
    const targets = targetSeries(panel, (row) =>
      row === 0 ? {} : row % 2 === 0 ? { A: 0.475 } : { A: 0.475, B: 0.2 },
    );
    const rules = rulesFor(panel);
    const run = runAccount(panel, targets, realPrices(panel, new Map()), {
      ...rules,
      compliance: { ...rules.compliance, maxDrawdown: 0.1 },
    });
    expect(run.blocked.length).toBeGreaterThan(0);
    expect(new Set(run.blocked.flatMap(({ checks }) => checks))).toEqual(new Set(["drawdown"]));
    const first = run.blocked[0]!.session;
    expect(run.fills.filter(({ session }) => session >= first)).toEqual([]);
  });
});

describe("the difference between the engines", () => {
  it("is taken apart into parts that add up to the whole", () => {
    const wave = (phase: number) =>
      sessions.map((_, at) => Math.round(10_000 + 900 * Math.sin(at / 9 + phase) + 20 * at) / 100);
    const panel = panelOf({ A: wave(0), B: wave(2), C: wave(4) });
    const strategy = createStrategy(quick);
    const barCosts = { commissionPerShare: 0, slippageBps: 1 };
    const bars = runBacktest(panel, strategy, barCosts);
    const prices = realPrices(panel, new Map());
    const rules = rulesFor(panel, { slippageBps: 1 });
    const run = runAccount(panel, bars.targets, prices, rules);
    const parts = compareEngines(panel, bars, prices, rules, run, barCosts);
    expect(parts.map(({ name }) => name)).toEqual(["drift", "buffer", "fees", "rounding", "settlement"]);
    const sum = parts.reduce((total, { dollars }) => total + dollars, 0);
    expect(sum).toBeCloseTo(run.equity.at(-1)! / 100 - 25_000 * bars.equity.at(-1)!, 6);
    expect(Math.abs(parts.find(({ name }) => name === "settlement")!.dollars)).toBeGreaterThan(1);
    expect(parts.find(({ name }) => name === "fees")!.dollars).toBe(0);

    // Another commission plan is a matter of fees, and of what comes after them.
    const commission = commissionPlan("ibkr_fixed");
    const dear = {
      ...rules,
      orders: { ...rules.orders, commission },
      compliance: { ...rules.compliance, commission },
    };
    const dearRun = runAccount(panel, bars.targets, prices, dear);
    const dearParts = compareEngines(panel, bars, prices, dear, dearRun, barCosts);
    expect(dearParts.slice(0, 2)).toEqual(parts.slice(0, 2));
    expect(dearParts.find(({ name }) => name === "fees")!.dollars).toBeLessThan(-1);
  });

  it("counts what a brake costs among the checks, and nowhere else", () => {
    const panel = panelOf({ A: sessions.map((_, at) => 100 * 0.97 ** at), B: sessions.map(() => 50) });
    const barCosts = { commissionPerShare: 0, slippageBps: 0 };
    const bars = runBacktest(panel, createStrategy(quick), barCosts);
    const targets = targetSeries(panel, (row) => ({ A: row % 2 === 0 ? 0.3 : 0.4 }));
    const prices = realPrices(panel, new Map());
    const partsOf = (maxDrawdown: number | null) => {
      const rules = rulesFor(panel);
      const braked = {
        ...rules,
        compliance: { ...rules.compliance, maxDrawdown, maxDailyLoss: maxDrawdown },
      };
      const run = runAccount(panel, targets, prices, braked);
      return compareEngines(panel, { ...bars, targets }, prices, braked, run, barCosts);
    };
    const [free, braked] = [partsOf(null), partsOf(0.02)];
    expect(braked.slice(0, -1)).toEqual(free.slice(0, -1));
    expect(braked.at(-1)).not.toEqual(free.at(-1));
  });
});
