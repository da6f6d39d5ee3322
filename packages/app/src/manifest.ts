import { createHash } from "node:crypto";
import type { EffectiveConfig, LoadedConfig } from "@pf/config";
import type { SessionDate, Ticker } from "@pf/market";
import type { JsonObject } from "@pf/report";
import { type MarketData, type SeriesFacts, yearOf } from "./market-data.js";

/** The sections that decide what to hold; no folders, hosts, account ids or worker counts. */
const holdingSections = [
  "universe",
  "rebalance",
  "costs",
  "features",
  "selection",
  "weights",
  "overlays",
  "backtest",
] as const satisfies readonly (keyof EffectiveConfig)[];

/** What else decides what an account comes to. */
const accountSections = [
  "execution",
  "risk",
  "compliance",
] as const satisfies readonly (keyof EffectiveConfig)[];

/** The part of a configuration that decides results; the sections about orders where an account is traded. */
export type DecidingConfig = Pick<EffectiveConfig, (typeof holdingSections)[number]> &
  Partial<Pick<EffectiveConfig, "risk" | "compliance">> & {
    /** Without the lock of live trading, which decides no result. */
    readonly execution?: Omit<EffectiveConfig["execution"], "live">;
    /** SHA-256 of the files of the user's own that settings name, by their names; absent where there are none. */
    readonly modules?: Readonly<Record<string, string>>;
  };

/** A configuration with the hashes of the user's own files that it names. */
export type Deciding = Pick<LoadedConfig, "written"> & {
  readonly modules?: Readonly<Record<string, string>>;
};

/** What a result was made from. Two runs that give the same numbers have equal manifests. */
export interface Manifest {
  readonly version: string;
  readonly command: string;
  readonly seed: number;
  /** The effective configuration as it would be written, without what decides no result. */
  readonly config: DecidingConfig;
  /** SHA-256 of `config`, hexadecimal: its JSON with sorted keys. */
  readonly configHash: string;
  /** By symbol, universe order: the bars that were seen. */
  readonly data: Readonly<Record<Ticker, SeriesFacts>>;
  /** Of hourly bars: what a row spans, how many rows there are, and how many make the year that figures are taken to. */
  readonly timeframe?: "1 hour";
  readonly bars?: number;
  readonly barsPerYear?: number;
  readonly sessions: number;
  readonly first: SessionDate;
  readonly last: SessionDate;
  /** Bars between a decision and the return it earns. */
  readonly lag: 1 | 2;
  readonly warnings: readonly string[];
}

/** Describes what a command is about to compute on. */
export function manifestOf(
  command: string,
  version: string,
  loaded: LoadedConfig & Deciding,
  market: MarketData,
  facts: {
    readonly lag: 1 | 2;
    readonly warmUp: number;
    /** Whether an account was traded, so that the rules of its orders decided too. */
    readonly isAccount?: boolean;
  },
): Manifest {
  const config = decidingConfig(loaded, facts.isAccount);
  const { sessions } = market.panel;
  return {
    version,
    command,
    seed: config.backtest.seed,
    config,
    configHash: hashOf(config),
    data: market.facts,
    ...hourlyFacts(market),
    sessions: new Set(sessions).size,
    first: sessions[0]!,
    last: sessions.at(-1)!,
    lag: facts.lag,
    warnings: [...configWarnings(loaded), ...dataWarnings(market, facts.warmUp)],
  };
}

function hourlyFacts(market: MarketData): Pick<Manifest, "timeframe" | "bars" | "barsPerYear"> {
  const { periodsPerYear } = yearOf(market);
  if (periodsPerYear === undefined) return {};
  return { timeframe: "1 hour", bars: market.panel.sessions.length, barsPerYear: periodsPerYear };
}

/** @param isAccount - whether an account is traded, so that the rules of its orders decide too */
export function decidingConfig({ written, modules = {} }: Deciding, isAccount = false): DecidingConfig {
  const pick = (sections: readonly (keyof EffectiveConfig)[]) => ({
    ...(Object.fromEntries(
      sections.map((section) => [section, written[section]]),
    ) as unknown as DecidingConfig),
    ...(Object.keys(modules).length > 0 ? { modules } : {}),
  });
  if (!isAccount) return pick(holdingSections);
  const { live: _, ...execution } = written.execution;
  return { ...pick([...holdingSections, ...accountSections]), execution };
}

/** A manifest as reports write it. */
export function manifestJson(manifest: Manifest): JsonObject {
  return JSON.parse(JSON.stringify(manifest)) as JsonObject;
}

/** SHA-256 of a JSON value whose keys are sorted, so that the order in which somebody wrote them does not matter. */
export function hashOf(value: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(sorted(value)))
    .digest("hex");
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, entry]) => [key, sorted(entry)]),
  );
}

/** Doubts about deciding settings only, and without their place: a path would differ between two equal runs. */
function configWarnings({ warnings }: LoadedConfig): string[] {
  return warnings
    .filter(({ key }) =>
      [...holdingSections, ...accountSections].some(
        (section) => key === section || key.startsWith(`${section}.`),
      ),
    )
    .map(({ key, message }) => `${key}: ${message}`);
}

function dataWarnings({ facts, withoutTrades }: MarketData, warmUp: number): string[] {
  const warnings: string[] = [];
  const symbols = Object.entries(facts);
  const empty = symbols.filter(([, { rows }]) => rows === 0).map(([symbol]) => symbol);
  if (empty.length > 0) warnings.push(`no bars in the range: ${empty.join(", ")}`);
  const short = symbols.filter(([, { rows }]) => rows > 0 && rows < warmUp).map(([symbol]) => symbol);
  if (short.length > 0)
    warnings.push(`fewer bars than the ${warmUp} the indicators need: ${short.join(", ")}`);
  if (withoutTrades.length > 0) {
    const which = withoutTrades.length === symbols.length ? "" : ` (${withoutTrades.join(", ")})`;
    warnings.push(`no prices as traded in the cache${which}: adjusted prices stand in for them`);
  }
  return warnings;
}
