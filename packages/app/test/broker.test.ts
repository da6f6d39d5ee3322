import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openBarCache } from "@pf/bars";
import { type BarSeries, newYorkToUtcMs, sessionDate, xnys } from "@pf/market";
import { parseScenario, type SimulatorOptions, startSimulator } from "@pf/tws-sim";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { createServices } from "../src/index.js";

// From the service to the cache through a real socket, with a simulator in place of TWS.

const home = mkdtempSync(join(tmpdir(), "pf-broker-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const at = (date: string, time: string) => newYorkToUtcMs(sessionDate(date), time);
const evening = at("2025-06-30", "18:00");

/** Sound bars on every session of a span; each differs from its neighbours. */
function seriesOf(ticker: string, from: string, to = "2025-07-03"): BarSeries {
  const sessions = xnys.sessionsBetween(sessionDate(from), sessionDate(to));
  const close = Float64Array.from(sessions, (_, row) => 100 + ((row * 7) % 31) / 4);
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

/** The series with its prices before a day multiplied: what a dividend on that day does to adjusted prices. */
function afterDividend(series: BarSeries, day: string, factor: number): BarSeries {
  const scaled = (column: Float64Array) =>
    column.map((value, row) => (series.sessions[row]! < day ? value * factor : value));
  return {
    ...series,
    open: scaled(series.open),
    high: scaled(series.high),
    low: scaled(series.low),
    close: scaled(series.close),
  };
}

const symbol = (ticker: string, from = "2024-01-02") => ({
  adjusted: seriesOf(ticker, from),
  trades: seriesOf(ticker, from),
});

async function simulator(options: SimulatorOptions = {}) {
  const started = await startSimulator({
    symbols: [symbol("SPY"), symbol("TLT"), symbol("NEW", "2025-06-02")],
    market: "test",
    startUtcMs: evening,
    speed: "frozen",
    ...options,
  });
  onTestFinished(() => started.close());
  return started;
}

/** Services that fetch from a simulator; the machine's own clock stands years later, as it would with a replayed past. */
function servicesOn(
  { port }: { readonly port: number },
  name: string,
  overrides: readonly string[] = [],
  progress: string[] = [],
) {
  const folder = join(home, name);
  return createServices({
    configuration: {
      overrides: [
        "ibkr.host=127.0.0.1",
        `ibkr.port=${port}`,
        "ibkr.start=2024-01-01",
        "universe=[SPY, TLT, NEW]",
        ...overrides,
      ],
    },
    folders: { data: join(folder, "data"), out: join(folder, "reports"), state: join(folder, "state") },
    version: "1.2.3",
    clock: { nowUtcMs: () => Date.parse("2026-11-20T22:00:00Z") },
    onProgress: ({ step }) => void progress.push(step),
  });
}

const cacheOf = (name: string) => openBarCache(join(home, name, "data"));
function filesIn(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const files = names.filter((entry) => statSync(join(folder, entry)).isFile()).sort();
  return Object.fromEntries(
    files.map((entry) => [entry, readFileSync(join(folder, entry)).toString("base64")]),
  );
}
const scenario = (...rules: readonly unknown[]) => parseScenario(JSON.stringify({ name: "test", rules }));

/** The requests for bars that a wire log saw, as the broker read them. */
function requestsIn(file: string): readonly string[] {
  return readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .filter((line) => line.includes('"reqHistoricalData"') || /"fields":\["20"/.test(line));
}

describe("fetching from the broker", () => {
  it("fills the cache with both histories up to the broker's last complete session", async () => {
    const progress: string[] = [];
    const outcome = await servicesOn(await simulator(), "fresh", [], progress).fetch();
    expect(outcome).toMatchObject({ source: "tws-sim:test", start: "2024-01-01", end: "2025-06-30" });
    expect(
      outcome.symbols.map(({ symbol, status, first, last, added, rows }) => [
        symbol,
        status,
        first,
        last,
        added === rows,
      ]),
    ).toEqual([
      ["SPY", "ok", "2024-01-02", "2025-06-30", true],
      ["TLT", "ok", "2024-01-02", "2025-06-30", true],
      ["NEW", "ok", "2025-06-02", "2025-06-30", true],
    ]);
    expect((await cacheOf("fresh").read("SPY"))!.source).toBe("tws-sim:test");
    const trades = (await cacheOf("fresh").read("SPY", "trades"))!.series;
    const wanted = seriesOf("SPY", "2024-01-02", "2025-06-30");
    expect([trades.sessions, [...trades.close], [...trades.volume]]).toEqual([
      wanted.sessions,
      [...wanted.close],
      [...wanted.volume],
    ]);
    expect(progress[0]).toContain("connecting");
    expect(progress.filter((step) => step.startsWith("fetching"))).toEqual([
      "fetching SPY",
      "fetching TLT",
      "fetching NEW",
    ]);
  });

  it("refuses what is no symbol before it connects to anything", async () => {
    const gone = await startSimulator({ symbols: [symbol("SPY")], startUtcMs: evening });
    await gone.close();
    const fetching = servicesOn(gone, "mistyped").fetch({ symbols: ["SPY", "spy"] });
    await expect(fetching).rejects.toMatchObject({ code: "PF_INVALID_SYMBOL" });
  });

  it("asks the second time for the overlap alone, and changes no byte", async () => {
    const log = join(home, "again.jsonl");
    const broker = await simulator({ wireLog: log });
    await servicesOn(broker, "again").fetch();
    const files = filesIn(join(home, "again"));
    const before = requestsIn(log).length;
    const outcome = await servicesOn(broker, "again").fetch();
    expect(outcome.symbols.map(({ added, refetched, requests }) => [added, refetched, requests])).toEqual(
      Array(3).fill([0, false, 1]),
    );
    expect(filesIn(join(home, "again"))).toEqual(files);
    await broker.close();
    const second = requestsIn(log).slice(before);
    expect([before, second.length]).toEqual([6, 6]);
    for (const request of second) expect(request).toMatch(/"\d{1,2} D"/);
  });

  it("adds the next sessions to what is there, when the broker's clock has gone on", async () => {
    const broker = await simulator();
    await servicesOn(broker, "grown").fetch();
    const before = (await cacheOf("grown").read("SPY"))!.series;
    await broker.advanceTo(at("2025-07-02", "18:00"));
    const outcome = await servicesOn(broker, "grown").fetch();
    expect(outcome.symbols.map(({ added, refetched }) => [added, refetched])).toEqual(
      Array(3).fill([2, false]),
    );
    const after = (await cacheOf("grown").read("SPY"))!.series;
    expect(after.sessions.slice(0, before.sessions.length)).toEqual(before.sessions);
    expect([...after.close.subarray(0, before.close.length)]).toEqual([...before.close]);
    expect(after.sessions.at(-1)).toBe("2025-07-02");
  });

  it("never caches today's unfinished bar, whatever the machine's own clock says", async () => {
    const broker = await simulator({ startUtcMs: at("2025-06-30", "12:00") });
    const outcome = await servicesOn(broker, "noon").fetch();
    expect(outcome.end).toBe("2025-06-27");
    for (const name of ["SPY", "TLT", "NEW"]) {
      expect((await cacheOf("noon").read(name))!.series.sessions.at(-1)).toBe("2025-06-27");
      expect((await cacheOf("noon").read(name, "trades"))!.series.sessions.at(-1)).toBe("2025-06-27");
    }
  });

  it("notices a dividend, fetches that symbol whole and says so; the others stay as they are", async () => {
    await servicesOn(await simulator(), "dividend").fetch();
    const files = filesIn(join(home, "dividend", "data"));
    const plain = symbol("SPY");
    const rewritten = { ...plain, adjusted: afterDividend(plain.adjusted, "2025-07-01", 0.985) };
    const broker = await simulator({
      symbols: [rewritten, symbol("TLT"), symbol("NEW", "2025-06-02")],
      startUtcMs: at("2025-07-01", "18:00"),
    });
    const outcome = await servicesOn(broker, "dividend").fetch();
    expect(outcome.symbols.map(({ symbol, refetched }) => [symbol, refetched])).toEqual([
      ["SPY", true],
      ["TLT", false],
      ["NEW", false],
    ]);
    expect(outcome.symbols[0]!.warnings.join()).toContain("rewrote its history");
    const adjusted = (await cacheOf("dividend").read("SPY"))!.series;
    expect(adjusted.close[0]! / plain.adjusted.close[0]!).toBeCloseTo(0.985, 4);
    // Prices as traded know no dividends: what was there is still there.
    const trades = (await cacheOf("dividend").read("SPY", "trades"))!.series;
    expect([...trades.close]).toEqual([...plain.trades.close.subarray(0, trades.close.length)]);
    expect(Object.keys(filesIn(join(home, "dividend", "data")))).toEqual(Object.keys(files));
  });

  it("loses no symbol over a bad one", async () => {
    const outcome = await servicesOn(await simulator(), "bad").fetch({ symbols: ["SPY", "NOPE", "TLT"] });
    expect(outcome.symbols.map(({ status, error }) => [status, error?.code ?? null])).toEqual([
      ["ok", null],
      ["failed", "PF_IBKR_UNKNOWN_SYMBOL"],
      ["ok", null],
    ]);
    expect(outcome.error?.code).toBe("PF_FETCH_INCOMPLETE");
  });

  it("stops where the connection ends, keeps what was whole, and goes on from there", async () => {
    const broker = await simulator({
      scenario: scenario({
        on: { message: "historicalData", symbol: "TLT" },
        do: [{ cut: { mid_frame: true } }],
      }),
    });
    await expect(servicesOn(broker, "cut").fetch()).rejects.toMatchObject({ code: "PF_IBKR_NOT_CONNECTED" });
    expect(cacheOf("cut").tickers()).toEqual(["SPY"]);
    const outcome = await servicesOn(broker, "cut").fetch();
    expect(outcome.symbols.map(({ status, added }) => [status, added > 0])).toEqual([
      ["ok", false],
      ["ok", true],
      ["ok", true],
    ]);
  });

  it("tells the broker's bars, a simulator's and another simulator's apart", async () => {
    await servicesOn(await simulator(), "mixed").fetch();
    const outcome = await servicesOn(await simulator({ market: "another" }), "mixed").fetch();
    expect(outcome.symbols.map(({ error }) => error?.code)).toEqual(Array(3).fill("PF_SOURCE_MISMATCH"));
  });

  it("leaves a free client id behind, whether it went well or not", async () => {
    const broker = await simulator();
    const services = servicesOn(broker, "free");
    await services.fetch();
    await services.fetch({ symbols: ["NOPE"] });
    await services.connect();
    for (let wait = 0; wait < 50 && broker.clients().length > 0; wait++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    expect(broker.clients()).toEqual([]);
  });
});
