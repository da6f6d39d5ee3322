// Makes vendor/ of @pf/report: danfojs-node with TensorFlow in plain JavaScript, in one file, and without what it would
// bring along and nothing here needs: spreadsheets, requests over the network, plots. The native TensorFlow, which fetches
// a library from elsewhere, is replaced by the plain one in package.json. With `--check` nothing is written: what stands
// there must be what a build makes, to the byte.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const require = createRequire(import.meta.url);
const here = fileURLToPath(new URL(".", import.meta.url));
const out = fileURLToPath(new URL("../../packages/report/vendor/", import.meta.url));

/** What stands in for a package that is left out: whoever asks for anything of it is told so. */
const leftOut = {
  name: "left-out",
  setup(bundle) {
    const names = ["xlsx", "request", "node-fetch", "plotly.js-dist-min"];
    bundle.onResolve({ filter: new RegExp(`^(${names.join("|")})$`) }, ({ path }) => ({
      path,
      namespace: "left-out",
    }));
    bundle.onLoad({ filter: /.*/, namespace: "left-out" }, ({ path }) => ({
      contents: `module.exports = new Proxy(function () {}, {
        get(_, key) { if (key === "__esModule" || key === "default" || typeof key === "symbol") return undefined;
          throw new Error(${JSON.stringify(`${path} is not part of this build of danfojs`)}); },
        apply() { throw new Error(${JSON.stringify(`${path} is not part of this build of danfojs`)}); },
      });`,
      loader: "js",
    }));
  },
};

/** The files of vendor/, by name. */
async function make() {
  const { outputFiles, metafile } = await build({
    entryPoints: [require.resolve("danfojs-node")],
    outfile: join(here, "danfojs.cjs"),
    absWorkingDir: here,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    minify: true,
    legalComments: "external",
    metafile: true,
    write: false,
    plugins: [leftOut],
    logLevel: "warning",
  });
  const text = (ending) => outputFiles.find(({ path }) => path.endsWith(ending)).text;
  const { version } = manifestOf(join(here, "node_modules/danfojs-node"));
  return {
    "danfojs.cjs": text("danfojs.cjs"),
    "danfojs.LEGAL.txt": `${licencesOf(Object.keys(metafile.inputs))}\n${text(".LEGAL.txt").trimEnd()}\n`,
    "README.md": `Made by \`tools/danfojs\` from danfojs-node ${version}; the licences of what is in it stand in \`danfojs.LEGAL.txt\`.\n`,
  };
}

/** The licences of all packages that files came from, each text once. */
function licencesOf(inputs) {
  const folders = [...new Set(inputs.flatMap((input) => packageOf(input) ?? []))].sort();
  const byText = new Map();
  for (const folder of folders) {
    const { name, version, license } = manifestOf(join(here, folder));
    const file = readdirSync(join(here, folder)).find((entry) => /^licen[cs]e/i.test(entry));
    const words = file
      ? readFileSync(join(here, folder, file), "utf8").replaceAll("\r\n", "\n")
      : `Licensed ${license}.`;
    byText.set(words.trim(), [...(byText.get(words.trim()) ?? []), `${name} ${version} (${license})`]);
  }
  return [...byText]
    .map(([words, names]) => `${names.join("\n")}\n\n${words}\n\n${"=".repeat(80)}\n`)
    .join("\n");
}

function packageOf(input) {
  const parts = input.split("/");
  const at = parts.lastIndexOf("node_modules");
  if (at < 0) return undefined;
  return parts.slice(0, at + (parts[at + 1].startsWith("@") ? 3 : 2)).join(sep);
}

function manifestOf(folder) {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
}

const files = await make();
const foreign = Object.entries(files).filter(
  ([, text]) => text.includes(here) || text.includes("node_modules/"),
);
if (foreign.length > 0)
  throw new Error(`${foreign.map(([name]) => name).join(", ")} names folders of this machine`);
if (process.argv.includes("--check")) {
  const again = await make();
  const different = Object.keys(files).filter(
    (name) => files[name] !== again[name] || files[name] !== readFileSync(join(out, name), "utf8"),
  );
  if (different.length > 0) throw new Error(`${different.join(", ")} is not what a build makes`);
  process.stdout.write("vendor/ is what a build makes, to the byte, twice\n");
} else {
  mkdirSync(out, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(out, name), text);
}
