import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";

export interface Asset {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly type: string;
  readonly etag: string;
}

const types: Readonly<Record<string, string>> = {
  "page.css": "text/css; charset=utf-8",
  "page.js": "text/javascript; charset=utf-8",
  "icon.svg": "image/svg+xml",
};

export const assetNames = Object.keys(types);

const known = new Map<string, Promise<Asset>>();

/** A file that the page is made of, read once. Beside this module in the sources and beside the bundle in a build. */
export function asset(name: string): Promise<Asset> {
  let found = known.get(name);
  if (!found) {
    found = read(name);
    known.set(name, found);
  }
  return found;
}

async function read(name: string): Promise<Asset> {
  const bytes = new Uint8Array(await readFile(new URL(`./assets/${name}`, import.meta.url)));
  const hash = createHash("sha256").update(bytes).digest("base64url").slice(0, 22);
  return { bytes, type: types[name]!, etag: `"${hash}"` };
}
