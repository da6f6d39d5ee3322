import type { AccountHistory, StatusDocument } from "@pf/app";
import type { LogEntry, Preflight, WorkerView } from "../src/view.js";

type SessionDate = AccountHistory["curve"]["sessions"][number];

/** Accounts to look at. Everything in them is made by hand or by a formula; nothing was traded. */

const minute = 60_000;
const hour = 60 * minute;
/** Mon 23 Nov 2026, 14:20 in New York. */
const now = Date.UTC(2026, 10, 23, 19, 20);

const date = (utcMs: number) => new Date(utcMs).toISOString().slice(0, 10) as SessionDate;

/** Weekdays up to a day, which is enough of a calendar for a picture. */
function weekdaysUpTo(last: SessionDate, count: number): readonly SessionDate[] {
  const days: SessionDate[] = [];
  for (let at = Date.parse(`${last}T00:00:00Z`); days.length < count; at -= 24 * hour) {
    if (![0, 6].includes(new Date(at).getUTCDay())) days.unshift(date(at));
  }
  return days;
}

const monday = "2026-11-23" as SessionDate;
const friday = "2026-11-20" as SessionDate;

const idle: StatusDocument = {
  mode: "paper",
  account: "DUK200445",
  venue: "ibkr",
  used: true,
  state: "idle",
  lastSession: {
    session: friday,
    outcome: "filled",
    detail: "2 orders, 2 fills, everything as planned",
    complete: true,
  },
  next: { session: monday, opens: "2026-11-23T20:55:00.000Z", closes: "2026-11-23T20:59:30.000Z" },
  halted: null,
  cash: {
    settled: 1312.44,
    coming: [
      { amount: 2410.12, settles: monday },
      { amount: 655.9, settles: "2026-11-24" as SessionDate },
    ],
    detail: "1,312.44 settled, 2,410.12 on 2026-11-23, 655.90 on 2026-11-24 to come",
  },
  positions: [
    { symbol: "QQQ", quantity: 20, cost: 10_930.11 },
    { symbol: "GLD", quantity: 31, cost: 9120.5 },
  ],
  restrictedUntil: null,
  equity: { session: friday, dollars: 27_204.6 },
  others: [],
};

const preflight: Preflight = {
  session: monday,
  phase: "lookAhead",
  atUtcMs: now - 3 * hour,
  ok: true,
  checks: [
    { name: "connection", ok: true, detail: "TWS 10.37 answers in 12 ms, server version 193", next: null },
    { name: "account", ok: true, detail: "DUK200445 is managed there and is a paper account", next: null },
    { name: "data", ok: true, detail: "9 of 9 symbols have bars up to 2026-11-20", next: null },
    { name: "permissions", ok: true, detail: "live quotes for 9 of 9 symbols", next: null },
    { name: "disk", ok: true, detail: "41 GB free where the state is kept", next: null },
    { name: "clock", ok: true, detail: "0.2 s beside the broker's", next: null },
  ],
};

const log: readonly LogEntry[] = [
  {
    atUtcMs: now - 3 * hour,
    level: "info",
    session: monday,
    title: "Ready for Monday",
    detail: "6 of 6 checks passed",
  },
  {
    atUtcMs: now - 71 * hour,
    level: "info",
    session: friday,
    title: "Filled",
    detail: "2 orders, 2 fills, everything as planned; worth 27,204.60",
  },
  {
    atUtcMs: now - 72 * hour,
    level: "warning",
    session: friday,
    title: "The broker did not answer for 40 s",
    detail: "it was its daily restart; connected again at the second attempt",
  },
];

const next: NonNullable<WorkerView["next"]> = {
  session: monday,
  opensUtcMs: Date.UTC(2026, 10, 23, 20, 55),
  closesUtcMs: Date.UTC(2026, 10, 23, 20, 59, 30),
  closeUtcMs: Date.UTC(2026, 10, 23, 21, 0),
  isEarlyClose: false,
  phases: [
    { phase: "lookAhead", atUtcMs: Date.UTC(2026, 10, 22, 23, 0) },
    { phase: "morning", atUtcMs: Date.UTC(2026, 10, 23, 14, 31) },
    { phase: "early", atUtcMs: Date.UTC(2026, 10, 23, 19, 55) },
    { phase: "late", atUtcMs: Date.UTC(2026, 10, 23, 20, 45) },
    { phase: "trade", atUtcMs: Date.UTC(2026, 10, 23, 20, 55) },
    { phase: "afterClose", atUtcMs: Date.UTC(2026, 10, 23, 21, 3) },
  ],
};

type Candidates = NonNullable<NonNullable<AccountHistory["decision"]>["candidates"]>;

const candidate = (
  symbol: string,
  score: number | null,
  reason: Candidates[number]["reason"],
  detail: string,
): Candidates[number] => ({
  symbol,
  score,
  eligible: ["selected", "kept", "correlation_cap", "places_taken"].includes(reason),
  selected: ["selected", "kept"].includes(reason),
  reason,
  detail,
  values: { close: 500, emaFast: 490, emaSlow: 470, atr: 8, volatility: 0.012, macd: 2.1 },
});

const candidates: Candidates = [
  candidate(
    "SPY",
    1.92,
    "correlation_cap",
    "correlation 0.94 with QQQ, which was taken first; the cap is 0.70",
  ),
  candidate("QQQ", 2.31, "kept", "held and still eligible; close 551.20 is 2.31 ATR above EMA 20 at 533.10"),
  candidate(
    "VTI",
    1.88,
    "correlation_cap",
    "correlation 0.93 with QQQ, which was taken first; the cap is 0.70",
  ),
  candidate("TLT", -0.41, "trend_gate", "EMA 20 at 88.12 is not above EMA 50 at 89.40"),
  candidate("IEF", 0.22, "selected", "ranked 6th; close 96.20 is 0.22 ATR above EMA 20 at 96.02"),
  candidate("GLD", 1.44, "selected", "ranked 2nd; close 301.75 is 1.44 ATR above EMA 20 at 296.02"),
  candidate("XLE", -1.2, "below_ema_fast", "close 86.10 is below EMA 20 at 88.92"),
  candidate("BND", 0.1, "places_taken", "eligible, but QQQ, GLD and IEF filled the 3 places"),
  candidate("BITO", null, "no_bar", "no bar on 2026-11-20"),
];

const check = (
  name: AccountHistory["checks"][number]["name"],
  detail: string,
  more: Partial<AccountHistory["checks"][number]> = {},
): AccountHistory["checks"][number] => ({
  name,
  passed: true,
  warning: false,
  halts: false,
  inputs: {},
  detail,
  ...more,
});

const checks: AccountHistory["checks"] = [
  check("well_formed", "2 orders, each with a symbol, a side and a positive quantity"),
  check("matches_account", "every sale is of shares that are held"),
  check("time_window", "15:55:04 is between 15:55:00 and 15:59:30"),
  check("one_rebalance", "the first of 2026-11-20"),
  check("data_fresh", "the newest bar is of 2026-11-20"),
  check("price_sanity", "the largest move since the last close is 2.1 % (GLD); 20 % is allowed"),
  check("long_only", "no position would become negative"),
  check("weight_cap", "QQQ would be 41.2 % of the account, GLD 34.4 %; 50 % is allowed"),
  check("settled_cash", "buys of 2,380.44 and 1.05 times that are within 3,702.10 of settled cash"),
  check("day_trades", "2 in the last five sessions; 3 are allowed", { warning: true }),
  check("drawdown", "2.1 % below the peak; no brake is set"),
];

function orders(sessions: readonly SessionDate[]): AccountHistory["orders"] {
  return [...sessions]
    .reverse()
    .filter((_, index) => index % 5 === 0)
    .slice(0, 30)
    .flatMap((session, index): AccountHistory["orders"] => {
      const atUtcMs = Date.parse(`${session}T20:55:04Z`);
      const [from, to] = index % 2 === 0 ? (["XLE", "GLD"] as const) : (["IEF", "QQQ"] as const);
      return [
        {
          session,
          atUtcMs,
          reference: `pf-${session}-${from}-S`,
          symbol: from,
          side: "sell",
          shares: 28,
          filled: 28,
          status: "filled",
          detail: "",
          reason: "close 86.10 is below EMA 20 at 88.92: out of the portfolio",
          fills: [{ execId: `0001f4e8.${index}.01`, shares: 28, price: 86.07, commission: 0.35 }],
        },
        {
          session,
          atUtcMs: atUtcMs + 2000,
          reference: `pf-${session}-${to}-B`,
          symbol: to,
          side: "buy",
          shares: 8,
          filled: index === 2 ? 5 : 8,
          status: index === 2 ? "cancelled" : "filled",
          detail: index === 2 ? "the broker cancelled the rest at the close" : "",
          reason: "34.4 % wanted, 25.5 % held",
          fills: [
            { execId: `0001f4e8.${index}.02`, shares: 5, price: 301.55, commission: 0.35 },
            ...(index === 2
              ? []
              : [
                  {
                    execId: `0001f4e8.${index}.03`,
                    shares: 3,
                    price: 301.57,
                    commission: index === 0 ? null : 0.02,
                  },
                ]),
          ],
        },
      ];
    });
}

const plan: AccountHistory["plan"] = {
  session: friday,
  attempt: 1,
  asOf: friday,
  equity: 27_204.6,
  orders: [],
  symbols: [
    {
      symbol: "QQQ",
      price: 551.2,
      held: 20,
      weight: 0.43,
      wanted: 21.2,
      action: "none",
      quantity: 0,
      reason: "deferred",
      detail: "1 more share is wanted; the cash for it settles on 2026-11-23",
      deferred: { quantity: 1, reason: "settlement", until: monday },
      drift: -0.02,
    },
  ],
  cash: { spendable: 1312.44, buffer: 1360.23, cost: 2380.44, proceeds: 2410.12, fees: 0.7 },
  complete: false,
};

function past(days: readonly SessionDate[], worth: readonly number[]): AccountHistory["sessions"] {
  return days
    .map((session, at): AccountHistory["sessions"][number] => {
      const kind =
        at % 5 === 4 ? "filled" : at % 23 === 7 ? "partial" : at === 100 ? "abandoned" : "unchanged";
      return {
        session,
        outcome: kind,
        detail: {
          filled: "2 orders, 2 fills, everything as planned",
          partial: "1 of 2 orders filled; the rest waits for cash that settles the next day",
          abandoned: "the machine was off from 15:40 to 16:10; nothing was sent",
          unchanged: "targets are as they were",
        }[kind],
        complete: kind === "filled" || kind === "unchanged",
        equity: worth[at]!,
        orders: kind === "unchanged" || kind === "abandoned" ? 0 : 2,
        fills: kind === "filled" ? 3 : kind === "partial" ? 1 : 0,
      };
    })
    .reverse();
}

/** A year of sessions of a paper account that does what it should. */
export function healthy(sessions = 250): WorkerView {
  const days = weekdaysUpTo(friday, sessions);
  const wave = (at: number, of: number) => Math.sin(at / of);
  const spy = days.map((_, at) => 25_000 * (1 + 0.00042 * at + 0.022 * wave(at, 17) + 0.011 * wave(at, 5)));
  const model = days.map(
    (_, at) => 25_000 * (1 + 0.00039 * at + 0.016 * wave(at + 6, 21) + 0.006 * wave(at, 4)),
  );
  const equity = model.map((value, at) => value * (1 - 0.00002 * at) - 22 + 40 * wave(at, 3));
  return {
    atUtcMs: now,
    startedUtcMs: now - 19 * 24 * hour,
    version: "0.4.0",
    activity: {
      kind: "waiting",
      detail: "the early pre-flight of 2026-11-23, 14:55 New York time",
      sinceUtcMs: now - 3 * hour,
    },
    next,
    status: idle,
    history: {
      mode: "paper",
      account: "DUK200445",
      venue: "ibkr",
      curve: { sessions: days, equity, model, spy },
      positions: [
        {
          symbol: "QQQ",
          shares: 20,
          cost: 10_930.11,
          price: 551.2,
          priceSession: friday,
          value: 11_024,
          weight: 0.405,
          target: 0.43,
        },
        {
          symbol: "GLD",
          shares: 31,
          cost: 9120.5,
          price: 301.75,
          priceSession: friday,
          value: 9354.25,
          weight: 0.344,
          target: 0.344,
        },
        {
          symbol: "IEF",
          shares: 0,
          cost: 0,
          price: 96.2,
          priceSession: friday,
          value: 0,
          weight: 0,
          target: 0.176,
        },
      ],
      decision: {
        session: friday,
        asOf: friday,
        isChange: true,
        weights: { QQQ: 0.43, GLD: 0.344, IEF: 0.176 },
        candidates,
        overlays: [],
        heldByBand: false,
      },
      plan,
      checks,
      orders: orders(days),
      sessions: past(days, equity),
    },
    trouble: null,
    preflight,
    log,
    undelivered: { count: 0, sinceUtcMs: null, dropped: 0 },
  };
}

/** The first minutes of an account that never traded. */
export function fresh(): WorkerView {
  return {
    ...healthy(),
    startedUtcMs: now - minute,
    activity: { kind: "working", detail: "fetching bars", sinceUtcMs: now - 20_000 },
    status: {
      ...idle,
      used: false,
      venue: "tws-sim:synthetic:42",
      lastSession: null,
      equity: null,
      positions: [],
      cash: { settled: 0, coming: [], detail: "0.00 settled" },
    },
    history: {
      mode: "paper",
      account: "DUK200445",
      venue: "tws-sim:synthetic:42",
      curve: { sessions: [], equity: [], model: [], spy: [] },
      positions: [],
      decision: null,
      plan: null,
      checks: [],
      orders: [],
      sessions: [],
    },
    preflight: null,
    log: [],
    undelivered: { count: 0, sinceUtcMs: null, dropped: 0 },
  };
}

/** A live account that stopped at a rejection, before a half day. */
export function halted(): WorkerView {
  const well = healthy(64);
  const session = "2026-11-27" as SessionDate;
  const reason =
    "the broker rejected the sale of 28 XLE (201): Order rejected - reason: the contract is not available for trading in your region";
  return {
    ...well,
    atUtcMs: Date.UTC(2026, 10, 27, 16, 2),
    activity: {
      kind: "waiting",
      detail: "the early pre-flight of 2026-11-27, 11:55 New York time",
      sinceUtcMs: Date.UTC(2026, 10, 25, 20, 55),
    },
    next: {
      session,
      opensUtcMs: Date.UTC(2026, 10, 27, 17, 55),
      closesUtcMs: Date.UTC(2026, 10, 27, 17, 59, 30),
      closeUtcMs: Date.UTC(2026, 10, 27, 18, 0),
      isEarlyClose: true,
      phases: [
        { phase: "early", atUtcMs: Date.UTC(2026, 10, 27, 16, 55) },
        { phase: "late", atUtcMs: Date.UTC(2026, 10, 27, 17, 45) },
        { phase: "trade", atUtcMs: Date.UTC(2026, 10, 27, 17, 55) },
        { phase: "afterClose", atUtcMs: Date.UTC(2026, 10, 27, 18, 3) },
      ],
    },
    status: {
      ...idle,
      mode: "live",
      account: "U7654321",
      state: "halted",
      halted: { code: "rejected", reason, session: "2026-11-25" as SessionDate },
      restrictedUntil: "2026-12-03" as SessionDate,
      others: ["paper-DUK200445.sqlite"],
    },
    history: {
      ...well.history!,
      mode: "live",
      account: "U7654321",
      checks: [
        ...checks,
        check("reconciled", "the broker holds 28 XLE, our book 0", { passed: false, halts: true }),
      ],
      orders: [
        {
          ...well.history!.orders[0]!,
          filled: 0,
          status: "rejected",
          detail: "201: Order rejected - the contract is not available for trading in your region",
          fills: [],
        },
        ...well.history!.orders.slice(1),
      ],
    },
    preflight: {
      ...preflight,
      ok: false,
      checks: [
        ...preflight.checks.slice(0, 2),
        {
          name: "permissions",
          ok: false,
          detail: "no live quotes for XLE",
          next: "subscribe to its market data at the broker, or take it out of the universe",
        },
      ],
    },
    log: [
      {
        atUtcMs: Date.UTC(2026, 10, 25, 20, 55, 9),
        level: "alarm",
        session: "2026-11-25" as SessionDate,
        title: "Trading is halted",
        detail: reason,
      },
      ...log,
    ],
  };
}

/** An account whose past cannot be told. */
export function troubled(): WorkerView {
  return {
    ...healthy(),
    next: null,
    history: null,
    trouble:
      "GLD.parquet in data/parquet cannot be read: its last bytes are missing; fetch it again with pf fetch --symbols GLD --replace",
    preflight: { ...preflight, ok: false, checks: [] },
  };
}
