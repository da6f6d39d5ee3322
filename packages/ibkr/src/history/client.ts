import type { Ticker, TradingCalendar } from "@pf/market";
import { newYorkDateOf, type SessionDate } from "@pf/market";
import { UnknownContractError } from "../errors.js";
import { pause, systemTimers, type Timers } from "../session/clock.js";
import { type History, joinBars, type WireBar } from "./bars.js";
import {
  type BrokerWords,
  HistoryInterruptedError,
  HistoryPacingError,
  HistoryPermissionError,
  HistoryRefusedError,
  HistoryTimeoutError,
  inBrackets,
  NoHistoryError,
} from "./errors.js";
import { type BarSize, type HistoryRequest, type PriceHistory, planHistory } from "./request.js";
import { verdictOn } from "./verdict.js";

/** One way to the broker, as narrow as history needs it. */
export interface HistoryWire {
  /**
   * Asks once. When the signal aborts, the request is cancelled at the broker, and the promise rejects.
   *
   * @throws BrokerRefusal with the broker's words
   * @throws whatever ended the connection
   */
  ask(symbol: Ticker, request: HistoryRequest, signal: AbortSignal): Promise<readonly WireBar[]>;
  /** The broker's clock, which says what is finished. */
  nowUtcMs(): number;
}

/** The broker's answer to a request was an error. */
export class BrokerRefusal extends Error {
  override readonly name = "BrokerRefusal";
  constructor(readonly words: BrokerWords) {
    super(`${words.code}: ${words.message}`);
  }
}

export interface HistoryRules {
  /** How many requests are open at once; the broker bears 50, and small numbers are served soonest. @default 3 */
  readonly maxOpen?: number;
  /** How long a request may stay unanswered before it is cancelled. @default 60000 */
  readonly timeoutMs?: number;
  /** How often a request is sent that was slowed down, cancelled or never answered. @default 3 */
  readonly attempts?: number;
  /**
   * The wait after the first pacing violation, doubled at each further one, and the wait for the broker's historical
   * service to come back; nothing is sent meanwhile.
   * @default 15000
   */
  readonly pacingWaitMs?: number;
  /** Hears that nothing is sent for a while, and in which words the broker asked for it. */
  readonly onPause?: (ms: number, broker: BrokerWords) => void;
  /**
   * What it waits by.
   * @default the session's
   */
  readonly timers?: Timers;
}

export interface WantedBars {
  readonly whatToShow: PriceHistory;
  readonly barSize: BarSize;
  readonly from: SessionDate;
  readonly to: SessionDate;
}

/** Bars of the broker, asked for with the patience that it wants. */
export interface HistoryClient {
  /**
   * The bars of one contract in a closed interval of days, today's unfinished one included and marked.
   *
   * @throws UnknownContractError, NoHistoryError, HistoryPermissionError, HistoryRefusedError: no use to ask again
   * @throws HistoryPacingError, HistoryInterruptedError, HistoryTimeoutError when patience ended
   * @throws HistoryAnswerError when the answer is no list of bars
   * @throws whatever ended the connection
   */
  bars(symbol: Ticker, wanted: WantedBars, signal?: AbortSignal): Promise<History>;
}

export function createHistory(
  wire: HistoryWire,
  calendar: TradingCalendar,
  {
    maxOpen = 3,
    timeoutMs = 60_000,
    attempts = 3,
    pacingWaitMs = 15_000,
    onPause,
    timers = systemTimers,
  }: HistoryRules = {},
): HistoryClient {
  const gate = gateFor(maxOpen, timers);
  const pauseFor = (ms: number, words: BrokerWords) => {
    gate.closeFor(ms);
    onPause?.(ms, words);
  };

  /** One request with its repetitions. */
  async function ask(symbol: Ticker, request: HistoryRequest, signal?: AbortSignal) {
    for (let attempt = 1; ; attempt++) {
      const leave = await gate.enter(signal);
      try {
        return await askOnce(symbol, request, signal);
      } catch (error) {
        signal?.throwIfAborted();
        const isLast = attempt >= attempts;
        if (error instanceof Unanswered) {
          if (isLast)
            throw new HistoryTimeoutError(symbol, request.whatToShow, timeoutMs / 1000, attempt, {
              cause: error,
            });
          continue;
        }
        if (!(error instanceof BrokerRefusal)) throw error;
        const verdict = verdictOn(error.words);
        if (verdict === "pacing") {
          if (isLast) throw new HistoryPacingError(symbol, attempt, error.words);
          pauseFor(pacingWaitMs * 2 ** (attempt - 1), error.words);
          continue;
        }
        if (verdict === "cancelled" || verdict === "interrupted") {
          if (isLast) throw new HistoryInterruptedError(symbol, request.whatToShow, attempt, error.words);
          if (verdict === "interrupted") pauseFor(pacingWaitMs, error.words);
          continue;
        }
        throw refusalOf(symbol, request.whatToShow, error.words, verdict);
      } finally {
        leave();
      }
    }
  }

  async function askOnce(symbol: Ticker, request: HistoryRequest, signal?: AbortSignal) {
    const patience = new AbortController();
    const takeBack = timers.after(timeoutMs, () => patience.abort(new Unanswered()));
    const both = signal ? AbortSignal.any([signal, patience.signal]) : patience.signal;
    try {
      return await wire.ask(symbol, request, both);
    } catch (error) {
      throw patience.signal.aborted && !signal?.aborted ? patience.signal.reason : error;
    } finally {
      takeBack();
    }
  }

  return {
    async bars(symbol, { whatToShow, barSize, from, to }, signal) {
      const today = newYorkDateOf(wire.nowUtcMs());
      const plan = planHistory({ whatToShow, barSize, from, to, today });
      const answers = await together(
        plan.map((request) => (stop: AbortSignal) => ask(symbol, request, stop)),
        signal,
      );
      return joinBars(symbol, barSize, answers, calendar, wire.nowUtcMs(), { from, to });
    },
  };
}

/** Runs things side by side; the first that fails stops the others, so that no request stays open behind a failure. */
export async function together<Value>(
  tasks: readonly ((stop: AbortSignal) => Promise<Value>)[],
  signal?: AbortSignal,
): Promise<Value[]> {
  const failed = new AbortController();
  const stop = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
  try {
    return await Promise.all(tasks.map((task) => task(stop)));
  } catch (error) {
    failed.abort(error);
    throw error;
  }
}

/** Nobody answered in time. */
class Unanswered extends Error {
  override readonly name = "Unanswered";
}

function refusalOf(
  symbol: Ticker,
  whatToShow: PriceHistory,
  words: BrokerWords,
  verdict: ReturnType<typeof verdictOn>,
): Error {
  if (verdict === "unknownContract") return new UnknownContractError(symbol, inBrackets(words));
  if (verdict === "noData") return new NoHistoryError(symbol, words);
  if (verdict === "noPermission") return new HistoryPermissionError(symbol, words);
  return new HistoryRefusedError(symbol, whatToShow, words);
}

interface Gate {
  /** Waits for a free place; what it gives frees the place again. */
  enter(signal?: AbortSignal): Promise<() => void>;
  /** Lets nobody in for a while: a pacing violation is about all requests, not about the one that met it. */
  closeFor(ms: number): void;
}

function gateFor(places: number, timers: Timers): Gate {
  // The machine's clock may be set, its counter never.
  const elapsedMs = () => (timers === systemTimers ? performance.now() : timers.nowUtcMs());
  let taken = 0;
  let opensAt = Number.NEGATIVE_INFINITY;
  const waiting: (() => void)[] = [];
  const leave = () => {
    taken--;
    waiting.shift()?.();
  };
  const turn = async (signal?: AbortSignal) => {
    let call = () => {};
    const called = new Promise<void>((resolve) => {
      call = resolve;
    });
    waiting.push(call);
    try {
      await aborting(called, signal);
    } catch (error) {
      // Who went away must not be called in place of somebody who waits; who was called already calls the next.
      const place = waiting.indexOf(call);
      if (place >= 0) waiting.splice(place, 1);
      else waiting.shift()?.();
      throw error;
    }
  };
  return {
    async enter(signal) {
      while (taken >= places) await turn(signal);
      taken++;
      try {
        // Others may prolong the pause meanwhile.
        for (let wait = opensAt - elapsedMs(); wait > 0; wait = opensAt - elapsedMs())
          await pause(timers, wait, signal);
        signal?.throwIfAborted();
      } catch (error) {
        leave();
        throw error;
      }
      return leave;
    },
    closeFor(ms) {
      opensAt = Math.max(opensAt, elapsedMs() + ms);
    },
  };
}

/** A promise that a signal can end. */
async function aborting<Value>(promise: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (!signal) return promise;
  signal.throwIfAborted();
  let stop = () => {};
  try {
    return await Promise.race([
      promise,
      new Promise<never>((_, reject) => {
        stop = () => reject(signal.reason);
        signal.addEventListener("abort", stop, { once: true });
      }),
    ]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
