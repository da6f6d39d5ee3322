import { readdirSync } from "node:fs";
import { type Account, costOf, describeCash, heldOf } from "@pf/compliance";
import { complianceRulesOf, type LoadedConfig } from "@pf/config";
import { newYorkDateOf, type SessionDate, type Ticker, type TradingCalendar } from "@pf/market";
import { type Cents, dollarsOf, sharesOf } from "@pf/orders";
import { type AccountMode, accountOf, openSession, type SessionSetting } from "../broker.js";
import { RequestError, StateWriteError } from "../errors.js";
import { type JournalIdentity, journalPath, openJournal } from "../journal/journal.js";
import type { Clock } from "../ports.js";
import { liveNeedsOwnClock } from "./errors.js";
import { createPastReader, type Past, type PastReader } from "./past.js";
import { type Halt, type TradeEvent, type TradeState, untouched } from "./state.js";

export interface StatusRequest {
  /** Default: paper. */
  readonly mode?: AccountMode;
  /** Whose clock tells what comes next. Default: the machine's. `broker` asks the simulator, and is refused for live. */
  readonly clock?: "system" | "broker";
}

export interface HaltRequest {
  /** Default: paper. */
  readonly mode?: AccountMode;
  readonly reason?: string;
}

export interface ResumeRequest {
  /** Default: paper. */
  readonly mode?: AccountMode;
  /** What was found when somebody looked; it stands in the journal. */
  readonly reason?: string;
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

export interface StatusSetting extends SessionSetting {
  readonly stateFolder: string;
  readonly calendar: TradingCalendar;
  readonly clock: Clock;
  /** Shared with whoever else reads the same journals. */
  readonly readPast?: PastReader;
}

/**
 * What is known of an account, from its journal.
 *
 * @throws LiveLockedError when the broker's clock is asked for with the live account; what `connectIbkr` throws when it is
 *   asked for and nobody answers
 */
export async function accountStatus(
  { mode = "paper", clock: whose = "system" }: StatusRequest,
  { config }: LoadedConfig,
  setting: StatusSetting,
): Promise<StatusDocument> {
  const { calendar, clock } = setting;
  if (whose === "broker" && mode === "live") throw liveNeedsOwnClock();
  const { identity, others } = journalOf(mode, config, setting);
  const past = pastOf(identity, setting);
  const { state } = past;
  const { account, halt, open, lastDone } = state;
  const nowUtcMs = whose === "broker" ? await brokersTime(mode, config, setting) : clock.nowUtcMs();
  return {
    mode,
    account: identity.account,
    venue: past.identity.venue,
    used: state !== untouched,
    state: halt ? "halted" : open ? "open" : "idle",
    lastSession: lastDone && {
      session: lastDone.session,
      outcome: lastDone.outcome,
      detail: lastDone.detail,
      complete: lastDone.isComplete,
    },
    next: nextWindow(config, calendar, nowUtcMs, state),
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

/** Stops trading durably, also while another process trades: what it has not sent yet it does not send any more. */
export async function haltAccount(
  { mode = "paper", reason = "somebody asked" }: HaltRequest,
  loaded: LoadedConfig,
  setting: StatusSetting,
): Promise<StatusDocument> {
  const { identity } = journalOf(mode, loaded.config, setting);
  const { state } = pastOf(identity, setting);
  if (!state.halt) {
    append(identity, setting, {
      kind: "halted",
      code: "asked",
      reason,
      session: state.open?.session ?? null,
    });
  }
  return accountStatus({ mode }, loaded, setting);
}

/**
 * Lifts a halt. What differs between book and broker is then accepted, and booked by the next rebalance.
 *
 * @throws RequestError when nothing is halted
 */
export async function resumeAccount(
  { mode = "paper", reason = "somebody looked at it" }: ResumeRequest,
  loaded: LoadedConfig,
  setting: StatusSetting,
): Promise<StatusDocument> {
  const { identity } = journalOf(mode, loaded.config, setting);
  const { state } = pastOf(identity, setting);
  if (!state.halt) {
    throw new RequestError(
      `trading of the ${mode} account ${identity.account} is not halted`,
      "see `pf status`",
    );
  }
  append(identity, setting, { kind: "resumed", reason });
  return accountStatus({ mode }, loaded, setting);
}

function append(identity: JournalIdentity, setting: StatusSetting, event: TradeEvent): void {
  const { stateFolder, clock } = setting;
  // A simulator's account lives in simulated time: whatever happens to it now happens after what happened last.
  const { lastUtcMs } = pastOf(identity, setting);
  const isSimulated = identity.venue !== "ibkr";
  const journal = openJournal<TradeEvent>(
    stateFolder,
    identity,
    isSimulated ? { nowUtcMs: () => lastUtcMs } : clock,
  );
  try {
    journal.append(event);
  } finally {
    journal.close();
  }
}

async function brokersTime(
  mode: AccountMode,
  config: LoadedConfig["config"],
  setting: SessionSetting,
): Promise<number> {
  const session = await openSession(config, accountOf(config, mode), mode, setting);
  try {
    return (await session.serverTime(setting.signal)).serverUtcMs;
  } finally {
    await session.close();
  }
}

/**
 * Whose journal is meant: the broker's account's; where there is none but a simulator's, that. A journal's file says
 * whose it is. A halt that was asked for before anything was traded is written to the broker's; once it is lifted, and the
 * account is traded at a simulator, that journal says nothing any more.
 */
export function journalOf(
  mode: AccountMode,
  config: LoadedConfig["config"],
  setting: Pick<StatusSetting, "stateFolder" | "readPast">,
): { readonly identity: JournalIdentity; readonly others: readonly string[] } {
  const account = accountOf(config, mode);
  const atBroker: JournalIdentity = { mode, account, venue: "ibkr" };
  const own = journalPath("", atBroker);
  // Another account's name may begin with this one.
  const found = journalsIn(setting.stateFolder).filter(
    (name) => name === own || name.startsWith(`${mode}-${account}-`),
  );
  const simulated = found.filter((name) => name !== own);
  const [first] = simulated;
  if (first === undefined || (found.includes(own) && saysSomething(pastOf(atBroker, setting)))) {
    return { identity: atBroker, others: simulated };
  }
  const venue = venueIn(first, `${mode}-${account}-`);
  return { identity: { mode, account, venue }, others: simulated.slice(1) };
}

function saysSomething({ isUsed, state }: Past): boolean {
  return isUsed || state.halt !== null;
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
    const { code = "EIO" } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return [];
    throw new StateWriteError(folder, code, { cause: error });
  }
}

function pastOf(
  identity: JournalIdentity,
  { stateFolder, readPast = createPastReader(stateFolder) }: Pick<StatusSetting, "stateFolder" | "readPast">,
): Past {
  return readPast(identity);
}

function nextWindow(
  config: LoadedConfig["config"],
  calendar: TradingCalendar,
  nowUtcMs: number,
  { lastDone, isResumed }: TradeState,
): StatusDocument["next"] {
  const { window } = complianceRulesOf(config);
  let session = calendar.onOrBefore(newYorkDateOf(nowUtcMs));
  const isDone = () => session === lastDone?.session && !isResumed;
  while (isDone() || calendar.closeUtcMs(session) - window.closesBeforeCloseMs <= nowUtcMs) {
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
