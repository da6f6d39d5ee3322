import { sessionDate, xnys } from "@pf/market";
import { cents, type OrderPlan, quantityOfShares } from "@pf/orders";
import { describe, expect, it } from "vitest";
import { day, dollars, followedBy } from "../test/accounts.js";
import { planIn, prices, quotesAt, rules, situationOn, type World, worldOn } from "../test/worlds.js";
import { type Account, type Lot, releaseBrakes } from "./account.js";
import { assertApproved } from "./approval.js";
import { PlanNotApprovedError } from "./errors.js";
import { type Check, type CheckName, checkNames, reservationFor, review, type Verdict } from "./review.js";
import type { Situation } from "./rules.js";
import { usSettlement } from "./settlement.js";

const judge = ({ plan, account, situation, rules: kept }: World): Verdict =>
  review(plan, account, situation, kept, usSettlement);
const failing = (verdict: Verdict): readonly CheckName[] =>
  verdict.ok ? [] : verdict.breaches.map(({ name }) => name);
const checkOf = (verdict: Verdict, name: CheckName): Check =>
  verdict.checks.find((one) => one.name === name)!;

const good = worldOn();
const session = sessionDate("2026-11-16");
const withSituation = (change: Partial<Situation>): World => ({
  ...good,
  situation: { ...good.situation, ...change },
});
const withAccount = (change: Partial<Account>): World => ({
  ...good,
  account: { ...good.account, ...change },
});
const withLot = (change: Partial<Lot>): World =>
  withAccount({ lots: { SPY: [{ ...good.account.lots.SPY![0]!, ...change }] } });
const withIntent = (at: number, change: Partial<OrderPlan["intents"][number]>): World => ({
  ...good,
  plan: {
    ...good.plan,
    intents: good.plan.intents.map((one, index) => (index === at ? { ...one, ...change } : one)),
  },
});

/** One world a check: like the good one, but for what that check alone looks at. */
const broken: Readonly<Record<CheckName, () => World>> = {
  well_formed: () => withIntent(0, { notional: cents(good.plan.intents[0]!.notional + 1) }),
  matches_account: () => ({ ...good, plan: { ...good.plan, equity: cents(good.plan.equity! + 1) } }),
  base_currency: () => withSituation({ baseCurrency: "EUR" }),
  trading_day: () => worldOn("2026-11-26"),
  time_window: () => {
    const situation = situationOn("2026-11-16", undefined, 20_000);
    return { ...good, situation };
  },
  liquid_hours: () => withSituation({ liquidHours: { ...good.situation.liquidHours, GLD: null } }),
  one_rebalance: () =>
    withAccount({ rebalanced: { session, attempt: 1, references: ["pf/2026-11-16/TLT/buy"] } }),
  new_orders: () => withSituation({ knownReferences: ["pf/2026-11-16/GLD/buy"] }),
  orders_per_day: () => {
    const references = ["a", "b", "c", "d"];
    const ordered = references.map((reference) => ({
      reference,
      symbol: "TLT",
      side: "buy" as const,
      open: quantityOfShares(0),
      reserved: cents(0),
    }));
    return withAccount({ orders: ordered });
  },
  data_fresh: () => {
    const { GLD } = good.situation.quotes;
    const stale = { ...GLD!, atUtcMs: good.situation.nowUtcMs - 5 * 60_000 };
    return withSituation({ quotes: { ...good.situation.quotes, GLD: stale } });
  },
  data_complete: () => {
    const { GLD: _, ...others } = good.situation.lastBars;
    return withSituation({ lastBars: others });
  },
  price_sanity: () => {
    const { GLD } = good.situation.lastBars;
    return withSituation({ lastBars: { ...good.situation.lastBars, GLD: { ...GLD!, close: 125 } } });
  },
  limit_quotes: () => {
    const plan = planIn(good.account, good.situation, { order: { orderType: "LMT" } });
    const quotes = Object.fromEntries(
      Object.entries(good.situation.quotes).map(([symbol, quote]) => [
        symbol,
        { ...quote, feed: "delayed" as const },
      ]),
    );
    return { ...good, plan, situation: { ...good.situation, quotes } };
  },
  long_only: () => withIntent(0, { quantity: quantityOfShares(21), notional: dollars(21 * 600) }),
  no_leverage: () => ({
    ...good,
    plan: { ...good.plan, lines: good.plan.lines.map((line) => ({ ...line, targetWeight: 0.3 })) },
  }),
  weight_cap: () => ({ ...good, rules: { ...rules, maxWeight: 0.4 } }),
  settled_cash: () =>
    withAccount({
      settled: dollars(10_000),
      pending: [{ amount: dollars(10_000), settles: sessionDate("2026-11-17"), execId: null }],
    }),
  reconciled: () =>
    withSituation({ reconciliation: { settled: dollars(20_000), buysStopped: "12.00 are missing" } }),
  restriction: () => ({
    ...broken.settled_cash(),
    account: { ...broken.settled_cash().account, restrictedUntil: session },
    rules: { ...rules, settledCash: "permissive" },
  }),
  good_faith: () => withLot({ paid: sessionDate("2026-11-17") }),
  free_riding: () => withLot({ paid: null, unpaid: dollars(300) }),
  end_of_day: () => withLot({ paid: session, settles: sessionDate("2026-11-17") }),
  day_trades: () => ({
    ...withAccount({
      boughtToday: ["SPY"],
      dayTrades: ["2026-11-10", "2026-11-11", "2026-11-16"].map((date) => ({
        session: sessionDate(date),
        symbol: "QQQ",
      })),
    }),
    rules: { ...rules, dayTrades: "block" },
  }),
  drawdown: () => ({ ...withAccount({ peak: dollars(40_000) }), rules: { ...rules, maxDrawdown: 0.2 } }),
  daily_loss: () => ({
    ...withAccount({ valued: { session: sessionDate("2026-11-13"), equity: dollars(33_000) } }),
    rules: { ...rules, maxDailyLoss: 0.03 },
  }),
};

describe("review", () => {
  it("approves a plan that keeps to every rule, and lists every check in its order", () => {
    const verdict = judge(good);
    expect(failing(verdict)).toEqual([]);
    expect(verdict.checks.map(({ name }) => name)).toEqual([...checkNames]);
    expect(good.plan.intents.map(({ side, symbol }) => `${side} ${symbol}`)).toEqual(["sell SPY", "buy GLD"]);
    for (const { detail } of verdict.checks) expect(detail.length).toBeGreaterThan(10);
  });

  it.each(checkNames)("catches what breaks only %s, with that check alone", (name) => {
    const verdict = judge(broken[name]());
    expect(failing(verdict)).toEqual([name]);
    expect(verdict.checks.length).toBe(checkNames.length);
    expect(checkOf(verdict, name).detail).toMatch(/\w/);
  });

  it("halts for a brake and for nothing else", () => {
    for (const name of checkNames) {
      const verdict = judge(broken[name]());
      expect(!verdict.ok && verdict.halts, name).toBe(name === "drawdown" || name === "daily_loss");
    }
  });

  it("says in words what it looked at", () => {
    const words = (name: CheckName) => checkOf(judge(broken[name]()), name).detail;
    expect(words("time_window")).toBe(
      "20 s before the close of 2026-11-16; orders are sent 5 min to 30 s before the close only",
    );
    expect(words("trading_day")).toBe("2026-11-26 is no session: Thanksgiving Day");
    expect(words("settled_cash")).toBe(
      "buys cost 14,250.35, and 8,400.00 of settled cash is there, the buffer taken off; buys cost 14,962.85 with the cushion for market orders, and 10,000.00 of settled cash is there",
    );
    expect(words("end_of_day")).toBe("10 SPY: the purchase settles on 2026-11-17");
    expect(words("drawdown")).toBe("equity 32,000.00 is 20 % below 40,000.00; 20 % brakes: trading halts");
    expect(checkOf(judge(good), "settled_cash").inputs).toEqual({
      settled: 2_000_000,
      settledAtBroker: null,
      reserved: 0,
      spendable: 2_000_000,
      buffer: 160_000,
      cost: 1_425_035,
      costWithCushion: 1_496_285,
    });
  });
});

describe("the checks at their edges", () => {
  it("open the window five minutes before the close and shut it 30 seconds before, on half days too", () => {
    for (const date of ["2026-11-16", "2026-11-27", "2026-03-09"]) {
      const at = (beforeCloseMs: number) => {
        const situation = situationOn(date, undefined, beforeCloseMs);
        const account = followedBy({ ...good.account, session: null }, day(date));
        return failing(judge({ ...good, account, situation, plan: planIn(account, situation) }));
      };
      expect(at(5 * 60_000)).toEqual([]);
      expect(at(30_000)).toEqual([]);
      expect(at(5 * 60_000 + 1)).toEqual(["time_window"]);
      expect(at(30_000 - 1)).toEqual(["time_window"]);
      expect(at(-1000)).toEqual(["time_window"]);
    }
    expect(xnys.closeUtcMs(sessionDate("2026-11-27")) - 5 * 60_000).toBe(Date.UTC(2026, 10, 27, 17, 55));
  });

  it("take prices from the future for a clock that went back", () => {
    const { SPY } = good.situation.quotes;
    const ahead = { ...SPY!, atUtcMs: good.situation.nowUtcMs + 3_600_000 };
    expect(failing(judge(withSituation({ quotes: { ...good.situation.quotes, SPY: ahead } })))).toEqual([
      "data_fresh",
    ]);
    const unknown = { ...SPY!, atUtcMs: null };
    expect(failing(judge(withSituation({ quotes: { ...good.situation.quotes, SPY: unknown } })))).toEqual([
      "data_fresh",
    ]);
  });

  it("decide on the bar that the rules name", () => {
    const yesterday = { ...good, rules: { ...rules, decisionBar: "last_complete" as const } };
    expect(failing(judge(yesterday))).toEqual(["data_fresh"]);
    const plan = { ...good.plan, asOf: sessionDate("2026-11-13") };
    expect(failing(judge({ ...yesterday, plan }))).toEqual([]);
    expect(failing(judge({ ...good, plan }))).toEqual(["data_fresh"]);
  });

  it("look for the last bar of what is only held, since equity stands on it", () => {
    const { SPY: _, ...others } = good.situation.lastBars;
    const plan = { ...good.plan, intents: good.plan.intents.filter(({ symbol }) => symbol === "GLD") };
    expect(failing(judge({ ...good, plan, situation: { ...good.situation, lastBars: others } }))).toEqual([
      "data_complete",
    ]);
  });

  it("let sales pass where only buys are forbidden", () => {
    const sales = { ...good.plan, intents: good.plan.intents.filter(({ side }) => side === "sell") };
    for (const name of ["settled_cash", "reconciled", "restriction"] as const) {
      expect(failing(judge({ ...broken[name](), plan: sales })), name).toEqual([]);
    }
    for (const name of ["drawdown", "daily_loss"] as const) {
      const world = broken[name]();
      expect(failing(judge({ ...world, plan: sales })), name).toEqual([name]);
      const reduce = { ...world, rules: { ...world.rules, onBrake: "reduce_only" as const } };
      const verdict = judge(reduce);
      expect(failing(verdict)).toEqual([name]);
      expect(!verdict.ok && verdict.halts).toBe(false);
      expect(failing(judge({ ...reduce, plan: sales })), name).toEqual([]);
      expect(checkOf(judge({ ...reduce, plan: sales }), name).warning).toBe(true);
    }
  });

  it("take a plan that may not buy what it wants, and does nothing else, for refused", () => {
    const reconciliation = { settled: dollars(20_000), buysStopped: "12.00 are missing" };
    const situation = { ...good.situation, reconciliation };
    const sells = planIn(good.account, situation);
    expect(sells.intents.map(({ side }) => side)).toEqual(["sell"]);
    expect(failing(judge({ ...good, plan: sells, situation }))).toEqual([]);
    const idle = { ...sells, intents: [] };
    const verdict = judge({ ...good, plan: idle, situation });
    expect(failing(verdict)).toEqual(["reconciled"]);
    expect(checkOf(verdict, "reconciled").detail).toBe("nothing may be bought: 12.00 are missing");
    // One that wants nothing is not refused.
    const lines = idle.lines.map((line) => ({ ...line, deferred: null }));
    expect(failing(judge({ ...good, plan: { ...idle, lines }, situation }))).toEqual([]);
  });

  it("take a plan that can limit none of its orders for refused", () => {
    const delayed = Object.fromEntries(
      Object.entries(good.situation.quotes).map(([symbol, quote]) => [
        symbol,
        { ...quote, feed: "delayed" as const },
      ]),
    );
    const situation = { ...good.situation, quotes: delayed };
    const plan = planIn(good.account, situation, { order: { orderType: "LMT" } });
    expect(plan.intents).toEqual([]);
    const verdict = judge({ ...good, plan, situation });
    expect(failing(verdict)).toEqual(["limit_quotes"]);
    expect(checkOf(verdict, "limit_quotes").detail).toBe(
      "nothing can be ordered: no live bid and ask of SPY, GLD",
    );
  });

  it("warn of the fourth day trade by default, and are silent when off", () => {
    const world = broken.day_trades();
    const warned = judge({ ...world, rules });
    expect(failing(warned)).toEqual([]);
    expect(checkOf(warned, "day_trades")).toMatchObject({ warning: true, inputs: { before: 3, planned: 1 } });
    const off = judge({ ...world, rules: { ...rules, dayTrades: "off" } });
    expect(checkOf(off, "day_trades").warning).toBe(false);
    // Out of the last five sessions one of them does not count.
    const older = { ...world.account.dayTrades[0]!, session: sessionDate("2026-11-09") };
    const fewer = {
      ...world,
      account: { ...world.account, dayTrades: [older, ...world.account.dayTrades.slice(1)] },
    };
    expect(failing(judge(fewer))).toEqual([]);
  });

  it("let unsettled proceeds buy where the rules permit it, and never while restricted", () => {
    const world = { ...broken.settled_cash(), rules: { ...rules, settledCash: "permissive" as const } };
    expect(failing(judge(world))).toEqual([]);
    const over = { ...world.account, restrictedUntil: sessionDate("2026-11-15") };
    expect(failing(judge({ ...world, account: over }))).toEqual([]);
  });

  it("take the broker's settled cash where it is less", () => {
    const less = withSituation({ reconciliation: { settled: dollars(9000), buysStopped: null } });
    expect(failing(judge(less))).toEqual(["settled_cash"]);
  });

  it("refuse what is not ours to trade", () => {
    const others = good.situation.universe.filter((symbol) => symbol !== "GLD");
    expect(failing(judge(withSituation({ universe: others })))).toEqual(["matches_account"]);
  });
});

describe("the checks against plans that planning does not make", () => {
  const intents = good.plan.intents;
  const [sale, buy] = [intents[0]!, intents[1]!];
  const withIntents = (...changed: OrderPlan["intents"]): World => ({
    ...good,
    plan: { ...good.plan, intents: changed },
  });

  it("know an order that is none", () => {
    const bad: Readonly<Record<string, World>> = {
      "a sale comes after a buy": withIntents(buy, sale),
      "a symbol has two orders": withIntents(sale, buy, buy),
      "pf/2026-11-16/GLD/buy/2 is not the name of this order": withIntents({
        ...buy,
        reference: "pf/2026-11-16/GLD/buy/2",
      }),
      "GLD has the quantity 0": withIntents({ ...buy, quantity: quantityOfShares(0), notional: cents(0) }),
      "GLD has the quantity 0.5": withIntents({ ...buy, quantity: 0.5 as typeof buy.quantity }),
      "GLD has the limit 250": withIntents({ ...buy, limit: 250 }),
      "GLD has the limit null": withIntents({ ...buy, type: "LMT" }),
      "GLD has the limit 0": withIntents({ ...buy, type: "LMT", limit: 0 }),
    };
    for (const [words, world] of Object.entries(bad)) {
      const verdict = judge(world);
      expect(failing(verdict), words).toContain("well_formed");
      expect(checkOf(verdict, "well_formed").detail).toContain(words);
    }
  });

  it("know a plan for another account, another day, another attempt, another state", () => {
    const bad: Readonly<Record<string, World>> = {
      "the plan is for DU1": withSituation({ account: "U1" }),
      "the plan is attempt 1": withSituation({ attempt: 2 }),
      "the plan is for 2026-11-16": withSituation({ session: sessionDate("2026-11-17") }),
      "the book stands at 2026-11-13": withAccount({ session: sessionDate("2026-11-13") }),
      "the plan counts 20 SPY, the book 19": withAccount({
        settled: dollars(20_600),
        lots: { SPY: [{ ...good.account.lots.SPY![0]!, quantity: quantityOfShares(19) }] },
      }),
    };
    for (const [words, world] of Object.entries(bad)) {
      const verdict = judge(world);
      expect(failing(verdict), words).toEqual(["matches_account"]);
      expect(checkOf(verdict, "matches_account").detail).toContain(words);
    }
  });

  it("count what open sales take already", () => {
    const open = {
      reference: "x",
      symbol: "SPY",
      side: "sell" as const,
      open: quantityOfShares(11),
      reserved: cents(0),
    };
    expect(failing(judge(withAccount({ orders: [open] })))).toEqual(["long_only"]);
    const [lot] = good.account.lots.SPY!;
    const lots = [
      { ...lot!, quantity: quantityOfShares(10) },
      { ...lot!, quantity: quantityOfShares(10), paid: sessionDate("2026-11-17") },
    ];
    expect(failing(judge(withAccount({ lots: { SPY: lots } })))).toEqual([]);
    const behind = withAccount({ lots: { SPY: lots }, orders: [{ ...open, open: quantityOfShares(1) }] });
    expect(failing(judge(behind))).toEqual(["good_faith"]);
  });

  it("hold a limit to the last close as well", () => {
    const far = { ...buy, type: "LMT" as const, limit: 310, notional: dollars(57 * 310) };
    expect(failing(judge(withIntents(sale, far)))).toEqual(["price_sanity"]);
  });

  it("take a price for wrong beyond the configured distance from the last close", () => {
    // GLD closed at 240 and is at 250: a move of a twenty-fourth.
    const { GLD } = good.situation.lastBars;
    const lastBars = { ...good.situation.lastBars, GLD: { ...GLD!, close: 240 } };
    const moved = { ...good, situation: { ...good.situation, lastBars } };
    const within = (maxPriceMove: number) => failing(judge({ ...moved, rules: { ...rules, maxPriceMove } }));
    expect(within(250 / 240 - 1)).toEqual([]);
    expect(within(0.04)).toEqual(["price_sanity"]);
  });

  it("cap what a symbol would weigh, whatever its target says", () => {
    const much = { ...buy, quantity: quantityOfShares(70), notional: dollars(70 * 250) };
    expect(failing(judge(withIntents(sale, much)))).toEqual(["weight_cap"]);
  });

  it("see cash fall below nothing", () => {
    const all = { ...buy, quantity: quantityOfShares(81), notional: dollars(81 * 250) };
    const verdict = judge(withIntents(sale, all));
    expect(failing(verdict)).toEqual(["no_leverage", "weight_cap", "settled_cash"]);
    expect(checkOf(verdict, "no_leverage").detail).toBe("cash would be -250.35");
  });
});

describe("a brake that only reduces", () => {
  it("plans sales alone, which pass", () => {
    const { account, situation } = withAccount({ peak: dollars(40_000) });
    const braked = { ...rules, maxDrawdown: 0.1, onBrake: "reduce_only" as const };
    const plan = planIn(account, situation, { rules: braked });
    expect(plan.intents.map(({ side }) => side)).toEqual(["sell"]);
    expect(plan.lines.find(({ symbol }) => symbol === "GLD")!.detail).toContain(
      "not bought: the brake on drawdown is on: equity 32,000.00 is 20 % below 40,000.00; 10 % brakes",
    );
    expect(failing(judge({ plan, account, situation, rules: braked }))).toEqual([]);
    const halted = planIn(account, situation, { rules: { ...braked, onBrake: "halt" } });
    expect(
      failing(judge({ plan: halted, account, situation, rules: { ...braked, onBrake: "halt" } })),
    ).toEqual(["drawdown"]);
  });
});

describe("a brake that somebody has released", () => {
  it("lets trading go on at the equity that braked, and brakes at a new fall from there", () => {
    const braked = { ...rules, maxDrawdown: 0.1, maxDailyLoss: 0.1 };
    const high = { session: sessionDate("2026-11-13"), equity: dollars(40_000) };
    const fallen = withAccount({ peak: dollars(40_000), valued: high, valuedBefore: high });
    const reviewed = (account: Account) => {
      const plan = planIn(account, good.situation, { rules: braked });
      return judge({ plan, account, situation: good.situation, rules: braked });
    };
    expect(failing(reviewed(fallen.account))).toEqual(["drawdown", "daily_loss"]);
    const released = releaseBrakes(fallen.account);
    expect(failing(reviewed(released))).toEqual([]);
    // Nothing else is forgotten.
    expect({ ...released, peak: dollars(40_000), valued: high, valuedBefore: high }).toEqual(fallen.account);

    const equity = dollars(36_000);
    const valued = followedBy(released, { kind: "valued", session, equity });
    expect(valued.peak).toBe(equity);
    const again = { ...valued, valued: { ...high, equity } };
    expect(failing(reviewed(again))).toEqual(["drawdown", "daily_loss"]);
  });
});

describe("a rebalance that was interrupted", () => {
  const references = good.plan.intents.map(({ reference }) => reference);
  const begun = withAccount({ rebalanced: { session, attempt: 1, references } });
  it("goes on with the orders that were not sent", () => {
    expect(failing(judge(begun))).toEqual([]);
    // The sale was filled before the crash, so that the plan's picture of the account is old.
    const sold = followedBy(begun.account, {
      kind: "fill",
      session,
      reference: references[0]!,
      execId: "e1",
      symbol: "SPY",
      side: "sell",
      quantity: good.plan.intents[0]!.quantity,
      price: 600,
      fees: cents(35),
    });
    const rest = { ...good.plan, intents: good.plan.intents.slice(1) };
    const situation = { ...good.situation, knownReferences: references.slice(0, 1) };
    expect(failing(judge({ ...begun, account: sold, plan: rest, situation }))).toEqual([]);
    // Everything once more is refused.
    expect(failing(judge({ ...begun, account: sold, situation }))).toContain("new_orders");
  });
  it("goes on although its first fill and the prices since were a little off", () => {
    const two = planIn(good.account, good.situation, {
      weights: { GLD: 0.5, TLT: 0.05 },
      order: { cashBuffer: 0.05 },
    });
    const [sell, gold, bonds] = two.intents;
    expect([sell!.symbol, gold!.symbol, bonds!.symbol]).toEqual(["SPY", "GLD", "TLT"]);
    const noted = followedBy(
      good.account,
      { kind: "rebalanced", session, attempt: 1, references: two.intents.map(({ reference }) => reference) },
      ...[sell!, gold!].map((intent) => ({
        kind: "ordered" as const,
        session,
        reference: intent.reference,
        symbol: intent.symbol,
        side: intent.side,
        quantity: intent.quantity,
        reserved: reservationFor(intent, rules.commission),
      })),
    );
    // Killed before the second order was acknowledged; the broker, asked, has never seen it.
    const account = followedBy(noted, { kind: "unsent", session, reference: gold!.reference });
    const dearer = {
      ...good.situation,
      quotes: quotesAt({ ...prices, GLD: 250.6 }, good.situation.nowUtcMs),
    };
    const rest = { ...two, intents: [gold!, bonds!] };
    expect(failing(judge({ ...good, account, plan: rest, situation: dearer }))).toEqual([]);
    // Without the note it would be another plan's.
    expect(
      failing(judge({ ...good, account: { ...account, rebalanced: null }, plan: rest, situation: dearer })),
    ).toEqual(["weight_cap"]);
  });

  it("is not begun anew, unless somebody resumed trading and the orders have new names", () => {
    const again = (attempt: number, isResumed: boolean) => {
      const situation = { ...begun.situation, attempt, isResumed };
      return failing(judge({ ...begun, situation, plan: planIn(begun.account, situation) }));
    };
    expect(again(2, false)).toEqual(["one_rebalance"]);
    expect(again(2, true)).toEqual([]);
  });
});

describe("reservationFor", () => {
  it("keeps back notional, fee and the cushion of a market buy, and nothing for a sale", () => {
    const [sale, buy] = good.plan.intents;
    expect(reservationFor(sale!, rules.commission)).toBe(0);
    expect(reservationFor(buy!, rules.commission)).toBe(1_425_000 + 71_250 + 35);
    expect(reservationFor({ ...buy!, type: "LMT", limit: 250 }, rules.commission)).toBe(1_425_000 + 35);
  });
});

describe("an approved plan", () => {
  const approved = () => {
    const verdict = judge(good);
    if (!verdict.ok) throw new Error("not approved");
    return verdict.plan;
  };
  it("is the plan that was reviewed, and says until when it may be sent", () => {
    const { validUntilUtcMs, ...plan } = approved();
    expect(plan).toEqual(good.plan);
    expect(validUntilUtcMs).toBe(xnys.closeUtcMs(session) - 30_000);
  });
  it("is recognised; its copies, other plans and anything else are not", () => {
    const plan = approved();
    expect(() => assertApproved(plan)).not.toThrow();
    for (const other of [
      good.plan,
      { ...plan },
      JSON.parse(JSON.stringify(plan)),
      null,
      undefined,
      "plan",
      1,
    ]) {
      expect(() => assertApproved(other)).toThrow(PlanNotApprovedError);
    }
  });
  it("cannot be changed after the review, neither itself nor the plan it was made from", () => {
    const plan = approved();
    expect(() => {
      (plan.intents[0] as { quantity: number }).quantity = 1;
    }).toThrow(TypeError);
    expect(() => (plan.intents as unknown[]).push({})).toThrow(TypeError);
    expect(plan.intents).not.toBe(good.plan.intents);
    // @ts-expect-error a plan that was not reviewed does not compile where an approved one is wanted
    const forged: typeof plan = { ...good.plan, validUntilUtcMs: 0 };
    void forged;
  });
});
