import { stringify } from "yaml";
import { originText } from "./origin.js";
import type { LoadedConfig } from "./resolve.js";
import { settingNames } from "./schema.js";
import { withoutSecrets } from "./secrets.js";

/** One setting as `pf config show` prints it. */
export interface ConfigRow {
  /** Dotted name. */
  readonly key: string;
  readonly value: unknown;
  /** The value in YAML, on one line: what may stand behind `--set KEY=`, except for a secret, which is `"***"`. */
  readonly text: string;
  /** Where it comes from: `default`, `config/config.yaml:4:16`, `.env:2:9 IB_PORT`, `environment IB_PORT`, `--set …`. */
  readonly origin: string;
}

/** Every setting with its value and where it comes from, in the order of the schema. */
export function describeConfig({
  written,
  origins,
}: Pick<LoadedConfig, "written" | "origins">): readonly ConfigRow[] {
  const shown = withoutSecrets(written);
  return settingNames.map((key) => {
    const value = key
      .split(".")
      .reduce<unknown>((inner, name) => (inner as Record<string, unknown>)[name], shown);
    const text = stringify(value, {
      collectionStyle: "flow",
      lineWidth: 0,
      flowCollectionPadding: false,
    });
    // Only the line's end goes: a value may itself end in a space that YAML does not quote, such as a no-break space.
    return { key, value, text: text.replace(/\n+$/, ""), origin: originText(origins[key]!) };
  });
}
