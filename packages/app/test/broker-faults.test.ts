import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fetchBars, openBarCache } from "@pf/bars";
import { barSourceOf, connectIbkr } from "@pf/ibkr";
import { type BarSeries, newYorkToUtcMs, sessionDate, xnys } from "@pf/market";
import { parseScenario, startSimulator } from "@pf/tws-sim";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";

// Whatever goes wrong on the way, the cache holds the broker's bars or none: nothing lost, doubled or invented.

const home = mkdtempSync(join(tmpdir(), "pf-faults-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const universe = ["SPY", "TLT", "GLD"];
const [from, to] = [sessionDate("2024-01-02"), sessionDate("2025-06-30")];
const evening = newYorkToUtcMs(to, "18:00");

function seriesOf(ticker: string): BarSeries {
  const sessions = xnys.sessionsBetween(from, to);
  const shift = universe.indexOf(ticker) * 3;
  const close = Float64Array.from(sessions, (_, row) => 100 + ((row * 7 + shift) % 31) / 4);
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

const columns = ({ sessions, open, high, low, close, volume }: BarSeries) =>
  JSON.stringify([sessions, [...open], [...high], [...low], [...close], [...volume]]);
const truth = new Map(universe.map((ticker) => [ticker, columns(seriesOf(ticker))]));

const service = "Historical Market Data Service error message:";
const symbol = fc.constantFrom(...universe);
const nth = fc.integer({ min: 1, max: 4 });
const fault = fc.oneof(
  fc.record({
    on: fc.record({ message: fc.constant("historicalData"), symbol, nth }),
    do: fc.constantFrom(["drop"], ["duplicate"], [{ cut: {} }], [{ cut: { mid_frame: true } }]),
  }),
  fc.record({
    on: fc.record({ message: fc.constant("reqHistoricalData"), symbol, nth }),
    do: fc.constantFrom(
      ["drop"],
      [{ cut: {} }],
      [{ answer: { code: 162, message: `${service}Historical data request pacing violation` } }],
      [{ answer: { code: 162, message: `${service}API historical data query cancelled: 1` } }],
      [{ answer: { code: 162, message: `${service}HMDS query returned no data` } }],
      [{ answer: { code: 366, message: "No historical data query found for ticker id" } }],
      [{ answer: { code: 354, message: "Requested market data is not subscribed." } }],
      [{ say: { code: 2105, message: "HMDS data farm connection is broken" } }],
      [{ restart: {} }],
    ),
  }),
);

let run = 0;

describe("fetching through faults", () => {
  it("leaves in the cache the broker's bars or none, and completes them when the faults are over", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fault, { minLength: 1, maxLength: 4 }), async (rules) => {
        const simulator = await startSimulator({
          symbols: universe.map((ticker) => ({ adjusted: seriesOf(ticker), trades: seriesOf(ticker) })),
          market: "test",
          startUtcMs: evening,
          speed: "frozen",
          scenario: parseScenario(JSON.stringify({ name: "faults", rules })),
        });
        const cache = openBarCache(join(home, String(run++)));
        try {
          // Each fault happens once, so that a few runs outlast them all.
          for (let attempt = 0; attempt < 1 + 2 * rules.length; attempt++) {
            await fetchOnce(simulator, cache).catch((error: { code?: string }) => {
              // A lost connection ends a run, and is the only thing that may.
              expect(error.code).toMatch(/^PF_IBKR_(NOT_CONNECTED|HANDSHAKE|UNREACHABLE|CLIENT_ID)$/);
            });
            for (const ticker of universe)
              for (const kind of ["daily", "trades"] as const) {
                const stored = await cache.read(ticker, kind);
                if (stored) expect(columns(stored.series)).toBe(truth.get(ticker));
              }
          }
          const outcomes = await fetchOnce(simulator, cache);
          expect(outcomes.map(({ status, refetched, rows }) => [status, refetched, rows])).toEqual(
            universe.map(() => ["ok", false, xnys.sessionsBetween(from, to).length]),
          );
          expect(cache.tickers("trades")).toEqual([...universe].sort());
        } finally {
          await simulator.close();
        }
      }),
      { numRuns: 25 },
    );
  });
});

async function fetchOnce(
  { host, port }: { readonly host: string; readonly port: number },
  cache: ReturnType<typeof openBarCache>,
) {
  const session = await connectIbkr({
    host,
    port,
    clientId: 17,
    account: "DUK200445",
    mode: "paper",
    reconnect: false,
  });
  try {
    const source = barSourceOf(session, xnys, { timeoutMs: 150, pacingWaitMs: 5 });
    return await fetchBars(cache, source, xnys, { symbols: universe, from, to, completeThrough: to });
  } finally {
    await session.close();
  }
}
