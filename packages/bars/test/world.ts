import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BarSeries, type Field, type SessionDate, sessionDate, type Ticker, xnys } from "@pf/market";
import { onTestFinished } from "vitest";
import type { BarSource, FetchedBars } from "../src/source.js";
import { barsBetween } from "../src/source.js";

export const calendar = xnys;

export const fields: readonly Field[] = ["open", "high", "low", "close", "volume"];

/** A folder that is gone when the test is over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "pf-bars-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const day = sessionDate;

/** Sound bars on the first sessions from a day on; every bar has prices of its own. */
export function sound(ticker: Ticker, from: string, count: number, price = 100): BarSeries {
  const sessions = sessionsFrom(from, count);
  const close = Float64Array.from(sessions, (_, row) => price + ((row * 7) % 11) / 8);
  return {
    ticker,
    sessions,
    open: close.map((value) => value - 0.125),
    high: close.map((value) => value + 0.5),
    low: close.map((value) => value - 0.5),
    close,
    volume: close.map((_, row) => 1_000 + row),
  };
}

export function sessionsFrom(from: string, count: number): SessionDate[] {
  const sessions: SessionDate[] = [];
  let session = calendar.isSession(from) ? day(from) : calendar.next(day(from));
  while (sessions.length < count) {
    sessions.push(session);
    session = calendar.next(session);
  }
  return sessions;
}

/** The series with one value changed. */
export function altered(series: BarSeries, row: number, values: Partial<Record<Field, number>>): BarSeries {
  const changed = { ...series };
  for (const field of fields) {
    const value = values[field];
    if (value === undefined) continue;
    changed[field] = series[field].slice();
    changed[field][row] = value;
  }
  return changed;
}

/** The series without some of its rows. */
export function without(series: BarSeries, ...rows: readonly number[]): BarSeries {
  const keep = (_: unknown, row: number) => !rows.includes(row);
  return {
    ...series,
    sessions: series.sessions.filter(keep),
    open: series.open.filter(keep),
    high: series.high.filter(keep),
    low: series.low.filter(keep),
    close: series.close.filter(keep),
    volume: series.volume.filter(keep),
  };
}

/** Every price multiplied, as a vendor does when a dividend is paid. */
export function scaled(series: BarSeries, by: number): BarSeries {
  const times = (column: Float64Array) => column.map((value) => value * by);
  return {
    ...series,
    open: times(series.open),
    high: times(series.high),
    low: times(series.low),
    close: times(series.close),
  };
}

/** A source whose content a test decides, and which remembers what it was asked; like a broker unless it is local. */
export function scriptedSource(
  bars: Record<Ticker, FetchedBars | Error>,
  name = "scripted",
  local = false,
): BarSource & { readonly asked: string[]; readonly bars: Record<Ticker, FetchedBars | Error> } {
  const asked: string[] = [];
  return {
    name,
    local,
    asked,
    bars,
    async fetch(ticker, from, to) {
      asked.push(`${ticker} ${from}..${to}`);
      const own = bars[ticker];
      if (own instanceof Error) throw own;
      if (!own)
        return { adjusted: barsBetween(sound(ticker, from, 1), day("1990-01-01"), day("1990-01-01")) };
      return {
        ...own,
        adjusted: barsBetween(own.adjusted, from, to),
        ...(own.trades ? { trades: barsBetween(own.trades, from, to) } : {}),
      };
    },
  };
}

/** The series as the csv source reads it. */
export function csvOf(series: BarSeries): string {
  const lines = series.sessions.map((session, row) =>
    [session, ...fields.map((field) => series[field][row])].join(","),
  );
  return ["date,open,high,low,close,volume", ...lines, ""].join("\n");
}

/** The bits of every column, so that -0 and 0 differ and equal means identical. */
export function bits(series: BarSeries): Record<string, string> {
  const hex = (column: Float64Array) => Buffer.from(column.slice().buffer).toString("hex");
  return Object.fromEntries(fields.map((field) => [field, hex(series[field])]));
}
