import type { Metrics } from "@pf/backtest";
import type { GridKey } from "@pf/research";
import * as z from "zod";
import { defaultUniverse, symbolLists } from "./symbol-lists.js";

/** Metrics that may be reported or optimised, as `metrics.json` names them. */
export const metricNames = [
  "CAGR",
  "Sharpe",
  "Sortino",
  "Calmar",
  "MaxDD",
  "AnnualVol",
  "PF",
  "Turnover",
  "TurnoverAnnual",
  "RebalanceDays",
  "RebalancesPerMonth",
  "FinalEquity",
] as const satisfies readonly (keyof Metrics)[];

// A symbol names a file in the cache and a column in reports, so it is one word that every file system takes.
const symbol = z.string().regex(/^[A-Z0-9]+(?:[.-][A-Z0-9]+)*$/, {
  error: "must be a symbol in capital letters such as SPY or BRK-B",
});

const civilDate = z.iso.date({ error: "must be a date of the form 2015-01-31" });

const accountId = z
  .string()
  .regex(/^[A-Za-z0-9]*$/, { error: "must be an account id of letters and digits" });

const timeOfDay = z
  .string()
  .regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, { error: "must be a time HH:MM in New York, in quotes", abort: true })
  .refine((time) => time >= "09:30" && time <= "15:59", {
    error: "must be while the market is open, 09:30 to 15:59 in New York",
  });

/** A list in which nothing stands twice; the second mention is the one at fault. */
function uniqueList<Item extends z.ZodType>(item: Item, least: 0 | 1 = 1) {
  const list = z.array(item);
  return (least === 0 ? list : list.min(least)).meta({ uniqueItems: true }).superRefine(
    (values, context) => {
      values.forEach((value, index) => {
        if (values.indexOf(value) !== index) {
          context.addIssue({
            code: "custom",
            path: [index],
            message: "stands twice in the list",
            input: value,
          });
        }
      });
    },
    // Also where some value is wrong, so that everything is told at once.
    { when: ({ value }) => Array.isArray(value) },
  );
}

const bars = () => z.int().min(1).max(5000);
const seed = () => z.int().min(0);
const fraction = () => z.number().min(0).max(1);
const topN = () => z.int().min(1);
const corrCap = fraction;
const window = () => z.int().min(2).max(5000);
const weightCap = () => z.number().gt(0).max(1);
const cashBuffer = () => z.number().min(0).lt(1);

/** A key of the grid that keeps its configured value unless somebody writes a list. */
function notTried(item: z.ZodType<number>) {
  return uniqueList(item).nullable().default(null);
}

const macd = z.strictObject({
  enabled: z.boolean().default(false).describe("Whether a symbol must also have its MACD line above 0."),
  fast: bars().default(12).describe("Span of the fast average; below slow."),
  slow: bars().default(26).describe("Span of the slow average."),
  signal: bars().default(9).describe("Span of the signal line."),
});

const reoptimize = z.strictObject({
  ema_fast: uniqueList(bars()).default([10, 20, 30]).describe("Values of features.ema_fast to try."),
  ema_slow: uniqueList(bars()).default([40, 50, 80]).describe("Values of features.ema_slow to try."),
  top_n: uniqueList(topN()).default([1, 2, 3]).describe("Values of selection.top_n to try."),
  corr_cap: uniqueList(corrCap()).default([0.6, 0.7, 0.8]).describe("Values of selection.corr_cap to try."),
  atr_window: notTried(bars()).describe(
    "Values of features.atr_window to try; null keeps the configured one.",
  ),
  corr_window: notTried(window()).describe("Values of selection.corr_window to try, or null."),
  min_score: notTried(z.number()).describe("Values of selection.min_score to try, or null."),
  vol_window: notTried(window()).describe("Values of weights.vol_window to try, or null."),
  max_weight_per_asset: notTried(weightCap()).describe(
    "Values of weights.max_weight_per_asset to try, or null.",
  ),
  cash_buffer: notTried(cashBuffer()).describe("Values of weights.cash_buffer to try, or null."),
  min_weight_change: notTried(fraction()).describe("Values of rebalance.min_weight_change to try, or null."),
}) satisfies z.ZodType<Readonly<Record<GridKey, readonly number[] | null>>>;

const ibkr = z.strictObject({
  host: z
    .string()
    .min(1)
    .default("127.0.0.1")
    .describe("Where TWS or IB Gateway runs. Environment: IB_HOST."),
  port: z
    .int()
    .min(1)
    .max(65535)
    .default(7497)
    .describe("7497 TWS paper, 7496 TWS live, 4002 Gateway paper, 4001 Gateway live. Environment: IB_PORT."),
  client_id: z
    .int()
    .min(0)
    .max(2147483647)
    .default(17)
    .describe("Any number that no other program on the same TWS uses. Environment: IB_CLIENT_ID."),
  account_paper: accountId
    .default("DUK200445")
    .describe(
      "The only account that --paper routes to, and only if the connected session manages it. Environment: IB_ACCOUNT_PAPER.",
    ),
  account_live: accountId
    .default("")
    .describe("The account that --live routes to; empty means none. Environment: IB_ACCOUNT_LIVE."),
  market_mode: z
    .enum(["live", "delayed", "delayedFrozen"])
    .default("delayed")
    .describe(
      "live | delayed | delayedFrozen. live needs market data subscriptions; delayed is 15 to 20 minutes old.",
    ),
  timeframe: z
    .enum(["1 day", "1 hour"])
    .default("1 day")
    .describe(
      "1 day | 1 hour. Hourly bars are for research: fetch (ibkr, synthetic), backtest, walkforward, permute and weights. All windows below count bars, so 20 is then 20 hours; walk-forward windows stay years and months. Trade, the worker, replay and the account engine refuse them.",
    ),
  start: civilDate
    .default("2015-01-01")
    .describe("First day to fetch. A backtest's own span is given by its --start and --end."),
  end: civilDate.nullable().default(null).describe("Last day to fetch; null means up to now."),
});

const data = z.strictObject({
  source: z
    .enum(["ibkr", "csv", "synthetic", "tiingo", "alpaca"])
    .default("ibkr")
    .describe(
      "ibkr | csv | synthetic | tiingo | alpaca. Where fetch takes bars from; everything else reads the cache. The last two are services with keys of their own, which are read from the environment or .env only: TIINGO_API_KEY; APCA_API_KEY_ID and APCA_API_SECRET_KEY.",
    ),
  fallback: uniqueList(z.enum(["ibkr", "csv", "tiingo", "alpaca"]), 0)
    .default([])
    .describe(
      "Sources to try, in this order, for a symbol that the source does not have; [] means none. Bars of two sources never share a file: a symbol stays with the source it was first fetched from.",
    ),
  csv_dir: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe(
      "Folder of SYMBOL.csv (adjusted prices) and optional SYMBOL.trades.csv (real prices) for source csv, seen from the folder the command is typed in.",
    ),
  synthetic: z
    .strictObject({
      seed: seed().default(42).describe("The same seed makes the same market."),
    })
    .prefault({})
    .describe(
      "A made-up market of correlated symbols with changing regimes, for trying everything without a broker.",
    ),
});

const rebalance = z.strictObject({
  schedule_et: timeOfDay
    .default("15:55")
    .describe(
      "HH:MM in New York on a normal day. It keeps its distance to the close: 15:55 means 12:55 when the market closes at 13:00.",
    ),
  frequency: z.enum(["daily"]).default("daily").describe("daily: one rebalance a session at most."),
  min_weight_change: fraction()
    .default(0.05)
    .describe(
      "No-trade band: targets stay as they are unless a weight moves by more than this or the names change. 0 is the specification's literal rule; with selection.incumbents keep, 0.05 trades on about 4 days a month.",
    ),
  decision_bar: z
    .enum(["provisional", "last_complete"])
    .default("provisional")
    .describe(
      "provisional | last_complete. Which bar decides: today's unfinished one (the backtest lags 1 bar), or yesterday's (the backtest then lags 2 as well).",
    ),
});

const costs = z.strictObject({
  commission_per_share: z
    .number()
    .min(0)
    .default(0.0035)
    .describe("Commission, in dollars a share, in the bars engine and on the plan per_share."),
  commission_plan: z
    .enum(["per_share", "ibkr_tiered", "ibkr_fixed"])
    .default("per_share")
    .describe(
      "per_share | ibkr_tiered | ibkr_fixed. What an order costs in the account engine and in the plan of trade: commission_per_share alone; 0.0035 a share, at least 0.35 and at most 1 % of the order; 0.005 a share, at least 1.00 and at most 1 %.",
    ),
  slippage_bps: z
    .number()
    .min(0)
    .max(10_000)
    .default(1)
    .describe("Basis points of the traded notional, on every change of a weight."),
});

const features = z.strictObject({
  atr_window: bars().default(20).describe("Bars of Wilder's average true range, which scales the score."),
  ema_fast: bars()
    .default(20)
    .describe(
      "Span in bars of the fast average: the score's anchor, and the exit when the close is below it. Below ema_slow.",
    ),
  ema_slow: bars()
    .default(50)
    .describe("Span in bars of the slow average; only symbols with fast above slow are held."),
  macd: macd.prefault({}).describe("An optional second gate."),
});

const selection = z.strictObject({
  score: z
    .string()
    .min(1)
    .default("trend")
    .meta({ examples: ["trend"] })
    .describe(
      "Name of the score that ranks the symbols. trend: distance from the fast average in units of ATR. One of your own: ./my-score.js#name, seen from this file.",
    ),
  top_n: topN().default(2).describe("How many symbols to hold at most."),
  corr_window: window().default(90).describe("Daily returns that the rolling correlation looks at."),
  corr_cap: corrCap().default(0.7).describe("Largest |correlation| allowed between any two holdings."),
  min_score: z.number().default(0).describe("Smallest score that may be held."),
  incumbents: z
    .enum(["keep", "rank"])
    .default("keep")
    .describe(
      "keep | rank. keep: a name held stays while it is eligible and within the correlation cap, and ranking fills the free places. rank: everything is ranked afresh every day, the specification's literal rule, which trades on more than 8 days a month.",
    ),
});

const weights = z.strictObject({
  method: z
    .string()
    .min(1)
    .default("inv_vol")
    .meta({ examples: ["inv_vol", "equal", "erc", "hrp", "min_var"] })
    .describe(
      "inv_vol | equal | erc | hrp | min_var. How the budget is shared among the selected symbols: by 1 / volatility, equally, by equal contributions to risk, by hierarchical risk parity, or with the least variance, which may leave a symbol out. One of your own: ./my-weighting.js#name, seen from this file.",
    ),
  vol_window: window().default(20).describe("Daily returns of the volatility that inv_vol divides by."),
  covariance: z
    .enum(["sample", "ledoit_wolf"])
    .default("sample")
    .describe(
      "sample | ledoit_wolf. Covariances for erc, hrp, min_var and vol_target, of the last selection.corr_window returns; ledoit_wolf shrinks them towards equal correlations, which changes nothing for two symbols.",
    ),
  vol_target: z
    .number()
    .gt(0)
    .nullable()
    .default(null)
    .describe(
      "Volatility a year, such as 0.10, above which all weights are scaled down to it and the rest is cash; never scaled up. What counts is the volatility that the capped weights would have had in the last selection.corr_window returns, times √252. null means no target.",
    ),
  max_weight_per_asset: weightCap()
    .default(0.5)
    .describe(
      "Largest weight of one symbol; what no symbol may take stays cash, so one name alone gets the cap.",
    ),
  cash_buffer: cashBuffer().default(0.05).describe("Fraction of equity that is never invested."),
});

const overlay = z.looseObject({ name: z.string().min(1) });

const backtest = z.strictObject({
  seed: seed()
    .default(42)
    .describe("Seed of everything random in research: the same seed gives the same results."),
  initial_cash: z.number().gt(0).default(25_000).describe("Dollars that the account engine starts with."),
  metrics: uniqueList(z.enum(metricNames))
    .default(["CAGR", "Sharpe", "Calmar", "MaxDD", "PF", "Turnover"])
    .describe("What the summary shows, in this order; metrics.json always has all of them."),
});

const walkforward = z.strictObject({
  train_years: z.int().min(1).max(50).default(3).describe("Calendar years to choose parameters on."),
  oos_months: z
    .int()
    .min(1)
    .max(600)
    .default(3)
    .describe("Calendar months after it to apply them to; the windows step by the same span."),
  reoptimize: reoptimize
    .prefault({})
    .describe(
      "The grid: every combination is tried. One value keeps a parameter fixed. Ties go to the first combination.",
    ),
});

const permutation = z.strictObject({
  runs: z.int().min(1).default(200).describe("Permuted markets for each train window."),
  objective: z
    .enum(metricNames)
    .default("Calmar")
    .describe(
      "What is optimised in train windows. MaxDD, turnover and rebalances are made small, the others large.",
    ),
});

const execution = z.strictObject({
  live: z
    .boolean()
    .default(false)
    .describe(
      "First of the locks of live trading; --live also needs ibkr.account_live and the account id typed.",
    ),
  order_type: z
    .enum(["MKT", "LMT"])
    .default("MKT")
    .describe("MKT | LMT. LMT needs a live bid and ask: with delayed quotes trade refuses it."),
  limit_offset_bps: z
    .number()
    .min(0)
    .max(1000)
    .default(2)
    .describe("LMT prices are the middle of bid and ask, plus this for buys, less this for sells."),
  max_orders_per_day: z
    .int()
    .min(1)
    .default(5)
    .describe("Sells first, then the largest buys; what does not fit waits for the next session."),
  min_notional: z
    .number()
    .min(0)
    .max(1_000_000)
    .multipleOf(0.01)
    .default(25)
    .describe("Dollars; a buy, or a sale that keeps some shares, that is worth less is left alone."),
  quantity: z
    .enum(["auto", "whole", "fractional"])
    .default("auto")
    .describe(
      "auto | whole | fractional. The TWS API refuses fractional ETF orders today: auto asks once and falls back to whole shares (rounded down), whole never asks, fractional refuses to trade where it is not possible.",
    ),
});

const risk = z.strictObject({
  max_drawdown: z
    .number()
    .gt(0)
    .lt(1)
    .nullable()
    .default(null)
    .describe(
      "Fall of account equity from its peak, as a fraction, at which trading brakes; null means no brake.",
    ),
  max_daily_loss: z
    .number()
    .gt(0)
    .lt(1)
    .nullable()
    .default(null)
    .describe(
      "Loss since the session before, as a fraction of equity, at which trading brakes; null means no brake.",
    ),
  on_brake: z
    .enum(["halt", "reduce_only"])
    .default("halt")
    .describe(
      "halt | reduce_only. A brake stops everything until `pf resume`, or stops buys and lets sales pass.",
    ),
  max_price_move: z
    .number()
    .gt(0)
    .max(1)
    .default(0.2)
    .describe(
      "Largest distance of a price from the last close, as a fraction of it; farther away nothing is traded, for it may be a split or a wrong price.",
    ),
});

const compliance = z.strictObject({
  settled_cash: z
    .enum(["strict", "permissive"])
    .default("strict")
    .describe(
      "strict | permissive. strict: only settled cash buys. permissive: proceeds that have not settled too, which is lawful as long as nothing bought with them is sold before they settle; never while the account is restricted.",
    ),
  broker_end_of_day: z
    .boolean()
    .default(true)
    .describe(
      "Whether to keep to the broker's check at the end of the day: no share is sold before its purchase settles. One breach restricts the account for 90 days.",
    ),
  day_trades: z
    .enum(["warn", "block", "off"])
    .default("warn")
    .describe(
      "warn | block | off. The pattern-day-trader rule never applied to cash accounts and was replaced in 2026: counting day trades is house policy.",
    ),
});

/** What opens something to whoever reads it: shown nowhere, not even in an error. Empty where there is none. */
function secret(
  description: string,
  check?: { readonly passes: (text: string) => boolean; readonly error: string },
) {
  const text = check
    ? z.string().refine((value) => value === "" || check.passes(value), { error: check.error })
    : z.string();
  return text.default("").describe(description).meta({ secret: true });
}

function address(protocol: RegExp, error: string, isWhole: (url: URL) => boolean = () => true) {
  const passes = (text: string) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    return url !== undefined && protocol.test(url.protocol) && url.hostname !== "" && isWhole(url);
  };
  return { passes, error };
}

const webAddress = address(/^https?:$/, "must be an address that begins with https:// or http://");

/** One address, perhaps with a name before it; nothing in it can end a line of a mail's head. */
const mailAddress = /^[^\p{Cc}<>]*<[^\s<>@,;:]+@[^\s<>@,;:/]+>$|^[^\s<>@,;:]+@[^\s<>@,;:/]+$/u;
const mailAddressExpected = "must be an e-mail address such as pf@example.org";

const research = z.strictObject({
  executor: z
    .enum(["threads", "inline", "bullmq"])
    .default("threads")
    .describe(
      "threads | inline | bullmq. Where the units of walkforward and permute run: on this machine's cores, in one thread, or on the workers of a queue. The results are the same bytes.",
    ),
  queue: secret(
    "Address of the queue for executor bullmq, such as redis://127.0.0.1:6379; a password in it stays secret.",
  ),
});

const page = z.strictObject({
  host: z
    .string()
    .min(1)
    .default("127.0.0.1")
    .describe("Address the worker's page listens on. Anything but loopback takes a token."),
  port: z
    .int()
    .min(0)
    .max(65535)
    .default(8321)
    .describe("Port of the page; 0 lets the system choose one, and the worker says which."),
  token: secret(
    "What a reader of the page has to know, at least 16 characters; halting and resuming take one on any address.",
    { passes: (text) => text.length >= 16, error: "must have at least 16 characters" },
  ),
});

const email = z.strictObject({
  smtp: secret(
    "Mail server, such as smtps://user:password@mail.example.org (special characters of either as %40 and so on); empty means no e-mail.",
    address(/^smtps?:$/, "must be an address that begins with smtps:// or smtp://"),
  ),
  from: z
    .string()
    .refine((text) => text === "" || mailAddress.test(text), { error: mailAddressExpected })
    .default("")
    .describe("Sender of alarms."),
  to: z
    .array(z.string().regex(mailAddress, { error: mailAddressExpected }))
    .default([])
    .describe("Who gets alarms."),
});

const alerts = z.strictObject({
  webhook: secret(
    "Address that takes alarms as JSON by POST, as Slack, Discord and Mattermost do; empty means none.",
    webAddress,
  ),
  ntfy: secret(
    "Topic of ntfy, such as https://ntfy.sh/a-name-nobody-guesses; empty means none.",
    address(
      /^https?:$/,
      "must be the address of a topic, such as https://ntfy.sh/a-name-nobody-guesses",
      ({ pathname }) => pathname !== "/",
    ),
  ),
  ntfy_token: secret("Access token of a protected topic.", {
    passes: (text) => /^[\x21-\x7e]+$/.test(text),
    error: "must be one word of ASCII characters",
  }),
  email: email.prefault({}).describe("Alarms by e-mail."),
  ping: secret(
    "Address the worker calls while all is well, so that somebody notices when it no longer does; with /fail at its end where something is wrong. Empty means none.",
    webAddress,
  ),
  daily_summary: z.boolean().default(true).describe("Whether a message is sent after every session."),
});

/** The whole of `config.yaml`: every section and key may be left out. Unknown keys are errors. */
export const ConfigFile = z.strictObject({
  ibkr: ibkr.prefault({}).describe("The connection to Interactive Brokers, and what is fetched."),
  universe: uniqueList(symbol)
    .default(defaultUniverse)
    .describe(
      `The symbols to choose from, any liquid ETFs. Ties go to the one that stands first. Or the name of a list (${Object.keys(symbolLists).join(", ")}), or a file of symbols (.txt, .csv, .yaml) seen from the folder of this one.`,
    ),
  data: data.prefault({}).describe("Where bars come from."),
  rebalance: rebalance
    .prefault({})
    .describe("When to decide, on which bar, and when a change is worth trading."),
  costs: costs.prefault({}).describe("What trading costs in the backtest."),
  features: features.prefault({}).describe("The indicators."),
  selection: selection.prefault({}).describe("What may be held."),
  weights: weights.prefault({}).describe("How much of each."),
  overlays: z
    .array(overlay)
    .default([])
    .describe(
      "Rules that may only lower exposure, in the order in which they are applied; each multiplies all weights by its exposure while it sees reason to. {name: sma_filter, symbol: SPY, window: 200, exposure: 0.5}: SPY closes below its simple average. {name: volatility, symbol: SPY, window: 20, threshold: 0.25, exposure: 0.5}: its volatility a year is above the threshold; symbol: universe takes the mean return of all. {name: breadth, window: 200, threshold: 0.5, exposure: 0.5}: fewer of the symbols are above their average. Symbols are of the universe. What cannot be said yet, for want of bars, counts as reason. One of your own: {name: ./my-overlay.js#name, ...}, seen from this file; what it exports makes the rule from these parameters.",
    ),
  backtest: backtest.prefault({}).describe("The backtest."),
  walkforward: walkforward
    .prefault({})
    .describe("Walk-forward: choose parameters on the past, apply them to what follows."),
  permutation: permutation
    .prefault({})
    .describe("Permutation test: how good does the best of the grid look on shuffled markets?"),
  execution: execution
    .prefault({})
    .describe("How targets become orders. Without --paper or --live nothing is ever sent."),
  risk: risk.prefault({}).describe("Brakes on the real account."),
  compliance: compliance.prefault({}).describe("House rules beyond what a cash account must obey anyway."),
  research: research.prefault({}).describe("Where the work of walkforward and permute is done."),
  page: page.prefault({}).describe("The page that the worker serves."),
  alerts: alerts
    .prefault({})
    .describe(
      "How the worker reaches a person. Secrets are best set in .env, as PF_ALERTS__WEBHOOK and so on.",
    ),
});

/** What a person may write: snake_case, anything left out. */
export type WrittenConfig = Omit<z.input<typeof ConfigFile>, "universe"> & {
  /** A text is the name of a list or a file of symbols; it is replaced by its symbols before anything is checked. */
  readonly universe?: readonly string[] | string;
};

/** What may stand in place of the list of symbols, as JSON Schema. */
export const universeTexts = [
  { enum: Object.keys(symbolLists) },
  { type: "string", pattern: "\\.([tT][xX][tT]|[cC][sS][vV]|[yY][aA]?[mM][lL])$" },
];

/** The complete configuration as it would be written: snake_case, nothing left out. */
export type EffectiveConfig = z.output<typeof ConfigFile>;

/** A section of the file, with its keys in the order of the schema. */
export interface SectionShape {
  readonly description: string;
  readonly keys: ReadonlyMap<string, SectionShape | SettingShape>;
}

/** One setting, a leaf of the file. */
export interface SettingShape {
  readonly description: string;
  /** Whether its value may be shown nowhere. */
  readonly secret: boolean;
}

/** The outline of the file: sections within sections down to settings, as the schema has them. */
export const outline: SectionShape = outlineOf(ConfigFile, "");

/** Every setting by its dotted name (`weights.cash_buffer`), in the order of the schema. */
export const settingNames: readonly string[] = namesIn(outline, "");

export function isSection(shape: SectionShape | SettingShape): shape is SectionShape {
  return "keys" in shape;
}

function outlineOf(object: z.ZodObject, description: string): SectionShape {
  const keys = new Map<string, SectionShape | SettingShape>();
  for (const [key, schema] of Object.entries(object.shape) as [string, z.ZodType][]) {
    const described = schema.description ?? "";
    const inner = schema instanceof z.ZodPrefault ? schema.unwrap() : schema;
    const secret = schema.meta()?.secret === true;
    keys.set(
      key,
      inner instanceof z.ZodObject ? outlineOf(inner, described) : { description: described, secret },
    );
  }
  return { description, keys };
}

function namesIn(section: SectionShape, prefix: string): string[] {
  return [...section.keys].flatMap(([key, shape]) =>
    isSection(shape) ? namesIn(shape, `${prefix}${key}.`) : [`${prefix}${key}`],
  );
}
