// Packs the workspace's publishable packages with pnpm, which turns `workspace:^` and `catalog:` into versions and
// leaves out what only the workspace sees. Whoever asks has built them.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const read = (path) => JSON.parse(readFileSync(path, "utf8"));

/** @returns one entry per package, in the order of the folders: `{ name, folder, tarball, manifest, isLibrary }` */
export function packAll(destination) {
  const packages = ["packages", "apps"]
    .flatMap((group) => readdirSync(join(root, group)).map((name) => join(root, group, name)))
    .filter((folder) => existsSync(join(folder, "package.json")))
    .map((folder) => ({ folder, manifest: read(join(folder, "package.json")) }))
    .filter(({ manifest }) => !manifest.private);
  return packages.map(({ folder, manifest }) => {
    if (!existsSync(join(folder, "dist")))
      throw new Error(`${manifest.name} is not built: run \`make build\` first`);
    pnpm(["pack", "--pack-destination", destination], folder);
    const tarball = join(destination, `${manifest.name.slice(1).replace("/", "-")}-${manifest.version}.tgz`);
    return { name: manifest.name, folder, tarball, manifest, isLibrary: manifest.exports !== undefined };
  });
}

function pnpm(words, cwd) {
  const wanted = read(join(root, "package.json")).packageManager;
  const major = wanted.slice("pnpm@".length).split(".")[0];
  const [command, ...before] = isOnPath(major) ? ["pnpm"] : ["npx", "--yes", wanted];
  execFileSync(command, [...before, ...words], { cwd, stdio: ["ignore", "pipe", "pipe"] });
}

let onPath;
function isOnPath(major) {
  if (onPath === undefined) {
    try {
      onPath = execFileSync("pnpm", ["--version"], {
        cwd: root,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      }).startsWith(`${major}.`);
    } catch {
      onPath = false;
    }
  }
  return onPath;
}
