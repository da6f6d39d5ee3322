import { statSync } from "node:fs";
import { runBacktest } from "@pf/backtest";
import { type Check, costOf, heldOf, totalCash } from "@pf/compliance";
import { costModelOf, type LoadedConfig, lagOf, strategyOptionsOf } from "@pf/config";
import type { SessionDate, Ticker, Weights } from "@pf/market";
import { type Cents, dollarsOf, notionalCents, type Quantity, sharesOf } from "@pf/orders";
import { createStrategy, type Decision, type Extensions } from "@pf/selection";
import type { AccountMode } from "../broker.js";
import type { CandidateRow } from "../candidate-rows.js";
import { EmptyCacheError, NoSessionsError } from "../errors.js";
import { loadMarket, loadTraded } from "../market-data.js";
import { flowsOf, followed, type Series, type TradedSymbol } from "./curve.js";
import { type PlanDocument, planDocument } from "./documents.js";
import { isFill, knownOrder, lastCommission, rootOf } from "./heard.js";
import { createPastReader, type Past, type PastReader, type SentOrder } from "./past.js";
import { journalOf } from "./status.js";

export interface HistoryRequest {
  /** Default: paper. */
  readonly mode?: AccountMode;
}

/** A position as it stands beside what is wanted of it; a symbol that is wanted and not held has no shares. */
export interface HeldPosition {
  readonly symbol: Ticker;
  readonly shares: number;
  /** Dollars paid for all of it. */
  readonly cost: number;
  /** The last close as traded; `null` where the cache has none. */
  readonly price: number | null;
  /** Whose close that is. */
  readonly priceSession: SessionDate | null;
  readonly value: number | null;
  /** Of the account's worth at these closes; `null` where that is not known. */
  readonly weight: number | null;
  /** Of the last decision. */
  readonly target: number;
}

export interface PastOrder {
  readonly session: SessionDate;
  /** When it was about to be sent. */
  readonly atUtcMs: number;
  readonly reference: string;
  readonly symbol: Ticker;
  readonly side: "buy" | "sell";
  readonly shares: number;
  readonly filled: number;
  /** `filled`, `cancelled`, `rejected`, `unknown`, or `open` while nothing more was heard. */
  readonly status: string;
  /** The broker's words, where it had any. */
  readonly detail: string;
  /** Why it was planned, in words. */
  readonly reason: string;
  /** One a execution; of a corrected one the correction. */
  readonly fills: readonly {
    readonly execId: string;
    readonly shares: number;
    readonly price: number;
    /** Dollars; `null` while nobody has said. */
    readonly commission: number | null;
  }[];
}

export interface PastSession {
  readonly session: SessionDate;
  /** How its rebalance ended, or `open` while it has begun and not ended. */
  readonly outcome: string;
  readonly detail: string;
  readonly complete: boolean;
  /** Dollars, where the account was valued. */
  readonly equity: number | null;
  /** Sent, in all attempts of the session. */
  readonly orders: number;
  /** Executions of these orders. */
  readonly fills: number;
}

/** An account's past, from its journal and the cached bars; what the worker's page shows. */
export interface AccountHistory {
  readonly mode: AccountMode;
  readonly account: string;
  readonly venue: string;
  /**
   * Dollars at each session on which the account was valued, oldest first, with what the model and SPY would be.
   *
   * The account is valued when its rebalance ends, some minutes before the close and at the prices of that moment; the
   * other two at the session's close. They start with the account's dollars at the first session that their bars know.
   * What came in or went out beside trading comes in or goes out of them too, at the close of its session: cash booked as
   * deposit, withdrawal or external movement, and shares that were found or are missing, at their close. External cash is
   * taken for a dividend, and so for performance, as far as the shares held on ex-dates of the last sixty days were due
   * any: the broker does not say what cash is for. Interest cannot be told from a deposit.
   */
  readonly curve: {
    readonly sessions: readonly SessionDate[];
    readonly equity: readonly number[];
    /**
     * The bars engine's growth, as `pf backtest` has it for the whole cache and the configuration of now; `null` where
     * there is no bar of the session yet, or none at all.
     */
    readonly model: readonly (number | null)[];
    /** SPY held, dividends included; `null` where it is not cached. */
    readonly spy: readonly (number | null)[];
  };
  /** Universe order; what is held beside it comes last. */
  readonly positions: readonly HeldPosition[];
  readonly decision: {
    readonly session: SessionDate;
    readonly asOf: SessionDate;
    readonly isChange: boolean;
    readonly weights: Weights;
    /** Every symbol with its reason; `null`, as the next two, in journals of versions that did not keep them. */
    readonly candidates: readonly CandidateRow[] | null;
    readonly overlays: Decision["overlays"] | null;
    readonly heldByBand: boolean | null;
  } | null;
  /** The plan reviewed last, whether it passed or not. */
  readonly plan: PlanDocument | null;
  /** Of that review; only the breaches in journals of versions that did not keep the others. */
  readonly checks: readonly Check[];
  /** Newest first, at most a hundred. */
  readonly orders: readonly PastOrder[];
  /** Newest first, at most three hundred. */
  readonly sessions: readonly PastSession[];
}

export interface HistorySetting {
  readonly dataFolder: string;
  readonly stateFolder: string;
  readonly extensions: Extensions;
  /** Shared with whoever else reads the same journals. */
  readonly readPast?: PastReader;
}

/** Reads the past of an account; see {@link createHistoryReader}. */
export type HistoryReader = (request: HistoryRequest) => Promise<AccountHistory>;

const mostSessions = 300;

/**
 * Makes a reader of accounts' pasts. It keeps what it read: asked again, it folds only new entries, and the bars engine
 * runs again only when a cached file changed or other symbols are held.
 *
 * @returns throws StateDamagedError, StateFromFutureError and CacheFileError for a journal or bars that cannot be used
 */
export function createHistoryReader(loaded: LoadedConfig, setting: HistorySetting): HistoryReader {
  const readPast = setting.readPast ?? createPastReader(setting.stateFolder);
  const told = new WeakMap<Past, { seq: number; bars: string; history: AccountHistory }>();
  let market: { readonly bars: string; readonly view: Promise<MarketView> } | undefined;

  return async ({ mode = "paper" }) => {
    const { identity } = journalOf(mode, loaded.config, { stateFolder: setting.stateFolder, readPast });
    const past = readPast(identity);
    const symbols = symbolsOf(past, loaded.config.universe);
    const bars = await fingerprintOf(symbols, setting.dataFolder);
    const { seq } = past;
    const before = told.get(past);
    if (before?.seq === seq && before.bars === bars) return before.history;
    if (market?.bars !== bars) market = { bars, view: viewMarket(symbols, loaded, setting) };
    const { view } = market;
    const history = tell(past, symbols, await forgettingFailure(view));
    told.set(past, { seq, bars, history });
    return history;
  };

  async function forgettingFailure(view: Promise<MarketView>): Promise<MarketView> {
    try {
      return await view;
    } catch (error) {
      if (market?.view === view) market = undefined;
      throw error;
    }
  }
}

/** What an account's past is looked at beside. */
interface MarketView {
  /** Growth of the bars engine; `null` without bars. */
  readonly model: Series | null;
  /** Closes adjusted for dividends; `null` where it is not cached. */
  readonly spy: Series | null;
  /** As traded; of the universe. */
  readonly traded: ReadonlyMap<Ticker, TradedSymbol>;
  /** The last closes as traded. */
  readonly closes: ReadonlyMap<Ticker, { readonly session: SessionDate; readonly close: number }>;
}

/** Universe order, then what is held or wanted beside it. */
function symbolsOf({ state }: Past, universe: readonly Ticker[]): readonly Ticker[] {
  const others = [...Object.keys(state.account.lots), ...Object.keys(state.lastDecision?.weights ?? {})];
  return [...new Set([...universe, ...others])];
}

/** Changes whenever a cached file does: they are replaced whole, never written into. */
async function fingerprintOf(symbols: readonly Ticker[], dataFolder: string): Promise<string> {
  const parts: string[] = [];
  for (const symbol of new Set([...symbols, "SPY"])) {
    for (const path of await filesOf(symbol, dataFolder)) {
      const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
      parts.push(stat ? `${path} ${stat.ino} ${stat.size} ${stat.mtimeNs}` : `${path} -`);
    }
  }
  return parts.join("\n");
}

/** Where bars of a symbol would be; nowhere for one that no file can be named after, which the broker may hold. */
async function filesOf(symbol: Ticker, dataFolder: string): Promise<readonly string[]> {
  const { InvalidTickerError, openBarCache } = await import("@pf/bars");
  const cache = openBarCache(dataFolder);
  try {
    return [cache.file(symbol, "trades"), cache.file(symbol)];
  } catch (error) {
    if (error instanceof InvalidTickerError) return [];
    throw error;
  }
}

async function viewMarket(
  symbols: readonly Ticker[],
  { config }: LoadedConfig,
  { dataFolder, extensions }: HistorySetting,
): Promise<MarketView> {
  const { openBarCache } = await import("@pf/bars");
  const cache = openBarCache(dataFolder);
  const closes = new Map<Ticker, { session: SessionDate; close: number }>();
  for (const symbol of symbols) {
    if ((await filesOf(symbol, dataFolder)).length === 0) continue;
    const stored = (await cache.read(symbol, "trades")) ?? (await cache.read(symbol));
    const session = stored?.series.sessions.at(-1);
    if (stored && session !== undefined) closes.set(symbol, { session, close: stored.series.close.at(-1)! });
  }
  const spy = (await cache.read("SPY"))?.series;
  const beside = { closes, spy: spy ? { sessions: spy.sessions, values: spy.close } : null };
  const market = await loadMarket(dataFolder, config.universe, {}).catch(withoutBars);
  if (!market) return { ...beside, model: null, traded: new Map() };
  const { panel, prices } = await loadTraded(dataFolder, market);
  const { sessions, tickers } = panel;
  const strategy = createStrategy(strategyOptionsOf(config), extensions);
  const { equity } = runBacktest(panel, strategy, costModelOf(config), { lag: lagOf(config) });
  const traded = tickers.map((symbol, i): [Ticker, TradedSymbol] => [
    symbol,
    { sessions, close: prices.close[i]!, dividend: prices.dividend[i]! },
  ]);
  return { ...beside, model: { sessions, values: equity }, traded: new Map(traded) };
}

/** A past can be told without a model; what is wrong with bars that are there is said. */
async function withoutBars(error: unknown): Promise<undefined> {
  const { MissingBarsError } = await import("@pf/bars");
  const isMissing = [EmptyCacheError, NoSessionsError, MissingBarsError].some(
    (kind) => error instanceof kind,
  );
  if (!isMissing) throw error;
}

function tell(past: Past, symbols: readonly Ticker[], view: MarketView): AccountHistory {
  const { identity, state, valued, review } = past;
  const flows = flowsOf(valued, past.held, view.traded);
  const { lastDecision: taken } = state;
  return {
    mode: identity.mode,
    account: identity.account,
    venue: identity.venue,
    curve: {
      sessions: valued.map(({ session }) => session),
      equity: valued.map(({ equity }) => dollarsOf(equity as Cents)),
      model: followed(valued, flows, view.model),
      spy: followed(valued, flows, view.spy),
    },
    positions: positionsIn(past, symbols, view),
    decision: taken && {
      session: taken.session,
      asOf: taken.asOf,
      isChange: taken.isChange,
      weights: taken.weights,
      candidates: taken.candidates ?? null,
      overlays: taken.overlays ?? null,
      heldByBand: taken.heldByBand ?? null,
    },
    plan: review && planDocument(review.plan),
    checks: review?.checks ?? [],
    orders: past.orders.map(toldOrder).reverse(),
    sessions: past.sessions
      .slice(-mostSessions)
      .reverse()
      .map(({ isComplete, equity, ...session }) => ({
        ...session,
        complete: isComplete,
        equity: equity === null ? null : dollarsOf(equity as Cents),
      })),
  };
}

function positionsIn(
  { state }: Past,
  symbols: readonly Ticker[],
  { closes }: MarketView,
): readonly HeldPosition[] {
  const { account, lastDecision } = state;
  const atClose = (symbol: Ticker) => {
    const bar = closes.get(symbol);
    return bar ? notionalCents(heldOf(account, symbol), bar.close) : null;
  };
  let worth: number | null = totalCash(account);
  for (const symbol of Object.keys(account.lots)) {
    const value = atClose(symbol);
    worth = worth === null || value === null ? null : worth + value;
  }
  return symbols.flatMap((symbol): readonly HeldPosition[] => {
    const quantity = heldOf(account, symbol);
    const target = lastDecision?.weights[symbol] ?? 0;
    if (quantity === 0 && target === 0) return [];
    const bar = closes.get(symbol);
    const value = atClose(symbol);
    return [
      {
        symbol,
        shares: sharesOf(quantity),
        cost: dollarsOf(costOf(account, symbol)),
        price: bar?.close ?? null,
        priceSession: bar?.session ?? null,
        value: value === null ? null : dollarsOf(value),
        weight: value === null || worth === null || worth <= 0 ? null : value / worth,
        target,
      },
    ];
  });
}

function toldOrder({ session, atUtcMs, intent, events }: SentOrder): PastOrder {
  const { filled, end, detail } = knownOrder(events, intent);
  const fills = new Map(events.filter(isFill).map((fill) => [rootOf(fill.execId), fill]));
  return {
    session,
    atUtcMs,
    reference: intent.reference,
    symbol: intent.symbol,
    side: intent.side,
    shares: sharesOf(intent.quantity),
    filled: sharesOf(filled as Quantity),
    status: end ?? "open",
    detail,
    reason: intent.detail,
    fills: [...fills.values()].map(({ execId, quantity, price }) => ({
      execId,
      shares: sharesOf(quantity),
      price,
      commission: lastCommission(execId, events),
    })),
  };
}
