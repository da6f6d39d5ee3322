import type { Instrument } from "./instrument.js";
import type { Quote } from "./venue.js";

/** What one can trade at. */
export interface Touch {
  readonly bid: number;
  readonly ask: number;
}

const delayMs = 15 * 60_000;

/** The price picture at an instant, in the shares of now. */
export function quoteOf(instrument: Instrument, feed: "live" | "delayed", nowUtcMs: number): Quote {
  const atUtcMs = feed === "live" ? nowUtcMs : nowUtcMs - delayMs;
  const row = instrument.rowAt(atUtcMs);
  if (row < 0) return { ...nothing, atUtcMs };
  const bar = instrument.barAt(row, atUtcMs, "trades", nowUtcMs);
  const trading = instrument.openRowAt(atUtcMs) === row;
  const touch = trading ? touchAt(instrument, row, atUtcMs, nowUtcMs) : undefined;
  const draw = noise(row, instrument.stepAt(row, atUtcMs), instrument.contract.conId);
  return {
    atUtcMs,
    bid: touch?.bid,
    ask: touch?.ask,
    last: bar.close,
    bidSize: touch ? 100 * (1 + (draw & 15)) : 0,
    askSize: touch ? 100 * (1 + ((draw >> 4) & 15)) : 0,
    lastSize: 100 * (1 + ((draw >> 8) & 3)),
    open: bar.open,
    high: bar.high,
    low: bar.low,
    close:
      row > 0 ? instrument.barAt(row - 1, instrument.closes[row - 1]!, "trades", nowUtcMs).close : undefined,
    volume: bar.volume,
  };
}

/** Bid and ask around the price of a row being traded: on the tick, at least a tick apart, the last trade at one of them. */
export function touchAt(instrument: Instrument, row: number, utcMs: number, nowUtcMs: number): Touch {
  const step = instrument.stepAt(row, utcMs);
  const { minTick } = instrument.contract;
  if (step >= instrument.settledStepOf(row)) {
    // A tick to either side, so that a limit at the middle meets the price from both.
    const ticks = Math.max(2, Math.round(instrument.priceAt(row, utcMs, nowUtcMs) / minTick));
    return { bid: onTick(ticks - 1, minTick), ask: onTick(ticks + 1, minTick) };
  }
  return touchAround(
    instrument.priceAt(row, utcMs, nowUtcMs),
    minTick,
    noise(row, step, instrument.contract.conId),
  );
}

/** @param draw - decides which of the two the price is */
function touchAround(price: number, tick: number, draw: number): Touch {
  // About a basis point of a dear share, a tick of a cheap one.
  const spread = Math.max(1, Math.round((price * 0.00005) / tick));
  // A hair's breadth, because 0.29 / 0.01 is not quite 29.
  const hair = 1e-6;
  if ((draw & 4096) === 0) {
    const ask = Math.ceil(price / tick - hair);
    return { bid: onTick(Math.max(1, ask - spread), tick), ask: onTick(Math.max(2, ask), tick) };
  }
  const bid = Math.max(1, Math.floor(price / tick + hair));
  return { bid: onTick(bid, tick), ask: onTick(bid + spread, tick) };
}

function noise(row: number, step: number, conId: number): number {
  let mixed = Math.imul(row ^ conId, 0x9e3779b1) ^ Math.imul(step + 1, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}

function onTick(ticks: number, tick: number): number {
  return Math.round(ticks * tick * 1e6) / 1e6;
}

const nothing: Omit<Quote, "atUtcMs"> = {
  bid: undefined,
  ask: undefined,
  last: undefined,
  bidSize: 0,
  askSize: 0,
  lastSize: 0,
  open: undefined,
  high: undefined,
  low: undefined,
  close: undefined,
  volume: 0,
};
