import { rmSync } from "node:fs";
import { join } from "node:path";
import { runBacktest } from "@pf/backtest";
import { openBarCache } from "@pf/bars";
import { checkNames, positionsOf, usSettlement } from "@pf/compliance";
import { costModelOf, lagOf, strategyOptionsOf } from "@pf/config";
import { newYorkToUtcMs, type SessionDate, sessionDate, xnys } from "@pf/market";
import { quantityOfShares } from "@pf/orders";
import { createStrategy } from "@pf/selection";
import { describe, expect, it } from "vitest";
import { openJournal } from "../src/journal/journal.js";
import { loadMarket } from "../src/market-data.js";
import { type AccountHistory, createHistoryReader } from "../src/trade/history.js";
import type { TradeOutcome } from "../src/trade/service.js";
import { foldTrade, type TradeEvent } from "../src/trade/state.js";
import { accountStatus } from "../src/trade/status.js";
import { firstSession, type TradeWorld, tradeWorld, turns, universe } from "./tradeWorld.js";

const reader = async (world: TradeWorld, more: { readonly stateFolder?: string } = {}) =>
  createHistoryReader(await world.loaded(), { ...world.setting(), ...more });

/** Trades so many sessions in a row with changing wishes, and says how each went. */
async function tradeSessions(world: TradeWorld, count: number): Promise<readonly TradeOutcome[]> {
  const outcomes: TradeOutcome[] = [];
  let session: SessionDate = firstSession;
  for (let at = 0; at < count; at++) {
    outcomes.push(await world.trade({ mode: "paper" }, {}, turns[at % turns.length]));
    session = xnys.next(session);
    await world.goTo(session);
  }
  return outcomes;
}

/** The journal as a version without candidates and checks would have written it. */
function withoutReasons(body: TradeEvent): TradeEvent {
  if (body.kind === "decided") {
    const { candidates: _, overlays: __, heldByBand: ___, ...old } = body;
    return old;
  }
  if (body.kind !== "reviewed") return body;
  const { checks: _, ...old } = body;
  return old;
}

describe("the history of an account", () => {
  it("tells what every session told, and what the account and the broker hold", async () => {
    await using world = await tradeWorld();
    const outcomes = await tradeSessions(world, 4);
    const last = outcomes.at(-1)!.document;
    const history = await (await reader(world))({});
    const documents = outcomes.map(({ document }) => document);

    expect([history.mode, history.account, history.venue]).toEqual(["paper", last.account, last.venue]);
    expect(
      history.sessions.map(({ session, outcome, detail, orders, fills }) => [
        session,
        outcome,
        detail,
        orders,
        fills,
      ]),
    ).toEqual(
      documents
        .map(({ session, outcome, detail, orders, fills }) => [
          session,
          outcome,
          detail,
          orders.length,
          fills.length,
        ])
        .reverse(),
    );
    expect(
      history.orders.map(({ reference, status, shares, filled }) => [reference, status, shares, filled]),
    ).toEqual(
      documents
        .flatMap(({ orders }) => orders.map((one) => [one.reference, one.status, one.quantity, one.filled]))
        .reverse(),
    );
    expect(history.orders.flatMap(({ fills }) => fills).reverse()).toEqual(
      documents.flatMap(({ fills }) =>
        fills.map(({ execId, quantity, price, commission }) => ({
          execId,
          shares: quantity,
          price,
          commission,
        })),
      ),
    );
    for (const { reason, session, atUtcMs } of history.orders) {
      expect(reason).not.toBe("");
      expect(xnys.closeUtcMs(session) - atUtcMs).toBeLessThanOrEqual(300_000);
    }
    expect(history.plan).toEqual(last.plan);
    expect(history.checks).toEqual(last.verdict!.checks);
    expect(history.checks.map(({ name }) => name)).toEqual(checkNames);
    expect(history.decision).toMatchObject({ session: last.session, asOf: last.asOf, weights: last.weights });
    expect(history.decision!.candidates!.map(({ symbol }) => symbol)).toEqual(universe);
    for (const { selected, detail, symbol } of history.decision!.candidates!) {
      expect(detail).not.toBe("");
      expect(selected, symbol).toBe((last.weights![symbol] ?? 0) > 0);
    }
    expect([history.decision!.heldByBand, history.decision!.overlays]).toEqual([false, expect.any(Array)]);

    const held = Object.fromEntries(
      history.positions.flatMap(({ symbol, shares }) =>
        shares > 0 ? [[symbol, quantityOfShares(shares)]] : [],
      ),
    );
    expect(held).toEqual(positionsOf(world.state().account));
    expect(held).toEqual(world.broker().positions);
    const wanted = history.positions.flatMap(({ symbol, target }) => (target > 0 ? [[symbol, target]] : []));
    expect(Object.fromEntries(wanted)).toEqual(last.weights);
    const cache = openBarCache(world.setting().dataFolder);
    for (const { symbol, price, priceSession, value, shares } of history.positions) {
      const { series } = (await cache.read(symbol, "trades"))!;
      expect([price, priceSession]).toEqual([series.close.at(-1), series.sessions.at(-1)]);
      expect(value).toBeCloseTo(shares * price!, 1);
    }
    const status = await accountStatus({}, await world.loaded(), world.setting());
    const cash = status.cash.settled + status.cash.coming.reduce((sum, { amount }) => sum + amount, 0);
    const worth = history.positions.reduce((sum, { value }) => sum + value!, cash);
    for (const { value, weight } of history.positions) expect(weight).toBeCloseTo(value! / worth, 9);
  }, 60_000);

  it("draws the account beside what the backtest and SPY made of its first dollars, session by session", async () => {
    await using world = await tradeWorld();
    await tradeSessions(world, 5);
    const { curve } = await (await reader(world))({});
    const valued = world
      .entries()
      .flatMap(({ body }) => (body.kind === "booked" && body.event.kind === "valued" ? [body.event] : []));
    expect(curve.sessions).toEqual(valued.map(({ session }) => session));
    expect(curve.equity).toEqual(valued.map(({ equity }) => equity / 100));
    expect(curve.sessions).toHaveLength(5);
    const loaded = await world.loaded();
    const { panel } = await loadMarket(world.setting().dataFolder, universe, {});
    const { equity } = runBacktest(
      panel,
      createStrategy(strategyOptionsOf(loaded.config)),
      costModelOf(loaded.config),
      {
        lag: lagOf(loaded.config),
      },
    );
    const spy = (await openBarCache(world.setting().dataFolder).read("SPY"))!.series;
    const grown = (values: Float64Array, sessions: readonly SessionDate[]) =>
      curve.sessions.map((session) => {
        const [at, from] = [sessions.indexOf(session), sessions.indexOf(curve.sessions[0]!)];
        return at < 0 ? null : Math.round(curve.equity[0]! * (values[at]! / values[from]!) * 100) / 100;
      });
    // The last session has no complete bar yet.
    expect(curve.model.slice(-1)).toEqual([null]);
    expect(curve.model.map((value) => value === null)).toEqual([false, false, false, false, true]);
    expect(curve.model).toEqual(grown(equity, panel.sessions));
    expect(curve.spy).toEqual(grown(spy.close, spy.sessions));
    expect(new Set([curve.equity[3], curve.model[3], curve.spy[3]]).size).toBe(3);
  }, 60_000);

  it("takes the cash of a dividend for performance, not for a deposit", async () => {
    const before = sessionDate("2025-08-29");
    await using world = await tradeWorld({ startUtcMs: newYorkToUtcMs(before, "15:55") + 5_000 });
    const own = ["universe=[BITO, SPY]", "weights.max_weight_per_asset=0.9"];
    for (const session of [before, xnys.next(before), xnys.next(xnys.next(before))]) {
      await world.goTo(session);
      await world.trade({ mode: "paper" }, {}, own);
    }
    // The broker says nothing of what it is for: the first of the month is an ex-date, and it is there the same day.
    const found = world
      .entries()
      .flatMap(({ body }) => (body.kind === "booked" && body.event.kind === "cash" ? [body.event] : []))
      .filter(({ reason }) => reason === "external");
    expect(found).toMatchObject([{ session: xnys.next(before), amount: expect.any(Number) }]);
    expect(found[0]!.amount).toBeGreaterThan(50_00);
    const loaded = await world.loaded(own);
    const { curve } = await createHistoryReader(loaded, world.setting())({});
    const { panel } = await loadMarket(world.setting().dataFolder, loaded.config.universe, {});
    const { net } = runBacktest(
      panel,
      createStrategy(strategyOptionsOf(loaded.config)),
      costModelOf(loaded.config),
      {
        lag: lagOf(loaded.config),
      },
    );
    const grown = curve.equity[0]! * (1 + net[panel.sessions.indexOf(xnys.next(before))]!);
    expect(curve.model).toEqual([curve.equity[0], Math.round(grown * 100) / 100, null]);
    expect(Math.abs(curve.equity[1]! - grown) * 100).toBeLessThan(found[0]!.amount / 5);
  }, 60_000);

  it("is read once for all that is asked, and on when something happened", async () => {
    await using world = await tradeWorld();
    await tradeSessions(world, 2);
    const read = await reader(world);
    const [one, same] = await Promise.all([read({}), read({})]);
    expect(same).toEqual(one);
    expect(await read({})).toBe(await read({}));
    await world.trade();
    const later = await read({});
    expect(later.sessions).toHaveLength(one.sessions.length + 1);
    expect(later).toEqual(await (await reader(world))({}));
    // Bars alone are news too.
    rmSync(join(world.setting().dataFolder, "parquet", "SPY.parquet"));
    const blind = await read({});
    expect([blind.curve.spy, blind.curve.model]).toEqual([
      [null, null, null],
      [null, null, null],
    ]);
    expect(blind.sessions).toEqual(later.sessions);
  }, 60_000);

  it("of a journal that kept no reasons is the same without them", async () => {
    await using world = await tradeWorld();
    await tradeSessions(world, 2);
    const now = await (await reader(world))({});
    const stateFolder = join(world.folder, "old");
    const identity = { mode: "paper", account: now.account, venue: now.venue } as const;
    let at = 0;
    const entries = world.entries();
    const old = openJournal<TradeEvent>(stateFolder, identity, { nowUtcMs: () => at });
    for (const { body, atUtcMs } of entries) {
      at = atUtcMs;
      old.append(withoutReasons(body));
    }
    const { lastDecision, ...state } = foldTrade(old.entries(), usSettlement);
    old.close();
    const { lastDecision: decided, ...rest } = world.state();
    expect(state).toEqual(rest);
    expect(lastDecision).toEqual(withoutReasons(decided!));
    const before = await (await reader(world, { stateFolder }))({});
    expect(before).toEqual({
      ...now,
      checks: [],
      decision: { ...now.decision!, candidates: null, overlays: null, heldByBand: null },
    } satisfies AccountHistory);
    // Trading goes on with it.
    const next = await world.trade({ mode: "paper" }, { stateFolder });
    expect(next.error).toBeUndefined();
  }, 60_000);

  it("of an account that was never traded is empty, with bars and without", async () => {
    await using world = await tradeWorld();
    const history = await (await reader(world))({});
    expect(history).toEqual({
      mode: "paper",
      account: history.account,
      venue: "ibkr",
      curve: { sessions: [], equity: [], model: [], spy: [] },
      positions: [],
      decision: null,
      plan: null,
      checks: [],
      orders: [],
      sessions: [],
    });
  }, 20_000);
});
