// Writes down which Node runs, for the task cache: turbo.json counts this file among what every task depends on, so
// that a test passed on one version is run again on another instead of being replayed. (The environment does not tell:
// pnpm's user agent names no Node version.)
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";

const folder = new URL("../node_modules/", import.meta.url);
const stamp = new URL(".pf-node-version", folder);
const now = `${process.version} ${process.platform} ${process.arch}\n`;

if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== now) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(stamp, now);
}
