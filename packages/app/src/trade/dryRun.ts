// A dry run on the cache alone: nobody is asked, nothing is written.

import { type Account, applyEvent, calendarHours, emptyAccount, usSettlement } from "@pf/compliance";
import type { LoadedConfig } from "@pf/config";
import type { SessionDate, Ticker, TradingCalendar } from "@pf/market";
import { centsOfDollars, oneShare, type Quote } from "@pf/orders";
import type { Extensions } from "@pf/selection";
import { proposeRebalance } from "../account/rebalance.js";
import { type AccountMode, accountOf } from "../broker.js";
import { knownDay, lastCompleteSession } from "../dates.js";
import { NoSessionsError } from "../errors.js";
import { hasJournal, type JournalIdentity } from "../journal/journal.js";
import { loadMarket } from "../market-data.js";
import type { Clock, ProgressListener } from "../ports.js";
import { stateIn } from "./book.js";
import { decideLast } from "./decide.js";
import { planDocument, type TradeDocument } from "./documents.js";
import { lastBarsOf } from "./market.js";
import { rulesOf } from "./rules.js";
import { untouched } from "./state.js";

export interface DryRunSetting {
  readonly dataFolder: string;
  readonly stateFolder: string;
  readonly calendar: TradingCalendar;
  readonly clock: Clock;
  readonly extensions: Extensions;
  readonly onProgress: ProgressListener;
}

/** What would be planned as of a session, or of the last one that is cached. */
export async function dryRunOnCache(
  { mode = "paper", asOf: wanted }: { readonly mode?: AccountMode; readonly asOf?: string },
  loaded: LoadedConfig,
  setting: DryRunSetting,
): Promise<TradeDocument> {
  const { config } = loaded;
  const { calendar, clock, dataFolder, stateFolder, onProgress } = setting;
  const rules = rulesOf(loaded, setting);
  onProgress({ step: "reading bars" });
  const session = wanted === undefined ? undefined : calendar.onOrBefore(knownDay(wanted, calendar));
  const market = await loadMarket(dataFolder, config.universe, session === undefined ? {} : { end: session });
  const { panel } = market;
  const asOf = panel.sessions.at(-1)!;
  if (session !== undefined && asOf !== session)
    throw new NoSessionsError(`of ${session}`, panel.sessions[0]!, asOf);
  // With the unfinished bar a decision is traded in its own session, with the last complete one in the next.
  const trades = rules.lag === 1 ? asOf : calendar.next(asOf);
  const identity: JournalIdentity = { mode, account: accountOf(config, mode), venue: "ibkr" };
  const known = wanted === undefined && hasJournal(stateFolder, identity);
  const journalled = known ? stateIn(stateFolder, identity, clock) : untouched;
  // A decision of this session or a later one is none to go on from.
  const taken = journalled.lastDecision;
  const before = taken && taken.asOf < asOf ? taken : null;
  const { decision } = decideLast(panel, rules.strategy, before, rules.costs, rules.lag);
  const account = known ? standingAt(journalled.account, trades) : freshAccount(config, trades);
  const { quotes, lastBars } = await pricesAsOf(dataFolder, config.universe, asOf, calendar.previous(trades));
  const { plan, verdict } = proposeRebalance({
    targets: decision,
    account,
    situation: {
      account: identity.account,
      baseCurrency: "USD",
      session: trades,
      attempt: 1,
      universe: config.universe,
      // As if the window of that session were open.
      nowUtcMs: calendar.closeUtcMs(trades) - rules.compliance.window.opensBeforeCloseMs,
      quotes,
      lastBars,
      liquidHours: calendarHours(config.universe, trades, rules.calendar),
      knownReferences: [],
      isResumed: false,
      reconciliation: null,
    },
    orders: { ...rules.orders, quantityStep: oneShare },
    compliance: rules.compliance,
    calendar: rules.calendar,
  });
  const behind = session === undefined && lastCompleteSession(calendar, clock) > asOf;
  const whose = known
    ? "with what the journal holds, without asking the broker"
    : `as if ${config.backtest.initialCash} dollars were all there is`;
  return {
    mode: "dry-run",
    account: identity.account,
    venue: null,
    log: null,
    session: trades,
    asOf: decision.asOf,
    outcome: "dry_run",
    detail: `${verdict.ok ? "every check passed" : "it would be blocked"}, ${whose}`,
    weights: decision.weights,
    overlays: decision.overlays,
    plan: planDocument(plan),
    verdict: { ok: verdict.ok, checks: verdict.checks },
    orders: [],
    fills: [],
    notices:
      (account.session ?? trades) > trades
        ? [`the journal stands at ${account.session}, and the cache ends on ${asOf}; run \`pf fetch\``]
        : behind
          ? [`the cache ends on ${asOf}; run \`pf fetch\` for what is newer`]
          : [],
    halted: null,
  };
}

function freshAccount({ backtest }: LoadedConfig["config"], session: SessionDate): Account {
  return applyEvent(
    emptyAccount,
    { kind: "cash", session, amount: centsOfDollars(backtest.initialCash), reason: "deposit" },
    usSettlement,
  );
}

/** An account on a session, or where it stands already. */
function standingAt(account: Account, session: SessionDate): Account {
  const day = account.session !== null && account.session > session ? account.session : session;
  return applyEvent(account, { kind: "day", session: day }, usSettlement);
}

/** Prices as traded where the cache has them, as of one session, and of the one before it. */
async function pricesAsOf(
  dataFolder: string,
  universe: readonly Ticker[],
  asOf: SessionDate,
  before: SessionDate,
) {
  const quotes: Record<Ticker, Quote> = {};
  for (const [ticker, { session, close: price }] of Object.entries(
    await lastBarsOf(dataFolder, universe, asOf),
  )) {
    if (session === asOf)
      quotes[ticker] = { price, bid: null, ask: null, tick: 0.01, feed: "bar", atUtcMs: null };
  }
  return { quotes, lastBars: await lastBarsOf(dataFolder, universe, before) };
}
