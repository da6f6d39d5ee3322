import type { LoadedConfig } from "@pf/config";

/** The bars that a configuration's research is about. */
export function barKindOf({ config }: Pick<LoadedConfig, "config">): "daily" | "hourly" {
  return config.ibkr.timeframe === "1 hour" ? "hourly" : "daily";
}
