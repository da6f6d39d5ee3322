import type { BarSource } from "@pf/bars";
import type { LoadedConfig } from "@pf/config";
import type { TradingCalendar } from "@pf/market";
import { barKindOf } from "./bar-kind.js";
import type { SessionSetting } from "./broker.js";
import { HourlyBarsError, RequestError } from "./errors.js";
import type { Clock, ProgressListener } from "./ports.js";

export const sourceNames = ["ibkr", "csv", "synthetic", "tiingo", "alpaca"] as const;
export type SourceName = (typeof sourceNames)[number];

/** Which sources have bars of an hour; of these alone is it known what their hours are. */
const hourlySources: ReadonlySet<SourceName> = new Set(["ibkr", "synthetic"]);

/**
 * Refuses hourly bars of a source that has none, before anything is asked.
 *
 * @param isFallback - whether the source only stands in for another, which the message then says
 * @throws HourlyBarsError
 */
export function requireBarsOf(name: SourceName, loaded: LoadedConfig, isFallback: boolean): void {
  if (barKindOf(loaded) === "daily" || hourlySources.has(name)) return;
  if (isFallback) {
    const none = 'go without: --set "data.fallback=[]"';
    throw new HourlyBarsError(`${name}, named in data.fallback, has daily bars alone`, none);
  }
  const others = "take hours of --source ibkr, or of --source synthetic to try it out";
  throw new HourlyBarsError(`the source ${name} has daily bars alone`, others);
}

/** What sources are opened with. */
export interface SourceSetting extends SessionSetting {
  readonly calendar: TradingCalendar;
  readonly clock: Clock;
  readonly onProgress: ProgressListener;
  /** The value of an environment variable, or of `.env` where the environment has none; for keys. */
  readonly variable: (name: string) => Promise<string | undefined>;
}

/** A source that can be asked. */
export interface OpenSource {
  readonly source: BarSource;
  /** Says which sessions are over. */
  readonly clock: Clock;
  close?(): Promise<void>;
}

/**
 * Opens a source by its name.
 *
 * @param csvDir - folder of files for source `csv`, instead of `data.csv_dir`
 * @throws RequestError without a folder, SourceKeyError without a key, and whatever keeps the broker from being reached
 */
export async function openSource(
  name: SourceName,
  csvDir: string | undefined,
  loaded: LoadedConfig,
  setting: SourceSetting,
): Promise<OpenSource> {
  const { config } = loaded;
  const barSize = config.ibkr.timeframe;
  const { calendar, clock, onProgress } = setting;
  switch (name) {
    case "ibkr": {
      const { host, port } = config.ibkr;
      onProgress({ step: `connecting to TWS at ${host}:${port}` });
      const { openSessionForBars } = await import("./broker.js");
      const { barSourceOf, simulatedMarketOf } = await import("@pf/ibkr");
      const session = await openSessionForBars(config, setting);
      // In a simulator it is what time it says; the broker's clock only guards against a machine that is ahead.
      const simulated = simulatedMarketOf(session.greeting) !== undefined;
      return {
        source: barSourceOf(
          session,
          calendar,
          {
            onPause: (ms, { code }) =>
              onProgress({ step: `waiting ${Math.round(ms / 1000)} s, as the broker asks (${code})` }),
          },
          barSize,
        ),
        clock: {
          nowUtcMs: () =>
            simulated ? session.clock.nowUtcMs() : Math.min(session.clock.nowUtcMs(), clock.nowUtcMs()),
        },
        close: () => session.close(),
      };
    }
    case "synthetic": {
      const { syntheticSource } = await import("@pf/bars");
      const { seed } = config.data.synthetic;
      return { source: syntheticSource({ seed, calendar, barSize }), clock };
    }
    case "csv": {
      const folder = csvDir ?? config.data.csvDir;
      if (!folder) {
        throw new RequestError(
          "the csv source needs a folder",
          "name it with --csv-dir DIR, or set data.csv_dir",
        );
      }
      const { csvSource } = await import("@pf/bars");
      return { source: csvSource(folder, calendar), clock };
    }
    case "tiingo": {
      const { tiingoSource } = await import("@pf/bars");
      const [key = ""] = await sourceKeys(name, setting);
      const options = await vendorOptions(name, setting);
      return { source: tiingoSource({ key, ...options }), clock: settled(clock) };
    }
    case "alpaca": {
      const { alpacaSource } = await import("@pf/bars");
      const [keyId = "", secretKey = ""] = await sourceKeys(name, setting);
      const options = await vendorOptions(name, setting);
      return { source: alpacaSource({ keyId, secretKey, ...options }), clock: settled(clock) };
    }
  }
}

/**
 * The keys that a source needs, none for most.
 *
 * @param isFallback - whether the source only stands in for another, which the message then says
 * @throws SourceKeyError naming the variables that are not set
 */
export async function sourceKeys(
  name: SourceName,
  { variable }: SourceSetting,
  isFallback = false,
): Promise<readonly string[]> {
  if (name !== "tiingo" && name !== "alpaca") return [];
  const { alpacaVariables, SourceKeyError, tiingoVariables } = await import("@pf/bars");
  const variables: readonly string[] = name === "tiingo" ? tiingoVariables : alpacaVariables;
  const values = await Promise.all(variables.map(async (one) => (await variable(one))?.trim() ?? ""));
  const missing = variables.filter((_, at) => values[at] === "");
  if (missing.length === 0) return values;
  const who = isFallback ? `${name}, named in data.fallback,` : `the source ${name}`;
  const what = `${missing.join(" and ")}, which ${missing.length === 1 ? "is" : "are"} not set`;
  throw new SourceKeyError(name, missing, `${who} needs ${what}`);
}

/**
 * Vendors correct a session's bar, and count its late trades, until 20:00 in New York, four hours after the usual close;
 * a quarter of an hour more lets them finish.
 */
const settlesAfterMs = 4.25 * 3_600_000;

function settled(clock: Clock): Clock {
  return { nowUtcMs: () => clock.nowUtcMs() - settlesAfterMs };
}

/** Tests let a server on this machine stand for a vendor; any other address is refused, for keys would go there. */
async function vendorOptions(name: "tiingo" | "alpaca", { variable, onProgress }: SourceSetting) {
  const onPause = (ms: number, reason: string) =>
    onProgress({ step: `waiting ${Math.max(1, Math.round(ms / 1000))} s (${reason})` });
  const test = `PF_TEST_${name.toUpperCase()}_URL`;
  const baseUrl = await variable(test);
  if (!baseUrl) return { onPause };
  if (!/^http:\/\/(127\.0\.0\.1|\[::1\]|localhost)(:\d+)?\/?$/.test(baseUrl)) {
    throw new RequestError(
      `${test} is for tests, and names no server on this machine`,
      "unset it to ask the service itself",
    );
  }
  return { onPause, baseUrl };
}
