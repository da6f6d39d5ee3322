import {
  CalendarRangeError,
  dateOfDayNumber,
  dayNumber,
  InvalidSessionDateError,
  isCivilDate,
  type SessionDate,
  sessionDate,
  type TradingCalendar,
  xnys,
} from "@pf/market";

/** On which days trades settle. Clearing days are not exchange sessions: twice a year the exchange trades and nothing settles. */
export interface SettlementCalendar {
  /** The sessions on which trades happen. */
  readonly trading: TradingCalendar;
  /** First trade date whose cycle is known. */
  readonly first: SessionDate;
  readonly last: SessionDate;
  isSettlementDay(day: string): boolean;
  /** Settlement days between trade and settlement, by the trade date. */
  cycle(tradeDate: SessionDate): 1 | 2 | 3;
  /** When a trade of that day settles: the cycle's n-th settlement day strictly after it, whatever the day itself is. */
  settleDate(tradeDate: SessionDate): SessionDate;
  /** The first session on or after a day: when money that settles that day can be traded with. */
  sessionFrom(day: SessionDate): SessionDate;
}

// SEC Rule 15c6-1: three days from 1995-06-07, two from 2017-09-05, one from 2024-05-28.
const eras: readonly (readonly [from: string, cycle: 1 | 2 | 3])[] = [
  ["2024-05-28", 1],
  ["2017-09-05", 2],
  ["1995-06-07", 3],
];

/**
 * Closures of the exchange that nobody had scheduled and on which the clearing agencies worked, as DTCC announced for
 * each. A closure that is not in this list settles nothing: in doubt money is free a day later, never a day earlier.
 */
const clearingWorked: ReadonlySet<string> = new Set([
  "2007-01-02",
  "2012-10-29",
  "2012-10-30",
  "2018-12-05",
  "2025-01-09",
]);

/**
 * Settlement of US shares and ETFs.
 *
 * A settlement day is a weekday that is neither a holiday of the exchange (also where banks are open, such as Good
 * Friday) nor one of the Federal Reserve Banks (also where the exchange trades: Columbus Day and Veterans Day, which on
 * a Sunday move to Monday and on a Saturday cost no day; Martin Luther King Jr. Day until 1997). Half days are full
 * settlement days.
 *
 * Every method throws `InvalidSessionDateError` for a text that is no date and `CalendarRangeError` outside
 * `first..last`, also when the answer would lie outside. Sources: Rule 15c6-1, NASD's settlement schedules of 1985 to
 * 1999, the Reserve Banks' holiday schedule, DTCC's notices.
 */
export const usSettlement: SettlementCalendar = {
  trading: xnys,
  first: sessionDate("1995-06-07"),
  last: xnys.last,
  isSettlementDay(day) {
    const { from, upTo } = tables();
    const at = within(day) - from;
    return upTo[at]! > (at === 0 ? 0 : upTo[at - 1]!);
  },
  cycle(tradeDate) {
    within(tradeDate);
    return eras.find(([from]) => tradeDate >= from)![1];
  },
  settleDate(tradeDate) {
    const { from, upTo, days } = tables();
    const at = upTo[within(tradeDate) - from]! + usSettlement.cycle(tradeDate) - 1;
    const date = days[at];
    if (date === undefined) {
      throw new CalendarRangeError(tradeDate, usSettlement.first, usSettlement.last, "after");
    }
    return date;
  },
  sessionFrom: (day) => (xnys.isSession(day) ? day : xnys.next(day)),
};

interface Tables {
  /** The day number of the first day. */
  readonly from: number;
  /** Every settlement day, ascending. */
  readonly days: readonly SessionDate[];
  /** How many settlement days there are up to each day, the day included. */
  readonly upTo: Int32Array;
}

let built: Tables | undefined;

/** Built at the first question, so that importing costs nothing. */
function tables(): Tables {
  built ??= buildTables();
  return built;
}

function buildTables(): Tables {
  const [from, to] = [dayNumber(usSettlement.first), dayNumber(usSettlement.last)];
  const days: SessionDate[] = [];
  const upTo = new Int32Array(to - from + 1);
  for (let day = from; day <= to; day++) {
    // 1970-01-01 was a Thursday: 4. Weekends are not even written as dates.
    const weekday = (day + 4) % 7;
    if (weekday !== 0 && weekday !== 6) {
      const date = dateOfDayNumber(day);
      if (settles(date)) days.push(date);
    }
    upTo[day - from] = days.length;
  }
  return { from, days, upTo };
}

function settles(date: SessionDate): boolean {
  return xnys.isSession(date) ? !isBankHoliday(date) : clearingWorked.has(date);
}

/** The holidays of the Reserve Banks on which the exchange trades. */
function isBankHoliday(date: SessionDate): boolean {
  const [year, month, day] = [date.slice(0, 4), date.slice(5, 7), Number(date.slice(8))];
  // 1970-01-01 was a Thursday: 4.
  const isMonday = (dayNumber(date) + 4) % 7 === 1;
  if (month === "10") return isMonday && day >= 8 && day <= 14;
  if (month === "11") return day === 11 || (day === 12 && isMonday);
  return month === "01" && year < "1998" && isMonday && day >= 15 && day <= 21;
}

/** The day number of a day within the calendar's range. */
function within(day: string): number {
  if (!isCivilDate(day)) throw new InvalidSessionDateError(day);
  if (day < usSettlement.first || day > usSettlement.last) {
    throw new CalendarRangeError(day, usSettlement.first, usSettlement.last);
  }
  return dayNumber(day);
}
