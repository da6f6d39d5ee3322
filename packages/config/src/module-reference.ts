/** A score, weighting or overlay in a file of the user's own: `./my-score.js#name`. */
export interface ModuleReference {
  /** As it was written; relative to the folder of the file that it stands in. */
  readonly file: string;
  /** The export; `default` where none is named. */
  readonly exported: string;
}

const form = /^((?:\.{1,2})?\/[^#]+\.[cm]?[jt]s)(?:#([A-Za-z_$][\w$]*))?$/;

/**
 * Whether a name of the configuration means a file: it begins with `./`, `../` or `/` and ends in `.js`, `.mjs` or `.cjs`, or
 * in `.ts`, `.mts` or `.cts`, which Node reads from 22.18 on.
 */
export function isModuleReference(name: string): boolean {
  return form.test(name);
}

/** @returns `undefined` for a name that means no file */
export function parseModuleReference(name: string): ModuleReference | undefined {
  const [, file, exported = "default"] = form.exec(name) ?? [];
  return file === undefined ? undefined : { file, exported };
}

/** Whether a name was meant for a file and is not written as one. */
export function looksLikeModule(name: string): boolean {
  return !isModuleReference(name) && /\.[cm]?[jt]s(#|$)/.test(name);
}
