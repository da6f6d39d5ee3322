// Installs packed packages into a folder of their own: `node scripts/install-packed.mjs LIST FOLDER [npm words]`, where
// LIST is what `node scripts/pack.mjs` printed. A package.json that stands there already keeps its other entries.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const [list, folder, ...words] = process.argv.slice(2);
if (!list || !folder) throw new Error("name the list of packed packages and the folder to install them into");
const packed = JSON.parse(readFileSync(list, "utf8"));
const home = resolve(folder);
const path = join(home, "package.json");
const manifest = existsSync(path)
  ? JSON.parse(readFileSync(path, "utf8"))
  : { name: "pf-home", private: true };

mkdirSync(home, { recursive: true });
writeFileSync(
  path,
  `${JSON.stringify(
    {
      ...manifest,
      dependencies: {
        ...manifest.dependencies,
        ...Object.fromEntries(packed.map(({ name, tarball }) => [name, `file:${tarball}`])),
      },
      // Where one of ours needs another, the tarball is meant: npm would ask the registry for it first.
      overrides: Object.fromEntries(packed.map(({ name }) => [name, `$${name}`])),
    },
    null,
    2,
  )}\n`,
);
// npm's words go where errors go: standard output stays free for whoever calls this.
execFileSync("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", ...words], {
  cwd: home,
  stdio: ["ignore", process.stderr.fd, "inherit"],
});
