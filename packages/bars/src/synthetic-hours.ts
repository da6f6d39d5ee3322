import type { BarSeries, SessionDate, TradingCalendar } from "@pf/market";
import seedrandom from "seedrandom";

/** How a symbol moves within a session: shares of each factor and of what is its own, whose squares add up to 1. */
interface HourlyLoads {
  readonly factors: readonly number[];
  readonly own: number;
}

const hourMs = 3_600_000;

/** How much of a session's news is known at the end of its first bar, the night's included. */
const knownEarly = 0.65;
/** The borders of the day cut the walks short, which would leave trends within a day that no market has; more noise undoes it. */
const noiseScale = 1.5;

/**
 * The hours of synthetic daily bars, as brokers cut them: from the open to the next whole hour, then hour by hour, the
 * last to the close. A full session has seven, a half day four.
 *
 * Each session's hours are its daily bar: the first opens at its open, the last closes at its close, the highest of
 * their highs and the lowest of their lows are its own, and their volumes add up to its volume. On the way prices are a
 * random walk from the close before, tied down at the close, so that the first hours foretell next to nothing of the last
 * ones. Walks share the factors of the market: what moves together by the day does so by the hour.
 *
 * An hour depends on the seed, the session, the symbol and its daily bar with the close before, and on nothing else.
 *
 * @param days - daily bars, prices rounded to six decimals
 * @param volatilityOn - of a session, a fraction of the price
 */
export function hoursOf(
  days: BarSeries,
  { from, to }: { readonly from: SessionDate; readonly to: SessionDate },
  calendar: TradingCalendar,
  seed: string,
  loads: HourlyLoads,
  volatilityOn: (session: SessionDate) => number,
): BarSeries {
  const sessions: SessionDate[] = [];
  const [ends, open, high, low, close, volume]: number[][] = [[], [], [], [], [], []];
  for (let row = 0; row < days.sessions.length; row++) {
    const session = days.sessions[row]!;
    if (session < from || session > to) continue;
    const until = endsOf(session, calendar);
    const count = until.length;
    const [top, bottom, last] = [days.high[row]!, days.low[row]!, days.close[row]!];
    const common = seedrandom.alea(`${seed}/hours/${session}`);
    const draw = seedrandom.alea(`${seed}/hours/${session}/${days.ticker}`);
    const within = (price: number) => Math.min(top, Math.max(bottom, Math.round(price * 1e6) / 1e6));
    const step = noiseScale * volatilityOn(session) * last;
    const reach = (0.5 * (top - bottom)) / Math.sqrt(count);
    const highest = Math.floor(draw() * count);
    const lowest = Math.floor(draw() * count);
    let walked = row > 0 ? days.close[row - 1]! : days.open[row]!;
    let before = days.open[row]!;
    let passed = 0;
    let traded = 0;
    for (let hour = 0; hour < count; hour++) {
      const through = knownEarly + ((1 - knownEarly) * hour) / (count - 1);
      const left = 1 - passed;
      let noise = loads.own * normal(draw);
      for (const load of loads.factors) noise += load * normal(common);
      const spread = Math.sqrt(((through - passed) * Math.max(0, 1 - through)) / left);
      walked = within(walked + ((last - walked) * (through - passed)) / left + step * spread * noise);
      const now = hour === count - 1 ? last : walked;
      const above = within(Math.max(before, now) + draw() * draw() * reach);
      const below = within(Math.min(before, now) - draw() * draw() * reach);
      const shares = Math.round(days.volume[row]! * volumeShare((hour + 1) / count));
      sessions.push(session);
      ends!.push(until[hour]!);
      open!.push(before);
      high!.push(hour === highest ? top : above);
      low!.push(hour === lowest ? bottom : below);
      close!.push(now);
      volume!.push(shares - traded);
      traded = shares;
      before = now;
      passed = through;
    }
  }
  return {
    ticker: days.ticker,
    sessions,
    endsUtcMs: Float64Array.from(ends!),
    open: Float64Array.from(open!),
    high: Float64Array.from(high!),
    low: Float64Array.from(low!),
    close: Float64Array.from(close!),
    volume: Float64Array.from(volume!),
  };
}

/** New York is whole hours away from UTC, so that its hours end when those of UTC do. */
function endsOf(session: SessionDate, calendar: TradingCalendar): readonly number[] {
  const close = calendar.closeUtcMs(session);
  const ends: number[] = [];
  let end = calendar.openUtcMs(session);
  while (end < close) {
    end = Math.min(close, (Math.floor(end / hourMs) + 1) * hourMs);
    ends.push(end);
  }
  return ends;
}

/** Much is traded early and late: the integral of 0.4 + 7.2 (u - 1/2)^2, whose value over the session is 1. */
function volumeShare(u: number): number {
  const v = u - 0.5;
  return 0.4 * u + 2.4 * (v * v * v + 0.125);
}

/** Nearly standard normal: six uniform numbers added up, which takes no transcendental function. */
function normal(draw: () => number): number {
  return (draw() + draw() + draw() + draw() + draw() + draw() - 3) * Math.SQRT2;
}
