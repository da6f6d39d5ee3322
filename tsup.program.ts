import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, sep } from "node:path";
import type { Options } from "tsup";
import { hashResearchSources } from "./packages/app/src/research/code-version.js";

/** Everything a bundle holds keeps its licence: those of third parties are gathered from where their files came from. */
const licences: NonNullable<Options["esbuildPlugins"]>[number] = {
  name: "licences",
  setup(build) {
    build.onEnd(({ metafile }) => {
      if (!metafile) return;
      mkdirSync("dist/licenses", { recursive: true });
      for (const folder of new Set(Object.keys(metafile.inputs).flatMap((input) => packageOf(input) ?? []))) {
        const { name, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
          readonly name: string;
          readonly license?: string;
        };
        const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
        const text = file ? readFileSync(join(folder, file), "utf8") : `${name}: licensed ${license}\n`;
        writeFileSync(`dist/licenses/${name.replaceAll("/", "-").replace("@", "")}.txt`, text);
      }
    });
  },
};

/** The folder of the third-party package that a file belongs to; none for our own sources. */
function packageOf(input: string): string | undefined {
  const parts = input.split("/");
  const at = parts.lastIndexOf("node_modules");
  if (at < 0) return undefined;
  return parts.slice(0, at + (parts[at + 1]!.startsWith("@") ? 3 : 2)).join(sep);
}

// The packages of this workspace and the libraries they use travel in the program's own files: a person waits for every
// module that is looked for and opened, and there would be six hundred. They are taken from their sources, so that
// building a program is one step; `splitting` keeps what only some of it needs in files that only those parts load. What
// the manifest names as a dependency stays outside: it holds a compiled binary, starts threads, or is found by its own
// place.
/** How a program is built whose entries are given beside the module that research threads run. */
export function program(entry: Record<string, string>, more: Options = {}): Options {
  return {
    entry: {
      // Threads of a search run this module; they look for it beside the file that starts them.
      "research-worker": "../../packages/app/src/research/research-worker.ts",
      ...entry,
    },
    format: ["esm"],
    target: "node20",
    splitting: true,
    clean: true,
    dts: false,
    define: {
      "process.env.NODE_ENV": '"production"',
      // Programs take each other's research work only if they were built from the same sources.
      PF_RESEARCH_CODE: JSON.stringify(hashResearchSources("../../packages/")),
    },
    esbuildOptions(options) {
      options.conditions = ["@pf/source", "node", "import", "module", "default"];
    },
    esbuildPlugins: [licences],
    // What was written as CommonJS asks for Node's own modules by a function that ES modules do not have.
    banner: {
      js: 'import { createRequire as pfRequire } from "node:module";const require = pfRequire(import.meta.url);',
    },
    async onSuccess() {
      const fonts = "../../packages/report/node_modules/dejavu-fonts-ttf";
      mkdirSync("dist/fonts", { recursive: true });
      for (const name of ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"])
        cpSync(join(fonts, "ttf", name), join("dist/fonts", name));
      cpSync(join(fonts, "LICENSE"), "dist/licenses/dejavu-fonts-ttf.txt");
      const notice = "../../packages/report/node_modules/echarts/NOTICE";
      if (existsSync(notice)) cpSync(notice, "dist/licenses/echarts-notice.txt");
    },
    ...more,
  };
}
