import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  answering,
  keys,
  plainHistory,
  type VendorServer,
  vendorServer,
} from "../../../packages/app/test/vendors.js";
import { documentOf, filesIn, pf, temporaryFolder } from "./process.js";

let server: VendorServer;
let told = "";
beforeAll(async () => {
  server = await vendorServer({
    SPY: plainHistory("2024-01-02", 60),
    TLT: plainHistory("2024-01-02", 60, 50),
  });
});
afterAll(() => server.close());

const alpacaKeys = { APCA_API_KEY_ID: keys.alpacaId, APCA_API_SECRET_KEY: keys.alpacaSecret };
const wrongKey = "wr-77b1SECRET";
const fetchFrom = async (
  source: string,
  env: Readonly<Record<string, string>>,
  { cwd = temporaryFolder(), words = [] }: { cwd?: string; words?: readonly string[] } = {},
) => {
  const settings = [
    "--set",
    "universe=[SPY, TLT]",
    "--set",
    "ibkr.start=2024-01-02",
    "--set",
    "ibkr.end=2024-03-15",
  ];
  const finished = await pf(["fetch", "--source", source, ...settings, ...words], {
    cwd,
    env: { PF_TEST_TIINGO_URL: server.url, PF_TEST_ALPACA_URL: server.url, PF_DEBUG: "1", ...env },
  });
  const files = Object.values(filesIn(join(cwd, "data")));
  told += [
    finished.stdout,
    finished.stderr,
    ...files.map((file) => Buffer.from(file, "base64").toString("latin1")),
  ].join("\n");
  return finished;
};

describe("pf fetch --source tiingo and alpaca", () => {
  it.each([
    ["tiingo", { TIINGO_API_KEY: keys.tiingo }],
    ["alpaca", alpacaKeys],
  ])("%s: fills the cache, and a second run changes no byte", async (source, env) => {
    const cwd = temporaryFolder();
    const first = await fetchFrom(source, env, { cwd });
    expect([first.code, first.stdout]).toEqual([0, expect.stringContaining(`Bars from ${source}, `)]);
    const before = filesIn(join(cwd, "data"));
    expect(Object.keys(before)).toHaveLength(4);
    const second = documentOf(await fetchFrom(source, env, { cwd, words: ["--json"] }));
    expect(second.symbols).toMatchObject([
      { symbol: "SPY", added: 0, requests: 1, source, rows: 52 },
      { symbol: "TLT", added: 0, requests: 1, source, rows: 52 },
    ]);
    expect(filesIn(join(cwd, "data"))).toEqual(before);
  });

  it("exits 2 without a key and with a wrong one, and names the variable", async () => {
    for (const env of [{}, { TIINGO_API_KEY: wrongKey }]) {
      const finished = await fetchFrom("tiingo", env, { words: ["--json"] });
      expect(finished.code).toBe(2);
      const { error } = documentOf(finished);
      expect(error).toMatchObject({ code: "PF_SOURCE_KEY", details: { variables: ["TIINGO_API_KEY"] } });
      expect(`${error.message} ${error.next}`).toContain("TIINGO_API_KEY");
    }
    const plain = await fetchFrom("alpaca", {});
    expect(plain.code).toBe(2);
    expect(plain.stderr).toContain("needs APCA_API_KEY_ID and APCA_API_SECRET_KEY, which are not set");
    expect(plain.stderr).toContain("What to do:");
  });

  it("exits 3 for what the service limits, refuses and spoils, and names it", async () => {
    const cases = [
      [answering(429, { detail: "You have run over your hourly request allocation." }), "PF_SOURCE_LIMIT"],
      [answering(403, { detail: "Your plan does not include it" }), "PF_FETCH_INCOMPLETE"],
      [answering(200, "<html>maintenance</html>"), "PF_FETCH_INCOMPLETE"],
      [answering(404, { detail: "Not found." }), "PF_FETCH_INCOMPLETE"],
    ] as const;
    for (const [trick, code] of cases) {
      server.trick = trick;
      const finished = await fetchFrom("tiingo", { TIINGO_API_KEY: keys.tiingo }, { words: ["--json"] });
      expect([finished.code, documentOf(finished).error.code]).toEqual([3, code]);
    }
    server.trick = undefined;
  });

  it("names the source of each symbol where a fallback helped, in 80 columns", async () => {
    const cwd = temporaryFolder();
    mkdirSync(join(cwd, "csv"));
    writeFileSync(join(cwd, "csv", "SPY.csv"), "date,open,high,low,close,volume\n2024-01-02,10,11,9,10,5\n");
    writeFileSync(join(cwd, ".env"), `TIINGO_API_KEY=${keys.tiingo}\n`);
    const words = ["--csv-dir", "csv", "--set", "data.fallback=[tiingo]"];
    const finished = await fetchFrom("csv", {}, { cwd, words });
    expect(finished.code).toBe(0);
    expect(finished.stdout).toMatch(/Symbol .*Last {8}Source\n {2}SPY .* csv\n {2}TLT .* tiingo\n/);
    expect(finished.stdout).toContain("TLT: taken from tiingo, because csv source has no bars of TLT");
    for (const line of finished.stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });

  it("shows no key anywhere, not in a text, an error, a stack or a file", () => {
    expect(told.length).toBeGreaterThan(3_000);
    expect(told).toContain("SourceKeyError");
    expect(told).toContain("PAR1");
    for (const key of [...Object.values(keys), wrongKey]) expect(told).not.toContain(key.slice(0, 6));
  });
});

describe("a universe from a file", () => {
  it("is seen from the folder of the configuration, and a mistake in it has a line and a column", async () => {
    const cwd = temporaryFolder();
    mkdirSync(join(cwd, "config"));
    writeFileSync(join(cwd, "config", "config.yaml"), "universe: ./mine.txt\ndata: {source: synthetic}\n");
    writeFileSync(join(cwd, "config", "mine.txt"), "# mine\nSPY, TLT\n");
    const span = ["--start", "2020-01-02", "--end", "2020-12-31"];
    expect((await pf(["fetch", ...span], { cwd })).code).toBe(0);
    const { manifest } = documentOf(await pf(["backtest", "--json", "--no-plots"], { cwd }));
    expect(manifest.config.universe).toEqual(["SPY", "TLT"]);
    const written = documentOf(
      await pf(["backtest", "--json", "--no-plots", "--set", "universe=[SPY, TLT]"], { cwd }),
    );
    expect(written.manifest).toEqual(manifest);
    writeFileSync(join(cwd, "config", "mine.txt"), "# mine\nSPY, tlt\n");
    const wrong = await pf(["config", "check"], { cwd });
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("config/mine.txt:2:6 universe[1]: must be a symbol in capital letters");
  });
});
