import { readdirSync } from "node:fs";
import { type Account, costOf, describeCash, heldOf, usSettlement } from "@pf/compliance";
import { complianceRulesOf, type LoadedConfig } from "@pf/config";
import { newYorkDateOf, type SessionDate, type Ticker, type TradingCalendar } from "@pf/market";
import { type Cents, dollarsOf, sharesOf } from "@pf/orders";
import { type AccountMode, accountOf } from "../broker.js";
import { RequestError } from "../errors.js";
import { hasJournal, type JournalIdentity, journalPath, openJournal } from "../journal/journal.js";
import type { Clock } from "../ports.js";
import { foldTrade, type Halt, type TradeEvent, type TradeState, untouched } from "./state.js";

export interface StatusRequest {
  /** Default: paper. */
  readonly mode?: AccountMode;
}

/** What `pf status --json` prints. */
export interface StatusDocument {
  readonly mode: AccountMode;
  readonly account: string;
  /** `ibkr`, or the simulator whose account it is. */
  readonly venue: string;
  /** Whether the account ever traded here. */
  readonly used: boolean;
  /** `idle`, `halted`, or `open` while a session's rebalance has begun and not ended. */
  readonly state: "idle" | "open" | "halted";
  readonly lastSession: {
    readonly session: SessionDate;
    readonly outcome: string;
    readonly detail: string;
    readonly complete: boolean;
  } | null;
  /** The next session and its window, ISO 8601; `null` beyond the calendar. */
  readonly next: { readonly session: SessionDate; readonly opens: string; readonly closes: string } | null;
  readonly halted: Halt | null;
  readonly cash: {
    readonly settled: number;
    readonly coming: readonly { readonly amount: number; readonly settles: SessionDate }[];
    readonly detail: string;
  };
  readonly positions: readonly {
    readonly symbol: Ticker;
    readonly quantity: number;
    readonly cost: number;
  }[];
  readonly restrictedUntil: SessionDate | null;
  /** Worth at the last rebalance; `null` before the first. */
  readonly equity: { readonly session: SessionDate; readonly dollars: number } | null;
  /** The other accounts that have a journal in the same folder. */
  readonly others: readonly string[];
}

export interface StatusSetting {
  readonly stateFolder: string;
  readonly calendar: TradingCalendar;
  readonly clock: Clock;
}

/** What is known of an account without asking anybody: from its journal. */
export function accountStatus(
  { mode = "paper" }: StatusRequest,
  { config }: LoadedConfig,
  { stateFolder, calendar, clock }: StatusSetting,
): StatusDocument {
  const { identity, others } = journalOf(mode, config, stateFolder);
  const state = readState(identity, stateFolder, clock);
  const { account, halt, open, lastDone } = state;
  return {
    mode,
    account: identity.account,
    venue: identity.venue,
    used: state !== untouched,
    state: halt ? "halted" : open ? "open" : "idle",
    lastSession: lastDone && {
      session: lastDone.session,
      outcome: lastDone.outcome,
      detail: lastDone.detail,
      complete: lastDone.isComplete,
    },
    next: nextWindow(config, calendar, clock, lastDone?.session ?? null),
    halted: halt,
    cash: cashOf(account),
    positions: Object.keys(account.lots).map((symbol) => ({
      symbol,
      quantity: sharesOf(heldOf(account, symbol)),
      cost: dollarsOf(costOf(account, symbol)),
    })),
    restrictedUntil: account.restrictedUntil,
    equity: account.valued && { session: account.valued.session, dollars: dollarsOf(account.valued.equity) },
    others,
  };
}

/** Stops trading durably, also while another process trades: it sends nothing more. */
export function haltAccount(
  { mode = "paper", reason }: StatusRequest & { readonly reason?: string },
  loaded: LoadedConfig,
  setting: StatusSetting,
): StatusDocument {
  const { identity } = journalOf(mode, loaded.config, setting.stateFolder);
  const journal = openJournal<TradeEvent>(setting.stateFolder, identity, setting.clock);
  try {
    const { halt } = foldTrade(journal.entries(), usSettlement);
    if (!halt)
      journal.append({ kind: "halted", code: "asked", reason: reason ?? "somebody asked", session: null });
  } finally {
    journal.close();
  }
  return accountStatus({ mode }, loaded, setting);
}

/**
 * Lifts a halt. What was found at the broker is accepted and booked by the next rebalance.
 *
 * @throws RequestError when nothing is halted, or no reason is given
 */
export function resumeAccount(
  { mode = "paper", reason }: StatusRequest & { readonly reason?: string },
  loaded: LoadedConfig,
  setting: StatusSetting,
): StatusDocument {
  const { identity } = journalOf(mode, loaded.config, setting.stateFolder);
  if (!hasJournal(setting.stateFolder, identity)) throw nothingHalted(identity);
  const journal = openJournal<TradeEvent>(setting.stateFolder, identity, setting.clock);
  try {
    const { halt } = foldTrade(journal.entries(), usSettlement);
    if (!halt) throw nothingHalted(identity);
    journal.append({ kind: "resumed", reason: reason ?? "somebody looked at it" });
  } finally {
    journal.close();
  }
  return accountStatus({ mode }, loaded, setting);
}

function nothingHalted({ mode, account }: JournalIdentity): RequestError {
  return new RequestError(`trading of the ${mode} account ${account} is not halted`, "see `pf status`");
}

/**
 * Whose journal is meant: the broker's account's; where there is none but a simulator's, that. A journal's file says
 * whose it is.
 */
function journalOf(
  mode: AccountMode,
  config: LoadedConfig["config"],
  stateFolder: string,
): { readonly identity: JournalIdentity; readonly others: readonly string[] } {
  const account = accountOf(config, mode);
  const atBroker: JournalIdentity = { mode, account, venue: "ibkr" };
  const found = journalsIn(stateFolder).filter((name) => name.startsWith(`${mode}-${account}`));
  const own = journalPath("", atBroker);
  if (found.includes(own) || found.length === 0) {
    return { identity: atBroker, others: found.filter((name) => name !== own) };
  }
  const [first] = found;
  const venue = venueIn(first!, `${mode}-${account}-`);
  return { identity: { mode, account, venue }, others: found.slice(1) };
}

/** A venue as the file's name has it; the journal itself knows the rest. */
function venueIn(name: string, prefix: string): string {
  return name.slice(prefix.length, -".sqlite".length);
}

function journalsIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(".sqlite") && !name.endsWith(".bak.sqlite"))
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

function readState(identity: JournalIdentity, stateFolder: string, clock: Clock): TradeState {
  if (!hasJournal(stateFolder, identity)) return untouched;
  const journal = openJournal<TradeEvent>(stateFolder, identity, clock);
  try {
    return foldTrade(journal.entries(), usSettlement);
  } finally {
    journal.close();
  }
}

function nextWindow(
  config: LoadedConfig["config"],
  calendar: TradingCalendar,
  clock: Clock,
  last: SessionDate | null,
): StatusDocument["next"] {
  const { window } = complianceRulesOf(config);
  const now = clock.nowUtcMs();
  let session = calendar.onOrBefore(newYorkDateOf(now));
  while (session === last || calendar.closeUtcMs(session) - window.closesBeforeCloseMs <= now) {
    if (session >= calendar.last) return null;
    session = calendar.next(session);
  }
  const close = calendar.closeUtcMs(session);
  return {
    session,
    opens: new Date(close - window.opensBeforeCloseMs).toISOString(),
    closes: new Date(close - window.closesBeforeCloseMs).toISOString(),
  };
}

function cashOf(account: Account): StatusDocument["cash"] {
  return {
    settled: dollarsOf(account.settled),
    coming: account.pending.map(({ amount, settles }) => ({ amount: dollarsOf(amount as Cents), settles })),
    detail: describeCash(account),
  };
}
