import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { replayWireLog, WireLogError } from "../src/index.js";
import { client, order, simulator, stock } from "./server-harness.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wire-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A morning's work of two clients, recorded. */
async function record(wireLog: string, seed: number): Promise<void> {
  const simulated = await simulator({ wireLog, seed });
  const ours = await client(simulated.port);
  ours.api.reqAccountSummary(1, "All", "NetLiquidation,SettledCash");
  ours.api.reqPositions();
  ours.api.reqHistoricalData(2, stock("SPY"), "", "5 D", "1 day" as never, "TRADES" as never, 1, 1, false);
  ours.api.reqMktData(3, stock("SPY"), "", false, false);
  await ours.heard("historicalData");
  ours.api.placeOrder(ours.all("nextValidId")[0]![0], stock("SPY"), order("BUY", 10));
  await expect.poll(() => simulated.venue.openOrders().length).toBe(1);
  await simulated.advanceBy(60_000);
  await ours.heard("commissionReport");
  const other = await client(simulated.port, 3);
  other.api.reqExecutions(4, {});
  await other.heard("execDetailsEnd");
  await simulated.close();
}

const lines = (file: string) =>
  readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("a wire log", () => {
  it("has every frame of both directions with its simulated time", async () => {
    const file = join(folder, "wire.jsonl");
    await record(file, 1);
    const entries = lines(file);
    expect(entries.slice(0, 3)).toEqual([
      { at: "2025-12-29T20:30:00.000Z", connection: 1, event: "open" },
      { at: "2025-12-29T20:30:00.000Z", connection: 1, event: "greeting", versions: "v100..193" },
      expect.objectContaining({ event: "out", message: "serverVersion" }),
    ]);
    expect(entries.find(({ message }) => message === "placeOrder")).toMatchObject({
      event: "in",
      client: 17,
      connection: 1,
    });
    const fill = entries.find(({ message }) => message === "execDetails");
    expect(fill).toMatchObject({ event: "out", client: 17 });
    expect(fill.fields[0]).toBe("11");
    expect(Date.parse(fill.at)).toBeGreaterThan(Date.parse("2025-12-29T20:30:00.000Z"));
    expect(entries.filter(({ event }) => event === "open").length).toBe(2);
  });

  it("replays against the same market without a difference, and shows where another one differs", async () => {
    const file = join(folder, "wire.jsonl");
    await record(file, 1);
    const again = await simulator({ seed: 1 });
    const replay = await replayWireLog(file, {
      host: again.host,
      port: again.port,
      onTime: (utcMs) => again.advanceTo(utcMs),
    });
    expect(replay.differences).toEqual([]);
    expect(replay.answers).toBe(lines(file).filter(({ event }) => event === "out").length);
    expect(replay.requests).toBe(lines(file).filter(({ event }) => event === "in").length);

    // Another seed is another path within the session, so quotes and fills differ while bars of the past do not.
    const another = await simulator({ seed: 2 });
    const { differences } = await replayWireLog(file, {
      host: another.host,
      port: another.port,
      onTime: (utcMs) => another.advanceTo(utcMs),
      patienceMs: 50,
    });
    expect(differences.map(({ message }) => message)).toContain("execDetails");
    expect(differences.map(({ message }) => message)).not.toContain("managedAccounts");
  });

  it("is begun anew by a simulator that starts, and left alone by one that cannot", async () => {
    const file = join(folder, "wire.jsonl");
    await record(file, 1);
    const recorded = readFileSync(file, "utf8");
    const running = await simulator();
    await expect(simulator({ wireLog: file, port: running.port })).rejects.toMatchObject({
      code: "PF_PORT_IN_USE",
    });
    expect(readFileSync(file, "utf8")).toBe(recorded);
    await record(file, 1);
    expect(lines(file).filter(({ event }) => event === "open").length).toBe(2);
    await simulator({ wireLog: file });
    expect(readFileSync(file, "utf8")).toBe("");
  });

  it("refuses files that are none, with the line", async () => {
    const file = join(folder, "not.jsonl");
    writeFileSync(file, '{"at":"2025-12-29T20:30:00.000Z","connection":1,"event":"open"}\n{"at":1}\n');
    await expect(replayWireLog(file, { host: "127.0.0.1", port: 1 })).rejects.toThrow(
      /line 2 is no line of a wire log/,
    );
    await expect(replayWireLog(join(folder, "none"), { host: "127.0.0.1", port: 1 })).rejects.toThrow(
      WireLogError,
    );
    await expect(simulator({ wireLog: join(folder, "no", "such") })).rejects.toMatchObject({
      code: "PF_WIRE_LOG",
    });
  });
});
