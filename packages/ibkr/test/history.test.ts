import {
  type BarSeries,
  newYorkTimeOf,
  newYorkToUtcMs,
  type SessionDate,
  sessionDate,
  xnys,
} from "@pf/market";
import { parseScenario, type SimulatorOptions, startSimulator } from "@pf/tws-sim";
import { describe, expect, it, onTestFinished } from "vitest";
import { createHistory, type HistoryRules } from "../src/history/client.js";
import { historySource } from "../src/history/source.js";
import { historyWire } from "../src/history/wire.js";
import { systemTimers } from "../src/session/clock.js";
import { openLink } from "../src/session/link.js";

// Everything here passes through a real socket: the simulator on one side, this package on the other.

const at = (date: string, time: string) => newYorkToUtcMs(sessionDate(date), time);
const evening = at("2025-06-30", "18:00");

/** Sound bars on every session of a span; each differs from its neighbours, and trades lie above adjusted ones. */
function seriesOf(ticker: string, from: string, to: string, scale = 1): BarSeries {
  const sessions = xnys.sessionsBetween(sessionDate(from), sessionDate(to));
  const close = Float64Array.from(sessions, (_, row) =>
    Number(((100 + ((row * 7) % 31) / 4) * scale).toFixed(4)),
  );
  return {
    ticker,
    sessions,
    open: close.map((value) => value - 0.25),
    high: close.map((value) => value + 0.5),
    low: close.map((value) => value - 0.5),
    close,
    volume: close.map((_, row) => 100_000 + 100 * row),
  };
}

const symbolOf = (ticker: string, from = "2024-01-02") => ({
  adjusted: seriesOf(ticker, from, "2025-07-03", 0.9),
  trades: seriesOf(ticker, from, "2025-07-03"),
});

/** A simulator and a connection to it, both gone when the test is over. */
async function connected(options: SimulatorOptions = {}, rules: HistoryRules = {}) {
  const simulator = await startSimulator({
    symbols: [symbolOf("SPY"), symbolOf("TLT"), symbolOf("NEW", "2025-06-02")],
    startUtcMs: evening,
    speed: "frozen",
    ...options,
  });
  onTestFinished(() => simulator.close());
  const link = await openLink({
    host: simulator.host,
    port: simulator.port,
    clientId: 17,
    timers: systemTimers,
    onMessage() {},
  });
  onTestFinished(() => link.close(new Error("the test is over")));
  const wire = historyWire(link, { nowUtcMs: () => simulator.now() });
  const history = createHistory(wire, xnys, { timeoutMs: 5000, pacingWaitMs: 20, ...rules });
  return { simulator, link, history };
}

const scenario = (...rules: readonly unknown[]) => parseScenario(JSON.stringify({ name: "test", rules }));
const daily = (from: string, to: string) =>
  ({ barSize: "1 day", from: sessionDate(from), to: sessionDate(to) }) as const;
const columns = ({ sessions, open, high, low, close, volume }: BarSeries) => ({
  sessions,
  open: [...open],
  high: [...high],
  low: [...low],
  close: [...close],
  volume: [...volume],
});
const between = (series: BarSeries, from: string, to: string) => {
  const first = series.sessions.findIndex((session) => session >= from);
  const end = series.sessions.findIndex((session) => session > to);
  const cut = (column: Float64Array) => [...column.subarray(first, end < 0 ? undefined : end)];
  const { open, high, low, close, volume } = series;
  return {
    sessions: series.sessions.slice(first, end < 0 ? undefined : end),
    open: cut(open),
    high: cut(high),
    low: cut(low),
    close: cut(close),
    volume: cut(volume),
  };
};

describe("daily bars over a socket", () => {
  it("are the broker's, of both histories, bit for bit", async () => {
    const { history } = await connected();
    const source = historySource(history, "tws-sim:test", xnys);
    const { adjusted, trades, notes } = await source.fetch(
      "SPY",
      sessionDate("2024-01-02"),
      sessionDate("2025-06-30"),
    );
    const { adjusted: wantedAdjusted, trades: wantedTrades } = symbolOf("SPY");
    expect(columns(trades!)).toEqual(between(wantedTrades, "2024-01-02", "2025-06-30"));
    // What the broker calls adjusted ends at the price of its day, so only ratios are the same.
    const wanted = between(wantedAdjusted, "2024-01-02", "2025-06-30");
    const scale = adjusted.close.at(-1)! / wanted.close.at(-1)!;
    expect(adjusted.sessions).toEqual(wanted.sessions);
    adjusted.close.forEach((close, row) => void expect(close / wanted.close[row]!).toBeCloseTo(scale, 4));
    expect(notes).toEqual([]);
  });

  it("reach at least as far back as asked, in days and in years", async () => {
    const { history } = await connected();
    for (const from of ["2025-06-30", "2025-06-27", "2025-06-02", "2024-07-02", "2024-01-02"]) {
      const { series } = await history.bars("SPY", { whatToShow: "TRADES", ...daily(from, "2025-06-30") });
      expect([from, series.sessions.includes(from as SessionDate)]).toEqual([from, true]);
      expect(series.sessions.at(-1)).toBe("2025-06-30");
    }
  });

  it("mark today's as provisional while the market is open, and not after its close", async () => {
    const { simulator, history } = await connected({ startUtcMs: at("2025-06-30", "12:00") });
    const ask = () =>
      history.bars("SPY", { whatToShow: "ADJUSTED_LAST", ...daily("2025-06-26", "2025-06-30") });
    const noon = await ask();
    expect([noon.series.sessions.at(-1), noon.provisional]).toEqual(["2025-06-30", 1]);
    const source = historySource(history, "tws-sim:test", xnys);
    const cached = await source.fetch("SPY", sessionDate("2025-06-26"), sessionDate("2025-06-30"));
    expect([cached.adjusted.sessions.at(-1), cached.trades!.sessions.at(-1)]).toEqual([
      "2025-06-27",
      "2025-06-27",
    ]);
    await simulator.advanceTo(at("2025-06-30", "16:00"));
    expect((await ask()).provisional).toBe(0);
  });

  it("begin later where the fund is younger, which is said", async () => {
    const { history } = await connected();
    const { adjusted, notes } = await historySource(history, "x", xnys).fetch(
      "NEW",
      sessionDate("2024-01-02"),
      sessionDate("2025-06-30"),
    );
    expect(adjusted.sessions[0]).toBe("2025-06-02");
    expect(notes.map(({ text }) => text).join()).toContain("begins on 2025-06-02");
  });
});

describe("hourly bars over a socket", () => {
  it("fill the session, end at its close and have its extremes", async () => {
    const { history } = await connected();
    const span = { from: sessionDate("2025-06-30"), to: sessionDate("2025-06-30") };
    const { series } = await history.bars("SPY", { whatToShow: "TRADES", barSize: "1 hour", ...span });
    const day = between(symbolOf("SPY").trades, "2025-06-30", "2025-06-30");
    const today = series.sessions.flatMap((session, row) => (session === "2025-06-30" ? [row] : []));
    expect(today.length).toBeGreaterThanOrEqual(7);
    expect(series.endsUtcMs!.at(-1)).toBe(xnys.closeUtcMs(sessionDate("2025-06-30")));
    expect(Math.max(...today.map((row) => series.high[row]!))).toBeCloseTo(day.high[0]!, 2);
    expect(Math.min(...today.map((row) => series.low[row]!))).toBeCloseTo(day.low[0]!, 2);
    expect(series.close.at(-1)).toBeCloseTo(day.close[0]!, 2);
  });

  it("are the day together: its open, high, low and close, on half days and across a change of clocks", async () => {
    // Clocks go forward on 2025-03-09; 2024-11-29 closes at 13:00.
    const trades = seriesOf("DAY", "2024-11-25", "2025-07-03");
    const by = (column: Float64Array) => column.map((value) => value * 0.9);
    const { open, high, low, close } = trades;
    const adjusted = { ...trades, open: by(open), high: by(high), low: by(low), close: by(close) };
    const { history } = await connected({ symbols: [{ adjusted, trades }] });
    const span = { from: sessionDate("2024-11-25"), to: sessionDate("2025-03-14") };
    for (const whatToShow of ["ADJUSTED_LAST", "TRADES"] as const) {
      const days = (await history.bars("DAY", { whatToShow, barSize: "1 day", ...span })).series;
      const { series: hours } = await history.bars("DAY", { whatToShow, barSize: "1 hour", ...span });
      for (const [row, session] of days.sessions.entries()) {
        const first = hours.sessions.indexOf(session);
        const end = hours.sessions.lastIndexOf(session) + 1;
        const times = [...hours.endsUtcMs!.subarray(first, end)].map(newYorkTimeOf);
        const isHalf = xnys.isEarlyClose(session);
        const full = ["10:00", "11:00", "12:00", "13:00", "14:00", "15:00", "16:00"];
        expect([session, times]).toEqual([session, isHalf ? full.slice(0, 4) : full]);
        expect(hours.open[first]).toBeCloseTo(days.open[row]!, 6);
        expect(Math.max(...hours.high.subarray(first, end))).toBeCloseTo(days.high[row]!, 6);
        expect(Math.min(...hours.low.subarray(first, end))).toBeCloseTo(days.low[row]!, 6);
        expect(hours.close[end - 1]).toBeCloseTo(days.close[row]!, 6);
      }
      expect(new Set(hours.sessions).size).toBe(days.sessions.length);
    }
  });

  it("come as a source without the hour that is not over, and without bars as traded", async () => {
    const { history } = await connected({ startUtcMs: at("2025-06-30", "12:20") });
    const source = historySource(history, "x", xnys, "1 hour");
    const { adjusted, trades } = await source.fetch(
      "SPY",
      sessionDate("2025-06-27"),
      sessionDate("2025-06-30"),
    );
    expect([source.kind, trades]).toEqual(["hourly", undefined]);
    expect(newYorkTimeOf(adjusted.endsUtcMs!.at(-1)!)).toBe("12:00");
    expect(adjusted.sessions.filter((session) => session === "2025-06-30").length).toBe(3);
    expect(adjusted.sessions.filter((session) => session === "2025-06-27").length).toBe(7);
  });

  it("of more than a year are joined from several answers without a seam", async () => {
    const { history } = await connected();
    const span = { from: sessionDate("2024-01-02"), to: sessionDate("2025-06-30") };
    const { series } = await history.bars("SPY", { whatToShow: "TRADES", barSize: "1 hour", ...span });
    expect([...new Set(series.sessions)].filter((session) => session >= span.from)).toEqual(
      xnys.sessionsBetween(span.from, span.to),
    );
    for (let row = 1; row < series.sessions.length; row++)
      expect(series.endsUtcMs![row]!).toBeGreaterThan(series.endsUtcMs![row - 1]!);
  });
});

describe("what goes wrong over a socket", () => {
  const ask = { whatToShow: "TRADES", ...daily("2025-06-02", "2025-06-30") } as const;
  const pacing = "Historical Market Data Service error message:Historical data request pacing violation";

  it("an unknown symbol is said to be one, and the next one comes", async () => {
    const { history } = await connected();
    await expect(history.bars("NOPE", ask)).rejects.toMatchObject({
      code: "PF_IBKR_UNKNOWN_SYMBOL",
      symbol: "NOPE",
    });
    expect((await history.bars("SPY", ask)).series.sessions.length).toBeGreaterThan(19);
  });

  it("no permission is said to be that, with where to get it", async () => {
    const { history } = await connected({ marketData: "none" });
    await expect(history.bars("SPY", ask)).rejects.toMatchObject({
      code: "PF_IBKR_HISTORY_PERMISSION",
      next: expect.stringContaining("Market Data Subscriptions"),
    });
  });

  it("a span before the first bar has no data", async () => {
    const { history } = await connected();
    const before = { from: sessionDate("2020-01-02"), to: sessionDate("2020-06-30") };
    await expect(
      history.bars("SPY", { whatToShow: "TRADES", barSize: "1 hour", ...before }),
    ).rejects.toMatchObject({ code: "PF_IBKR_NO_HISTORY" });
  });

  it("pacing violations are waited out", async () => {
    const { history } = await connected({
      scenario: scenario({
        on: { message: "reqHistoricalData", times: 2 },
        do: [{ answer: { code: 162, message: pacing } }],
      }),
    });
    expect((await history.bars("SPY", ask)).series.sessions.length).toBeGreaterThan(19);
  });

  it("a broker that counts small bars is asked more slowly, and everything comes", async () => {
    const { simulator, history } = await connected({ pacing: "strict" });
    const asked = await Promise.all(
      ["SPY", "TLT", "NEW"].map((symbol) => history.bars(symbol, { ...ask, whatToShow: "ADJUSTED_LAST" })),
    );
    expect(asked.map(({ series }) => series.sessions.at(-1))).toEqual(Array(3).fill("2025-06-30"));
    expect(simulator.clients()).toEqual([17]);
  });

  it("a historical service that is away is waited for, and comes back", async () => {
    const { simulator, history } = await connected({}, { pacingWaitMs: 150 });
    simulator.trigger({ farm: { name: "history", up: false } });
    const asking = history.bars("SPY", ask);
    setTimeout(() => simulator.trigger({ farm: { name: "history", up: true } }), 50);
    expect((await asking).series.sessions.length).toBeGreaterThan(19);
  });

  it("a historical service that stays away is told in its own words", async () => {
    const { simulator, history } = await connected();
    simulator.trigger({ farm: { name: "history", up: false } });
    await expect(history.bars("SPY", ask)).rejects.toMatchObject({
      code: "PF_IBKR_HISTORY_INTERRUPTED",
      message: expect.stringContaining("HMDS server disconnect"),
      next: expect.stringContaining("run it again"),
    });
  });

  it("notices of farms and of delayed data are not taken for answers", async () => {
    const { history } = await connected({
      scenario: scenario({
        on: { message: "reqHistoricalData" },
        do: [
          { say: { code: 2107, message: "HMDS data farm connection is inactive but should be available" } },
          { say: { code: 10167, message: "Displaying delayed market data" } },
        ],
      }),
    });
    expect((await history.bars("SPY", ask)).series.sessions.length).toBeGreaterThan(19);
  });

  it("a request that the broker forgot, or never answers, is cancelled and sent again", async () => {
    const forgot = { answer: { code: 366, message: "No historical data query found for ticker id" } };
    for (const action of [forgot, "drop"]) {
      const { history } = await connected(
        { scenario: scenario({ on: { message: "reqHistoricalData" }, do: [action] }) },
        { timeoutMs: 200 },
      );
      expect((await history.bars("SPY", ask)).series.sessions.length).toBeGreaterThan(19);
    }
  });

  it("an answer that never comes ends in words, not in waiting", async () => {
    const { history } = await connected(
      { scenario: scenario({ on: { message: "historicalData", times: "all" }, do: ["drop"] }) },
      { timeoutMs: 100 },
    );
    await expect(history.bars("SPY", ask)).rejects.toMatchObject({
      code: "PF_IBKR_HISTORY_TIMEOUT",
      attempts: 3,
    });
  });

  it("a connection cut in the middle of an answer ends the whole source, and no bar is invented", async () => {
    const { history } = await connected({
      scenario: scenario({ on: { message: "historicalData" }, do: [{ cut: { mid_frame: true } }] }),
    });
    await expect(history.bars("SPY", ask)).rejects.toMatchObject({
      code: "PF_IBKR_NOT_CONNECTED",
      wholeSource: true,
    });
    await expect(history.bars("TLT", ask)).rejects.toMatchObject({ code: "PF_IBKR_NOT_CONNECTED" });
  });

  it("an answer that comes late still counts, and a duplicate of it does not", async () => {
    const { history } = await connected({
      speed: 1,
      scenario: scenario(
        { on: { message: "historicalData" }, do: [{ delay: "300ms" }] },
        { on: { message: "historicalData", nth: 2 }, do: ["duplicate"] },
      ),
    });
    const late = await history.bars("SPY", ask);
    const twice = await history.bars("SPY", ask);
    expect(columns(twice.series)).toEqual(columns(late.series));
  });
});

describe("ten years of nine symbols", () => {
  it("come through the socket whole", async () => {
    const { simulator, link } = await connected({ symbols: undefined as never });
    const wire = historyWire(link, { nowUtcMs: () => simulator.now() });
    const source = historySource(createHistory(wire, xnys), "tws-sim:synthetic:42", xnys);
    let bars = 0;
    for (const symbol of ["SPY", "QQQ", "VTI", "TLT", "IEF", "GLD", "XLE", "BND", "BITO"]) {
      const { adjusted, trades } = await source.fetch(
        symbol,
        sessionDate("2015-06-30"),
        sessionDate("2025-06-30"),
      );
      bars += adjusted.sessions.length + trades!.sessions.length;
    }
    expect(bars).toBeGreaterThan(2 * 8 * 2500);
  });
});
