// Packs the workspace's publishable packages with pnpm, which turns `workspace:^` and `catalog:` into versions and
// leaves out what only the workspace sees. Whoever asks has built them. `node scripts/pack.mjs FOLDER` prints a JSON list.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const read = (path) => JSON.parse(readFileSync(path, "utf8"));

/** @returns one entry per package, by name: `{ name, tarball, version, isLibrary }` */
export function packAll(destination) {
  const manifests = ["packages", "apps"]
    .flatMap((group) => readdirSync(join(root, group)).map((name) => join(root, group, name)))
    .filter((folder) => existsSync(join(folder, "package.json")))
    .map((folder) => ({ folder, ...read(join(folder, "package.json")) }))
    .filter((manifest) => !manifest.private);
  const unbuilt = manifests.filter(({ folder }) => !existsSync(join(folder, "dist")));
  if (unbuilt.length > 0)
    throw new Error(`build first: ${unbuilt.map(({ name }) => name).join(", ")} has no dist folder`);

  const packed = JSON.parse(pnpm(["--recursive", "pack", "--json", "--pack-destination", destination]));
  const tarballs = new Map(packed.map(({ name, filename }) => [name, resolve(destination, filename)]));
  return manifests
    .map(({ name, version, exports }) => {
      if (!tarballs.has(name)) throw new Error(`pnpm did not pack ${name}`);
      return { name, version, tarball: tarballs.get(name), isLibrary: exports !== undefined };
    })
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** The pnpm of the workspace, which nobody needs to have installed. */
function pnpm(words) {
  const wanted = read(join(root, "package.json")).packageManager;
  const [command, ...before] = found(wanted) ? ["pnpm"] : ["npx", "--yes", wanted];
  return execFileSync(command, [...before, ...words], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    stdio: ["ignore", "pipe", "inherit"],
  });
}

function found(wanted) {
  try {
    const version = execFileSync("pnpm", ["--version"], { cwd: root, encoding: "utf8", stdio: "pipe" });
    return version.split(".")[0] === wanted.slice("pnpm@".length).split(".")[0];
  } catch (error) {
    if (error.code === "ENOENT" || typeof error.status === "number") return false;
    throw error;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [destination] = process.argv.slice(2);
  if (!destination) throw new Error("name the folder for the tarballs");
  process.stdout.write(`${JSON.stringify(packAll(resolve(destination)))}\n`);
}
