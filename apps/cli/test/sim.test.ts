import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { documentOf, pf, smallMarket, temporaryFolder } from "./process.js";
import { startSim } from "./simulator.js";

describe("pf sim", () => {
  it("says in its first line where it listens, for whom and when", async () => {
    const sim = await startSim(["--clock", "2025-06-30T15:30"]);
    await sim.end();
    expect(sim.document).toMatchObject({
      listening: { host: "127.0.0.1", port: expect.any(Number) },
      account: "DUK200445",
      clock: "2025-06-30T19:30:00.000Z",
      market: "synthetic:42",
    });
    expect(sim.document.symbols).toContain("BITO");
  });

  it.each(["SIGINT", "SIGTERM"] as const)(
    "runs until %s, and then exits 130 having printed one document",
    async (signal) => {
      const sim = await startSim(["--json"]);
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(await sim.end(signal)).toBe(130);
      const { stdout, stderr } = sim.output();
      expect(stdout.trimEnd().split("\n")).toHaveLength(1);
      expect(stderr).toBe("");
    },
  );

  it("ends at once although somebody is connected", async () => {
    const sim = await startSim(["--quiet"]);
    const fetching = pf(["fetch", "--symbols", "SPY", ...sim.address]);
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(await sim.end()).toBe(130);
    // Who is stuck for seconds is thrown out, with an error.
    expect(sim.output().stderr).toBe("");
    await fetching;
  });

  it("tells people on standard error how to connect, and that it is no broker", async () => {
    const sim = await startSim();
    await vi.waitFor(() => expect(sim.output().stderr).toContain("no broker"), 5000);
    expect(sim.output().stderr).toContain(`ibkr.port=${sim.document.listening.port}`);
    expect(sim.output().stdout.trimEnd().split("\n")).toHaveLength(1);
    await sim.end();
  });

  it("takes account, cash, clock and universe from flags and settings", async () => {
    const sim = await startSim([
      ...[
        "--account",
        "DU777",
        "--cash",
        "1234.50",
        "--clock",
        "2024-07-03T12:30:00-04:00",
        "--speed",
        "frozen",
      ],
      ...["--set", "universe=[SPY, GLD]", "--set", "data.synthetic.seed=7"],
    ]);
    expect(sim.document).toMatchObject({
      account: "DU777",
      clock: "2024-07-03T16:30:00.000Z",
      market: "synthetic:7",
      symbols: ["SPY", "GLD"],
    });
    const connected = documentOf(
      await pf([
        ...["connect", "--json", ...sim.address],
        ...["--set", "ibkr.account_paper=DU777", "--set", "universe=[SPY, GLD]"],
      ]),
    );
    expect(connected.summary).toMatchObject({ totalCash: 1234.5, settledCash: 1234.5 });
    await sim.end();
  });

  it("serves the cached bars with --bars, under a name that their content makes", async () => {
    const cwd = temporaryFolder();
    await pf(["fetch", ...smallMarket], { cwd });
    const sim = await startSim(["--bars"], { cwd });
    expect(sim.document.symbols).toEqual(["GLD", "SPY", "TLT"]);
    expect(sim.document.market).toMatch(/^bars:[0-9a-f]{12}$/);
    // Half an hour before the close of the last session there is.
    expect(sim.document.clock).toBe("2017-12-29T20:30:00.000Z");
    await sim.end();
  });

  it("serves cached bars bit for bit: fetched through the socket they have the same hash", async () => {
    const cwd = temporaryFolder();
    mkdirSync(join(cwd, "csv"));
    for (const [at, symbol] of ["SPY", "TLT"].entries()) {
      const rows = ["2024-07-01", "2024-07-02", "2024-07-03", "2024-07-05", "2024-07-08"].map((date, row) => {
        const close = 100.1 + at + row / 3;
        return [date, close - 0.05, close + 0.7, close - 0.3, close, 1000 + row].join(",");
      });
      writeFileSync(
        join(cwd, "csv", `${symbol}.csv`),
        ["date,open,high,low,close,volume", ...rows, ""].join("\n"),
      );
    }
    const words = ["--json", "--start", "2024-07-01", "--end", "2024-07-08", "--set", "universe=[SPY, TLT]"];
    const files = documentOf(await pf(["fetch", "--csv-dir", "csv", ...words], { cwd }));
    const sim = await startSim(["--bars", "--clock", "2024-07-08T17:00", "--speed", "frozen"], { cwd });
    const wire = documentOf(await pf(["fetch", "--data-dir", "other", ...words, ...sim.address], { cwd }));
    await sim.end();
    const hashes = ({ symbols }: { symbols: readonly { symbol: string; hash: string; rows: number }[] }) =>
      symbols.map(({ symbol, hash, rows }) => [symbol, hash, rows]);
    expect(hashes(wire)).toEqual(hashes(files));
    expect(wire.source).toBe(`tws-sim:${sim.document.market}`);
  });

  it("writes what passes over the wire into a file", async () => {
    const cwd = temporaryFolder();
    const sim = await startSim(["--wire-log", "wire.jsonl"], { cwd });
    await pf(["connect", "--json", ...sim.address]);
    await sim.end();
    const lines = readFileSync(join(cwd, "wire.jsonl"), "utf8").trimEnd().split("\n");
    expect(lines.length).toBeGreaterThan(10);
    for (const line of lines) expect(JSON.parse(line)).toBeTypeOf("object");
  });

  const scenario = join(temporaryFolder(), "bad.yaml");
  writeFileSync(scenario, "rules:\n  - at: tomorrow\n    do: [explode]\n");
  it.each([
    ["an amount that is none", ["--cash", "much"], 2, "PF_USAGE", "--cash 25000"],
    ["a negative amount", ["--cash=-5"], 2, "PF_USAGE", "--cash 25000"],
    ["a speed that is none", ["--speed", "fast"], 2, "PF_USAGE", "--speed max"],
    ["a time that is none", ["--clock", "noon"], 2, "PF_USAGE", "--clock 2025-06-30T15:30"],
    ["a time outside the calendar", ["--clock", "2099-01-01T12:00"], 2, "PF_USAGE", "within these years"],
    ["a port that is none", ["--port", "70000"], 2, "PF_USAGE", ""],
    ["a cache without bars", ["--bars"], 3, "PF_MISSING_BARS", "pf fetch"],
  ] as const)("refuses %s", async (_, words, code, name, next) => {
    const finished = await pf(["sim", "--port", "0", ...words, "--json"]);
    expect([finished.code, documentOf(finished).error.code]).toEqual([code, name]);
    expect(documentOf(finished).error.next).toContain(next);
  });

  it("refuses an account that looks like real money", async () => {
    const finished = await pf(["sim", "--port", "0", "--account", "U1234567", "--json"]);
    expect(finished.code).toBe(2);
    expect(documentOf(finished).error.message).toContain("U1234567");
  });

  it("names file and rule of a scenario that cannot be", async () => {
    for (const file of [scenario, "nowhere.yaml"]) {
      const finished = await pf(["sim", "--port", "0", "--scenario", file, "--json"]);
      expect(finished.code).toBe(2);
      expect(JSON.stringify(documentOf(finished).error)).toContain(file);
    }
  });

  it("refuses a port in use", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    const finished = await pf(["sim", "--port", String(port), "--json"]);
    server.close();
    expect(finished.code).not.toBe(0);
    expect(finished.code).not.toBe(1);
    expect(documentOf(finished).error.message).toContain(String(port));
  });

  it("says so when the wire log cannot be written", async () => {
    const folder = temporaryFolder();
    const finished = await pf([
      "sim",
      "--port",
      "0",
      "--wire-log",
      join(folder, "no", "wire.jsonl"),
      "--json",
    ]);
    expect(finished.code).toBe(7);
    expect(existsSync(join(folder, "no"))).toBe(false);
  });
});
