// Writes down what a passed test may hang on and no file says, for the task cache. turbo.json counts the first file among
// what every task depends on, so that a test passed on one version of Node is run again on another instead of being
// replayed. (The environment does not tell: pnpm's user agent names no Node version.) The second is an input of the
// tests that start programs of the system: those that were skipped without one are run once it is there.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";

const folder = new URL("../node_modules/", import.meta.url);
const programs = ["redis-server", "chromium"];
const isThere = (name) =>
  (process.env.PATH ?? "").split(delimiter).some((path) => existsSync(join(path, name)));

stamp(".pf-node-version", `${process.version} ${process.platform} ${process.arch}\n`);
stamp(".pf-programs", `${programs.filter(isThere).join(" ")}\n`);

function stamp(name, now) {
  const file = new URL(name, folder);
  if (existsSync(file) && readFileSync(file, "utf8") === now) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, now);
}
