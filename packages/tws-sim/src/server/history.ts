import { newYorkDateOf } from "@pf/market";
import type { Contract, HistoryAnswer, HistoryRequest, VenueBar } from "../venue/venue.js";
import { headTimestamp, historicalData, historicalSchedule } from "../wire/replies.js";
import type { Request } from "../wire/requests.js";
import { compact, instantText, parseInstant } from "../wire/times.js";
import { since } from "../wire/versions.js";
import type { Connection } from "./connection.js";
import type { Context } from "./context.js";
import { resolveContract } from "./contracts.js";

type HistoricalRequest = Extract<Request, { name: "reqHistoricalData" }>;

const barSizes = [
  ...[
    "1 secs",
    "5 secs",
    "10 secs",
    "15 secs",
    "30 secs",
    "1 min",
    "2 mins",
    "3 mins",
    "5 mins",
    "10 mins",
    "15 mins",
  ],
  ...["20 mins", "30 mins", "1 hour", "2 hours", "3 hours", "4 hours", "8 hours", "1 day", "1W", "1M"],
];
const shownData = new Set([
  ...["TRADES", "MIDPOINT", "BID", "ASK", "BID_ASK", "HISTORICAL_VOLATILITY", "OPTION_IMPLIED_VOLATILITY"],
  ...["ADJUSTED_LAST", "FEE_RATE", "SCHEDULE"],
]);
/** How many of a unit may be asked for. */
const longest = { S: 86_400, D: 365, W: 52, M: 12, Y: 68 } as const;

export function answerHistory(context: Context, connection: Connection, request: HistoricalRequest): void {
  const { id } = request;
  const refuse = (cause: string): void =>
    context.sendError(connection, id, 321, `Error validating request.-'bR' : cause - ${cause}`);
  const fail = (text: string): void =>
    context.sendError(connection, id, 162, `Historical Market Data Service error message:${text}`);

  const contract = resolveContract(context, connection, id, request.contract);
  if (!contract) return;
  const duration = parseDuration(request.duration);
  if (typeof duration === "string") {
    refuse(duration);
    return;
  }
  const barSize = barSizes.find((size) => size === request.barSize.trim());
  if (barSize === undefined) {
    refuse(`Historical data bar size setting is invalid. Legal ones are: ${barSizes.join(", ")}`);
    return;
  }
  const whatToShow = request.whatToShow.toUpperCase();
  if (!shownData.has(whatToShow)) {
    refuse(`Invalid whatToShow ${whatToShow}`);
    return;
  }
  const endUtcMs = request.end.trim() === "" ? undefined : parseInstant(request.end);
  if (request.end.trim() !== "" && endUtcMs === undefined) {
    context.sendError(
      connection,
      id,
      10314,
      "End Date/Time: The date, time, or time-zone entered is invalid. The correct format is yyyymmdd hh:mm:ss xx/xxxx where yyyymmdd and xx/xxxx are optional. E.g.: 20031126 15:59:00 US/Eastern",
    );
    return;
  }
  if (whatToShow === "ADJUSTED_LAST" && endUtcMs !== undefined) {
    refuse("End date not supported with adjusted last");
    return;
  }
  if (request.keepUpToDate) {
    refuse("Bars that keep up to date are not served by this simulator; ask again, or ask for market data");
    return;
  }
  if (whatToShow === "SCHEDULE") {
    if (barSize !== "1 day") {
      refuse("Schedules are given for bars of 1 day only");
      return;
    }
    answerSchedule(context, connection, request, contract, duration, endUtcMs);
    return;
  }

  const asked = {
    conId: contract.conId,
    endUtcMs,
    duration,
    barSize,
    whatToShow,
    regularHoursOnly: request.regularHoursOnly,
  };
  if (context.pacing === "strict") {
    const same = JSON.stringify(asked);
    const ofContract = `${contract.conId} ${request.contract.exchange} ${whatToShow}`;
    if (connection.smallBars.isExceeded(context.now(), barSize, same, ofContract, whatToShow)) {
      fail("Historical data request pacing violation");
      return;
    }
  }
  if (context.state.marketData === "none") {
    fail(`No market data permissions for ${contract.primaryExchange} STK`);
    return;
  }
  if (!context.state.isLinked || !context.state.farms.history) {
    fail("HMDS server disconnect occurred.  Attempting reconnection...");
    return;
  }

  const answer: HistoryAnswer = context.venue.history(asked);
  if ("code" in answer) {
    context.sendError(connection, id, answer.code, answer.message);
    return;
  }
  if (answer.bars.length === 0) {
    fail(`HMDS query returned no data: ${contract.symbol}@SMART ${whatToShow}`);
    return;
  }
  const { version } = connection;
  const isDaily = barSize === "1 day" || barSize === "1W" || barSize === "1M";
  const dateOf = (bar: VenueBar): string => {
    if (isDaily) return compact(bar.session);
    return request.formatDate === 2
      ? String(Math.floor(bar.beginsUtcMs / 1000))
      : instantText(version, bar.beginsUtcMs);
  };
  // Volumes came in lots of a hundred once.
  const bars =
    version >= since.historicalVolumeInShares
      ? answer.bars
      : answer.bars.map((bar) => ({ ...bar, volume: Math.floor(bar.volume / 100) }));
  const [start, end] = [instantText(version, answer.startUtcMs), instantText(version, answer.endUtcMs)];
  context.send(connection, historicalData(id, contract.symbol, start, end, bars, dateOf));
}

/** @returns words where the text is no duration that may be asked for */
function parseDuration(text: string): HistoryRequest["duration"] | string {
  const match = /^(\d{1,6}) ([SDWMY])$/.exec(text.trim().toUpperCase());
  if (!match)
    return "Historical data query duration is invalid: give an integer, a space and a unit: S, D, W, M, Y";
  const count = Number(match[1]);
  const unit = match[2] as keyof typeof longest;
  if (count === 0) return "Historical data query duration must be more than 0";
  if (count <= longest[unit]) return { count, unit };
  if (unit === "D")
    return "Historical data requests for durations longer than 365 days must be made in years.";
  if (unit === "M")
    return "Historical data requests for durations longer than 12 months must be made in years.";
  if (unit === "W")
    return "Historical data requests for durations longer than 52 weeks must be made in years.";
  return `Historical data query duration is too long: at most ${longest[unit]} ${unit}`;
}

function answerSchedule(
  context: Context,
  connection: Connection,
  request: HistoricalRequest,
  contract: Contract,
  duration: HistoryRequest["duration"],
  endUtcMs: number | undefined,
): void {
  const { calendar } = context;
  const earliest = calendar.openUtcMs(calendar.next(calendar.first));
  const latest = calendar.closeUtcMs(calendar.onOrBefore(calendar.last));
  const within = (utcMs: number) => Math.min(Math.max(utcMs, earliest), latest);
  const until = within(endUtcMs ?? context.now());
  // Days are sessions, as they are of bars; other units are spans of the calendar.
  const days = duration.count * { S: 1 / 86_400, D: 7 / 4, W: 7, M: 31, Y: 366 }[duration.unit] + 7;
  const from = newYorkDateOf(within(until - days * 86_400_000));
  const found = calendar.sessionsBetween(from, newYorkDateOf(until));
  const wanted =
    duration.unit === "D"
      ? found.slice(-duration.count)
      : found.filter((session) => calendar.closeUtcMs(session) > until - (days - 7) * 86_400_000);
  const text = (utcMs: number) =>
    instantText(connection.version, utcMs)
      .replace(/ US\/Eastern$/, "")
      .replace(/ +/, "-");
  const sessions = wanted.map((session) => ({
    start: text(calendar.openUtcMs(session)),
    end: text(calendar.closeUtcMs(session)),
    date: compact(session),
  }));
  const [start, end] = [sessions[0]?.start ?? "", sessions.at(-1)?.end ?? ""];
  context.send(connection, historicalSchedule(request.id, contract.symbol, start, end, sessions));
}

/** The earliest bar there is. */
export function answerHeadTimestamp(
  context: Context,
  connection: Connection,
  request: Extract<Request, { name: "reqHeadTimestamp" }>,
): void {
  const contract = resolveContract(context, connection, request.id, request.contract);
  if (!contract) return;
  const answer = context.venue.history({
    conId: contract.conId,
    endUtcMs: undefined,
    duration: { count: longest.Y, unit: "Y" },
    barSize: "1 day",
    whatToShow: "TRADES",
    regularHoursOnly: true,
  });
  if ("code" in answer) {
    context.sendError(connection, request.id, answer.code, answer.message);
    return;
  }
  const first = answer.bars[0];
  if (!first) {
    context.sendError(
      connection,
      request.id,
      162,
      "Historical Market Data Service error message:No head time stamp",
    );
    return;
  }
  const text =
    request.formatDate === 2
      ? String(Math.floor(first.beginsUtcMs / 1000))
      : new Date(first.beginsUtcMs).toISOString().slice(0, 19).replaceAll("-", "").replace("T", "-");
  context.send(connection, headTimestamp(request.id, text));
}
