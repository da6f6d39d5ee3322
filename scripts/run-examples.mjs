// Runs every folder of examples/ in a project that has its packages installed, and holds what it prints to its README.
// `node scripts/run-examples.mjs PROJECT`; `--needs` prints what such a project needs from a registry beside our packages.
import { spawn } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const home = fileURLToPath(new URL("../examples/", import.meta.url));
const read = (path) => JSON.parse(readFileSync(path, "utf8"));

const exampleNames = () =>
  readdirSync(home)
    .filter((name) => existsSync(join(home, name, "package.json")))
    .sort();

/** @returns what the examples depend on: `{ ours: names, others: { name: range } }` */
export function exampleNeeds() {
  const entries = exampleNames().flatMap((name) => {
    const { dependencies, devDependencies } = read(join(home, name, "package.json"));
    return Object.entries({ ...dependencies, ...devDependencies });
  });
  const isOurs = ([name]) => name.startsWith("@pf/");
  return {
    ours: [...new Set(entries.filter(isOurs).map(([name]) => name))].sort(),
    others: Object.fromEntries(entries.filter((entry) => !isOurs(entry))),
  };
}

/**
 * Copies the examples into a project and runs them, two at a time.
 *
 * @returns `{ name, seconds, fault }` each, where a fault is what went wrong in words; `skipped` says why one did not run
 */
export async function runExamples(project, env = process.env) {
  cpSync(home, join(project, "examples"), { recursive: true });
  const waiting = exampleNames();
  const outcomes = [];
  const lane = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift())
      outcomes.push(await runExample(join(project, "examples", name), name, env));
  };
  await Promise.all([lane(), lane()]);
  return outcomes.sort((one, other) => (one.name < other.name ? -1 : 1));
}

async function runExample(folder, name, env) {
  const began = performance.now();
  const { code, stdout, stderr } = await npmStart(folder, env);
  const seconds = (performance.now() - began) / 1000;
  const said = comparable(stdout);
  const promised = promisedBy(readFileSync(join(folder, "README.md"), "utf8"));
  if (code === 0 && /^not run: /.test(said))
    return { name, seconds, skipped: said.slice("not run: ".length) };
  if (code !== 0) return { name, seconds, fault: `ended with ${code}:\n${stdout}\n${stderr}` };
  if (said !== promised)
    return { name, seconds, fault: `its README shows\n\n${promised}\n\nand it prints\n\n${said}\n` };
  return { name, seconds };
}

/** The last block of text in the README. */
function promisedBy(readme) {
  const blocks = [...readme.matchAll(/^```text\n([\s\S]*?)^```$/gm)];
  if (blocks.length === 0) throw new Error("an example's README shows no output");
  return comparable(blocks.at(-1)[1]);
}

/** Without what a test runner says about time. */
const comparable = (text) =>
  text
    .replaceAll(/ \(\d+(\.\d+)?ms\)$/gm, "")
    .replaceAll(/^ℹ duration_ms .*\n/gm, "")
    .trim();

function npmStart(cwd, env) {
  return new Promise((end, fail) => {
    const child = spawn("npm", ["--silent", "start"], { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    const [stdout, stderr] = [[], []];
    child.stdout.on("data", (chunk) => stdout.push(chunk));
    child.stderr.on("data", (chunk) => stderr.push(chunk));
    child.on("error", fail);
    child.on("close", (code) => end({ code, stdout: textOf(stdout), stderr: textOf(stderr) }));
  });
}

const textOf = (chunks) => Buffer.concat(chunks).toString("utf8");

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [project] = process.argv.slice(2);
  if (!project) throw new Error("name the project to run the examples in, or --needs");
  if (project === "--needs") process.stdout.write(`${JSON.stringify(exampleNeeds())}\n`);
  else process.stdout.write(`${JSON.stringify(await runExamples(resolve(project)), null, 2)}\n`);
}
