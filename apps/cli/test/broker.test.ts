import { writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { documentOf, type Finished, filesIn, pf, temporaryFolder } from "./process.js";
import { type SimProcess, startSim } from "./simulator.js";

// The program, the simulator and the socket between them, each as a person would start it.

const afterClose = ["--clock", "2025-06-30T17:00", "--speed", "frozen"];
const three = ["--set", "universe=[SPY, TLT, BITO]"];

let sim: SimProcess;
beforeAll(async () => {
  sim = await startSim(afterClose);
});
afterAll(() => sim?.end());

const checkOf = (finished: Finished, name: string) =>
  documentOf(finished).checks.find((check: { readonly name: string }) => check.name === name);

/** Three lines on standard error: what happened, what it means, what to do. */
function expectWords({ stderr }: Finished, code: string): void {
  const lines = stderr.trimEnd().split("\n");
  expect(lines.find((line) => line.startsWith("Error: "))).toContain(`(${code})`);
  expect(lines.at(-2)).toMatch(/^What it means: [A-Z]/);
  expect(lines.at(-1)).toMatch(/^What to do: {4}\S/);
  expect(stderr).not.toMatch(/\n {4}at |node_modules/);
}

describe("pf connect", () => {
  it("tells what it checked, in order, with the account, the contracts and the prices", async () => {
    const finished = await pf(["connect", "--json", ...sim.address]);
    const document = documentOf(finished);
    expect([finished.code, document.error]).toEqual([0, undefined]);
    expect(document.checks.map(({ name }: { name: string }) => name)).toEqual([
      "port",
      "handshake",
      "account",
      "mode",
      "summary",
      "clock",
      "contracts",
      "history",
      "market_data",
      "orders",
    ]);
    expect(document.server).toMatchObject({
      host: "127.0.0.1",
      port: sim.document.listening.port,
      version: 193,
      simulator: "synthetic:42",
    });
    expect(document.server.time).toMatch(/^2025-06-30T21:00/);
    expect(document).toMatchObject({
      mode: "paper",
      accounts: ["DUK200445"],
      account: "DUK200445",
      summary: { netLiquidation: 25_000, settledCash: 25_000, currency: "USD" },
    });
    expect(document.contracts).toHaveLength(9);
    for (const contract of document.contracts)
      expect(contract).toMatchObject({ conId: expect.any(Number), problem: null, minTick: 0.01 });
    expect(document.marketData).toMatchObject({ asked: "delayed", symbol: "SPY", problem: null });
  });

  it("shows people the same in eighty columns, calls a simulator one, and orders nothing", async () => {
    const cwd = temporaryFolder();
    const own = await startSim([...afterClose, "--wire-log", "wire.jsonl"], { cwd });
    const { code, stdout } = await pf(["connect", ...own.address]);
    await own.end();
    expect(code).toBe(0);
    for (const text of ["Connection", "simulator", "settled cash", "25,000.00", "whole shares", "EU"])
      expect(stdout).toContain(text);
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
    const wire = Buffer.from(filesIn(cwd)["wire.jsonl"]!, "base64").toString();
    expect(wire).toContain("reqHistoricalData");
    expect(wire).not.toContain("placeOrder");
  });

  it("takes an account without market data for what it is, and finishes its checks", async () => {
    const file = join(temporaryFolder(), "none.yaml");
    writeFileSync(file, "rules:\n  - on: { message: startApi }\n    do: [{ market_data: none }]\n");
    const own = await startSim([...afterClose, "--scenario", file]);
    const finished = await pf(["connect", "--json", ...own.address]);
    const plain = await pf(["connect", ...own.address]);
    const fetched = await pf(["fetch", "--symbols", "SPY", ...own.address]);
    await own.end();
    expect(finished.code).toBe(4);
    expect(documentOf(finished).error.code).toBe("PF_IBKR_HISTORY_PERMISSION");
    expect(checkOf(finished, "history")).toMatchObject({ status: "failed" });
    expect(checkOf(finished, "market_data")).toMatchObject({ status: "failed" });
    expect(checkOf(finished, "history").fix).toContain("Market Data Subscriptions");
    expect(documentOf(finished).summary).toMatchObject({ settledCash: 25_000 });
    expectWords(plain, "PF_IBKR_HISTORY_PERMISSION");
    expect(fetched.code).toBe(4);
    expectWords(fetched, "PF_IBKR_HISTORY_PERMISSION");
  });

  it("says that TWS has lost the broker's servers, and to wait for them", async () => {
    const file = join(temporaryFolder(), "down.yaml");
    writeFileSync(file, "rules:\n  - after: 0s\n    do: [{ link: down }]\n");
    // Time goes on, so that the wait for quotes that do not come has an end.
    const own = await startSim(["--clock", "2025-06-30T17:00", "--speed", "60", "--scenario", file]);
    const finished = await pf(["connect", "--json", ...own.address]);
    const plain = await pf(["connect", ...own.address]);
    await own.end();
    expect([finished.code, plain.code]).toEqual([4, 4]);
    expect(documentOf(finished).error.code).toBe("PF_IBKR_HISTORY_INTERRUPTED");
    expect(checkOf(finished, "handshake")).toMatchObject({
      status: "warning",
      detail: expect.stringContaining("1100"),
      fix: expect.stringContaining("wait"),
    });
    expectWords(plain, "PF_IBKR_HISTORY_INTERRUPTED");
    for (const line of plain.stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });

  it("names a symbol of the universe that the broker does not know", async () => {
    const finished = await pf(["connect", "--json", "--set", "universe=[SPY, NOPE]", ...sim.address]);
    expect(documentOf(finished).error.code).toBe("PF_IBKR_UNKNOWN_SYMBOL");
    expect(checkOf(finished, "contracts")).toMatchObject({ status: "failed" });
    expect(finished.code).toBe(3);
    expect(checkOf(finished, "contracts").detail).toContain("NOPE");
  });

  it("calls a read-only API fit for everything but orders, and finds out without one", async () => {
    const cwd = temporaryFolder();
    const file = join(cwd, "read-only.yaml");
    writeFileSync(file, "rules:\n  - on: { message: startApi }\n    do: [{ read_only: true }]\n");
    const own = await startSim([...afterClose, "--scenario", file, "--wire-log", "wire.jsonl"], { cwd });
    const readOnly = await pf(["connect", "--json", ...own.address]);
    const plain = await pf(["connect", ...own.address]);
    await own.end();
    expect([readOnly.code, plain.code]).toEqual([0, 0]);
    expect(checkOf(readOnly, "orders")).toMatchObject({
      status: "warning",
      fix: expect.stringContaining("Read-Only API"),
    });
    expect(plain.stdout).toContain("Read-Only API");
    expect(Buffer.from(filesIn(cwd)["wire.jsonl"]!, "base64").toString()).not.toContain("placeOrder");
    expect(checkOf(await pf(["connect", "--json", ...sim.address]), "orders")).toMatchObject({
      status: "skipped",
    });
  });
});

// Most of this is waiting, which goes on for all of them at once.
describe.concurrent("a connection that cannot be made", () => {
  const servers: Server[] = [];
  afterAll(() => {
    for (const server of servers) server.close();
  });
  async function listening(server: Server): Promise<readonly string[]> {
    servers.push(server);
    server.listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    return ["--set", "ibkr.host=127.0.0.1", "--set", `ibkr.port=${(server.address() as AddressInfo).port}`];
  }

  /** `pf connect` and `pf fetch`, for people and for programs. */
  async function everyWay(words: readonly string[]) {
    const [plain, json, fetched] = await Promise.all([
      pf(["connect", ...words]),
      pf(["connect", "--json", ...words]),
      pf(["fetch", "--json", ...words]),
    ]);
    return { plain, json, fetched };
  }

  // Nobody listens on port 1; of a port that was open a moment ago another test may have been given the number.
  const closedPort = async () => ["--set", "ibkr.host=127.0.0.1", "--set", "ibkr.port=1"];

  it.each([
    ["a closed port", "PF_IBKR_UNREACHABLE", "port", "Enable ActiveX and Socket Clients", closedPort],
    [
      "a port that accepts and says nothing",
      "PF_IBKR_SILENT",
      "handshake",
      "Trusted IPs",
      () => listening(createServer(() => {})),
    ],
    [
      "a port that speaks HTTP",
      "PF_IBKR_NOT_TWS",
      "handshake",
      "Socket port",
      () => listening(createHttpServer((_, response) => response.end("hello"))),
    ],
    [
      "an account that is not managed there",
      "PF_IBKR_ACCOUNT",
      "account",
      "account",
      async () => [...sim.address, "--set", "ibkr.account_paper=DU999"],
    ],
  ])("%s exits 4, says what it means and what to click", async (_, code, check, words, address) => {
    const { plain, json, fetched } = await everyWay(await address());
    expect([plain.code, json.code, fetched.code]).toEqual([4, 4, 4]);
    expectWords(plain, code);
    expect(plain.stdout).toContain("failed");
    expect(documentOf(json).error.code).toBe(code);
    expect(documentOf(fetched).error.code).toBe(code);
    expect(checkOf(json, check)).toMatchObject({ status: "failed", fix: expect.stringContaining(words) });
    const { checks } = documentOf(json);
    const at = checks.findIndex(({ name }: { name: string }) => name === check);
    for (const { status } of checks.slice(0, at)) expect(status).toBe("ok");
    for (const { status } of checks.slice(at + 1)) expect(status).toBe("skipped");
    for (const line of plain.stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
    expect(plain.stdout.includes("pf sim")).toBe(check === "port");
  });

  it("a live account in paper mode is refused before anything is asked", async () => {
    const { plain, json } = await everyWay([...sim.address, "--set", "ibkr.account_paper=U1234567"]);
    expect(documentOf(json).error.code).toBe("PF_IBKR_ACCOUNT_MODE");
    expect([plain.code, json.code]).toEqual([json.code, json.code]);
    expectWords(plain, "PF_IBKR_ACCOUNT_MODE");
  });

  it("a setting that cannot be meant is one of configuration, whoever listens", async () => {
    const finished = await pf(["connect", "--json", "--set", "ibkr.client_id=0", ...sim.address]);
    expect([finished.code, documentOf(finished).error.code]).toEqual([2, "PF_IBKR_OPTIONS"]);
  });

  it("Ctrl-C while nobody answers ends the wait", async () => {
    const address = await listening(createServer(() => {}));
    for (const command of ["connect", "fetch"]) {
      const finished = await pf([command, "--json", ...address], {
        meanwhile: (child) =>
          void child.stderr!.on("data", (text: string) => {
            if (text.includes("connecting")) setTimeout(() => child.kill("SIGINT"), 200);
          }),
      });
      expect([finished.code, documentOf(finished).error.message]).toEqual([130, "interrupted"]);
    }
  });

  it("live mode without a live account is a matter of configuration", async () => {
    const finished = await pf(["connect", "--live", "--json", ...sim.address]);
    expect(finished.code).toBe(2);
    expect(documentOf(finished).error.next).toContain("account_live");
  });

  it("a client id that another program has is told after some attempts", async () => {
    const file = join(temporaryFolder(), "taken.yaml");
    // The first program is cut off, and its id stays taken: what TWS does after a drop.
    writeFileSync(
      file,
      "rules:\n  - on: { message: reqHistoricalData }\n    do: [{ cut: { ids_held: 1h } }]\n",
    );
    const own = await startSim([...afterClose, "--scenario", file]);
    await pf(["fetch", "--symbols", "SPY", ...own.address]);
    const finished = await pf(["connect", "--json", ...own.address]);
    await own.end();
    expect(finished.code).toBe(4);
    expect(documentOf(finished).error.code).toBe("PF_IBKR_CLIENT_ID");
    expect(checkOf(finished, "handshake")).toMatchObject({
      status: "failed",
      fix: expect.stringContaining("client_id"),
    });
  });
});

describe("pf fetch from a broker", () => {
  it("fills the cache, then asks only for the overlap and changes no byte", async () => {
    const cwd = temporaryFolder();
    const words = ["fetch", "--json", "--start", "2020-01-01", ...three, ...sim.address];
    const first = documentOf(await pf(words, { cwd }));
    const files = filesIn(cwd);
    const second = await pf(words, { cwd });
    expect(first.source).toBe("tws-sim:synthetic:42");
    expect(first.end).toBe("2025-06-30");
    expect(first.symbols.map(({ symbol, last }: { symbol: string; last: string }) => [symbol, last])).toEqual(
      [
        ["SPY", "2025-06-30"],
        ["TLT", "2025-06-30"],
        ["BITO", "2025-06-30"],
      ],
    );
    // A fund with less history than asked for is no failure, and said.
    expect(first.symbols[2].first).toBe("2021-10-19");
    expect(first.symbols[2].warnings.join()).toContain("begins on 2021-10-19");
    expect(second.code).toBe(0);
    expect(
      documentOf(second).symbols.map(
        ({ added, refetched, requests }: { added: number; refetched: boolean; requests: number }) => [
          added,
          refetched,
          requests,
        ],
      ),
    ).toEqual(Array(3).fill([0, false, 1]));
    expect(filesIn(cwd)).toEqual(files);
    expect(Object.keys(files)).toContain("data/parquet/SPY.trades.parquet");
  });

  it("shows progress for every symbol on standard error", async () => {
    const { stdout, stderr, code } = await pf(["fetch", "--start", "2024-01-01", ...three, ...sim.address]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/SPY +added/);
    for (const text of ["connecting", "[1/3] fetching SPY", "[3/3] fetching BITO"])
      expect(stderr).toContain(text);
  });

  it("loses no symbol over one that the broker does not know: exit 3, and the others are cached", async () => {
    const cwd = temporaryFolder();
    const words = ["fetch", "--start", "2024-01-01", "--symbols", "SPY,NOPE,TLT", ...sim.address];
    const plain = await pf(words, { cwd });
    expect(plain.code).toBe(3);
    expectWords(plain, "PF_FETCH_INCOMPLETE");
    expect(plain.stdout).toContain("NOPE");
    expect(Object.keys(filesIn(cwd))).toContain("data/parquet/TLT.parquet");
    const alone = await pf(["fetch", "--symbols", "NOPE", "--json", ...sim.address]);
    expect([alone.code, documentOf(alone).error.code]).toEqual([3, "PF_IBKR_UNKNOWN_SYMBOL"]);
  });

  it("stops when the connection is lost, keeps what it has, and goes on from there the next time", async () => {
    const cwd = temporaryFolder();
    const file = join(cwd, "cut.yaml");
    writeFileSync(
      file,
      "rules:\n  - on: { message: historicalData, symbol: TLT }\n    do: [{ cut: { mid_frame: true } }]\n",
    );
    const own = await startSim([...afterClose, "--scenario", file]);
    const words = ["fetch", "--start", "2024-01-01", ...three, ...own.address];
    const cut = await pf([...words, "--json"], { cwd });
    const kept = Object.keys(filesIn(cwd)).filter((name) => name.endsWith(".parquet"));
    const again = documentOf(await pf([...words, "--json"], { cwd }));
    await own.end();
    expect(cut.code).toBe(4);
    expect(documentOf(cut).error.code).toBe("PF_IBKR_NOT_CONNECTED");
    expect(kept).toEqual(["data/parquet/SPY.parquet", "data/parquet/SPY.trades.parquet"]);
    expect(again.symbols.map(({ added }: { added: number }) => added > 0)).toEqual([false, true, true]);
  });

  it("stops at Ctrl-C while a request is open, and leaves nothing half-written", async () => {
    const cwd = temporaryFolder();
    const file = join(cwd, "silent.yaml");
    writeFileSync(
      file,
      "rules:\n  - on: { message: reqHistoricalData, symbol: TLT, times: all }\n    do: [drop]\n",
    );
    const own = await startSim([...afterClose, "--scenario", file]);
    const finished = await pf(["fetch", "--json", "--start", "2024-01-01", ...three, ...own.address], {
      cwd,
      meanwhile: (child) =>
        void child.stderr!.on("data", (text: string) => {
          if (!text.includes("fetching TLT")) return;
          setTimeout(() => child.kill("SIGINT"), 200);
        }),
    });
    await own.end();
    expect([finished.code, documentOf(finished).error.code]).toEqual([130, "PF_INTERRUPTED"]);
    // The way out that waits for nothing would have said "at once".
    expect(documentOf(finished).error.message).toBe("interrupted after 1 symbol");
    expect(Object.keys(filesIn(cwd)).filter((name) => name.endsWith(".parquet"))).toEqual([
      "data/parquet/SPY.parquet",
      "data/parquet/SPY.trades.parquet",
    ]);
  });

  it("never continues one market's bars with another's", async () => {
    const cwd = temporaryFolder();
    const words = ["fetch", "--start", "2024-01-01", "--symbols", "SPY", "--json"];
    await pf([...words, "--source", "synthetic"], { cwd });
    const finished = await pf([...words, ...sim.address], { cwd });
    expect([finished.code, documentOf(finished).error.code]).toEqual([3, "PF_SOURCE_MISMATCH"]);
  });

  it("brings ten years of nine symbols", async () => {
    const cwd = temporaryFolder();
    const finished = await pf(["fetch", "--json", "--start", "2015-06-30", ...sim.address], { cwd });
    const { symbols } = documentOf(finished);
    expect(symbols.map(({ last }: { last: string }) => last)).toEqual(Array(9).fill("2025-06-30"));
    const bars = symbols.reduce((sum: number, { rows }: { rows: number }) => sum + rows, 0);
    expect(bars).toBeGreaterThan(8 * 2500);
  });
});
