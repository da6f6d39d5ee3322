// From bars and prices to a reviewed plan. Nothing here is sent; what was decided, and what the broker says of fractions, is
// written down as soon as it is known.

import { heldOf, type Reconciliation, review, type Situation, type Verdict } from "@pf/compliance";
import { type OrderPlan, oneShare, type Quantity } from "@pf/orders";
import { areSameWeights, proposeRebalance } from "../../account/rebalance.js";
import { candidateRow } from "../../candidate-rows.js";
import { decideLast } from "../decide.js";
import { FractionalRefusedError } from "../errors.js";
import type { DecisionBars, MarketNow } from "../market.js";
import type { TradeEvent } from "../state.js";
import { knownAmong } from "./ask.js";
import type { Run } from "./run.js";

/** What a decision says, whenever it was taken. */
type TakenTargets = Pick<Extract<TradeEvent, { kind: "decided" }>, "asOf" | "weights" | "isChange">;

/** What a plan is made and reviewed with, beside the account. */
interface Surroundings {
  readonly market: MarketNow;
  readonly bars: DecisionBars;
  readonly reconciliation: Reconciliation;
}

/** Where the broker takes longer to say that it does not know the orders, prices may be old by then: reviewed again. */
const longestTalkMs = 5_000;

/** Begins the session's rebalance, unless it is begun. */
export function claim(run: Run): void {
  const { book, run: name, version } = run.setting;
  if (run.state.open?.session === run.today) return;
  run.step("claim");
  book.claim({ kind: "claimed", session: run.today, run: name, version });
}

/** Takes the session's decision. One that was taken stands, whatever became of a bar since. */
export function decide(run: Run, { panel, fingerprint }: DecisionBars): TakenTargets {
  const { strategy, costs, lag, configHash } = run.setting;
  const { lastDecision: taken } = run.state;
  run.fingerprint = fingerprint;
  if (taken?.session === run.today) {
    run.decision = strategy.prepare(panel).decide(panel.sessions.length - 1, taken.held);
    return taken;
  }
  const { decision, held } = decideLast(panel, strategy, taken, costs, lag);
  const { asOf, weights } = decision;
  const isChange = !areSameWeights(weights, taken?.weights ?? {});
  run.decision = decision;
  run.step("decide");
  const decided = { asOf, weights, held, isChange, data: fingerprint, config: configHash };
  const { candidates, overlays, heldByBand } = decision;
  const why = { candidates: candidates.map(candidateRow), overlays, heldByBand };
  run.note({ kind: "decided", session: run.today, ...decided, ...why });
  return decided;
}

/** Whether targets changed, or the last plan could not be carried out whole. */
export function mustTrade({ state, setting }: Run, { isChange }: TakenTargets): boolean {
  const { lastDone, account } = state;
  if (lastDone) return isChange || !lastDone.isComplete;
  return isChange || setting.universe.some((symbol) => heldOf(account, symbol) > 0);
}

/** Asks for the prices of now; who has none is told of. */
export async function askMarket(run: Run): Promise<MarketNow> {
  const market = await run.setting.askMarket(run.setting.universe, run.today);
  run.market = market;
  for (const [symbol, why] of market.missing) run.notices.push(`${symbol}: ${why}`);
  return market;
}

/**
 * Makes the plan and has it reviewed; except in a dry run, also with what the broker says of its orders, so that none is
 * sent that it may have.
 */
export async function propose(
  run: Run,
  targets: TakenTargets,
  surroundings: Surroundings,
): Promise<{ readonly plan: OrderPlan; readonly verdict: Verdict }> {
  const { orders, compliance, calendar, clock } = run.setting;
  const quantityStep = await quantityStepOf(run, surroundings.market);
  const { account, lastAttempt } = run.state;
  const attempt = lastAttempt?.session === run.today ? lastAttempt.attempt + 1 : 1;
  const situation = situationOf(run, surroundings, attempt);
  const proposal = proposeRebalance({
    targets,
    account,
    situation,
    orders: { ...orders, quantityStep },
    compliance,
    calendar,
  });
  run.plan = proposal.plan;
  run.verdict = proposal.verdict;
  if (run.isDry) return proposal;
  const { plan } = proposal;
  const knownReferences = await knownAmong(run, plan.intents);
  const nowUtcMs = clock.nowUtcMs();
  if (knownReferences.length === 0 && nowUtcMs - situation.nowUtcMs < longestTalkMs) return proposal;
  const now = { ...situation, knownReferences, nowUtcMs };
  const verdict = review(plan, account, now, compliance, calendar);
  run.verdict = verdict;
  return { plan, verdict };
}

/** What a review looks at beside plan and account; that the broker knows no order of the plan is found out apart. */
export function situationOf(
  { setting, state, today }: Run,
  { market, bars, reconciliation }: Surroundings,
  attempt: number,
): Situation {
  const { universe, clock, session } = setting;
  return {
    account: session.account,
    // The session refuses accounts in any other currency.
    baseCurrency: "USD",
    session: today,
    attempt,
    universe,
    nowUtcMs: clock.nowUtcMs(),
    quotes: market.quotes,
    lastBars: bars.lastBars,
    liquidHours: market.liquidHours,
    knownReferences: [],
    isResumed: state.isResumed,
    reconciliation,
  };
}

/**
 * The smallest part of a share to plan with: asked of the broker once a session where the configuration leaves it open.
 *
 * @throws FractionalRefusedError when fractions are demanded, and the broker does not take them
 */
async function quantityStepOf(run: Run, { contracts }: MarketNow): Promise<Quantity> {
  const { universe, quantity, session, signal } = run.setting;
  if (quantity === "whole") return oneShare;
  let answer = run.state.probe?.session === run.today ? run.state.probe : null;
  const symbol = universe.find((one) => contracts.has(one));
  if (!answer && !run.isDry && symbol !== undefined) {
    const { answer: fractional, why } = await session.probeFractional(symbol, signal);
    const { serverVersion } = session;
    answer = { kind: "probed", session: run.today, fractional, why, serverVersion };
    run.note(answer);
  }
  if (answer?.fractional === "yes") {
    let step = 1;
    for (const { sizeIncrement } of contracts.values()) step = Math.max(step, sizeIncrement);
    return step as Quantity;
  }
  // A dry run asks nothing, not even that: without an answer it plans whole shares.
  if (quantity === "fractional" && !(run.isDry && !answer)) {
    throw new FractionalRefusedError(answer?.why ?? "nobody has asked it yet");
  }
  return oneShare;
}
