import { existsSync, readFileSync } from "node:fs";
import { alignPanel, type BarSeries, type Panel, type SessionDate } from "@pf/market";
import type { StrategyOptions } from "@pf/selection";

const root = new URL("../../../../shared/", import.meta.url);

/** Real bars and independent results stand beside the project, where they are at all. */
export const sharedIsThere = existsSync(root);
/** Ends a test's title where they are not, so that a skipped test says why. */
export const whyNot = sharedIsThere
  ? ""
  : " (not run: there is no folder ../shared with bars and expected results)";

export function golden<T>(file: string): T {
  return JSON.parse(readFileSync(new URL(`golden/${file}`, root), "utf8")) as T;
}

/** The configuration blocks of the expected results, in the specification's own keys. */
export interface GoldenConfig {
  readonly universe: readonly string[];
  readonly costs: { readonly commission_per_share: number; readonly slippage_bps: number };
  readonly features: {
    readonly atr_window: number;
    readonly ema_fast: number;
    readonly ema_slow: number;
    readonly macd: {
      readonly enabled: boolean;
      readonly fast: number;
      readonly slow: number;
      readonly signal: number;
    };
  };
  readonly selection: {
    readonly top_n: number;
    readonly corr_window: number;
    readonly corr_cap: number;
    readonly min_score: number;
    readonly incumbents?: "rank" | "keep";
  };
  readonly weights: {
    readonly method: string;
    readonly vol_window: number;
    readonly max_weight_per_asset: number;
    readonly cash_buffer: number;
  };
  readonly rebalance: { readonly min_weight_change: number; readonly lag?: 1 | 2 };
}

/** `{ "selection.top_n": 1 }` put into a configuration block. */
export function overridden(config: GoldenConfig, override: Readonly<Record<string, unknown>>): GoldenConfig {
  const copy = structuredClone(config) as unknown as Record<string, Record<string, unknown>>;
  for (const [path, value] of Object.entries(override)) {
    const keys = path.split(".");
    let place: Record<string, unknown> = copy;
    for (const key of keys.slice(0, -1)) place = place[key] as Record<string, unknown>;
    place[keys.at(-1)!] = value;
  }
  return copy as unknown as GoldenConfig;
}

export function strategyOptions(config: GoldenConfig): StrategyOptions {
  return {
    features: {
      atrWindow: config.features.atr_window,
      emaFast: config.features.ema_fast,
      emaSlow: config.features.ema_slow,
      macd: config.features.macd,
    },
    selection: {
      topN: config.selection.top_n,
      corrWindow: config.selection.corr_window,
      corrCap: config.selection.corr_cap,
      minScore: config.selection.min_score,
      incumbents: config.selection.incumbents ?? "rank",
    },
    weights: {
      method: config.weights.method,
      volWindow: config.weights.vol_window,
      maxWeightPerAsset: config.weights.max_weight_per_asset,
      cashBuffer: config.weights.cash_buffer,
    },
    rebalance: { minWeightChange: config.rebalance.min_weight_change },
  };
}

export const costsOf = ({ costs }: GoldenConfig) => ({
  commissionPerShare: costs.commission_per_share,
  slippageBps: costs.slippage_bps,
});

export const etfs = ["SPY", "QQQ", "VTI", "TLT", "IEF", "GLD", "XLE", "BND", "BITO"] as const;

let real: Panel | undefined;
/** Eleven years of the nine default ETFs. */
export function realPanel(): Panel {
  real ??= alignPanel(etfs.map(readCsv));
  return real;
}

function readCsv(ticker: string): BarSeries {
  const [, ...lines] = readFileSync(new URL(`data/etf-daily/${ticker}.csv`, root), "utf8")
    .trim()
    .split("\n");
  const cells = lines.map((line) => line.split(","));
  const column = (k: number) => Float64Array.from(cells, (row) => Number(row[k]));
  return {
    ticker,
    sessions: cells.map((row) => row[0] as SessionDate),
    open: column(1),
    high: column(2),
    low: column(3),
    close: column(4),
    volume: column(5),
  };
}

export interface GoldenBar {
  readonly date: string;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
}

/** The made-up market of `synthetic.json`, in its universe order. */
export function panelOfBars(
  universe: readonly string[],
  bars: Readonly<Record<string, readonly GoldenBar[]>>,
): Panel {
  return alignPanel(
    universe.map((ticker) => {
      const own = bars[ticker]!;
      const column = (pick: (bar: GoldenBar) => number) => Float64Array.from(own, pick);
      return {
        ticker,
        sessions: own.map((bar) => bar.date as SessionDate),
        open: column((bar) => bar.open),
        high: column((bar) => bar.high),
        low: column((bar) => bar.low),
        close: column((bar) => bar.close),
        volume: column(() => 1000),
      };
    }),
  );
}
