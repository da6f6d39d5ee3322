import {
  configJsonSchema,
  describeConfig,
  type EffectiveConfig,
  issueText,
  type LoadedConfig,
  withoutSecrets,
} from "@pf/config";

/** What `pf config show --json` prints. */
export interface ConfigShowOutcome {
  /** The files that were read, weakest first. */
  readonly files: readonly string[];
  /** The whole configuration as it would be written, but for secrets: `"***"` where one is set. */
  readonly config: EffectiveConfig;
  /** One entry a setting: its value, and where it comes from. */
  readonly settings: readonly {
    readonly key: string;
    readonly value: unknown;
    readonly text: string;
    readonly origin: string;
  }[];
  readonly warnings: readonly string[];
}

/** What `pf config check --json` prints when the configuration can be used. */
export interface ConfigCheckOutcome {
  readonly ok: true;
  readonly files: readonly string[];
  readonly warnings: readonly string[];
}

export function showConfig(loaded: LoadedConfig): ConfigShowOutcome {
  return {
    files: loaded.files,
    config: withoutSecrets(loaded.written),
    settings: describeConfig(loaded),
    warnings: loaded.warnings.map(issueText),
  };
}

export function checkConfig({ files, warnings }: LoadedConfig): ConfigCheckOutcome {
  return { ok: true, files, warnings: warnings.map(issueText) };
}

/** JSON Schema of what may be written into `config.yaml`. */
export function configSchema(): Readonly<Record<string, unknown>> {
  return configJsonSchema();
}
