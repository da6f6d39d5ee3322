import type { Candidate, Reason } from "./decision.js";
import type { Features } from "./features.js";
import { gateReasons, warmUpBars } from "./gates.js";
import type { StrategyOptions } from "./options.js";

/** A symbol that was turned away because it moves too much like one taken before it. Positions in the universe. */
export interface Rejection {
  readonly symbol: number;
  readonly by: number;
  readonly rho: number;
}

interface Outcome {
  readonly row: number;
  /** The row's scores and gate codes, by position in the universe. */
  readonly scores: Float64Array;
  readonly gates: Uint8Array;
  /** The previous targets, by position. */
  readonly held: Float64Array;
  /** The symbols chosen, in the order taken. */
  readonly picks: readonly number[];
  readonly rejected: readonly Rejection[];
}

/**
 * Says for every symbol why it is in or out, in words and numbers. It decides nothing: scores, picks and rejections are
 * those of the decision.
 */
export function explainCandidates(
  features: Features,
  options: StrategyOptions,
  outcome: Outcome,
): readonly Candidate[] {
  const { panel } = features;
  const { row, scores, gates, held, picks, rejected } = outcome;
  const { topN, corrCap, corrWindow, minScore, incumbents } = options.selection;
  return panel.tickers.map((symbol, index): Candidate => {
    const gate = gateReasons[gates[index]!];
    const values = valuesOf(features, symbol, row, options);
    const { close, emaFast, emaSlow, macd } = values;
    const spans = options.features;
    const score = scores[index]!;
    const eligible = gate === undefined;
    const place = picks.indexOf(index);
    const turnedAway = rejected.find((one) => one.symbol === index);
    const wasHeld = held[index]! > 0;

    const say = (reason: Reason, detail: string): Candidate => ({
      symbol,
      score,
      eligible,
      selected: place >= 0,
      reason,
      detail,
      values,
    });
    if (gate === "no_bar") return say(gate, "no bar on this session");
    if (gate === "warm_up") {
      const own = features
        .column("close", symbol)
        .subarray(0, row + 1)
        .reduce((bars, price) => bars + (Number.isNaN(price) ? 0 : 1), 0);
      return say(gate, `${own} of the ${warmUpBars(options)} bars that the indicators need`);
    }
    if (gate === "correlation_undefined") {
      return say(gate, `the last ${corrWindow} rows hold a missing return, or one return throughout`);
    }
    if (gate === "trend_gate") {
      return say(
        gate,
        `EMA${spans.emaFast} ${number(emaFast)} is not above EMA${spans.emaSlow} ${number(emaSlow)}`,
      );
    }
    if (gate === "macd_gate") return say(gate, `MACD line ${number(macd)} is not above 0`);
    if (gate === "below_ema_fast") {
      return say(gate, `close ${number(close)} is below EMA${spans.emaFast} ${number(emaFast)}`);
    }
    if (gate === "score_undefined") return say(gate, "the score is not a number");
    if (gate === "below_min_score") return say(gate, `score ${number(score)} is below ${number(minScore)}`);
    if (place >= 0) {
      return incumbents === "keep" && wasHeld
        ? say("kept", `held before and still eligible, score ${number(score)}`)
        : say("selected", `taken as ${ordinal(place + 1)} of ${topN} with score ${number(score)}`);
    }
    if (turnedAway) {
      const other = panel.tickers[turnedAway.by]!;
      return say(
        "correlation_cap",
        `correlation ${number(turnedAway.rho)} with ${other} is beyond ${number(corrCap)}`,
      );
    }
    return say(
      "places_taken",
      `score ${number(score)}, but ${picks.map((pick) => panel.tickers[pick]).join(" and ")} came first`,
    );
  });
}

function valuesOf(
  features: Features,
  symbol: string,
  row: number,
  options: StrategyOptions,
): Candidate["values"] {
  const { emaFast, emaSlow, atrWindow, macd } = options.features;
  return {
    close: features.column("close", symbol)[row]!,
    emaFast: features.ema(symbol, emaFast)[row]!,
    emaSlow: features.ema(symbol, emaSlow)[row]!,
    atr: features.atr(symbol, atrWindow)[row]!,
    volatility: features.volatility(symbol, options.weights.volWindow)[row]!,
    macd: features.macdLine(symbol, macd.fast, macd.slow)[row]!,
  };
}

/** Four significant digits at least, cents of a price at most: for reading, never for deciding. */
function number(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  return Math.abs(value) >= 100 ? value.toFixed(2) : String(Number(value.toPrecision(4)));
}

/** A fraction in percent, for reading. */
export function percent(fraction: number): string {
  return `${(fraction * 100).toFixed(1)} %`;
}

function ordinal(place: number): string {
  return ["first", "second", "third"][place - 1] ?? `number ${place}`;
}
