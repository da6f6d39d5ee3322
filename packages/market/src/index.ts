export { amendCalendar, type CalendarAmendment } from "./amend.js";
export type { BarSeries, Field, Ticker, Weights } from "./bars.js";
export { assertBarSeries } from "./bars.js";
export type { TradingCalendar } from "./calendar.js";
export { barEndsUtcMs } from "./calendar.js";
export { impliedDividends } from "./dividends.js";
export {
  CalendarRangeError,
  InvalidBarsError,
  InvalidInstantError,
  InvalidSessionDateError,
  InvalidTimeOfDayError,
  NotASessionError,
  PanelLookupError,
} from "./errors.js";
export { newYorkDateOf, newYorkTimeOf, newYorkToUtcMs } from "./newYork.js";
export type { Panel } from "./panel.js";
export { alignPanel, mapOwnBars } from "./panel.js";
export type { SessionDate } from "./session.js";
export { addMonths, dateOfDayNumber, dayNumber, isCivilDate, sessionDate } from "./session.js";
export { xnys } from "./xnys.js";
