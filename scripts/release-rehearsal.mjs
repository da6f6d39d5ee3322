// A release from beginning to end that leaves nothing behind: in a copy of the workspace the waiting changesets become
// versions, every public package is published to a registry that lives as long as this script, and is installed from
// there, globally and in an empty project, where the program and the examples run. Whoever asks has built the workspace.
// `--keep` leaves the folder and says where it is.
import { spawn } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { runServer } from "verdaccio";
import { exampleNeeds, runExamples } from "./run-examples.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
const read = (path) => JSON.parse(readFileSync(path, "utf8"));
const say = (text) => process.stdout.write(`${text}\n`);

const home = mkdtempSync(join(tmpdir(), "pf-release-"));
const copy = join(home, "workspace");
const project = join(home, "project");
const registry = await startRegistry(join(home, "registry"));
const scope = `@pf:registry=${registry.address}`;

try {
  await step("copy the workspace", copyWorkspace);
  const released = await step("changeset version", makeVersions);
  await step("build what holds a version", buildManifest);
  await step("changeset publish", () => publish(released));
  await step("look at what the registry serves", () => checkPublished(released));
  await step("npm install in an empty project", () => install(released));
  await step("npm install --global; pf fetch, backtest, weights", () => useGlobally(released));
  await step("examples", runAllExamples);
  say(`${released.length} packages were released and used, in ${Math.round(performance.now() / 1000)} s.`);
} catch (error) {
  process.stderr.write(`\n${error.message}\n`);
  process.exitCode = 1;
} finally {
  registry.close();
  if (process.argv.includes("--keep")) say(`kept: ${home}`);
  else rmSync(home, { recursive: true, force: true, maxRetries: 5 });
}

/** A registry on a port of its own that knows our packages only: it asks no other. */
async function startRegistry(folder) {
  const access = { access: "$all", publish: "$all", unpublish: "$all" };
  const server = await runServer({
    self_path: folder,
    configPath: join(folder, "config.yaml"),
    storage: join(folder, "storage"),
    uplinks: {},
    packages: { "@pf/*": access },
    auth: { htpasswd: { file: join(folder, "htpasswd") } },
    log: { type: "stdout", level: "fatal" },
    web: { enable: false },
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  return {
    address: `http://127.0.0.1:${server.address().port}/`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Sources as they are now, their builds, and the links between our packages, in a repository of its own. */
async function copyWorkspace() {
  const left = new Set([
    ".git",
    ".turbo",
    ".env",
    "node_modules",
    "coverage",
    "demo",
    "data",
    "reports",
    "state",
  ]);
  const inRoom = /^(packages|apps)\/[^/]+\/node_modules(\/@pf(\/.*)?)?$/;
  cpSync(root, copy, {
    recursive: true,
    verbatimSymlinks: true,
    filter(from) {
      const path = relative(root, from).split(sep).join("/");
      if (inRoom.test(path)) return true;
      if (path.includes("node_modules/")) return false;
      const name = path.slice(path.lastIndexOf("/") + 1);
      return !(left.has(name) && (path.includes("node_modules") || !path.includes("/src/")));
    },
  });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  // Where the packages go, and whatever else the user's own settings say, nowhere else.
  const host = registry.address.slice("http:".length);
  appendFileSync(
    join(copy, ".npmrc"),
    `${scope}\nregistry=${registry.address}\n${host}:_authToken=rehearsal\n`,
  );
  const git = (...words) =>
    run("git", ["-c", "user.name=release", "-c", "user.email=release@localhost", ...words], copy);
  await git("init", "--quiet", "--initial-branch=main");
  await git("add", "--all");
  await git("commit", "--quiet", "--message=The workspace as it is");
}

/** @returns the public packages with their new versions, by name */
async function makeVersions() {
  await run(process.execPath, [join(root, "node_modules/@changesets/cli/bin.js"), "version"], copy);
  const waiting = readdirSync(join(copy, ".changeset")).filter((name) => /\.md$/.test(name));
  equal(waiting, ["README.md"], "changesets left after `changeset version`");

  const released = ["packages", "apps"]
    .flatMap((group) => readdirSync(join(copy, group)).map((name) => join(copy, group, name)))
    .filter((folder) => existsSync(join(folder, "package.json")))
    .map((folder) => ({ folder, ...read(join(folder, "package.json")) }))
    .filter((manifest) => !manifest.private)
    .sort((one, other) => (one.name < other.name ? -1 : 1));
  for (const { name, version, folder } of released) {
    // Version 0.0.0 is that of a package that was never released: nobody wrote a changeset for it.
    if (version === "0.0.0") throw new Error(`${name} is new and has no changeset: pnpm changeset`);
    if (!existsSync(join(folder, "CHANGELOG.md"))) throw new Error(`${name} ${version} has no CHANGELOG.md`);
  }
  return released;
}

/** `pnpm run release` builds everything anew; of all that is built, only the list of commands holds a version. */
async function buildManifest() {
  const oclif = join(root, "apps/cli/node_modules/oclif/bin/run.js");
  await run(process.execPath, [oclif, "manifest"], join(copy, "apps/cli"));
}

async function publish(released) {
  const words = [join(root, "node_modules/@changesets/cli/bin.js"), "publish"];
  // Also as environment, which outdoes every file: a rehearsal that reached a real registry would be none.
  const env = {
    ...process.env,
    npm_config_registry: registry.address,
    "npm_config_@pf:registry": registry.address,
  };
  await run(process.execPath, words, copy, { ...env, PATH: await pathWithPnpm() });
  const tags = (await run("git", ["tag"], copy)).trim().split("\n").sort();
  equal(tags, released.map(({ name, version }) => `${name}@${version}`).sort(), "tags of the release");
}

/** npx puts pnpm on the path of what it starts. */
async function pathWithPnpm() {
  const wanted = read(join(root, "package.json")).packageManager;
  const words = ["--yes", wanted, "exec", "node", "-p", "process.env.PATH"];
  return (await run("npx", words, root)).trim().split("\n").at(-1);
}

async function checkPublished(released) {
  const names = new Set(released.map(({ name }) => name));
  for (const { name, version, license } of released) {
    const served = await (await fetch(`${registry.address}${name.replace("/", "%2f")}`)).json();
    const manifest = served.versions?.[version];
    equal(served["dist-tags"]?.latest, version, `latest of ${name}`);
    equal(manifest.license, license, `licence of ${name}`);
    if (!/^# @pf\//.test(served.readme ?? manifest.readme ?? ""))
      throw new Error(`${name} is served without its README`);
    const left = JSON.stringify(manifest).match(/(workspace|catalog|link|file):[^"]*/g);
    if (left)
      throw new Error(`${name} is served with ${left.join(", ")}, which only the workspace understands`);
    for (const [other, range] of Object.entries(manifest.dependencies ?? {})) {
      if (!other.startsWith("@pf/")) continue;
      if (!names.has(other)) throw new Error(`${name} depends on ${other}, which is not published`);
      const theirs = released.find((one) => one.name === other).version;
      equal(range, `^${theirs}`, `range of ${other} in ${name}`);
    }
  }
  const answer = await fetch(`${registry.address}@pf%2fworker`);
  equal(answer.status, 404, "the registry's answer for @pf/worker, which is private");
}

/** A project that has everything: all our packages, and what the examples need from elsewhere. */
async function install(released) {
  mkdirSync(project);
  const dependencies = Object.fromEntries(released.map(({ name }) => [name, "latest"]));
  const manifest = { name: "empty", private: true, dependencies, devDependencies: exampleNeeds().others };
  writeFileSync(join(project, "package.json"), JSON.stringify(manifest));
  writeFileSync(join(project, ".npmrc"), `${scope}\n`);
  await run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline"], project);
  for (const { name, version } of released) {
    const folder = join(project, "node_modules", name);
    equal(lstatSync(folder).isSymbolicLink(), false, `${name} is a link`);
    equal(read(join(folder, "package.json")).version, version, `installed version of ${name}`);
    for (const file of ["README.md", "LICENSE"])
      if (!existsSync(join(folder, file))) throw new Error(`${name} was published without ${file}`);
  }
}

async function useGlobally(released) {
  const prefix = join(home, "global");
  const options = [`--prefix=${prefix}`, `--${scope}`, "--no-audit", "--no-fund", "--prefer-offline"];
  await run("npm", ["install", "--global", "@pf/cli", ...options], home);
  const pf = (...words) => run(join(prefix, "bin/pf"), words, home);
  const { version } = released.find(({ name }) => name === "@pf/cli");
  const said = await finish(join(prefix, "bin/pf"), ["--version"], home);
  equal(said, { stdout: `${version}\n`, stderr: "" }, "pf --version");
  const span = ["--start", "2020-01-02", "--end", "2021-12-31"];
  const { symbols } = JSON.parse(await pf("fetch", "--source", "synthetic", ...span, "--json"));
  equal([...new Set(symbols.map(({ last }) => last))], ["2021-12-31"], "last session that pf fetch brought");
  const { metrics } = JSON.parse(await pf("backtest", "--no-plots", "--json"));
  equal(metrics.Bars, 505, "sessions of pf backtest");
  const { asOf } = JSON.parse(await pf("weights", "--json"));
  equal(asOf, "2021-12-31", "session that pf weights decided on");
}

async function runAllExamples() {
  const outcomes = await runExamples(project);
  for (const { name, seconds, skipped, fault } of outcomes) {
    const verdict = fault ? "✗" : skipped ? `– ${skipped}` : "✓";
    say(`  ${name.padEnd(26)} ${seconds.toFixed(1).padStart(5)} s  ${verdict}`);
  }
  const faults = outcomes.filter(({ fault }) => fault);
  if (faults.length > 0) throw new Error(faults.map(({ name, fault }) => `${name}: ${fault}`).join("\n"));
}

async function step(name, work) {
  const began = performance.now();
  const value = await work();
  say(`${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  ${name}`);
  return value;
}

/** @returns standard output of a command that ended well */
async function run(...command) {
  return (await finish(...command)).stdout;
}

/** @returns what a command said that ended well; everything it said otherwise, as an error */
function finish(command, words, cwd, env = process.env) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, words, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    const [stdout, stderr] = [[], []];
    child.stdout.on("data", (chunk) => stdout.push(chunk));
    child.stderr.on("data", (chunk) => stderr.push(chunk));
    child.on("error", reject);
    child.on("close", (code) => {
      const [out, err] = [stdout, stderr].map((chunks) => Buffer.concat(chunks).toString("utf8"));
      if (code === 0) resolve({ stdout: out, stderr: err });
      else reject(new Error(`${command} ${words.join(" ")} ended with ${code}:\n${out}\n${err}`));
    });
  });
}

function equal(is, should, what) {
  const [found, wanted] = [is, should].map((value) => JSON.stringify(value));
  if (found !== wanted) throw new Error(`${what}: ${found} instead of ${wanted}`);
}
