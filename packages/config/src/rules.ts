import { type ConfigIssue, issueAt } from "./errors.js";
import { type Origin, originSources, originText } from "./origin.js";
import type { EffectiveConfig } from "./schema.js";
import type { Written } from "./written.js";

/** The effective value of every setting, before anybody asked whether they fit each other. */
export interface Settled {
  readonly written: EffectiveConfig;
  readonly origins: Readonly<Record<string, Origin>>;
  /** Settings that somebody gave a value that cannot be used. */
  readonly unsure: ReadonlySet<string>;
  /** The list of overlays as somebody wrote it: their parameters have places of their own. */
  readonly overlays?: Written;
  /** Whether every source could be read. */
  readonly isWhole: boolean;
}

interface Rule {
  /** The settings it compares; in case of doubt the first is at fault. */
  readonly settings: readonly string[];
  /** What is wrong, in words, or nothing. */
  readonly check: (written: EffectiveConfig) => string | undefined;
}

/** Combinations that no strategy, window or account can have. */
const impossible: readonly Rule[] = [
  {
    settings: ["features.ema_fast", "features.ema_slow"],
    check: ({ features: { ema_fast, ema_slow } }) =>
      ema_fast < ema_slow ? undefined : `ema_fast (${ema_fast}) must be below ema_slow (${ema_slow})`,
  },
  {
    settings: ["features.macd.fast", "features.macd.slow"],
    check: ({ features: { macd } }) =>
      macd.fast < macd.slow ? undefined : `fast (${macd.fast}) must be below slow (${macd.slow})`,
  },
  {
    settings: ["walkforward.reoptimize.ema_fast", "walkforward.reoptimize.ema_slow"],
    check: ({ walkforward: { reoptimize } }) =>
      Math.min(...reoptimize.ema_fast) < Math.max(...reoptimize.ema_slow)
        ? undefined
        : "no ema_fast of the grid is below any ema_slow, so there is nothing to try",
  },
  {
    settings: ["ibkr.end", "ibkr.start"],
    check: ({ ibkr: { start, end } }) =>
      end === null || start <= end ? undefined : `the end (${end}) must not be before the start (${start})`,
  },
  {
    settings: ["execution.live", "ibkr.account_live"],
    check: ({ execution, ibkr }) =>
      execution.live && ibkr.account_live === "" ? "live trading needs ibkr.account_live" : undefined,
  },
  {
    settings: ["ibkr.account_live", "ibkr.account_paper"],
    check: ({ ibkr: { account_live, account_paper } }) =>
      account_live !== "" && account_live === account_paper
        ? `the live and the paper account must not be the same (${account_live})`
        : undefined,
  },
  {
    settings: ["alerts.email.smtp", "alerts.email.from", "alerts.email.to"],
    check: ({ alerts: { email } }) =>
      email.smtp !== "" && (email.from === "" || email.to.length === 0)
        ? "e-mail needs a sender and somebody who gets it, alerts.email.from and alerts.email.to"
        : undefined,
  },
];

/** Combinations that work, but hardly as their author expects. */
const doubtful: readonly Rule[] = [
  {
    settings: ["selection.top_n", "universe"],
    check: ({ selection: { top_n }, universe }) =>
      top_n > universe.length
        ? `top_n (${top_n}) is more than the universe has symbols (${universe.length})`
        : undefined,
  },
  {
    settings: ["walkforward.reoptimize.top_n", "universe"],
    check: ({ walkforward: { reoptimize }, universe }) => {
      const most = Math.max(...reoptimize.top_n);
      return most > universe.length
        ? `top_n ${most} is more than the universe has symbols (${universe.length})`
        : undefined;
    },
  },
  {
    settings: ["walkforward.reoptimize.ema_fast", "walkforward.reoptimize.ema_slow"],
    check: ({ walkforward: { reoptimize } }) => {
      const pairs = reoptimize.ema_fast.flatMap((fast) => reoptimize.ema_slow.map((slow) => fast < slow));
      const without = pairs.filter((isPossible) => !isPossible).length;
      return without > 0 && without < pairs.length
        ? `${without} of ${pairs.length} pairs have ema_fast at or above ema_slow and cannot be tried`
        : undefined;
    },
  },
  {
    settings: ["weights.max_weight_per_asset", "selection.top_n", "weights.cash_buffer"],
    check: ({ weights: { max_weight_per_asset, cash_buffer }, selection: { top_n } }) => {
      const most = max_weight_per_asset * top_n;
      return most < 1 - cash_buffer - 1e-9
        ? `${top_n} × ${max_weight_per_asset} can never reach the ${percent(1 - cash_buffer)} to invest: at least ${percent(1 - most)} stays cash`
        : undefined;
    },
  },
  {
    settings: ["weights.max_weight_per_asset", "weights.cash_buffer"],
    check: ({ weights: { max_weight_per_asset, cash_buffer } }) =>
      max_weight_per_asset < 1 && max_weight_per_asset > 1 - cash_buffer + 1e-9
        ? `the cap of ${percent(max_weight_per_asset)} is never reached: cash_buffer leaves ${percent(1 - cash_buffer)} to invest`
        : undefined,
  },
  {
    settings: ["weights.covariance", "weights.method", "weights.vol_target"],
    check: ({ weights: { covariance, method, vol_target } }) =>
      covariance !== "sample" && (method === "inv_vol" || method === "equal") && vol_target === null
        ? `nobody looks at covariances: the method ${method} does not, and there is no vol_target`
        : undefined,
  },
  {
    settings: ["execution.order_type", "ibkr.market_mode"],
    check: ({ execution: { order_type }, ibkr: { market_mode } }) =>
      order_type === "LMT" && market_mode !== "live"
        ? `limit prices need live quotes, and ibkr.market_mode is ${market_mode}: trade will order nothing`
        : undefined,
  },
  {
    settings: ["data.source", "data.csv_dir"],
    check: ({ data }) =>
      data.source === "csv" && data.csv_dir === null
        ? "fetch will need --csv-dir, for data.csv_dir is not set"
        : undefined,
  },
  {
    settings: ["data.fallback", "data.csv_dir"],
    check: ({ data }) =>
      data.fallback.includes("csv") && data.csv_dir === null
        ? "the fallback csv needs data.csv_dir, which is not set"
        : undefined,
  },
  {
    settings: ["data.fallback", "data.source"],
    check: ({ data: { source, fallback } }) =>
      (fallback as readonly string[]).includes(source)
        ? `${source} is the source already, so it cannot help itself`
        : undefined,
  },
];

/** What makes the configuration unusable, each at the setting that was written last. */
export function brokenRules(settled: Settled): readonly ConfigIssue[] {
  return impossible.flatMap((rule) => verdict(rule, settled));
}

/** What is worth a warning. */
export function doubts(settled: Settled): readonly ConfigIssue[] {
  return doubtful.flatMap((rule) => verdict(rule, settled));
}

function verdict({ settings, check }: Rule, { written, origins, unsure }: Settled): readonly ConfigIssue[] {
  if (settings.some((name) => unsure.has(name))) return [];
  const message = check(written);
  if (message === undefined) return [];
  const [culprit, ...others] = strongestFirst(settings, origins);
  const hints = others.map((name) => whence(name, origins[name]!));
  return [issueAt(origins[culprit!]!, culprit!, message, hints.join(", "))];
}

function whence(name: string, origin: Origin): string {
  return origin.source === "default"
    ? `${name} is at its default`
    : `${name} comes from ${originText(origin)}`;
}

/** The setting whose source is strongest, for that one was written in view of the others. */
function strongestFirst(
  settings: readonly string[],
  origins: Readonly<Record<string, Origin>>,
): readonly string[] {
  const strength = (name: string) => originSources.indexOf(origins[name]!.source);
  return [...settings].sort((a, b) => strength(b) - strength(a));
}

function percent(fraction: number): string {
  return `${Number((fraction * 100).toFixed(2))} %`;
}
