import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  architectureBreaches,
  compilerFaults,
  packagesIn,
  sharedTestFiles,
  type Table,
} from "./architecture.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const table = JSON.parse(readFileSync(join(root, "scripts/rooms.json"), "utf8")) as Table;
const scratch = mkdtempSync(join(tmpdir(), "pf-architecture-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe("this workspace", () => {
  it("holds every manifest and every import to the table of rooms", () => {
    expect(packagesIn(root).length).toBeGreaterThanOrEqual(9);
    expect(architectureBreaches(root, table)).toEqual([]);
  });

  it("passes the dependency-cruiser rules made from the same table", () => {
    const { violations, modules } = cruise(root);
    expect(violations).toEqual([]);
    expect(modules).toBeGreaterThan(100);
  });

  it("checks a package again when a test file that it shares with others changes", () => {
    const { tasks } = JSON.parse(readFileSync(join(root, "turbo.json"), "utf8")) as {
      readonly tasks: Readonly<Record<"test" | "typecheck", { readonly inputs: readonly string[] }>>;
    };
    const shared = sharedTestFiles(root);
    expect(shared).toContain("packages/market/test/worlds.ts");
    for (const { inputs } of [tasks.test, tasks.typecheck]) {
      const named = inputs.filter((input) => input.startsWith("$TURBO_ROOT$/packages/"));
      expect(named).toEqual(shared.map((file) => `$TURBO_ROOT$/${file}`));
    }
  });

  it("lets nothing import upwards: the table itself has no circle", () => {
    const above = (name: string, seen: readonly string[] = []): readonly string[] => {
      if (seen.includes(name)) throw new Error(`circle: ${[...seen, name].join(" → ")}`);
      const { imports = [], importsTypes = [] } = table.rooms[`packages/${name}`] ?? {};
      return [...imports, ...importsTypes].flatMap((next) => [next, ...above(next, [...seen, name])]);
    };
    for (const folder of Object.keys(table.rooms)) expect(() => above(folder.split("/")[1]!)).not.toThrow();
  });

  it("keeps the broker's side and the research side apart", () => {
    const research = ["indicators", "selection", "backtest", "research"];
    const trading = ["orders", "compliance", "ibkr"];
    for (const [side, other] of [
      [research, trading],
      [trading, research],
    ] as const)
      for (const name of side)
        for (const imported of table.rooms[`packages/${name}`]?.imports ?? [])
          expect(other).not.toContain(imported);
  });
});

describe("a breach planted in a small workspace is caught by both checks", () => {
  // Three rooms of the real table, with the real manifests' form; what is planted lies in files of its own.
  const sound = {
    "packages/market": {
      kind: "pure",
      dependencies: [],
      files: { "index.ts": "export const ground = 1;\n" },
    },
    "packages/indicators": {
      kind: "pure",
      dependencies: [],
      files: { "index.ts": "export const wave = 2;\n" },
    },
    "packages/selection": {
      kind: "pure",
      dependencies: ["@pf/market", "@pf/indicators"],
      files: { "index.ts": 'import { ground } from "@pf/market";\nexport const choice = ground;\n' },
    },
    "packages/config": {
      kind: "adapter",
      dependencies: ["@pf/selection", "yaml"],
      files: {
        "index.ts":
          'import { parse } from "yaml";\nimport type { choice } from "@pf/selection";\nexport const read = (text: string): typeof choice => parse(text);\n',
      },
    },
  } as const;

  const plants = [
    {
      breach: "a layer that reaches upwards",
      file: "packages/market/src/planted.ts",
      text: 'import { choice } from "@pf/selection";\nexport const up = choice;\n',
      linked: true,
      rule: "layers: packages/market",
      line: "packages/market: src/planted.ts imports @pf/selection: the table does not allow it",
    },
    {
      breach: "an import that no manifest declares",
      file: "packages/config/src/planted.ts",
      text: 'import type { ground } from "@pf/market";\nexport type Ground = typeof ground;\n',
      rule: "resolvable",
      line: "packages/config: src/planted.ts imports @pf/market: its manifest does not declare it",
    },
    {
      breach: "a path into another package's files",
      file: "packages/indicators/src/planted.ts",
      text: 'export { ground } from "../../market/src/index.js";\n',
      rule: "layers: packages/indicators",
      line: "packages/indicators: src/planted.ts imports ../../market/src/index.js: another package is entered by its name",
    },
    {
      breach: "a value where only types are allowed",
      file: "packages/config/src/planted-value.ts",
      text: 'import { choice } from "@pf/selection";\nexport const value = choice;\n',
      rule: "types only: packages/config",
      line: "packages/config: src/planted-value.ts imports @pf/selection: only its types are allowed",
    },
    {
      breach: "a third-party package outside its room",
      file: "packages/selection/src/planted.ts",
      text: 'import { parse } from "yaml";\nexport const read = parse;\n',
      linked: true,
      rule: "third party: packages/selection",
      line: "packages/selection: src/planted.ts imports yaml: this third-party package has another room",
    },
    {
      breach: "the platform in a pure package",
      file: "packages/selection/src/planted-platform.ts",
      text: 'import { readFileSync } from "node:fs";\nexport const read = readFileSync;\n',
      rule: "no platform: packages/selection",
      line: "packages/selection: src/planted-platform.ts imports node:fs: a pure package knows no platform",
    },
    {
      breach: "imports that run in a circle",
      file: "packages/market/src/planted-circle.ts",
      text: 'import { two } from "./planted-circle-2.js";\nexport const one = (): number => two();\n',
      also: {
        "packages/market/src/planted-circle-2.ts":
          'import { one } from "./planted-circle.js";\nexport const two = (): number => one();\n',
      },
      rule: "no circular",
      line: "packages/market: imports run in a circle: src/planted-circle-2.ts → src/planted-circle.ts → src/planted-circle-2.ts",
    },
  ];

  it("finds nothing in the small workspace itself", () => {
    const folder = smallWorkspace("sound");
    expect(architectureBreaches(folder, table)).toEqual([]);
    const { violations, modules } = cruise(folder);
    expect(violations).toEqual([]);
    expect(modules).toBeGreaterThanOrEqual(4);
  });

  describe.each(plants)("$breach", ({ breach, file, text, also = {}, linked = false, rule, line }) => {
    let folder: string;
    beforeAll(() => {
      folder = smallWorkspace(breach.replaceAll(/\W+/g, "-"));
      for (const [path, content] of Object.entries({ [file]: text, ...also }))
        write(join(folder, path), content);
      // Even where an import resolves, because somebody declared it, the table has the last word.
      if (linked) {
        const to = join(folder, dirname(dirname(file)), "node_modules");
        mkdirSync(join(to, "@pf"), { recursive: true });
        if (rule.startsWith("layers"))
          symlinkSync(join(folder, "packages/selection"), join(to, "@pf/selection"));
        else cpSync(join(folder, "packages/config/node_modules/yaml"), join(to, "yaml"), { recursive: true });
      }
    });

    it("is refused by dependency-cruiser", () => {
      const found = cruise(folder).violations;
      expect(found.map(({ rule }) => rule)).toContain(rule);
      // Nothing but what was planted is complained about.
      for (const { from } of found) expect(from).toContain("planted");
    });

    it("is refused by the test that reads manifests and imports", () => {
      expect(architectureBreaches(folder, table)).toEqual([line]);
    });
  });

  it("lets tests alone import what the table keeps for them", () => {
    const folder = smallWorkspace("in-tests", {
      "packages/tws-sim": {
        kind: "development",
        dependencies: [],
        files: { "index.ts": "export const sim = 1;\n" },
      },
      "packages/ibkr": {
        kind: "adapter",
        dependencies: [],
        developed: ["@pf/tws-sim"],
        files: { "good.test.ts": 'import { sim } from "@pf/tws-sim";\nexport const one = sim;\n' },
      },
    });
    expect([architectureBreaches(folder, table), cruise(folder).violations]).toEqual([[], []]);
    write(join(folder, "packages/ibkr/src/planted.ts"), 'export { sim } from "@pf/tws-sim";\n');
    expect(architectureBreaches(folder, table)).toEqual([
      "packages/ibkr: src/planted.ts imports @pf/tws-sim: the table does not allow it",
    ]);
    expect(cruise(folder).violations).toEqual([
      { rule: "layers: packages/ibkr", from: "packages/ibkr/src/planted.ts" },
    ]);
  });

  it("refuses a manifest that declares what the table does not allow, or says another kind", () => {
    const folder = smallWorkspace("manifest");
    const path = join(folder, "packages/market/package.json");
    const manifest = JSON.parse(readFileSync(path, "utf8"));
    write(path, JSON.stringify({ ...manifest, pf: { kind: "adapter" }, dependencies: { zod: "4.6.7" } }));
    expect(architectureBreaches(folder, table)).toEqual([
      "packages/market: says it is adapter, the table says pure",
      "packages/market: its manifest depends on zod",
    ]);
  });

  it("refuses a package without a row in the table", () => {
    const folder = smallWorkspace("stranger");
    write(join(folder, "packages/common/package.json"), JSON.stringify({ name: "@pf/common" }));
    write(join(folder, "packages/common/src/index.ts"), 'export * from "./drawer.js";\n');
    write(join(folder, "packages/common/src/drawer.ts"), "export const drawer = 1;\n");
    expect(architectureBreaches(folder, table)).toEqual(["packages/common: has no row in the table"]);
    expect(cruise(folder).violations).toContainEqual({
      rule: "a room for everybody",
      from: "packages/common/src/index.ts",
    });
  });

  interface SmallRoom {
    readonly kind: string;
    readonly dependencies: readonly string[];
    readonly developed?: readonly string[];
    readonly files: Readonly<Record<string, string>>;
  }

  function smallWorkspace(name: string, rooms: Readonly<Record<string, SmallRoom>> = sound): string {
    const folder = join(scratch, name);
    for (const [path, { kind, dependencies, developed = [], files }] of Object.entries(rooms)) {
      const manifest = {
        name: `@pf/${path.split("/")[1]}`,
        type: "module",
        exports: { ".": { "@pf/source": "./src/index.ts" } },
        pf: { kind },
        dependencies: Object.fromEntries(dependencies.map((dependency) => [dependency, "1.0.0"])),
        devDependencies: Object.fromEntries(developed.map((dependency) => [dependency, "1.0.0"])),
      };
      write(join(folder, path, "package.json"), JSON.stringify(manifest));
      for (const [file, text] of Object.entries(files)) write(join(folder, path, "src", file), text);
      for (const dependency of [...dependencies, ...developed]) {
        const link = join(folder, path, "node_modules", dependency);
        mkdirSync(dirname(link), { recursive: true });
        if (dependency.startsWith("@pf/")) symlinkSync(join(folder, "packages", dependency.slice(4)), link);
        else {
          write(
            join(link, "package.json"),
            JSON.stringify({ name: dependency, version: "1.0.0", main: "./index.js" }),
          );
          write(join(link, "index.js"), "exports.parse = JSON.parse;\n");
        }
      }
    }
    return folder;
  }
});

describe("a pure package knows no clock, no dice and no platform", () => {
  const pure = Object.entries(table.rooms).filter(([, { kind }]) => kind === "pure");
  const present = packagesIn(root).filter(({ folder }) => pure.some(([name]) => name === folder));

  const ambient = {
    "Date.now()": "a pure package knows no clock",
    "new Date()": "a pure package knows no clock",
    "new Date": "a pure package knows no clock",
    "Date()": "a pure package knows no clock",
    "globalThis.Date": "a pure package knows no clock",
    "Math.random()": "a pure package knows no dice",
    "[1, 2].map(Math.random)": "a pure package knows no dice",
  };
  const harmless = [
    "new Date(2024, 0, 2)",
    "Date.UTC(2024, 0, 2)",
    'Date.parse("2024-01-02")',
    "Math.abs(-1)",
  ];

  /** The messages of the lint, by file, over a folder with the workspace's own settings. */
  function lint(files: Readonly<Record<string, string>>): ReadonlyMap<string, readonly string[]> {
    const folder = mkdtempSync(join(scratch, "lint-"));
    cpSync(join(root, "biome.json"), join(folder, "biome.json"));
    cpSync(join(root, "scripts/lint"), join(folder, "scripts/lint"), { recursive: true });
    write(join(folder, ".gitignore"), "node_modules/\n");
    for (const [path, text] of Object.entries(files)) write(join(folder, path), text);
    const { stdout, stderr } = spawnSync(
      tool("biome"),
      ["lint", "--reporter=json", "--max-diagnostics=none", "."],
      {
        cwd: folder,
        encoding: "utf8",
      },
    );
    const { diagnostics } = readReport(stdout, stderr);
    const messages = new Map<string, string[]>();
    for (const { location, message, category } of diagnostics) {
      const path = location?.path ?? "";
      messages.set(path, [...(messages.get(path) ?? []), `${category}: ${message}`]);
    }
    return messages;
  }

  it.each(pure.map(([folder]) => folder))(
    "the lint refuses both in the sources of %s, and nothing harmless",
    (folder) => {
      const expressions = [...Object.keys(ambient), ...harmless];
      const found = lint(
        Object.fromEntries([
          ...expressions.map((expression, at) => [
            `${folder}/src/p${at}.ts`,
            `export const p = ${expression};\n`,
          ]),
          [`${folder}/src/deep/p.ts`, "export const p = Math.random();\n"],
          [`${folder}/src/p.test.ts`, "export const p = Math.random();\n"],
          ["packages/bars/src/p.ts", "export const p = Date.now();\n"],
        ]),
      );
      const refused = (path: string) =>
        (found.get(path) ?? []).filter((text) => text.startsWith("plugin")).join("\n");
      for (const [expression, reason] of Object.entries(ambient))
        expect([expression, refused(`${folder}/src/p${expressions.indexOf(expression)}.ts`)]).toEqual([
          expression,
          expect.stringContaining(reason),
        ]);
      for (const expression of harmless)
        expect([expression, refused(`${folder}/src/p${expressions.indexOf(expression)}.ts`)]).toEqual([
          expression,
          "",
        ]);
      expect(refused(`${folder}/src/deep/p.ts`)).toContain("a pure package knows no dice");
      expect(refused(`${folder}/src/p.test.ts`)).toBe("");
      expect(refused("packages/bars/src/p.ts")).toBe("");
    },
  );

  it("the lint refuses a promise that nobody awaits", () => {
    const text =
      "export async function work(): Promise<void> {}\nexport function start(): void {\n  work();\n}\n";
    expect(lint({ "packages/bars/src/p.ts": text }).get("packages/bars/src/p.ts")?.join()).toContain(
      "noFloatingPromises",
    );
  });

  it.each(present.map(({ folder }) => folder))(
    "the compiler settings of %s know no node and no browser",
    (folder) => {
      const names = [
        "process",
        "console",
        "setTimeout",
        "Buffer",
        "document",
        "performance",
        "crypto",
        "fetch",
      ];
      const file = join(scratch, `${folder.replace("/", "-")}.mts`);
      write(
        file,
        `export const platform = [${names.join(", ")}];\nexport const ground = [Math, Intl, Float64Array];\n`,
      );
      const faults = compilerFaults(file, join(root, folder, "tsconfig.json"));
      for (const name of names) expect(faults.join("\n")).toContain(`Cannot find name '${name}'`);
      expect(faults).toHaveLength(names.length);
    },
  );
});

interface Cruised {
  readonly violations: readonly { readonly rule: string; readonly from: string }[];
  readonly modules: number;
}

/** What dependency-cruiser says of a folder under the workspace's rules. */
function cruise(folder: string): Cruised {
  const { stdout, stderr } = spawnSync(
    tool("depcruise"),
    ["--config", join(root, ".dependency-cruiser.cjs"), "--output-type", "json", "packages"],
    { cwd: folder, encoding: "utf8", maxBuffer: 256 * 1024 * 1024 },
  );
  const { summary } = readReport(stdout, stderr);
  return {
    violations: summary.violations.map(({ rule, from }: { rule: { name: string }; from: string }) => ({
      rule: rule.name,
      from,
    })),
    modules: summary.totalCruised,
  };
}

function readReport(stdout: string, stderr: string) {
  try {
    return JSON.parse(stdout);
  } catch (cause) {
    throw new Error(`no report, but:\n${stdout}\n${stderr}`, { cause });
  }
}

function tool(name: string): string {
  return join(root, "node_modules/.bin", name);
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
