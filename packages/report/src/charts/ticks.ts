import { addMonths, dayNumber, type SessionDate, sessionDate } from "@pf/market";
import { dayTick, equityFloor, monthTick, yearTick } from "./formatters.js";

/** Where an axis begins and ends, and which values it names. */
export interface AxisTicks {
  readonly min: number;
  readonly max: number;
  readonly ticks: readonly number[];
}

export interface TimeTicks extends AxisTicks {
  readonly label: (utcMs: number) => string;
}

const dayMs = 86_400_000;
const mostLogTicks = 9;

/** Steps within a decade, densest first. */
const mantissas: readonly (readonly number[])[] = [
  [1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9],
  [1, 1.5, 2, 3, 4, 5, 7],
  [1, 2, 5],
  [1],
];

/**
 * Ticks of a logarithmic growth axis: round values, as many as can be read. ECharts by itself names only powers of ten.
 *
 * @param low - smallest value shown; anything below {@link equityFloor} counts as that
 */
export function growthTicks(low: number, high: number): AxisTicks {
  const bottom = Math.max(low, equityFloor);
  const top = Math.max(high, bottom);
  // A flat line still deserves a band of two percent around it.
  const span = Math.max(Math.log(top / bottom), Math.log(1.04));
  const middle = (Math.log(top) + Math.log(bottom)) / 2;
  const max = Math.exp(middle + span * 0.54);
  // Where something lies on the floor, the floor is the end of the axis.
  const min = bottom === equityFloor ? equityFloor : Math.max(equityFloor, Math.exp(middle - span * 0.54));
  if (max / min < 2.2) return { min, max, ticks: evenTicks(min, max) };
  const from = Math.floor(Math.log10(min));
  const to = Math.ceil(Math.log10(max));
  for (const steps of mantissas) {
    const ticks = decadeTicks(from, to, 1, steps).filter((tick) => tick >= min && tick <= max);
    if (ticks.length <= mostLogTicks) return { min, max, ticks };
  }
  const every = Math.ceil((to - from) / (mostLogTicks - 1));
  return {
    min,
    max,
    ticks: decadeTicks(Math.ceil(from / every) * every, to, every, [1]).filter(
      (tick) => tick >= min && tick <= max,
    ),
  };
}

/**
 * Ticks of a time axis: years, months or days, whichever are few enough to read. The axis begins and ends with whole
 * months, or with whole days where it shows days.
 *
 * @param spans - the ascending sessions of each line; the axis covers them all
 */
export function timeTicks(spans: readonly (readonly SessionDate[])[]): TimeTicks {
  const ends = spans.flatMap((sessions) => [sessions[0]!, sessions[sessions.length - 1]!]).sort();
  const [first, last] = [ends[0]!, ends[ends.length - 1]!];
  const days = dayNumber(last) - dayNumber(first);
  if (days <= 75) {
    const step = [1, 2, 7, 14].find((one) => days / one <= 9) ?? 14;
    const ticks = range(dayNumber(first), dayNumber(last), step).map((day) => day * dayMs);
    return { min: utcMs(first) - dayMs, max: utcMs(last) + dayMs, ticks, label: dayTick };
  }
  const start = startOfMonth(first);
  const end = addMonths(startOfMonth(last), 1);
  const monthsShown = monthIndex(end) - monthIndex(start);
  const step = [1, 2, 3, 12, 24, 60, 120].find((one) => monthsShown / one <= (one < 12 ? 12 : 16)) ?? 240;
  const ticks = range(Math.ceil(monthIndex(start) / step) * step, monthIndex(end), step).map(
    (index) => dayNumber(addMonths(sessionDate("0001-01-01"), index - 12)) * dayMs,
  );
  return { min: utcMs(start), max: utcMs(end), ticks, label: step < 12 ? monthTick : yearTick };
}

/** Midnight UTC of a session: how charts place it, whatever the time zone of the machine. */
export function utcMs(session: SessionDate): number {
  return dayNumber(session) * dayMs;
}

/** Where charts place a row: hourly bars at the end of their hour, daily ones at their session. */
export function rowUtcMs({ sessions, endsUtcMs }: ChartRows, row: number): number {
  return endsUtcMs ? endsUtcMs[row]! : utcMs(sessions[row]!);
}

/** What rows are placed by. */
interface ChartRows {
  readonly sessions: readonly SessionDate[];
  readonly endsUtcMs?: Float64Array;
}

/** Round values at equal distances within a span, about `wanted` of them and rarely more. */
export function evenTicks(min: number, max: number, wanted = 7): number[] {
  const rough = (max - min) / wanted;
  const decade = Math.floor(Math.log10(rough));
  const mantissa = [1, 2, 2.5, 5, 10].find((one) => Number(`${one}e${decade}`) >= rough) ?? 10;
  const step = Number(`${mantissa}e${decade}`);
  return range(Math.ceil(min / step), Math.floor(max / step), 1).map((index) =>
    Number((index * step).toPrecision(9)),
  );
}

function decadeTicks(from: number, to: number, every: number, steps: readonly number[]): number[] {
  return range(from, to, every).flatMap((decade) => steps.map((step) => Number(`${step}e${decade}`)));
}

function range(from: number, to: number, step: number): number[] {
  const out: number[] = [];
  for (let value = from; value <= to; value += step) out.push(value);
  return out;
}

function startOfMonth(session: SessionDate): SessionDate {
  return sessionDate(`${session.slice(0, 7)}-01`);
}

/** Months since the beginning of year 0, so that a multiple of 12 is a January. */
function monthIndex(session: SessionDate): number {
  return Number(session.slice(0, 4)) * 12 + Number(session.slice(5, 7)) - 1;
}
