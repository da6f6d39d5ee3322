import type { EffectiveConfig } from "./schema.js";

/** What the code receives: the effective configuration, complete, in camelCase. */
export type Config = CamelCased<EffectiveConfig>;

type CamelCased<Value> = Value extends readonly (infer Item)[]
  ? readonly CamelCased<Item>[]
  : Value extends object
    ? { readonly [Key in keyof Value as CamelKey<Key>]: CamelCased<Value[Key]> }
    : Value;

type CamelKey<Key> = Key extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelKey<Tail> & string>}`
  : Key;

/** The same values under camelCase keys: `max_weight_per_asset` becomes `maxWeightPerAsset`. */
export function camelCased<Value>(value: Value): CamelCased<Value> {
  return converted(value) as CamelCased<Value>;
}

/** `max_weight_per_asset` as `maxWeightPerAsset`. */
export function camelKey(key: string): string {
  return key.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function converted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(converted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [camelKey(key), converted(entry)]));
}
