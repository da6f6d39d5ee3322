/** Where settings can come from, weakest first. */
export const originSources = [
  "default",
  "config.yaml",
  "config.local.yaml",
  ".env",
  "environment",
  "flag",
] as const;
export type OriginSource = (typeof originSources)[number];

/** Where one value was written. */
export interface Origin {
  readonly source: OriginSource;
  readonly file?: string;
  /** From 1. */
  readonly line?: number;
  readonly column?: number;
  /** Name of the environment variable. */
  readonly variable?: string;
  /** The flag as it was typed, `--set weights.cash_buffer=0.1`. */
  readonly flag?: string;
}

/** The origin in words: `config/config.yaml:4:16`, `.env:2:9 IB_PORT`, `environment IB_PORT`, `--set …`, `default`. */
export function originText(origin: Origin): string {
  if (origin.flag !== undefined) return origin.flag;
  const place = origin.line === undefined ? origin.file : `${origin.file}:${origin.line}:${origin.column}`;
  if (place !== undefined) return origin.variable === undefined ? place : `${place} ${origin.variable}`;
  return origin.variable === undefined ? origin.source : `environment ${origin.variable}`;
}
