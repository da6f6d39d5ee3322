import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  answering,
  type History,
  keys,
  plainHistory,
  type VendorServer,
  vendorServer,
} from "../../bars/test/vendors.js";
import { createServices, describeFailure, type FetchOutcome, type ServiceContext } from "../src/index.js";

let home: string;
let server: VendorServer;
let steps: string[];
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "pf-sources-"));
  mkdirSync(join(home, "csv"));
  steps = [];
  server = await vendorServer({
    SPY: plainHistory("2024-01-02", 40),
    TLT: plainHistory("2024-01-02", 40, 50),
    GLD: plainHistory("2024-01-02", 40, 70),
  });
});
afterEach(async () => {
  await server.close();
  rmSync(home, { recursive: true });
});

const tiingoKey = { TIINGO_API_KEY: keys.tiingo };
const alpacaKeys = { APCA_API_KEY_ID: keys.alpacaId, APCA_API_SECRET_KEY: keys.alpacaSecret };
const allKeys = { ...tiingoKey, ...alpacaKeys };

function services(
  overrides: readonly string[],
  env: Readonly<Record<string, string>> = allKeys,
  context: Partial<ServiceContext> & { dotenv?: string; now?: string } = {},
) {
  const { dotenv, now = "2024-02-02T23:00:00Z", ...rest } = context;
  if (dotenv !== undefined) writeFileSync(join(home, ".env"), dotenv);
  return createServices({
    configuration: {
      overrides: [
        "universe=[SPY, TLT]",
        "ibkr.start=2024-01-02",
        `data.csv_dir=${join(home, "csv")}`,
        ...overrides,
      ],
      env: { PF_TEST_TIINGO_URL: server.url, PF_TEST_ALPACA_URL: server.url, ...env },
      ...(dotenv === undefined ? {} : { dotenvFile: join(home, ".env") }),
    },
    folders: { data: join(home, "data"), out: join(home, "reports"), state: join(home, "state") },
    version: "1.2.3",
    clock: { nowUtcMs: () => Date.parse(now) },
    onProgress: ({ step }) => steps.push(step),
    ...rest,
  });
}
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable("it did not fail"),
    (error: unknown) => describeFailure(error),
  );
const brief = ({ symbols }: FetchOutcome) =>
  symbols.map(({ symbol, status, source, added, rows, error }) => [
    symbol,
    status,
    source,
    added,
    rows,
    error?.code,
  ]);
const csv = (symbol: string, { sessions, close }: History) =>
  writeFileSync(
    join(home, "csv", `${symbol}.csv`),
    [
      "date,open,high,low,close,volume",
      ...sessions.map(
        (session, row) => `${session},${close[row]},${close[row]! + 1},${close[row]! - 1},${close[row]},9`,
      ),
      "",
    ].join("\n"),
  );
const files = () => {
  const folder = join(home, "data", "parquet");
  return readdirSync(folder).map((name) => [
    name,
    statSync(join(folder, name)).ino,
    readFileSync(join(folder, name), "hex"),
  ]);
};
const paths = () =>
  server.asked.map(({ path, query }) => (query.symbols ? `${path} ${query.symbols}` : path));

describe("a source on the web", () => {
  it.each(["tiingo", "alpaca"] as const)(
    "%s serves a fetch, and a second one changes no byte",
    async (source) => {
      const first = await services([`data.source=${source}`]).fetch();
      expect(first).toMatchObject({ source, start: "2024-01-02", end: "2024-02-01" });
      expect(brief(first)).toEqual([
        ["SPY", "ok", source, 22, 22, undefined],
        ["TLT", "ok", source, 22, 22, undefined],
      ]);
      const before = files();
      expect(before).toHaveLength(4);
      const second = await services([], allKeys).fetch({ source });
      expect(brief(second).map(([, status, , added]) => [status, added])).toEqual([
        ["ok", 0],
        ["ok", 0],
      ]);
      expect(files()).toEqual(before);
    },
  );

  it.each<[string, Record<string, string>, string]>([
    ["tiingo", {}, "the source tiingo needs TIINGO_API_KEY, which is not set"],
    ["tiingo", { TIINGO_API_KEY: " " }, "the source tiingo needs TIINGO_API_KEY, which is not set"],
    [
      "alpaca",
      tiingoKey,
      "the source alpaca needs APCA_API_KEY_ID and APCA_API_SECRET_KEY, which are not set",
    ],
    ["alpaca", { APCA_API_KEY_ID: "id" }, "the source alpaca needs APCA_API_SECRET_KEY, which is not set"],
  ])(
    "%s without its key in %j is a matter of configuration, and nobody is asked",
    async (source, env, message) => {
      const failed = await failure(services([`data.source=${source}`], env).fetch());
      expect(failed).toMatchObject({ code: "PF_SOURCE_KEY", exit: 2, message });
      expect(failed.next).toMatch(
        /^set [A-Z_ and]+ in the environment or in \.env; keys are never read from config\.yaml$/,
      );
      expect(server.asked).toEqual([]);
    },
  );

  it("takes its key from .env too, and rather from the environment", async () => {
    const dotenv = `# mine\nTIINGO_API_KEY='${keys.tiingo}'\n`;
    expect((await services(["data.source=tiingo"], {}, { dotenv }).fetch()).error).toBeUndefined();
    const wrong = await failure(
      services(["data.source=tiingo"], { TIINGO_API_KEY: "other" }, { dotenv }).fetch(),
    );
    expect(wrong).toMatchObject({
      code: "PF_SOURCE_KEY",
      exit: 2,
      message: "tiingo refuses the key of TIINGO_API_KEY (401 Unauthorized: Invalid token.)",
    });
    expect(JSON.stringify(wrong)).not.toContain("other");
  });

  it("takes no key from the configuration", async () => {
    const failed = await failure(services(["data.tiingo_api_key=abcdef"]).fetch());
    expect(failed.code).toBe("PF_CONFIG");
  });

  it("may be replaced by a server on this machine for tests, and by no other", async () => {
    for (const url of [
      "https://example.org",
      "http://127.0.0.1.example.org",
      "http://user@localhost.example.org",
    ]) {
      const failed = await failure(
        services(["data.source=tiingo"], { ...allKeys, PF_TEST_TIINGO_URL: url }).fetch(),
      );
      expect(failed).toMatchObject({ code: "PF_USAGE", exit: 2 });
      expect(failed.message).toContain("PF_TEST_TIINGO_URL is for tests");
    }
  });

  it.each([
    ["2024-02-01T21:30:00Z", "2024-01-31"],
    ["2024-02-02T01:10:00Z", "2024-01-31"],
    ["2024-02-02T01:20:00Z", "2024-02-01"],
  ])("at %s is taken to have settled the session of %s", async (now, end) => {
    for (const source of ["tiingo", "alpaca"] as const) {
      const outcome = await services([], allKeys, { now }).fetch({ source, replace: true });
      expect(outcome.end).toBe(end);
      expect(outcome.symbols.map(({ last }) => last)).toEqual([end, end]);
    }
  });

  it("tells a person who waits what it waits for", async () => {
    server.tricks.push(answering(429, { detail: "slow down" }, { "Retry-After": "1" }));
    await services(["data.source=tiingo"]).fetch();
    expect(steps).toContain("waiting 1 s (tiingo: slow down)");
  });

  it("is left at once when somebody asks to stop", async () => {
    server.tricks.push(() => {});
    const stop = new AbortController();
    const fetching = services(["data.source=tiingo"], allKeys, { signal: stop.signal }).fetch();
    setTimeout(() => stop.abort(), 50);
    expect(await failure(fetching)).toMatchObject({ code: "PF_INTERRUPTED", exit: 130 });
  });
});

describe("a fallback", () => {
  const csvFirst = ["data.source=csv", "data.fallback=[tiingo]"];
  beforeEach(() => csv("SPY", plainHistory("2024-01-02", 40, 300)));

  it("is not asked for anything the source has", async () => {
    csv("TLT", plainHistory("2024-01-02", 40, 80));
    expect(brief(await services(csvFirst).fetch()).map(([, , source]) => source)).toEqual(["csv", "csv"]);
    expect(server.asked).toEqual([]);
  });

  it("is off unless somebody names one", async () => {
    const outcome = await services(["data.source=csv"]).fetch();
    expect(brief(outcome)).toEqual([
      ["SPY", "ok", "csv", 23, 23, undefined],
      ["TLT", "failed", null, 0, 0, "PF_NO_BARS"],
    ]);
    expect(server.asked).toEqual([]);
  });

  it("serves the symbols that the source does not have, says so, and goes on serving them", async () => {
    const first = await services(csvFirst).fetch();
    expect(first.source).toBe("csv");
    expect(first.error).toBeUndefined();
    expect(brief(first)).toEqual([
      ["SPY", "ok", "csv", 23, 23, undefined],
      ["TLT", "ok", "tiingo", 22, 22, undefined],
    ]);
    expect(first.symbols[1]!.warnings[0]).toMatch(
      /^taken from tiingo, because csv source has no bars of TLT from /,
    );
    expect(paths()).toEqual(["/tiingo/daily/TLT/prices"]);
    const before = files();
    const second = await services(csvFirst).fetch();
    expect(brief(second).map(([symbol, , source, added]) => [symbol, source, added])).toEqual([
      ["SPY", "csv", 0],
      ["TLT", "tiingo", 0],
    ]);
    expect(second.symbols[1]).toMatchObject({ requests: 1, warnings: [] });
    expect(files()).toEqual(before);

    // Also when the source has it one day, for two sources never share a file; until somebody asks for that.
    csv("TLT", plainHistory("2024-01-02", 40, 80));
    expect(brief(await services(csvFirst).fetch())[1]).toEqual(["TLT", "ok", "tiingo", 0, 22, undefined]);
    expect(brief(await services(csvFirst).fetch({ replace: true }))[1]).toEqual([
      "TLT",
      "ok",
      "csv",
      23,
      23,
      undefined,
    ]);
  });

  it("stands in results beside the source, symbol by symbol", async () => {
    await services(csvFirst).fetch();
    const { document } = await services(csvFirst).backtest({ plots: false });
    expect(Object.entries(document.manifest.data).map(([symbol, { source }]) => [symbol, source])).toEqual([
      ["SPY", "csv"],
      ["TLT", "tiingo"],
    ]);
  });

  it("never takes over what is cached from another source, not even with replace", async () => {
    await services(["data.source=csv"]).fetch({ symbols: ["SPY"] });
    rmSync(join(home, "csv", "SPY.csv"));
    const before = files();
    for (const replace of [false, true]) {
      const outcome = await services(csvFirst).fetch({ symbols: ["SPY"], replace });
      expect(brief(outcome)).toEqual([
        ["SPY", "failed", replace ? null : "csv", 0, replace ? 0 : 23, "PF_NO_BARS"],
      ]);
    }
    expect(server.asked).toEqual([]);
    expect(files()).toEqual(before);
    const other = await services(csvFirst).fetch({ source: "alpaca", symbols: ["SPY"] });
    expect(brief(other)).toEqual([["SPY", "failed", "csv", 0, 0, "PF_SOURCE_MISMATCH"]]);
    expect(other.error).toMatchObject({ code: "PF_SOURCE_MISMATCH" });
  });

  it("is followed by the next where it does not have a symbol either", async () => {
    server.tricks.push(answering(404, { detail: "Not found." }));
    const outcome = await services(["data.source=csv", "data.fallback=[tiingo, alpaca]"]).fetch();
    expect(brief(outcome)[1]).toEqual(["TLT", "ok", "alpaca", 22, 22, undefined]);
    expect(paths()).toEqual(["/tiingo/daily/TLT/prices", "/v2/stocks/bars TLT", "/v2/stocks/bars TLT"]);
  });

  it("is not asked because of a line that broke: nobody knows then whether the source has the symbol", async () => {
    server.trick = answering(200, "{");
    const broken = await services(["data.source=tiingo", "data.fallback=[alpaca]"]).fetch({
      symbols: ["SPY"],
    });
    expect(broken.symbols[0]).toMatchObject({ error: { code: "PF_SOURCE_ANSWER" } });
    expect(paths()).toEqual(["/tiingo/daily/SPY/prices"]);
  });

  it("that refuses its key costs only what it was asked for, and tells why", async () => {
    server.trick = answering(401, { detail: `Invalid token ${keys.tiingo}` });
    const outcome = await services(csvFirst).fetch();
    expect(brief(outcome)).toEqual([
      ["SPY", "ok", "csv", 23, 23, undefined],
      ["TLT", "failed", null, 0, 0, "PF_NO_BARS"],
    ]);
    expect(outcome.symbols[1]!.warnings).toEqual([
      "nor does tiingo give it: tiingo refuses the key of TIINGO_API_KEY (401 Unauthorized: Invalid token …)",
    ]);
    expect(inspect([outcome, steps], { depth: 12 })).not.toContain(keys.tiingo);
  });

  it("that reaches its limit keeps what it served before", async () => {
    const wanted = { symbols: ["TLT", "GLD"] };
    server.tricks.push(
      () => false,
      answering(429, { detail: "You have run over your hourly request allocation." }),
    );
    const outcome = await services(csvFirst).fetch(wanted);
    expect(brief(outcome)).toEqual([
      ["TLT", "ok", "tiingo", 22, 22, undefined],
      ["GLD", "failed", null, 0, 0, "PF_NO_BARS"],
    ]);
    // Cached by now, TLT is the fallback's own, and its failures are told as such.
    server.tricks.push(answering(429, { detail: "You have run over your hourly request allocation." }));
    const again = await services(csvFirst).fetch(wanted);
    expect(brief(again)).toEqual([
      ["TLT", "failed", "tiingo", 0, 22, "PF_SOURCE_LIMIT"],
      ["GLD", "failed", null, 0, 0, "PF_NO_BARS"],
    ]);
  });

  it("that lacks its key is told before anything is asked", async () => {
    const failed = await failure(services(csvFirst, {}).fetch());
    expect(failed).toMatchObject({
      code: "PF_SOURCE_KEY",
      exit: 2,
      message: "tiingo, named in data.fallback, needs TIINGO_API_KEY, which is not set",
    });
    expect(() => files()).toThrow();
  });
});
