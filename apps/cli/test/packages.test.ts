import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

// Every package is packed as it would be published, and all tarballs are installed with npm in a folder that knows
// nothing of this workspace. What is asked of them there is asked twice, as an ES module and as CommonJS.

const root = fileURLToPath(new URL("../../../", import.meta.url));

interface Packed {
  readonly name: string;
  readonly tarball: string;
  readonly version: string;
  readonly isLibrary: boolean;
}

/**
 * What each library, and each entry beside its index, is asked once it is installed: a body over the package's exports, here named `pf`, that returns
 * something worth comparing. `need` gives another package's exports.
 */
const questions: Readonly<Record<string, { readonly ask: string; readonly answer: unknown }>> = {
  "@pf/market": {
    ask: 'return [pf.xnys.isSession("2024-07-04"), pf.newYorkTimeOf(pf.xnys.closeUtcMs(pf.sessionDate("2024-07-03")))];',
    answer: [false, "13:00"],
  },
  "@pf/indicators": {
    ask: "return [...pf.ema(Float64Array.of(64, 80, 100, 75), 3)].slice(2);",
    answer: [86, 80.5],
  },
  "@pf/selection": {
    ask: `
      try { pf.createStrategy({ ...options, features: { ...options.features, emaFast: 60 } }); }
      catch (error) { if (!(error instanceof pf.StrategyOptionsError)) throw error; }
      const decision = pf.createStrategy(options).prepare(market()).decide(39, {});
      return [decision.weights, decision.candidates.map(({ symbol, reason }) => symbol + " " + reason)];`,
    answer: [{ UP: 0.5 }, ["UP selected", "DOWN trend_gate"]],
  },
  "@pf/backtest": {
    ask: `
      const costs = { commissionPerShare: 0, slippageBps: 0 };
      const panel = market();
      const { equity } = pf.runTargets(panel, pf.targetSeries(panel, () => ({ UP: 1 })), costs);
      const close = panel.column("close", "UP");
      const strategy = need("@pf/selection").createStrategy(options);
      const measured = pf.measure(pf.runBacktest(panel, strategy, costs));
      return [Math.abs(equity[39] - close[39] / close[0]) < 1e-12, measured.Bars, measured.FinalEquity > 1];`,
    answer: [true, 40, true],
  },
  "@pf/research": {
    ask: `
      const { dateOfDayNumber } = need("@pf/market");
      const sessions = Array.from({ length: 1461 }, (_, t) => dateOfDayNumber(18262 + t));
      const folds = pf.planWalkForward(sessions, { trainYears: 3, oosMonths: 3 });
      const { p, pPlusOne } = pf.pValue("Sharpe", 1, [0.5, 1.5, 0.2, 0.7]);
      return [folds.map(({ oosFrom }) => sessions[oosFrom]), p, pPlusOne];`,
    answer: [["2023-01-01", "2023-04-01", "2023-07-01", "2023-10-01"], 0.25, 0.4],
  },
  "@pf/alerts": {
    ask: `
      const email = { smtp: "smtp://127.0.0.1:1", from: "pf@example.org", to: ["me@example.org"] };
      const alerts = pf.createAlerts({ email, webhook: "https://example.org/secret", retry: { attempts: 1 } });
      const alert = { key: "test", level: "info", title: "Test", text: "Hello" };
      const mail = await pf.createAlerts({ email, retry: { attempts: 1 } }).send(alert);
      return [alerts.channels, alerts.plan(alert).map(({ host }) => host), mail, await alerts.ping()];`,
    answer: [
      ["webhook", "email"],
      ["example.org", "127.0.0.1:1"],
      [
        {
          channel: "email",
          ok: false,
          attempts: 1,
          detail: "127.0.0.1:1 does not listen (ECONNREFUSED)",
        },
      ],
      null,
    ],
  },
  "@pf/queue": {
    ask: `
      try { await pf.queueStatus("redis://:secret@127.0.0.1:1"); }
      catch (error) { return [error instanceof pf.QueueUnreachableError, error.code, error.message]; }`,
    answer: [true, "PF_QUEUE_UNREACHABLE", "no queue answers at 127.0.0.1:1 (ECONNREFUSED)"],
  },
  "@pf/bars": {
    ask: `
      const { sessionDate, xnys } = need("@pf/market");
      const cache = pf.openBarCache(folder);
      const wanted = { symbols: ["SPY"], from: sessionDate("2021-01-01"), to: sessionDate("2021-12-31") };
      const source = pf.syntheticSource({ seed: 42, calendar: xnys });
      const [first] = await pf.fetchBars(cache, source, xnys, wanted);
      const [again] = await pf.fetchBars(cache, source, xnys, wanted);
      const { series, hashes } = await pf.loadSeries(cache, ["SPY"]);
      return [first.added, again.added, series[0].close.length, hashes.SPY === first.hash];`,
    answer: [252, 0, 252, true],
  },
  "@pf/config": {
    ask: `
      const { config } = pf.resolveConfig({ overrides: ["selection.top_n=1"] });
      let told = "";
      try { pf.resolveConfig({ config: { path: "config.yaml", text: "weights:\\n  cash_bufer: 0.1\\n" } }); }
      catch (error) { if (error instanceof pf.ConfigError) told = error.message.split("\\n")[0]; }
      return [config.selection.topN, pf.lagOf(config), told];`,
    answer: [1, 1, "config.yaml:2:3 weights.cash_bufer: is not a setting; did you mean cash_buffer?"],
  },
  "@pf/report": {
    ask: `
      const { measure, runTargets, targetSeries } = need("@pf/backtest");
      const panel = market();
      const costs = { commissionPerShare: 0, slippageBps: 0 };
      const result = runTargets(panel, targetSeries(panel, () => ({ UP: 0.5 })), costs);
      const files = await pf.planBacktestReport({
        result, metrics: measure(result), benchmarks: [], manifest: { command: "backtest", data: {} }, plots: true,
      });
      const written = await pf.writeReport(files, folder);
      const { readFileSync } = await import("node:fs");
      const signature = readFileSync(folder + "/equity.png").subarray(1, 4).toString();
      return [files.map(({ name }) => name), written.length, signature];`,
    answer: [
      ["metrics.json", "returns.csv", "weights.csv", "equity.png", "drawdown.png", "heatmap.png"],
      6,
      "PNG",
    ],
  },
  "@pf/report/frame": {
    ask: `
      const { runTargets, targetSeries } = need("@pf/backtest");
      const panel = market();
      const result = runTargets(panel, targetSeries(panel, () => ({ UP: 0.5 })), { commissionPerShare: 0, slippageBps: 0 });
      const frame = await pf.toDataFrame(result);
      const same = pf.fromDataFrame(frame, "returns").net.every((value, row) => Object.is(value, result.net[row]));
      const held = await pf.groupFrame(await pf.toDataFrame(result.targets), ["symbol"], { weight: ["mean"] });
      return [frame.columns.length, frame.shape[0], same, held.values];`,
    answer: [
      7,
      40,
      true,
      [
        ["UP", 40, 0.5],
        ["DOWN", 40, 0],
      ],
    ],
  },
  "@pf/orders": {
    ask: `
      const shares = pf.quantityOfShares(12.5);
      const notional = pf.notionalCents(shares, 600.1);
      const fee = pf.commissionCents(pf.commissionPlan("ibkr_tiered"), shares, notional);
      return [pf.formatCents(notional), pf.floorTo(shares, pf.oneShare), pf.formatCents(fee)];`,
    answer: ["7,501.25", 120_000, "0.35"],
  },
  "@pf/compliance": {
    ask: `
      const { sessionDate } = need("@pf/market");
      const { cents, formatCents } = need("@pf/orders");
      const session = sessionDate("2026-10-09");
      const deposit = { kind: "cash", session, amount: cents(500_000), reason: "deposit" };
      const account = pf.foldEvents([deposit], pf.usSettlement);
      // Columbus Day: the exchange trades and nothing settles.
      return [formatCents(pf.availableCash(account, cents(0))), pf.usSettlement.settleDate(session)];`,
    answer: ["5,000.00", "2026-10-13"],
  },
  "@pf/ibkr": {
    ask: `
      const { sessionDate } = need("@pf/market");
      const [from, to, today] = ["2015-01-02", "2020-12-31", "2025-06-30"].map(sessionDate);
      const plan = pf.planHistory({ whatToShow: "ADJUSTED_LAST", barSize: "1 day", from, to, today });
      let told = "";
      // Nobody listens on port 1.
      try { await pf.connectIbkr({ host: "127.0.0.1", port: 1, clientId: 17, account: "DU1", mode: "paper" }); }
      catch (error) { if (error instanceof pf.UnreachableError) told = error.code; }
      return [plan.map(({ duration, end }) => [duration, end]), told];`,
    answer: [[["11 Y", ""]], "PF_IBKR_UNREACHABLE"],
  },
  "@pf/tws-sim": {
    ask: `
      const { sessionDate, xnys } = need("@pf/market");
      const { barSourceOf, connectIbkr } = need("@pf/ibkr");
      const startUtcMs = Date.parse("2025-06-30T21:00:00Z");
      const simulator = await pf.startSimulator({ speed: "frozen", startUtcMs });
      const { host, port, accounts } = simulator;
      const session = await connectIbkr({ host, port, clientId: 17, account: accounts[0], mode: "paper" });
      const span = ["2025-06-26", "2025-06-30"].map(sessionDate);
      const { adjusted } = await barSourceOf(session, xnys).fetch("SPY", ...span);
      const { settledCash } = await session.accountSummary();
      await session.close();
      await simulator.close();
      return [adjusted.sessions, settledCash];`,
    answer: [["2025-06-26", "2025-06-27", "2025-06-30"], 2_500_000],
  },
  "@pf/app": {
    ask: `
      const services = pf.createServices({
        configuration: { overrides: ["data.source=synthetic", "universe=[SPY, TLT, GLD]", "ibkr.start=2016-01-01"] },
        folders: { data: folder + "/data", out: folder + "/reports", state: folder + "/state" },
        version: "1.0.0",
        clock: { nowUtcMs: () => Date.parse("2017-12-29T22:00:00Z") },
      });
      const fetched = await services.fetch();
      const { document } = await services.backtest({ plots: false });
      const target = await services.targetWeights({ asOf: "2017-12-24" });
      return [fetched.symbols.map(({ symbol, last }) => symbol + " " + last), document.metrics.Bars, target.asOf];`,
    answer: [["SPY 2017-12-29", "TLT 2017-12-29", "GLD 2017-12-29"], 503, "2017-12-22"],
  },
};

/** What several questions need: options of a strategy, and a market of two made-up symbols. */
const ground = `
const options = {
  features: { atrWindow: 5, emaFast: 5, emaSlow: 10, macd: { enabled: false, fast: 12, slow: 26, signal: 9 } },
  selection: { topN: 2, corrWindow: 10, corrCap: 0.7, minScore: 0, incumbents: "keep" },
  weights: { method: "inv_vol", volWindow: 5, maxWeightPerAsset: 0.5, cashBuffer: 0.05 },
  rebalance: { minWeightChange: 0.05 },
};
const market = () => {
  const { alignPanel, dateOfDayNumber } = need("@pf/market");
  return alignPanel([["UP", 1], ["DOWN", -1]].map(([ticker, slope]) => {
    const close = Float64Array.from({ length: 40 }, (_, t) => 100 + slope * t + Math.sin(t));
    const sessions = Array.from(close, (_, t) => dateOfDayNumber(20000 + t));
    const high = close.map((price) => price + 0.5), low = close.map((price) => price - 0.5);
    return { ticker, sessions, open: close, high, low, close, volume: close.map(() => 1e6) };
  }));
};
`;

/** TypeScript programs over the libraries: what the compiler infers has to be what the sources say. */
const typedPure = `
import { xnys, type SessionDate, type Panel, type TradingCalendar } from "@pf/market";
import { ema } from "@pf/indicators";
import { createStrategy, type Decision, type Strategy, type StrategyOptions } from "@pf/selection";
import { measure, runBacktest, type Metrics } from "@pf/backtest";

const calendar: TradingCalendar = xnys;
export const next = (session: SessionDate): SessionDate => calendar.next(session);
export const smooth: Float64Array = ema(Float64Array.of(1, 2, 3), 2);
export const decide = (options: StrategyOptions, panel: Panel): Decision => {
  const strategy: Strategy = createStrategy(options);
  return strategy.prepare(panel).decide(0, {});
};
export const measured = (panel: Panel, strategy: Strategy): Metrics =>
  measure(runBacktest(panel, strategy, { commissionPerShare: 0, slippageBps: 1 }));
// @ts-expect-error a text is no session until it has been checked
next("2024-01-02");
// @ts-expect-error the calendar answers with true or false
export const wrong: string = xnys.isSession("2024-01-02");
`;

const typedOnNode = `
import { openBarCache, type BarCache } from "@pf/bars";
import { loadConfig, strategyOptionsOf, type LoadedConfig } from "@pf/config";
import { writeReport, type PlannedFile } from "@pf/report";
import { fromDataFrame, toDataFrame, type DataFrame } from "@pf/report/frame";
import { createServices, type Services } from "@pf/app";
import { createAlerts, type Delivery } from "@pf/alerts";
import { barSourceOf, connectIbkr, type IbkrSession } from "@pf/ibkr";
import { startSimulator, type Simulator } from "@pf/tws-sim";

export const cache: BarCache = openBarCache("data");
export const configured: Promise<LoadedConfig> = loadConfig({ directory: "config", env: {} });
export const optionsOf = async (): Promise<StrategyOptions> => strategyOptionsOf((await configured).config);
export const write = (files: readonly PlannedFile[]): Promise<readonly string[]> => writeReport(files, "reports");
export const framed = async (panel: Panel): Promise<readonly string[]> => {
  const frame: DataFrame = await toDataFrame(panel);
  return fromDataFrame(frame, "panel").tickers;
};
export const make: (...words: Parameters<typeof createServices>) => Services = createServices;
export const simulated = async ({ host, port }: Simulator): Promise<IbkrSession> =>
  connectIbkr({ host, port, clientId: 17, account: "DUK200445", mode: "paper" });
export const fetched = async (): Promise<readonly SessionDate[]> => {
  const session = await simulated(await startSimulator());
  return (await barSourceOf(session, xnys).fetch("SPY", xnys.first, xnys.last)).adjusted.sessions;
};
export const told = async (): Promise<readonly Delivery[]> =>
  createAlerts({ webhook: "https://example.org" }).send({ key: "a", level: "info", title: "b", text: "c" });
// @ts-expect-error there is no such kind of frame
fromDataFrame(null as never, "shares");
// @ts-expect-error a cache is opened on a folder
openBarCache(1);
`;

describe("the packed packages, installed outside the workspace", () => {
  const home = mkdtempSync(join(tmpdir(), "pf-outside-"));
  const outside = join(home, "project");
  let packed: readonly Packed[] = [];

  beforeAll(() => {
    const list = succeed(process.execPath, [join(root, "scripts/pack.mjs"), home], home);
    packed = JSON.parse(list);
    mkdir(outside);
    const manifest = { name: "outside", private: true, devDependencies: { "@types/node": "^20.19.0" } };
    write(outside, "package.json", JSON.stringify(manifest));
    // Nobody listens there: an install that asked a registry for one of ours would fail.
    write(outside, ".npmrc", "@pf:registry=http://127.0.0.1:9/\n");
    const install = [join(root, "scripts/install-packed.mjs"), write(home, "list.json", list), outside];
    succeed(process.execPath, install, outside);
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  it("are all publishable packages of the workspace, and every library is asked something", () => {
    expect(packed.filter(({ isLibrary }) => isLibrary).map(({ name }) => name)).toEqual(
      Object.keys(questions)
        .filter((name) => name.split("/").length === 2)
        .sort(),
    );
    expect(packed.filter(({ isLibrary }) => !isLibrary).map(({ name }) => name)).toEqual(["@pf/cli"]);
  });

  it("hold what a user needs and nothing that only the workspace understands", () => {
    for (const { name } of packed) {
      const installed = join(outside, "node_modules", name);
      const text = readFileSync(join(installed, "package.json"), "utf8");
      expect([name, text.match(/workspace:|catalog:|@pf\/source/g)]).toEqual([name, null]);
      const inside = readdirSync(installed);
      const missing = ["LICENSE", "README.md", "dist", "package.json"].filter(
        (entry) => !inside.includes(entry),
      );
      expect([name, missing]).toEqual([name, []]);
      expect([
        name,
        inside.filter((entry) => ["src", "test", "bench", "tsconfig.json"].includes(entry)),
      ]).toEqual([name, []]);
      const files = readdirSync(installed, { recursive: true, encoding: "utf8" });
      expect([name, files.filter((file) => /\.test\.|^node_modules\/@pf\//.test(file))]).toEqual([name, []]);
    }
  });

  it("load side by side in one process", () => {
    const names = Object.keys(questions);
    const file = write(
      outside,
      "all.mjs",
      `const all = await Promise.all(${JSON.stringify(names)}.map((name) => import(name)));
process.stdout.write(JSON.stringify(all.map((one) => Object.keys(one).length > 0)));`,
    );
    expect(JSON.parse(succeed(process.execPath, [file], outside))).toEqual(names.map(() => true));
  });

  describe.each(Object.entries(questions))("%s", (name, { ask, answer }) => {
    const slug = name.slice(4).replace("/", "-");

    it("answers as an ES module", () => {
      const file = write(
        outside,
        `${slug}.mjs`,
        `import * as pf from "${name}";
const others = Object.fromEntries(await Promise.all(${JSON.stringify(neededBy(ask))}.map(async (other) => [other, await import(other)])));
const need = (other) => others[other];
${program(ask)}`,
      );
      expect(
        JSON.parse(succeed(process.execPath, [file, mkdir(join(home, `${slug}-esm`))], outside)),
      ).toEqual(answer);
    });

    it("answers as CommonJS", () => {
      const file = write(
        outside,
        `${slug}.cjs`,
        `const pf = require("${name}");
const need = require;
if (!require.resolve("${name}").endsWith(".cjs")) throw new Error("this is not the CommonJS build");
${program(ask)}`,
      );
      expect(
        JSON.parse(succeed(process.execPath, [file, mkdir(join(home, `${slug}-cjs`))], outside)),
      ).toEqual(answer);
    });
  });

  describe("in strict programs, .mts and .cts", () => {
    const compiler = createRequire(import.meta.url).resolve("typescript/bin/tsc");
    // Both endings in one run of the compiler: each file is resolved by its own, and what it complains of names the file.
    const check = (name: string, text: string, ...settings: string[]) => {
      const files = ["mts", "cts"].map((ending) => write(outside, `${name}.${ending}`, text));
      const strict = [
        "--strict",
        "--exactOptionalPropertyTypes",
        "--module",
        "nodenext",
        "--target",
        "es2022",
      ];
      const words = [compiler, "--noEmit", "--ignoreConfig", "--lib", "es2022", ...strict, ...settings];
      return succeed(process.execPath, [...words, ...files], outside);
    };

    it("the pure packages give their types where there is no platform", () => {
      expect(check("pure", typedPure)).toBe("");
    });

    it("all packages give their types on Node", () => {
      expect(check("typed", typedPure + typedOnNode, "--types", "node")).toBe("");
    });
  });

  describe("the program pf", () => {
    const pf = (...words: string[]) => succeed(join(outside, "node_modules/.bin/pf"), words, outside);

    it("says its version", () => {
      const version = packed.find(({ name }) => name === "@pf/cli")?.version;
      expect(pf("--version")).toBe(`${version}\n`);
    });

    it("makes a market, backtests it with plots and says what to hold", () => {
      const folders = ["--data-dir", "bars", "--out", "out", "--json"];
      const span = ["--start", "2020-01-02", "--end", "2021-12-31"];
      const { symbols } = JSON.parse(pf("fetch", "--source", "synthetic", ...span, ...folders));
      expect(symbols.map(({ last }: { last: string }) => last)).toEqual(symbols.map(() => "2021-12-31"));
      const { metrics, files } = JSON.parse(pf("backtest", ...folders));
      expect(metrics.Bars).toBe(505);
      expect(files).toContain("equity.png");
      for (const file of files) expect(existsSync(join(outside, "out", file))).toBe(true);
      const { asOf, weights, cash } = JSON.parse(pf("weights", ...folders));
      expect(asOf).toBe("2021-12-31");
      const invested = Object.values<number>(weights).reduce((sum, weight) => sum + weight, 0);
      expect(invested + cash).toBeCloseTo(1, 12);
    });
  });
});

function program(ask: string): string {
  return `${ground}
const answer = async (folder) => {${ask}
};
answer(process.argv[2]).then((value) => process.stdout.write(JSON.stringify(value)));
`;
}

/** The packages that a question asks for beside its own: a person does not load the others either. */
function neededBy(ask: string): readonly string[] {
  const names = [...`${ground}${ask}`.matchAll(/need\("([^"]+)"\)/g)].map(([, name]) => name!);
  return [...new Set(names)].sort();
}

/** @returns standard output of a command that ended well; its whole output otherwise, as an error */
function succeed(command: string, words: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, words, {
    cwd,
    encoding: "utf8",
    env: environment(),
    timeout: 110_000,
  });
  if (error) throw error;
  if (status !== 0)
    throw new Error(`${command} ${words.join(" ")} ended with ${status}:\n${stdout}\n${stderr}`);
  return stdout;
}

/** What reaches the network and finds programs, and nothing by which the workspace could be seen. */
function environment(): NodeJS.ProcessEnv {
  const wanted =
    /^(PATH|HOME|TMPDIR|(https?|no)_proxy|NODE_EXTRA_CA_CERTS|npm_config_(registry|cache|userconfig))$/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => wanted.test(name)));
}

function write(folder: string, name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

function mkdir(folder: string): string {
  mkdirSync(folder, { recursive: true });
  return folder;
}
