import { UnknownNameError } from "./errors.js";

/** An immutable map from name to factory. Adding a name returns a new registry; the old one is unchanged. */
export interface Registry<Factory> {
  readonly names: readonly string[];
  /** A registry that also knows `name`, which may replace one of the same name. */
  with(name: string, factory: Factory): Registry<Factory>;
  /** @throws UnknownNameError listing the known names */
  get(name: string): Factory;
}

/** Makes a registry; `kind` is what its entries are called in errors, such as "score". */
export function registry<Factory>(
  kind: string,
  entries: Readonly<Record<string, Factory>>,
): Registry<Factory> {
  const known = new Map(Object.entries(entries));
  return {
    names: [...known.keys()],
    with: (name, factory) => registry(kind, { ...Object.fromEntries(known), [name]: factory }),
    get(name) {
      const factory = known.get(name);
      if (factory === undefined) throw new UnknownNameError(kind, name, [...known.keys()]);
      return factory;
    },
  };
}
