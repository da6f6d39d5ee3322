import { newYorkToUtcMs, sessionDate, xnys } from "@pf/market";
import { describe, expect, it } from "vitest";
import type { WireBar } from "./bars.js";
import { BrokerRefusal, createHistory, type HistoryRules, type HistoryWire } from "./client.js";
import type { HistoryRequest } from "./request.js";
import { historySource } from "./source.js";

// The wire is the one thing made up here, because what it does badly is the subject: how the broker behaves over a
// socket is tested against the simulator in test/history.test.ts.

const now = newYorkToUtcMs(sessionDate("2026-11-25"), "18:00");
const bars: readonly WireBar[] = ["20261123", "20261124", "20261125"].map((date) => ({
  date,
  open: 10,
  high: 11,
  low: 9,
  close: 10,
  volume: 100,
}));
const span = { from: sessionDate("2026-11-23"), to: sessionDate("2026-11-25") };
const wanted = { ...span, whatToShow: "ADJUSTED_LAST", barSize: "1 day" } as const;

type Answer = (request: HistoryRequest, signal: AbortSignal) => Promise<readonly WireBar[]>;
const good: Answer = async () => bars;
const refused =
  (code: number, message: string): Answer =>
  async () => {
    throw new BrokerRefusal({ code, message });
  };
const silent: Answer = (_, signal) =>
  new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

/** A wire that gives these answers in turn, the last one for ever; it remembers what it saw. */
function wireOf(...answers: readonly Answer[]) {
  let asked = 0;
  let open = 0;
  const seen = { most: 0, requests: [] as HistoryRequest[], at: [] as number[] };
  const wire: HistoryWire = {
    nowUtcMs: () => now,
    async ask(_, request, signal) {
      const answer = answers[Math.min(asked++, answers.length - 1)]!;
      seen.requests.push(request);
      seen.at.push(performance.now());
      seen.most = Math.max(seen.most, ++open);
      try {
        await new Promise((resolve) => setImmediate(resolve));
        return await answer(request, signal);
      } finally {
        open--;
      }
    },
  };
  return { wire, seen, open: () => open };
}

const quick: HistoryRules = { timeoutMs: 40, pacingWaitMs: 30 };
const prefix = "Historical Market Data Service error message:";

describe("a request for bars", () => {
  it("is answered with finished bars of the broker's own words", async () => {
    const { wire, seen } = wireOf(good);
    const { series, provisional } = await createHistory(wire, xnys, quick).bars("SPY", wanted);
    expect([series.sessions.length, provisional]).toEqual([3, 0]);
    expect(seen.requests).toEqual([
      { whatToShow: "ADJUSTED_LAST", barSize: "1 day", duration: "3 D", end: "" },
    ]);
  });

  it("gives the days that were asked for, whatever else the broker sends", async () => {
    const history = createHistory(wireOf(good).wire, xnys, quick);
    const day = sessionDate("2026-11-24");
    expect((await history.bars("SPY", { ...wanted, from: day, to: day })).series.sessions).toEqual([day]);
  });

  it("waits after a pacing violation, longer each time, and then asks again", async () => {
    const slow = refused(162, `${prefix}Historical data request pacing violation`);
    const { wire, seen } = wireOf(slow, slow, good);
    const pauses: string[] = [];
    const onPause = (ms: number, { code }: { readonly code: number }) => void pauses.push(`${ms} ${code}`);
    await createHistory(wire, xnys, { ...quick, onPause }).bars("SPY", wanted);
    expect(pauses).toEqual(["30 162", "60 162"]);
    const [first = 0, second = 0, third = 0] = seen.at;
    expect(seen.at).toHaveLength(3);
    expect(second - first).toBeGreaterThanOrEqual(29);
    expect(third - second).toBeGreaterThanOrEqual(59);
  });

  it("holds back all requests while one is slowed down", async () => {
    const slow = refused(162, `${prefix}pacing violation`);
    const { wire, seen } = wireOf(slow, good);
    const history = createHistory(wire, xnys, { ...quick, maxOpen: 1 });
    const started = performance.now();
    await Promise.all([history.bars("SPY", wanted), history.bars("TLT", wanted)]);
    expect(seen.at.slice(1).every((at) => at - started >= 29)).toBe(true);
  });

  it("is sent again when the broker cancelled it or lost it, and only so often", async () => {
    const cancelled = refused(162, `${prefix}API historical data query cancelled: 4`);
    const lost = refused(366, "No historical data query found for ticker id:4");
    const { wire, seen } = wireOf(cancelled, lost, good);
    await createHistory(wire, xnys, quick).bars("SPY", wanted);
    expect(seen.at).toHaveLength(3);
    await expect(
      createHistory(wireOf(cancelled).wire, xnys, quick).bars("SPY", wanted),
    ).rejects.toMatchObject({
      code: "PF_IBKR_HISTORY_INTERRUPTED",
      broker: { code: 162 },
    });
  });

  it("waits for a historical service that lost its connection, and tells its words when it stays away", async () => {
    const away = refused(162, `${prefix}HMDS server disconnect occurred.  Attempting reconnection...`);
    const { wire, seen } = wireOf(away, good);
    await createHistory(wire, xnys, quick).bars("SPY", wanted);
    expect(seen.at[1]! - seen.at[0]!).toBeGreaterThanOrEqual(29);
    await expect(createHistory(wireOf(away).wire, xnys, quick).bars("SPY", wanted)).rejects.toThrow(
      "HMDS server disconnect",
    );
  });

  it("is cancelled and sent again when nobody answers, and given up after three times", async () => {
    const { wire, seen, open } = wireOf(silent, good);
    await createHistory(wire, xnys, quick).bars("SPY", wanted);
    expect([seen.at.length, open()]).toEqual([2, 0]);
    const never = wireOf(silent);
    await expect(createHistory(never.wire, xnys, quick).bars("SPY", wanted)).rejects.toMatchObject({
      code: "PF_IBKR_HISTORY_TIMEOUT",
      symbol: "SPY",
      attempts: 3,
    });
    expect([never.seen.at.length, never.open()]).toEqual([3, 0]);
  });

  it.each([
    [200, "No security definition has been found", "PF_IBKR_UNKNOWN_SYMBOL"],
    [162, `${prefix}HMDS query returned no data: X@SMART`, "PF_IBKR_NO_HISTORY"],
    [162, `${prefix}No market data permissions for ARCA STK`, "PF_IBKR_HISTORY_PERMISSION"],
    [354, "Requested market data is not subscribed", "PF_IBKR_HISTORY_PERMISSION"],
    [10197, "No market data during competing live session", "PF_IBKR_HISTORY_PERMISSION"],
    [321, "Error validating request: End date not supported", "PF_IBKR_HISTORY_REFUSED"],
    [162, `${prefix}pacing violation`, "PF_IBKR_PACING"],
    [162, `${prefix}HMDS server disconnect occurred. Attempting reconnection`, "PF_IBKR_HISTORY_INTERRUPTED"],
    [162, `${prefix}API historical data query cancelled: 7`, "PF_IBKR_HISTORY_INTERRUPTED"],
    [366, "No historical data query found for ticker id: 7", "PF_IBKR_HISTORY_INTERRUPTED"],
  ])("that is refused with %i %s fails as %s, with the broker's words", async (code, message, ours) => {
    const { wire, seen } = wireOf(refused(code, message));
    const failing = createHistory(wire, xnys, { ...quick, pacingWaitMs: 1 }).bars("SPY", wanted);
    const error: Error = await failing.then(
      () => Promise.reject(new Error("it did not fail")),
      (reason) => reason,
    );
    expect(error).toMatchObject({ code: ours, symbol: "SPY" });
    expect(error.message).toContain("SPY");
    expect(error.message).toContain(String(code));
    expect(error.message).not.toContain(prefix);
    const isWorthAnotherTry = ["PF_IBKR_PACING", "PF_IBKR_HISTORY_INTERRUPTED"].includes(ours);
    expect(seen.at.length).toBe(isWorthAnotherTry ? 3 : 1);
  });

  it("tells a session elsewhere from a missing subscription, since the remedies differ", async () => {
    const fail = (code: number, message: string) =>
      createHistory(wireOf(refused(code, message)).wire, xnys, quick)
        .bars("SPY", wanted)
        .then(
          () => "",
          (error) => error.next,
        );
    expect(await fail(10197, "competing live session")).toContain("log the user out");
    expect(await fail(162, `${prefix}No market data permissions for ARCA STK`)).toContain("Subscriptions");
  });

  it("passes on what ended the connection, and asks no more", async () => {
    const gone = new Error("gone");
    const { wire, seen } = wireOf(async () => Promise.reject(gone));
    await expect(createHistory(wire, xnys, quick).bars("SPY", wanted)).rejects.toBe(gone);
    expect(seen.at).toHaveLength(1);
  });

  it("stops at once when told to, whether it is open, paused or waiting for its turn", async () => {
    for (const answer of [silent, refused(162, `${prefix}pacing violation`)]) {
      const { wire, open } = wireOf(answer);
      const stop = new AbortController();
      const history = createHistory(wire, xnys, { maxOpen: 1, pacingWaitMs: 60_000 });
      const both = [history.bars("SPY", wanted, stop.signal), history.bars("TLT", wanted, stop.signal)];
      setTimeout(() => stop.abort(new Error("stop")), 20);
      for (const one of both) await expect(one).rejects.toThrow("stop");
      expect(open()).toBe(0);
    }
  });
});

describe("open requests", () => {
  it("are never more than allowed, and all of them are made", async () => {
    const { wire, seen } = wireOf(good);
    const history = createHistory(wire, xnys, { ...quick, maxOpen: 2 });
    await Promise.all(Array.from({ length: 20 }, (_, at) => history.bars(`S${at}`, wanted)));
    expect([seen.at.length, seen.most]).toEqual([20, 2]);
  });

  it("wait by the clock that they are given: a minute of it is over when it says so", async () => {
    const waits: number[] = [];
    const timers = {
      nowUtcMs: () => now,
      after(ms: number, callback: () => void) {
        waits.push(ms);
        const timer = setTimeout(waits.length === 1 ? callback : () => {}, 20);
        return () => clearTimeout(timer);
      },
    };
    const { wire, seen } = wireOf(silent, good);
    const history = createHistory(wire, xnys, { timers });
    expect((await history.bars("SPY", wanted)).series.sessions.length).toBeGreaterThan(0);
    expect([waits, seen.at.length]).toEqual([[60_000, 60_000], 2]);
  });

  it("give their place to whoever still wants it", async () => {
    const { wire, seen } = wireOf(silent, good);
    const history = createHistory(wire, xnys, { maxOpen: 1, timeoutMs: 60_000 });
    const stop = [0, 1, 2].map(() => new AbortController());
    const asked = stop.map(({ signal }) => history.bars("SPY", wanted, signal));
    await new Promise((resolve) => setTimeout(resolve, 5));
    stop[1]!.abort(new Error("second"));
    await expect(asked[1]).rejects.toThrow("second");
    stop[0]!.abort(new Error("first"));
    await expect(asked[0]).rejects.toThrow("first");
    await asked[2];
    expect(seen.at).toHaveLength(2);
  });

  it("leave none behind when one of several fails", async () => {
    const { wire, open } = wireOf(silent, refused(200, "no security definition"));
    const failing = historySource(createHistory(wire, xnys, quick), "ibkr", xnys).fetch(
      "X",
      span.from,
      span.to,
    );
    await expect(failing).rejects.toMatchObject({ code: "PF_IBKR_UNKNOWN_SYMBOL" });
    await new Promise((resolve) => setImmediate(resolve));
    expect(open()).toBe(0);
  });
});

describe("the source", () => {
  it("asks for both histories and leaves out what is unfinished", async () => {
    const { wire, seen } = wireOf(good);
    const noon = { ...wire, nowUtcMs: () => newYorkToUtcMs(sessionDate("2026-11-25"), "12:00") };
    const source = historySource(createHistory(noon, xnys, quick), "ibkr", xnys);
    const { adjusted, trades, notes } = await source.fetch("SPY", span.from, span.to);
    expect(seen.requests.map(({ whatToShow }) => whatToShow)).toEqual(["ADJUSTED_LAST", "TRADES"]);
    expect([adjusted.sessions, trades!.sessions]).toEqual(Array(2).fill(["2026-11-23", "2026-11-24"]));
    expect(notes).toEqual([]);
  });

  it("says where a history is shorter than asked for", async () => {
    const source = historySource(createHistory(wireOf(good).wire, xnys, quick), "ibkr", xnys);
    const { notes } = await source.fetch("SPY", sessionDate("2026-01-02"), span.to);
    expect(notes.map(({ text }) => text).join()).toContain("begins on 2026-11-23");
  });
});
