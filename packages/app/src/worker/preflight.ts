import { constants } from "node:fs";
import { access, mkdir, statfs } from "node:fs/promises";
import {
  type CalendarAmendment,
  newYorkTimeOf,
  newYorkToUtcMs,
  type SessionDate,
  type TradingCalendar,
} from "@pf/market";
import type { AccountMode } from "../broker.js";
import type { CheckName, ConnectedHours, ConnectOutcome } from "../connect.js";
import type { Services } from "../services.js";
import type { PhaseName } from "./schedule.js";

/** One thing that was looked at before a session. */
export interface PreflightCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  /** What to do where it is not ok. */
  readonly next: string | null;
}

/** What was found before a session. */
export interface Preflight {
  readonly session: SessionDate;
  readonly phase: PhaseName | "start";
  readonly atUtcMs: number;
  readonly ok: boolean;
  readonly checks: readonly PreflightCheck[];
}

export interface PreflightRequest {
  readonly mode: AccountMode;
  readonly whose: "system" | "broker";
  readonly phase: PhaseName | "start";
  /** Of data, reports and state. */
  readonly folders: readonly string[];
}

export interface PreflightFindings {
  readonly checks: readonly PreflightCheck[];
  readonly connected: ConnectOutcome | null;
}

/** Prices need an open market; a quiet evening is no fault. */
const whileOpen: ReadonlySet<CheckName> = new Set(["market_data", "history"]);
/** What `pf connect` only warns about keeps orders from being taken. */
const neededToTrade: ReadonlySet<CheckName> = new Set(["orders"]);
/** A journal's copy, a report and the bars of years are less. */
const leastFreeBytes = 200e6;

/** Looks at everything that the session will need, and at more the nearer it is. Nothing is ordered. */
export async function lookAtEverything(
  services: Services,
  { mode, whose, phase, folders }: PreflightRequest,
): Promise<PreflightFindings> {
  const checks: PreflightCheck[] = [await haltCheck(services, mode), await diskCheck(folders)];
  const isNear = phase === "early" || phase === "late" || phase === "morning";
  const connected = await services.connect({ mode });
  for (const { name, status, detail, fix } of connected.checks) {
    if (!isNear && whileOpen.has(name)) continue;
    const ok = status !== "failed" && !(status === "warning" && neededToTrade.has(name));
    // What was not reached says nothing beside the check that failed.
    if (status === "skipped" && connected.error) continue;
    checks.push({ name, ok, detail, next: ok ? null : fix });
  }
  if (!connected.error) {
    if (phase === "early") checks.push(await barsCheck(services));
    if (phase === "late") checks.push(await planCheck(services, mode, whose));
  }
  return { checks, connected };
}

async function haltCheck(services: Services, mode: AccountMode): Promise<PreflightCheck> {
  const { halted } = await services.status({ mode });
  return {
    name: "halt",
    ok: halted === null,
    detail: halted === null ? "trading is not halted" : `trading is halted: ${halted.reason}`,
    next: halted === null ? null : "look at it, then `pf resume`",
  };
}

async function diskCheck(folders: readonly string[]): Promise<PreflightCheck> {
  const troubles: string[] = [];
  let least = Number.POSITIVE_INFINITY;
  for (const folder of folders) {
    try {
      await mkdir(folder, { recursive: true });
      await access(folder, constants.W_OK);
      const { bavail, bsize } = await statfs(folder);
      least = Math.min(least, bavail * bsize);
      if (bavail * bsize < leastFreeBytes)
        troubles.push(`${folder}: ${Math.round((bavail * bsize) / 1e6)} MB free`);
    } catch (error) {
      troubles.push(`${folder}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
    }
  }
  const ok = troubles.length === 0;
  return {
    name: "disk",
    ok,
    detail: ok ? `${(least / 1e9).toFixed(1)} GB free` : troubles.join("; "),
    next: ok ? null : "make room, or let this user write there",
  };
}

async function barsCheck(services: Services): Promise<PreflightCheck> {
  const { symbols, error } = await services.fetch({ source: "ibkr" });
  const added = symbols.reduce((sum, one) => sum + one.added, 0);
  return {
    name: "bars",
    ok: !error,
    detail: error?.message ?? `${symbols.length} symbols up to date, ${added} bars new`,
    next: error?.next ?? null,
  };
}

async function planCheck(
  services: Services,
  mode: AccountMode,
  whose: "system" | "broker",
): Promise<PreflightCheck> {
  const { document } = await services.trade({ mode, dryRun: true, clock: whose });
  const { plan, verdict } = document;
  // The window opens only later; that is what everybody waits for.
  const breaches = (verdict?.checks ?? []).filter(({ name, passed }) => !passed && name !== "time_window");
  const orders = plan?.orders.map(({ side, quantity, symbol }) => `${side} ${quantity} ${symbol}`) ?? [];
  const ok = breaches.length === 0;
  return {
    name: "plan",
    ok,
    detail: ok
      ? `as of now: ${orders.length === 0 ? "no orders" : orders.join(", ")}`
      : breaches.map(({ name, detail }) => `${name}: ${detail}`).join("; "),
    next: ok ? null : "see the checks of the plan; it is made anew when the window opens",
  };
}

/** How far ahead the broker's hours are believed. */
const aheadMs = 8 * 86_400_000;
const minuteMs = 60_000;

/**
 * Where the broker's hours take trading time away that the calendar still has. Hours that are longer than the calendar's
 * say nothing: who trades by them could trade on a day that is none.
 */
export function learnHours(
  hours: readonly ConnectedHours[],
  symbol: string,
  calendar: TradingCalendar,
  nowUtcMs: number,
): readonly CalendarAmendment[] {
  return hours.flatMap(({ day, closes }): CalendarAmendment[] => {
    if (day > calendar.last || !calendar.isSession(day)) return [];
    const close = calendar.closeUtcMs(day);
    if (close < nowUtcMs || close > nowUtcMs + aheadMs) return [];
    const reason = `by the broker's hours of ${symbol}`;
    if (closes === null) return [{ day, closes: null, reason }];
    const brokers = Date.parse(closes);
    if (brokers > close - minuteMs) return [];
    const time = newYorkTimeOf(brokers);
    return newYorkToUtcMs(day, time) < close ? [{ day, closes: time, reason }] : [];
  });
}
