// An account, open to be worked with: locked, connected, its journal read, and everything closed again after the work. Which
// journal it is, and whose clock counts, is decided here.

import type { LoadedConfig } from "@pf/config";
import type { IbkrSession } from "@pf/ibkr";
import type { TradingCalendar } from "@pf/market";
import type { Extensions } from "@pf/selection";
import { runName } from "../audit.js";
import { type AccountMode, accountOf, openLastingSession, type SessionSetting } from "../broker.js";
import {
  hasJournal,
  type Journal,
  type JournalIdentity,
  journalPath,
  lockAccount,
  openJournal,
} from "../journal/journal.js";
import type { Clock, ProgressListener } from "../ports.js";
import { dryBook, openBook, stateIn } from "./book.js";
import { HaltedError } from "./errors.js";
import { askMarket, gatherBars } from "./market.js";
import type { RebalanceSetting } from "./rebalance/run.js";
import { rulesOf, type SessionRules } from "./rules.js";
import { foldTrade, type TradeEvent } from "./state.js";
import { journalOf } from "./status.js";

export interface TradeSetting extends SessionSetting {
  readonly dataFolder: string;
  readonly outFolder: string;
  readonly stateFolder: string;
  readonly version: string;
  readonly calendar: TradingCalendar;
  readonly clock: Clock;
  readonly extensions: Extensions;
  readonly onProgress: ProgressListener;
  /** Told the name of every step before it is taken. */
  readonly onStep?: (step: string) => void;
}

/** An account, open for whoever works with it. */
export interface AtBroker {
  readonly identity: JournalIdentity;
  readonly rebalancing: RebalanceSetting;
}

/** What an account is opened for. */
export interface Opening {
  readonly mode: AccountMode;
  /** A dry run locks and writes nothing; who reconciles begins no journal. */
  readonly purpose: "trade" | "dry run" | "reconcile";
  readonly clock: "system" | "broker";
}

/** Locks the account, connects and opens its journal, and closes it all again after the work. */
export async function atBroker<T>(
  { mode, purpose, clock: whose }: Opening,
  loaded: LoadedConfig,
  setting: TradeSetting,
  work: (at: AtBroker) => Promise<T>,
): Promise<T> {
  const { config } = loaded;
  const { clock, stateFolder, onProgress } = setting;
  const account = accountOf(config, mode);
  const isDry = purpose === "dry run";
  const unlock = isDry ? () => {} : lockAccount(stateFolder, { mode, account });
  let session: IbkrSession | undefined;
  let journal: Journal<TradeEvent> | undefined;
  try {
    const { host, port } = config.ibkr;
    onProgress({ step: `connecting to TWS at ${host}:${port}` });
    session = await openLastingSession(config, account, mode, setting);
    const { provenanceOf } = await import("@pf/ibkr");
    const identity: JournalIdentity = { mode, account, venue: provenanceOf(session.greeting) };
    const own: Clock = whose === "broker" ? session.clock : clock;
    if (purpose === "trade") requireNotAskedToHalt(identity, loaded, setting);
    const rules = rulesOf(loaded, setting);
    const usesJournal = purpose === "trade" || hasJournal(stateFolder, identity);
    if (usesJournal) journal = openJournal<TradeEvent>(stateFolder, identity, own);
    const book =
      journal && !isDry
        ? openBook(journal, rules.calendar)
        : dryBook(foldTrade(journal?.entries() ?? [], rules.calendar), rules.calendar);
    if (purpose === "trade") journal?.backup(book.state.lastDone?.session ?? "first");
    const run = runName(purpose === "reconcile" ? "reconcile" : "trade", own);
    const dealings = dealingsWith(session, loaded, setting);
    return await work({ identity, rebalancing: { ...rules, ...dealings, book, clock: own, run } });
  } finally {
    journal?.close();
    await session?.close();
    unlock();
  }
}

/** What is asked of the broker, and waited for. */
function dealingsWith(
  session: IbkrSession,
  loaded: LoadedConfig,
  setting: TradeSetting,
): Omit<RebalanceSetting, keyof SessionRules | "book" | "clock" | "run"> {
  const { dataFolder, calendar, version, onProgress, onStep, signal } = setting;
  const stop = signal ? { signal } : {};
  return {
    session,
    version,
    gatherBars: (today) => gatherBars(session, today, loaded, { dataFolder, calendar, onProgress, ...stop }),
    askMarket: (symbols, today) => askMarket(session, symbols, today, signal),
    pause: (ms) => pauseOf(setting, ms),
    onProgress,
    ...stop,
    ...(onStep ? { onStep } : {}),
  };
}

/**
 * Who halts an account does not say whether the broker's or a simulator's is meant, and it is written where `pf status`
 * looks. Before the first rebalance that can be another journal than the one about to be traded: what `pf status` shows as
 * halted is traded nowhere.
 */
function requireNotAskedToHalt(
  { mode, account, venue }: JournalIdentity,
  { config }: LoadedConfig,
  { stateFolder, clock }: TradeSetting,
): void {
  const { identity } = journalOf(mode, config, { stateFolder });
  const own = journalPath("", { mode, account, venue });
  if (journalPath("", identity) === own || !hasJournal(stateFolder, identity)) return;
  const { halt } = stateIn(stateFolder, identity, clock);
  if (halt?.code === "asked") throw new HaltedError(halt.code, halt.reason);
}

function pauseOf({ broker, signal }: TradeSetting, ms: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal?.reason);
    if (signal?.aborted) return stop();
    signal?.addEventListener("abort", stop, { once: true });
    const done = () => {
      signal?.removeEventListener("abort", stop);
      resolve();
    };
    if (broker?.timers) broker.timers.after(ms, done);
    else setTimeout(done, ms);
  });
}
