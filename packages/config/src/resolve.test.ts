import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { ConfigError } from "./errors.js";
import type { ConfigSources } from "./layers.js";
import { originSources } from "./origin.js";
import { type KnownNames, resolveConfig } from "./resolve.js";
import { type EffectiveConfig, settingNames } from "./schema.js";
import { secretSettings, withoutSecrets } from "./secrets.js";
import { describeConfig } from "./show.js";

const defaults = resolveConfig({});

const configText = (text: string): ConfigSources => ({ config: { path: "config/config.yaml", text } });

/** Everything that is wrong, one line each. */
function complaints(sources: ConfigSources, known?: KnownNames): readonly string[] {
  try {
    resolveConfig(sources, known);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split("\n");
    throw error;
  }
  return [];
}

function warningsOf(sources: ConfigSources, known?: KnownNames): readonly string[] {
  return resolveConfig(sources, known).warnings.map(
    ({ line, column, key, message }) => `${line}:${column} ${key}: ${message}`,
  );
}

const valueAt = (written: EffectiveConfig, name: string): unknown =>
  name.split(".").reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[key], written);

function nestedValues(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    const path = name.split(".");
    let section = root;
    for (const key of path.slice(0, -1)) {
      section[key] ??= {};
      section = section[key] as Record<string, unknown>;
    }
    section[path.at(-1)!] = value;
  }
  return root;
}

/** Values of every setting that may be used whatever the other settings are. */
const metric = fc.constantFrom("CAGR", "Sharpe", "Calmar", "MaxDD", "PF", "Turnover", "FinalEquity");
const window = fc.integer({ min: 2, max: 400 });
const share = fc.double({ min: 0, max: 1, noNaN: true }).map((value) => value + 0);
const text = fc
  .string({ minLength: 1, maxLength: 12, unit: "grapheme" })
  .filter((value) => value.trim() !== "");
const atLeastOneOf = <Value>(item: fc.Arbitrary<Value>) =>
  fc.uniqueArray(item, { minLength: 1, maxLength: 4 });
const settings: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  "ibkr.host": text,
  "ibkr.port": fc.integer({ min: 1, max: 65535 }),
  "ibkr.client_id": fc.nat(),
  "ibkr.account_paper": fc.stringMatching(/^D[A-Z0-9]{3,8}$/),
  "ibkr.account_live": fc.stringMatching(/^U[0-9]{3,8}$/),
  "ibkr.market_mode": fc.constantFrom("live", "delayed", "delayedFrozen"),
  "ibkr.timeframe": fc.constantFrom("1 day", "1 hour"),
  "ibkr.start": fc.constantFrom("1999-12-31", "2015-01-01", "2016-02-29"),
  "ibkr.end": fc.constantFrom(null, "2020-02-29", "2024-12-31"),
  universe: atLeastOneOf(fc.stringMatching(/^[A-Z]{1,5}([.-][A-Z])?$/)),
  "data.source": fc.constantFrom("ibkr", "csv", "synthetic", "tiingo", "alpaca"),
  "data.fallback": fc.uniqueArray(fc.constantFrom("ibkr", "csv", "tiingo", "alpaca")),
  "data.csv_dir": fc.option(text),
  "data.synthetic.seed": fc.nat(),
  "rebalance.schedule_et": fc.constantFrom("09:30", "12:00", "15:55", "15:59"),
  "rebalance.frequency": fc.constant("daily"),
  "rebalance.min_weight_change": share,
  "rebalance.decision_bar": fc.constantFrom("provisional", "last_complete"),
  "costs.commission_per_share": fc.double({ min: 0, max: 10, noNaN: true }).map((value) => value + 0),
  "costs.commission_plan": fc.constantFrom("per_share", "ibkr_tiered", "ibkr_fixed"),
  "costs.slippage_bps": fc.integer({ min: 0, max: 10_000 }),
  "features.atr_window": window,
  "features.ema_fast": fc.integer({ min: 1, max: 49 }),
  "features.ema_slow": fc.integer({ min: 50, max: 400 }),
  "features.macd.enabled": fc.boolean(),
  "features.macd.fast": fc.integer({ min: 1, max: 20 }),
  "features.macd.slow": fc.integer({ min: 21, max: 60 }),
  "features.macd.signal": window,
  "selection.score": fc.constantFrom("trend", "off", "7"),
  "selection.top_n": fc.integer({ min: 1, max: 50 }),
  "selection.corr_window": window,
  "selection.corr_cap": share,
  "selection.min_score": fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
  "selection.incumbents": fc.constantFrom("keep", "rank"),
  "weights.method": fc.constantFrom("inv_vol", "equal", "true"),
  "weights.vol_window": window,
  "weights.covariance": fc.constantFrom("sample", "ledoit_wolf"),
  "weights.vol_target": fc.option(fc.double({ min: 0.001, max: 3, noNaN: true })),
  "weights.max_weight_per_asset": fc.double({ min: 0.01, max: 1, noNaN: true }),
  "weights.cash_buffer": fc.double({ min: 0, max: 0.99, noNaN: true }).map((value) => value + 0),
  overlays: fc.array(fc.record({ name: fc.constantFrom("calm", "null"), below_days: window, note: text })),
  "backtest.seed": fc.nat(),
  "backtest.initial_cash": fc.integer({ min: 1, max: 1e9 }),
  "backtest.metrics": atLeastOneOf(metric),
  "walkforward.train_years": fc.integer({ min: 1, max: 10 }),
  "walkforward.oos_months": fc.integer({ min: 1, max: 24 }),
  "walkforward.reoptimize.ema_fast": atLeastOneOf(fc.integer({ min: 1, max: 30 })),
  "walkforward.reoptimize.ema_slow": atLeastOneOf(fc.integer({ min: 31, max: 100 })),
  "walkforward.reoptimize.top_n": atLeastOneOf(fc.integer({ min: 1, max: 5 })),
  "walkforward.reoptimize.corr_cap": atLeastOneOf(share),
  "walkforward.reoptimize.atr_window": fc.option(atLeastOneOf(window)),
  "walkforward.reoptimize.corr_window": fc.option(atLeastOneOf(window)),
  "walkforward.reoptimize.min_score": fc.option(atLeastOneOf(fc.integer({ min: -3, max: 3 }))),
  "walkforward.reoptimize.vol_window": fc.option(atLeastOneOf(window)),
  "walkforward.reoptimize.max_weight_per_asset": fc.option(
    atLeastOneOf(fc.double({ min: 0.01, max: 1, noNaN: true })),
  ),
  "walkforward.reoptimize.cash_buffer": fc.option(atLeastOneOf(fc.constantFrom(0, 0.05, 0.9))),
  "walkforward.reoptimize.min_weight_change": fc.option(atLeastOneOf(share)),
  "permutation.runs": fc.integer({ min: 1, max: 10_000 }),
  "permutation.objective": metric,
  "execution.live": fc.constant(false),
  "execution.order_type": fc.constantFrom("MKT", "LMT"),
  "execution.limit_offset_bps": fc.integer({ min: 0, max: 1000 }),
  "execution.max_orders_per_day": fc.integer({ min: 1, max: 50 }),
  "execution.min_notional": fc.integer({ min: 0, max: 1_000_000 }).map((cents) => cents / 100),
  "execution.quantity": fc.constantFrom("auto", "whole", "fractional"),
  "risk.max_drawdown": fc.option(fc.double({ min: 0.01, max: 0.99, noNaN: true })),
  "risk.max_daily_loss": fc.option(fc.double({ min: 0.01, max: 0.99, noNaN: true })),
  "risk.on_brake": fc.constantFrom("halt", "reduce_only"),
  "risk.max_price_move": fc.double({ min: 0.01, max: 1, noNaN: true }),
  "compliance.settled_cash": fc.constantFrom("strict", "permissive"),
  "compliance.broker_end_of_day": fc.boolean(),
  "compliance.day_trades": fc.constantFrom("warn", "block", "off"),
  "research.executor": fc.constantFrom("threads", "inline", "bullmq"),
  "research.queue": fc.constantFrom("", "redis://127.0.0.1:6379"),
  "page.host": fc.constantFrom("127.0.0.1", "0.0.0.0"),
  "page.port": fc.integer({ min: 0, max: 65535 }),
  "page.token": fc.string({ minLength: 16, maxLength: 30, unit: "grapheme" }).filter((v) => v.trim() === v),
  "alerts.webhook": fc.constantFrom("", "https://example.org/hook"),
  "alerts.ntfy": fc.constantFrom("", "https://ntfy.example.org/topic"),
  "alerts.ntfy_token": fc.stringMatching(/^[\x21-\x7e]{1,20}$/),
  "alerts.email.smtp": fc.constant(""),
  "alerts.email.from": fc.constantFrom("", "pf@example.org", "Porte Feuille <pf@example.org>"),
  "alerts.email.to": fc.array(fc.emailAddress()),
  "alerts.ping": fc.constantFrom("", "https://example.org/ping"),
  "alerts.daily_summary": fc.boolean(),
};
const known: KnownNames = {
  scores: ["trend", "off", "7"],
  weightings: ["inv_vol", "equal", "true"],
  overlays: ["calm", "null"],
};
const someSettings = fc.record(settings, { requiredKeys: [] }) as fc.Arbitrary<Record<string, unknown>>;

describe("resolveConfig", () => {
  it("gives the schema's defaults when no source says anything", () => {
    expect(defaults.config.selection).toEqual({
      score: "trend",
      topN: 2,
      corrWindow: 90,
      corrCap: 0.7,
      minScore: 0,
      incumbents: "keep",
    });
    expect(defaults.config.rebalance.minWeightChange).toBe(0.05);
    expect(defaults.config.data).toEqual({
      source: "ibkr",
      fallback: [],
      csvDir: null,
      synthetic: { seed: 42 },
    });
    expect(new Set(Object.values(defaults.origins).map(({ source }) => source))).toEqual(
      new Set(["default"]),
    );
    expect(Object.keys(defaults.origins)).toEqual(settingNames);
    expect(defaults.warnings).toEqual([]);
    expect(defaults.files).toEqual([]);
  });

  it("reads back whatever valid configuration was written, key by key", () => {
    expect(Object.keys(settings)).toEqual(settingNames);
    fc.assert(
      fc.property(fc.record(settings), (values) => {
        const loaded = resolveConfig(configText(stringify(nestedValues(values))), known);
        expect(loaded.written).toEqual(nestedValues(values));
        expect(new Set(Object.values(loaded.origins).map(({ source }) => source))).toEqual(
          new Set(["config.yaml"]),
        );
      }),
      { numRuns: 200 },
    );
  });

  it("lets the strongest source that names a setting decide it, and touches no other", () => {
    fc.assert(
      fc.property(
        fc.tuple(someSettings, someSettings, someSettings, someSettings, someSettings),
        ([config, local, dotenv, env, flags]) => {
          const layers = [config, local, dotenv, env, flags];
          const loaded = resolveConfig(
            {
              config: { path: "config.yaml", text: stringify(nestedValues(config)) },
              local: { path: "config.local.yaml", text: stringify(nestedValues(local)) },
              dotenv: { path: ".env", text: "" },
              env: asVariables({ ...dotenv, ...env }),
              overrides: asFlags(flags),
            },
            known,
          );
          for (const name of settingNames) {
            const strongest = layers.filter((layer) => name in layer).at(-1);
            expect(valueAt(loaded.written, name)).toEqual(
              strongest ? strongest[name] : valueAt(defaults.written, name),
            );
            const source =
              name in flags
                ? 5
                : name in env || name in dotenv
                  ? 4
                  : name in local
                    ? 2
                    : name in config
                      ? 1
                      : 0;
            expect(loaded.origins[name]!.source).toBe(originSources[source]);
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it("puts .env below the environment and above the files", () => {
    const sources = {
      ...configText("ibkr: {port: 1, host: file, client_id: 1}"),
      dotenv: { path: ".env", text: "IB_HOST=dot\nIB_PORT=2 # TWS\n" },
    };
    const loaded = resolveConfig({ ...sources, env: { IB_PORT: "3", IB_HOST: "" } });
    expect(loaded.config.ibkr).toMatchObject({ host: "dot", port: 3, clientId: 1 });
    expect(loaded.origins["ibkr.host"]).toEqual({
      source: ".env",
      file: ".env",
      line: 1,
      column: 9,
      variable: "IB_HOST",
    });
    expect(loaded.origins["ibkr.port"]).toEqual({ source: "environment", variable: "IB_PORT" });
    expect(loaded.files).toEqual(["config/config.yaml", ".env"]);
  });

  it("takes an account id from the environment as text even where it looks like a number", () => {
    expect(resolveConfig({ env: { IB_ACCOUNT_LIVE: "0123" } }).config.ibkr.accountLive).toBe("0123");
  });

  it("lets the last of several flags for a setting win, and a flag for a section set its keys only", () => {
    const { config, origins } = resolveConfig({
      overrides: ["selection.top_n=1", "selection={top_n: 3, corr_cap: 0.5}", "weights.cash_buffer=0"],
    });
    expect(config.selection).toMatchObject({ topN: 3, corrCap: 0.5, corrWindow: 90 });
    expect(config.weights.cashBuffer).toBe(0);
    expect(origins["selection.top_n"]).toEqual({
      source: "flag",
      flag: "--set selection={top_n: 3, corr_cap: 0.5}",
    });
  });

  it("replaces lists whole and merges sections key by key", () => {
    const { config } = resolveConfig({
      ...configText("universe: [SPY, TLT, GLD]\nfeatures:\n  macd: {fast: 3, slow: 9}\n"),
      local: { path: "config.local.yaml", text: "universe: [IEF]\nfeatures:\n  macd: {enabled: true}\n" },
    });
    expect(config.universe).toEqual(["IEF"]);
    expect(config.features).toEqual({
      atrWindow: 20,
      emaFast: 20,
      emaSlow: 50,
      macd: { enabled: true, fast: 3, slow: 9, signal: 9 },
    });
  });

  it("takes an empty file, and a section whose keys are all commented out, as saying nothing", () => {
    for (const text of ["", "# nothing\n", "weights:\n  # cash_buffer: 0\n", "features:\n  macd:\n"]) {
      expect(resolveConfig(configText(text)).written).toEqual(defaults.written);
    }
  });

  it("freezes what it gives, down to the last list", () => {
    const { config, written, origins } = resolveConfig(configText("universe: [SPY]"));
    expect(() => (config.universe as string[]).push("TLT")).toThrow(TypeError);
    expect(() => Object.assign(config.features.macd, { fast: 1 })).toThrow(TypeError);
    expect(Object.isFrozen(written.weights) && Object.isFrozen(origins.universe)).toBe(true);
  });

  it("writes keys in the schema's order whatever order they were written in", () => {
    const { written } = resolveConfig(
      configText("weights: {cash_buffer: 0.1, method: equal}\nuniverse: [SPY]\n"),
    );
    expect(JSON.stringify(Object.keys(written))).toBe(JSON.stringify(Object.keys(defaults.written)));
    expect(Object.keys(written.weights)).toEqual(Object.keys(defaults.written.weights));
  });

  it("turns keys of overlay parameters into camelCase once, too", () => {
    const { config } = resolveConfig(configText("overlays: [{name: calm, below_days: 200}]"), known);
    expect(config.overlays).toEqual([{ name: "calm", belowDays: 200 }]);
  });
});

/** One complaint a line, each with its place: `[what is written, what is told]`. */
const mistakes: readonly (readonly [string, readonly string[]])[] = [
  // unknown keys, at the key
  ["weights:\n  cash_bufer: 0.1\n", ["2:3 weights.cash_bufer: is not a setting; did you mean cash_buffer?"]],
  ["selection: {corrCap: 0.5}", ["1:13 selection.corrCap: is not a setting; did you mean corr_cap?"]],
  ["top_n: 1\n", ["1:1 top_n: is not a setting; did you mean selection.top_n?"]],
  ["weight:\n  cash_buffer: 0.1\n", ["1:1 weight: is not a setting; did you mean weights?"]],
  [
    "features:\n  macd:\n    quick: 3\n",
    ["3:5 features.macd.quick: is not a setting; features.macd has enabled, fast, slow, signal"],
  ],
  [
    "__proto__: {a: 1}",
    [
      expect.stringMatching(
        /^1:1 __proto__: is not a setting; the sections are ibkr, universe, /,
      ) as unknown as string,
    ],
  ],
  // ranges
  [
    "weights:\n  method: inv_vol\n\n  cash_buffer: 1.5\n",
    ["4:16 weights.cash_buffer: must be less than 1 (is 1.5)"],
  ],
  ["weights: {max_weight_per_asset: 0}", ["1:33 weights.max_weight_per_asset: must be more than 0 (is 0)"]],
  [
    "weights: {max_weight_per_asset: 1.01}",
    ["1:33 weights.max_weight_per_asset: must be at most 1 (is 1.01)"],
  ],
  [
    "selection: {corr_cap: -0.1, top_n: 0}",
    [
      "1:23 selection.corr_cap: must be at least 0 (is -0.1)",
      "1:36 selection.top_n: must be at least 1 (is 0)",
    ],
  ],
  ["ibkr: {port: 70000}", ["1:14 ibkr.port: must be at most 65535 (is 70000)"]],
  ["permutation: {runs: 0}", ["1:21 permutation.runs: must be at least 1 (is 0)"]],
  ["selection: {min_score: .nan}", ["1:24 selection.min_score: must be a finite number (is NaN)"]],
  ["features: {ema_fast: 2.5}", ["1:22 features.ema_fast: must be a whole number (is 2.5)"]],
  // kinds
  [
    'costs:\n  slippage_bps: "0.5"\n',
    ['2:17 costs.slippage_bps: must be a number (is the text "0.5"); remove the quotes'],
  ],
  ["costs:\n  slippage_bps: much\n", ['2:17 costs.slippage_bps: must be a number (is the text "much")']],
  [
    "costs:\n  slippage_bps:\n",
    ["2:16 costs.slippage_bps: must be a number (is empty); leave it out for the default"],
  ],
  [
    "execution: {live: yes}",
    ['1:19 execution.live: must be true or false (is the text "yes"); write true or false without quotes'],
  ],
  ["ibkr: {account_live: 123}", ["1:22 ibkr.account_live: must be text (is 123); put it in quotes"]],
  ["weights: [1]", ["1:10 weights: must be a section of `key: value` lines (is a list)"]],
  [
    "weights:\n  cash_buffer 0.05\n",
    ['2:3 weights: must be a section of `key: value` lines (is the text "cash_buffer 0.05")'],
  ],
  ["- universe\n", ["1:1: must be a section of `key: value` lines (is a list)"]],
  ["universe", ['1:1: must be a section of `key: value` lines (is the text "universe")']],
  // words
  [
    "execution: {order_type: mkt}",
    ['1:25 execution.order_type: must be one of MKT, LMT (is the text "mkt"); did you mean MKT?'],
  ],
  ["rebalance: {frequency: weekly}", ['1:24 rebalance.frequency: must be daily (is the text "weekly")']],
  [
    "weights: {method: invvol}",
    ['1:19 weights.method: must be a registered weighting (is the text "invvol"); did you mean inv_vol?'],
  ],
  [
    "weights: {method: markowitz}",
    [
      '1:19 weights.method: must be a registered weighting (is the text "markowitz"); known: inv_vol, equal, erc, hrp, min_var',
    ],
  ],
  ...["my-score.js#momentum", "my-score.ts", "./my-score.js#"].map((name): [string, string[]] => [
    `selection: {score: '${name}'}`,
    [
      `1:20 selection.score: must be a registered score (is the text "${name}"); a file of your own is written as in ./my-file.js#name`,
    ],
  ]),
  ["selection: {score: ''}", ['1:20 selection.score: must not be empty (is the text "")']],
  ["overlays: [{nam: x}]", ["1:12 overlays[0].name: is missing: must be text"]],
  [
    "overlays: [{name: spy_trend}]",
    [
      '1:19 overlays[0].name: must be a registered overlay (is the text "spy_trend"); known: sma_filter, volatility, breadth',
    ],
  ],
  [
    "backtest: {metrics: [Sharp]}",
    [
      expect.stringMatching(
        /^1:22 backtest\.metrics\[0\]: must be one of CAGR.*did you mean Sharpe\?$/,
      ) as unknown as string,
    ],
  ],
  // the universe
  [
    "universe: SPY",
    [
      '1:11 universe: must be a list of symbols, the name of a list, or a file of symbols (is the text "SPY"); write [SPY]',
    ],
  ],
  ["universe: []", ["1:11 universe: must have at least one value (is an empty list)"]],
  [
    "universe:\n  - spy\n  - SPY\n  - SPY\n  - TRUE\n  - ../SPY\n",
    [
      '2:5 universe[0]: must be a symbol in capital letters such as SPY or BRK-B (is the text "spy"); did you mean SPY?',
      '4:5 universe[2]: stands twice in the list (is the text "SPY")',
      "5:5 universe[3]: must be text (is true); put it in quotes",
      '6:5 universe[4]: must be a symbol in capital letters such as SPY or BRK-B (is the text "../SPY")',
    ],
  ],
  // times and dates
  [
    "rebalance:\n  schedule_et: 25:99\n",
    ['2:16 rebalance.schedule_et: must be a time HH:MM in New York, in quotes (is the text "25:99")'],
  ],
  [
    "rebalance: {schedule_et: '9:45'}",
    ['1:26 rebalance.schedule_et: must be a time HH:MM in New York, in quotes (is the text "9:45")'],
  ],
  [
    "rebalance: {schedule_et: '16:00'}",
    [
      '1:26 rebalance.schedule_et: must be while the market is open, 09:30 to 15:59 in New York (is the text "16:00")',
    ],
  ],
  [
    "rebalance: {schedule_et: 1555}",
    ["1:26 rebalance.schedule_et: must be text (is 1555); put it in quotes"],
  ],
  [
    "ibkr: {start: 2023-02-29}",
    ['1:15 ibkr.start: must be a date of the form 2015-01-31 (is the text "2023-02-29")'],
  ],
  ["ibkr: {end: 2015}", ["1:13 ibkr.end: must be a date of the form 2015-01-31 (is 2015)"]],
  [
    "ibkr:\n  start: 2024-02-03\n  end: 2024-02-02\n",
    [
      "3:8 ibkr.end: the end (2024-02-02) must not be before the start (2024-02-03); ibkr.start comes from config/config.yaml:2:10",
    ],
  ],
  // impossible together
  [
    "features:\n  ema_fast: 60\n",
    [
      "2:13 features.ema_fast: ema_fast (60) must be below ema_slow (50); features.ema_slow is at its default",
    ],
  ],
  [
    "features:\n  ema_slow: 20\n",
    [
      "2:13 features.ema_slow: ema_fast (20) must be below ema_slow (20); features.ema_fast is at its default",
    ],
  ],
  [
    "features:\n  macd:\n    fast: 26\n",
    ["3:11 features.macd.fast: fast (26) must be below slow (26); features.macd.slow is at its default"],
  ],
  [
    "walkforward:\n  reoptimize:\n    ema_slow: [10, 5]\n",
    [
      "3:15 walkforward.reoptimize.ema_slow: no ema_fast of the grid is below any ema_slow, so there is nothing to try; walkforward.reoptimize.ema_fast is at its default",
    ],
  ],
  [
    "walkforward:\n  reoptimize:\n    vol_window: [20, 1]\n    cash_buffer: 0.1\n",
    [
      "3:22 walkforward.reoptimize.vol_window[1]: must be at least 2 (is 1)",
      "4:18 walkforward.reoptimize.cash_buffer: must be a list (is 0.1); write [0.1]",
    ],
  ],
  [
    "walkforward: {reoptimize: {top_n: [], corr_cap: [0.5, 1.5]}}",
    [
      "1:35 walkforward.reoptimize.top_n: must have at least one value (is an empty list)",
      "1:55 walkforward.reoptimize.corr_cap[1]: must be at most 1 (is 1.5)",
    ],
  ],
  [
    "execution:\n  live: true\n",
    ["2:9 execution.live: live trading needs ibkr.account_live; ibkr.account_live is at its default"],
  ],
  [
    "ibkr: {account_live: DUK200445}",
    [
      "1:22 ibkr.account_live: the live and the paper account must not be the same (DUK200445); ibkr.account_paper is at its default",
    ],
  ],
  // YAML itself
  ["weights:\n\tcash_buffer: 0.1\n", ["2:1: is indented with a tab; indent with spaces"]],
  [
    "costs: {slippage_bps: 1}\ncosts: {slippage_bps: 2}\n",
    ["2:1 costs: stands twice (first on line 1); keep one of them"],
  ],
  [
    "weights:\n  cash_buffer: 0.1\n  cash_buffer: 0.2\n",
    ["3:3 weights.cash_buffer: stands twice (first on line 2); keep one of them"],
  ],
  [
    "weights:\n  cash_buffer: 0.1\n method: equal\n",
    ["3:1: is not indented like the lines it belongs to, or a bracket before it is not closed"],
  ],
  [
    'ibkr: {host: "local}\n',
    [expect.stringMatching(/^\d:\d+: ends before a bracket or a quote is closed$/) as unknown as string],
  ],
  [
    "universe: &all [SPY]\nbacktest: {seed: *all}\n",
    [
      "2:18 backtest.seed: *all refers to another value; write the value itself",
      expect.stringMatching(/^2:18 backtest\.seed: must be a number/) as unknown as string,
    ],
  ],
  [
    "weights: {cash_buffer: !percent 5}\n",
    ["1:24: has a tag (`!…`) that means nothing here; remove the tag"],
  ],
  ["universe: [SPY]\n---\nuniverse: [TLT]\n", ["2:1: starts a second document; remove the line `---`"]],
];

describe("a mistake in a file is told with line, column and what was probably meant", () => {
  it.each(mistakes)("%j", (text, expected) => {
    const told = complaints(configText(text));
    expect(told.map((line) => line.replace(/^config\/config\.yaml:/, ""))).toEqual(expected);
  });

  it("also where brackets are nested so deeply that nothing can read them", () => {
    expect(complaints(configText(`universe: ${"[".repeat(9000)}${"]".repeat(9000)}`))).toEqual([
      expect.stringMatching(/^config\/config\.yaml:1:\d+: is nested too deeply$/),
    ]);
  });
});

describe("mistakes elsewhere", () => {
  it.each([
    ["selection.top_n", "--set selection.top_n: must be KEY=VALUE; for instance --set selection.top_n=1"],
    ["=3", "--set =***: must be KEY=VALUE; for instance --set selection.top_n=1"],
    [
      "weights..cash_buffer=1",
      "--set weights..cash_buffer=1: must be KEY=VALUE; for instance --set selection.top_n=1",
    ],
    ["weights.cash_buffer=2", "--set weights.cash_buffer=2: must be less than 1 (is 2)"],
    ["weights.cash_bufer=0", "--set weights.cash_bufer=0: is not a setting; did you mean cash_buffer?"],
    ["top_n=1", "--set top_n=1: is not a setting; did you mean selection.top_n?"],
    [
      "weights={cash_buffer: 2}",
      "--set weights={cash_buffer: 2} weights.cash_buffer: must be less than 1 (is 2)",
    ],
    [
      "universe=SPY,TLT",
      '--set universe=SPY,TLT: must be a list of symbols, the name of a list, or a file of symbols (is the text "SPY,TLT"); write [SPY, TLT]',
    ],
    ["universe=[SPY", "--set universe=[SPY: ends before a bracket or a quote is closed"],
    ["universe.0=SPY", "--set universe.0=SPY universe: must be a list (is a section of keys)"],
    ["selection.top_n=", "--set selection.top_n=: must be a number (is empty); leave it out for the default"],
    [
      "features.ema_fast=50",
      "--set features.ema_fast=50: ema_fast (50) must be below ema_slow (50); features.ema_slow is at its default",
    ],
  ])("flag %s", (override, expected) => {
    expect(complaints({ overrides: [override] })).toEqual([expected]);
  });

  it.each([
    [{ IB_PORT: "tws" }, 'environment IB_PORT ibkr.port: must be a number (is the text "tws")'],
    [
      { IB_ACCOUNT_PAPER: "DU 1" },
      'environment IB_ACCOUNT_PAPER ibkr.account_paper: must be an account id of letters and digits (is the text "DU 1")',
    ],
    [
      { PF_WEIGHTS__CASH_BUFER: "1" },
      "environment PF_WEIGHTS__CASH_BUFER weights.cash_bufer: is not a setting; did you mean cash_buffer?",
    ],
    [
      { PF_FEATURES__MACD__FAST: "99" },
      "environment PF_FEATURES__MACD__FAST features.macd.fast: fast (99) must be below slow (26); features.macd.slow is at its default",
    ],
    [
      { PF_UNIVERSE: "SPY" },
      'environment PF_UNIVERSE universe: must be a list of symbols, the name of a list, or a file of symbols (is the text "SPY"); write [SPY]',
    ],
  ])("environment %j", (env, expected) => {
    expect(complaints({ env })).toEqual([expected]);
  });

  it.each([
    ["# ours\nexport IB_PORT = 99999\n", [".env:2:18 ibkr.port: must be at most 65535 (is 99999)"]],
    ["IB_HOST=a\r\nIB_PORT 7497\r\n", [".env:2:1: is not of the form NAME=value; start comments with #"]],
    ["IB_PORT=1\nIB_PORT='x'\n", ['.env:2:9 ibkr.port: must be a number (is the text "x")']],
    [
      'OTHER_KEY="line one\nline two"\nIB_PORT=x\n',
      ['.env:3:9 ibkr.port: must be a number (is the text "x")'],
    ],
    ["FOREIGN=anything: [\nIB_ACCOUNT_LIVE=\n", []],
  ])(".env %j", (text, expected) => {
    expect(complaints({ dotenv: { path: ".env", text } })).toEqual(expected);
  });

  it("are told all at once over all sources, file by file and line by line, even in values that a stronger source replaces", () => {
    const told = complaints({
      config: { path: "config/config.yaml", text: "wieghts: {}\nselection:\n  top_n: two\n  corr_cap: 3\n" },
      local: { path: "config/config.local.yaml", text: "selection: {top_n: 1}\nfeatures: {ema_fast: 60}\n" },
      dotenv: { path: ".env", text: "IB_PORT=x" },
      env: { IB_CLIENT_ID: "-1" },
      overrides: ["backtest.seed=x"],
    });
    expect(told.map((line) => line.split(": ")[0])).toEqual([
      "config/config.yaml:1:1 wieghts",
      "config/config.yaml:3:10 selection.top_n",
      "config/config.yaml:4:13 selection.corr_cap",
      "config/config.local.yaml:2:22 features.ema_fast",
      ".env:1:9 ibkr.port",
      "environment IB_CLIENT_ID ibkr.client_id",
      "--set backtest.seed=x",
    ]);
  });

  it("draw no conclusion from a value that cannot be used, or beside a file that cannot be read", () => {
    expect(complaints(configText("features: {ema_fast: 60, ema_slow: x}"))).toHaveLength(1);
    expect(complaints(configText("features: [ema_slow]\nibkr: {end: 2001-01-01}"))).toHaveLength(2);
    expect(complaints({ ...configText("a: [1"), overrides: ["features.ema_fast=60"] })).toHaveLength(1);
  });

  it("draw a conclusion from a usable value over one that cannot be used", () => {
    const sources = {
      ...configText("features: {ema_fast: x}"),
      local: { path: "l.yaml", text: "features: {ema_fast: 60}" },
    };
    expect(complaints(sources).map((line) => line.split(": ")[0])).toEqual([
      "config/config.yaml:1:22 features.ema_fast",
      "l.yaml:1:22 features.ema_fast",
    ]);
  });

  it("blame the setting whose source is strongest for an impossible combination", () => {
    const sources = {
      ...configText("features:\n  ema_fast: 30\n"),
      local: { path: "l.yaml", text: "features:\n  ema_slow: 25\n" },
    };
    expect(complaints(sources)).toEqual([
      "l.yaml:2:13 features.ema_slow: ema_fast (30) must be below ema_slow (25); features.ema_fast comes from config/config.yaml:2:13",
    ]);
  });

  it("name the symbol nobody knows, and the nearest that is known", () => {
    expect(complaints(configText("universe: [SPY, TTL]"), { symbols: ["SPY", "TLT"] })).toEqual([
      'config/config.yaml:1:17 universe[1]: is not a known symbol (is the text "TTL"); did you mean TLT?',
    ]);
  });

  it("carry their facts beside the words", () => {
    try {
      resolveConfig(configText("weights:\n  cash_bufer: 1\n"));
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({
        name: "ConfigError",
        code: "PF_CONFIG",
        issues: [
          {
            file: "config/config.yaml",
            line: 2,
            column: 3,
            key: "weights.cash_bufer",
            message: "is not a setting",
            hint: "did you mean cash_buffer?",
          },
        ],
      });
    }
  });
});

describe("parameters of overlays", () => {
  const known: KnownNames = {
    overlays: ["calm"],
    overlayProblems: ({ name, belowDays, ...others }, universe) => [
      ...(belowDays === undefined
        ? [{ parameter: "belowDays", problem: "is missing: it must be a number" }]
        : typeof belowDays === "number"
          ? []
          : [{ parameter: "belowDays", problem: "must be a number" }]),
      ...Object.entries(others).map(([parameter, value]) =>
        parameter === "symbol"
          ? {
              parameter,
              problem: universe.includes(String(value)) ? "must not be one" : "must be of the universe",
            }
          : { parameter, problem: `is no parameter of ${name}` },
      ),
    ],
  };
  it("are told where they stand, in the words of whoever knows the overlay", () => {
    const text =
      "universe: [TLT]\noverlays:\n  - {name: calm, below_days: many}\n  - name: calm\n    bellow_days: 5\n    symbol: SPY\n";
    expect(
      complaints(configText(text), known).map((line) => line.replace("config/config.yaml:", "")),
    ).toEqual([
      '3:30 overlays[0].below_days: must be a number (is the text "many")',
      "4:5 overlays[1].below_days: is missing: it must be a number",
      "5:5 overlays[1].bellow_days: is no parameter of calm",
      '6:13 overlays[1].symbol: must be of the universe (is the text "SPY")',
    ]);
  });
  it("are judged in the strongest list, with the universe that counts, and not at all beside a mistake in either", () => {
    const overlays = "overlays: [{name: calm, below_days: 5, symbol: SPY}]";
    expect(complaints({ ...configText(overlays), overrides: ["universe=[TLT]"] }, known)).toEqual([
      'config/config.yaml:1:48 overlays[0].symbol: must be of the universe (is the text "SPY")',
    ]);
    expect(
      complaints({ ...configText("overlays: [{name: calm}]"), overrides: ["overlays=[]"] }, known),
    ).toEqual([]);
    expect(complaints({ ...configText(overlays), overrides: ["universe=[spy]"] }, known)).toHaveLength(1);
    expect(complaints(configText("overlays: [{name: clam, below_days: 5}]"), known)).toHaveLength(1);
    expect(complaints({ overrides: ["overlays=[{name: calm}]"] }, known)).toEqual([
      "--set overlays=[{name: calm}] overlays[0].below_days: is missing: it must be a number",
    ]);
  });
  it("are taken as they come where nobody knows the overlays", () => {
    expect(
      resolveConfig(configText("overlays: [{name: calm}]"), { overlays: ["calm"] }).config.overlays,
    ).toHaveLength(1);
  });
});

describe("a warning is given, and nothing refused, when", () => {
  it.each([
    ["selection: {top_n: 10}", "1:20 selection.top_n: top_n (10) is more than the universe has symbols (9)"],
    ["universe: [SPY, TLT]", "1:11 universe: top_n 3 is more than the universe has symbols (2)"],
    [
      "weights: {max_weight_per_asset: 0.1}",
      "1:33 weights.max_weight_per_asset: 2 × 0.1 can never reach the 95 % to invest: at least 80 % stays cash",
    ],
    [
      "weights: {cash_buffer: 0.6}",
      "1:24 weights.cash_buffer: the cap of 50 % is never reached: cash_buffer leaves 40 % to invest",
    ],
    [
      "walkforward: {reoptimize: {ema_fast: [10, 45]}}",
      "1:38 walkforward.reoptimize.ema_fast: 1 of 6 pairs have ema_fast at or above ema_slow and cannot be tried",
    ],
    [
      "execution: {order_type: LMT}",
      "1:25 execution.order_type: limit prices need live quotes, and ibkr.market_mode is delayed: trade will order nothing",
    ],
    [
      "weights: {covariance: ledoit_wolf}",
      "1:23 weights.covariance: nobody looks at covariances: the method inv_vol does not, and there is no vol_target",
    ],
    ["data: {source: csv}", "1:16 data.source: fetch will need --csv-dir, for data.csv_dir is not set"],
    ["data: {fallback: [csv]}", "1:18 data.fallback: the fallback csv needs data.csv_dir, which is not set"],
    [
      "data: {source: tiingo, fallback: [alpaca, tiingo]}",
      "1:34 data.fallback: tiingo is the source already, so it cannot help itself",
    ],
  ])("%s", (text, expected) => {
    expect(warningsOf(configText(text))).toEqual([expected]);
  });

  it("a variable looks like one of ours but is none", () => {
    expect(warningsOf({ dotenv: { path: ".env", text: "A=1\nIB_PROT=1\n" } })).toEqual([
      "2:9 : IB_PROT is not read",
    ]);
    expect(warningsOf({ env: { IB_SOMETHING_ELSE: "1", PF_HOME: "/", HOME: "/" } })).toEqual([]);
  });

  it("never for caps that only just hold the budget, or for no cap at all", () => {
    for (const text of [
      "weights: {max_weight_per_asset: 0.475}",
      "weights: {max_weight_per_asset: 1, cash_buffer: 0.3}",
      "selection: {top_n: 9}",
    ]) {
      expect(warningsOf(configText(text))).toEqual([]);
    }
  });
});

describe("describeConfig", () => {
  it("tells for every setting its value as one would type it and where it comes from", () => {
    const loaded = resolveConfig({
      local: { path: "config/config.local.yaml", text: "features:\n  ema_fast: 10\n" },
      env: { IB_PORT: "4002" },
      dotenv: { path: ".env", text: "IB_HOST=h" },
      overrides: ["universe=[SPY, TLT]"],
    });
    const rows = new Map(describeConfig(loaded).map((row) => [row.key, row]));
    expect([...rows.keys()]).toEqual(settingNames);
    expect(rows.get("features.ema_fast")).toEqual({
      key: "features.ema_fast",
      value: 10,
      text: "10",
      origin: "config/config.local.yaml:2:13",
    });
    expect(rows.get("ibkr.port")).toMatchObject({ value: 4002, origin: "environment IB_PORT" });
    expect(rows.get("ibkr.host")).toMatchObject({ value: "h", origin: ".env:1:9 IB_HOST" });
    expect(rows.get("universe")).toMatchObject({ text: "[SPY, TLT]", origin: "--set universe=[SPY, TLT]" });
    expect(rows.get("ibkr.end")).toMatchObject({ value: null, text: "null", origin: "default" });
  });

  it("prints values that --set reads back", () => {
    fc.assert(
      fc.property(fc.record(settings), (values) => {
        const { written, origins } = resolveConfig(configText(stringify(nestedValues(values))), known);
        const overrides = describeConfig({ written, origins })
          .filter(({ key }) => !secretSettings.includes(key))
          .map(({ key, text }) => `${key}=${text}`);
        expect(withoutSecrets(resolveConfig({ overrides }, known).written)).toEqual({
          ...written,
          research: { ...written.research, queue: "" },
          page: { ...written.page, token: "" },
          alerts: {
            ...defaults.written.alerts,
            email: written.alerts.email,
            daily_summary: written.alerts.daily_summary,
          },
        });
      }),
      { numRuns: 50 },
    );
    const { written, origins } = resolveConfig(configText('data: { csv_dir: "(\u00a0" }'), known);
    const text = describeConfig({ written, origins }).find(({ key }) => key === "data.csv_dir")!.text;
    expect(resolveConfig({ overrides: [`data.csv_dir=${text}`] }, known).written).toEqual(written);
  });
});

function asVariables(values: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      `PF_${name.toUpperCase().replaceAll(".", "__")}`,
      onOneLine(value),
    ]),
  );
}

function asFlags(values: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(values).map(([name, value]) => `${name}=${onOneLine(value)}`);
}

function onOneLine(value: unknown): string {
  return stringify(value, { collectionStyle: "flow", lineWidth: 0, blockQuote: false }).replace(/\n$/, "");
}
