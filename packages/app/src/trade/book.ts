import { type SettlementCalendar, usSettlement } from "@pf/compliance";
import type { SessionDate } from "@pf/market";
import { type Journal, type JournalIdentity, openJournal } from "../journal/journal.js";
import type { Clock } from "../ports.js";
import { applyTrade, foldTrade, type TradeEvent, type TradeState, untouched } from "./state.js";

/** What is true of an account, and the only way to make more of it true. */
export interface TradeBook {
  readonly state: TradeState;
  /** Whether what is noted outlives this process. */
  readonly isDurable: boolean;
  /** Whether anything was noted through this book. */
  readonly isChanged: boolean;
  /** Writes down what happens; it is true, and on the disk, when this returns. */
  note(...events: readonly TradeEvent[]): void;
  /** Notes that a session's rebalance begins. */
  claim(event: Extract<TradeEvent, { kind: "claimed" }>): void;
  /** Learns what others have written meanwhile: somebody may have halted trading. */
  refresh(): void;
}

/**
 * The state is a fold over the journal's entries and nothing else: also of those that another process wrote.
 *
 * @throws ClockBackwardsError when the clock shows a time before the last entry
 */
export function openBook(journal: Journal<TradeEvent>, calendar: SettlementCalendar): TradeBook {
  journal.checkClock();
  let state = untouched;
  let read = 0;
  let isChanged = false;
  const refresh = () => {
    const news = journal.entries(read);
    state = foldTrade(news, calendar, state);
    read = news.at(-1)?.seq ?? read;
  };
  refresh();
  return {
    get state() {
      return state;
    },
    isDurable: true,
    get isChanged() {
      return isChanged;
    },
    note(...events) {
      if (events.length === 0) return;
      isChanged = true;
      journal.append(...events);
      refresh();
    },
    claim(event) {
      isChanged = true;
      // A session is claimed again only after a crash before its end, or when somebody resumed trading.
      if (!journal.claim(event.session, event)) journal.append(event);
      refresh();
    },
    refresh,
  };
}

/** What the journal of an account says, read once. */
export function stateIn(folder: string, identity: JournalIdentity, clock: Clock): TradeState {
  const journal = openJournal<TradeEvent>(folder, identity, clock);
  try {
    return foldTrade(journal.entries(), usSettlement);
  } finally {
    journal.close();
  }
}

/** What would be true, for dry runs: forgotten with the process. */
export function dryBook(state: TradeState, calendar: SettlementCalendar): TradeBook {
  let now = state;
  const note = (...events: readonly TradeEvent[]) => {
    for (const event of events) now = applyTrade(now, event, calendar);
  };
  return {
    get state() {
      return now;
    },
    isDurable: false,
    isChanged: false,
    note,
    claim: note,
    refresh() {},
  };
}

/** The later of two sessions: a book never goes back. */
export function laterOf(a: SessionDate, b: SessionDate | null): SessionDate {
  return b !== null && b > a ? b : a;
}
