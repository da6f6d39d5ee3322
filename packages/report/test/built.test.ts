import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { planBacktestReport } from "../src/index.js";
import { reportOf, runOf, walk, weekdays } from "./worlds.js";

const home = fileURLToPath(new URL("..", import.meta.url));
const dist = join(home, "dist");

/** Plans the report it is given; says whether the drawing library was there before the first picture, and after. */
const plan = `
  // Resvg is a native module: once it is loaded, its file is among the shared objects of the process.
  const drawing = () => process.report.getReport().sharedObjects.some((one) => one.includes("resvg"));
  const input = JSON.parse(fs.readFileSync(0, "utf8"), (_, value) => (value?.column ? new globalThis[value.column](value.values) : value));
  const before = drawing();
  const { createHash } = await import("node:crypto");
  const files = await report.planBacktestReport(input);
  const shown = files.map(({ name, bytes }) => [name, createHash("sha256").update(bytes).digest("hex")]);
  process.stdout.write(JSON.stringify({ before, after: drawing(), files: shown }));
`;
const programs = {
  "an ECMAScript module": {
    name: "plan.mjs",
    text: `import fs from "node:fs"; import * as report from ${JSON.stringify(join(dist, "index.js"))};${plan}`,
  },
  "a CommonJS module": {
    name: "plan.cjs",
    text: `const fs = require("node:fs"); const report = require(${JSON.stringify(join(dist, "index.cjs"))});
      (async () => {${plan}})();`,
  },
};

describe("the built package", () => {
  beforeAll(() => {
    // A test run through the workspace has built it before.
    if (!existsSync(join(dist, "index.cjs"))) execFileSync("npx", ["tsup"], { cwd: home, stdio: "ignore" });
  }, 120_000);

  it.each(Object.entries(programs))(
    "as %s makes the files that its sources make, and loads the drawing library only then",
    async (_, program) => {
      const sessions = weekdays("2020-01-01", 400);
      const input = {
        ...reportOf(runOf(sessions, walk(5, 400)), { SPY: runOf(sessions, walk(6, 400)) }),
        plots: true,
      };
      const folder = mkdtempSync(join(tmpdir(), "pf-report-built-"));
      try {
        writeFileSync(join(folder, program.name), program.text);
        const output = execFileSync(process.execPath, [join(folder, program.name)], {
          input: JSON.stringify(input, (__, value: unknown) =>
            value instanceof Float64Array || value instanceof Int32Array
              ? { column: value.constructor.name, values: [...value] }
              : value,
          ),
          cwd: folder,
          maxBuffer: 16e6,
        });
        const made = JSON.parse(output.toString()) as {
          before: boolean;
          after: boolean;
          files: [string, string][];
        };
        expect([made.before, made.after]).toEqual([false, true]);
        const expected = await planBacktestReport(input);
        expect(made.files).toEqual(
          expected.map(({ name, bytes }) => [name, createHash("sha256").update(bytes).digest("hex")]),
        );
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
    30_000,
  );

  it("brings its fonts, and the licences of what it brings", () => {
    const fonts = ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"].map((name) => `fonts/${name}`);
    const licenses = ["dejavu-fonts", "echarts", "echarts-notice", "zrender", "tslib"].map(
      (name) => `licenses/${name}.txt`,
    );
    for (const name of [...fonts, ...licenses]) {
      expect(readFileSync(join(dist, name)).length, name).toBeGreaterThan(150);
    }
  });

  it("keeps ECharts in a chunk of its own, which importing the package does not load", () => {
    const loaded = loadedWith("index.js");
    const lazy = /import\("\.\/([^"]+)"\)/.exec(textOf("index.js"))![1]!;
    expect(loaded).not.toContain(lazy);
    // A name from the depths of the drawing library.
    expect(textOf(lazy)).toContain("ZRText");
    for (const file of loaded) expect(textOf(file), file).not.toContain("ZRText");
  });
});

describe("the built entry for frames", () => {
  const built = join(dist, "frame.cjs");
  beforeAll(() => {
    if (!existsSync(built)) execFileSync("npx", ["tsup"], { cwd: home, stdio: "ignore" });
  }, 120_000);

  /** Makes a frame, reads it back, and says when danfojs was loaded. */
  const program = `
    const danfo = () => Object.keys(require.cache).some((file) => file.endsWith("danfojs.cjs"));
    const seen = [danfo()];
    const result = { sessions: ["2024-01-02", "2024-01-03"] };
    for (const name of ["net", "gross", "turnover", "commission", "slippage", "equity"]) result[name] = Float64Array.of(0.1, -0);
    const made = await frame.toDataFrame(result);
    seen.push(danfo());
    const { net } = frame.fromDataFrame(made, "returns");
    const { values } = await frame.groupFrame(made, ["date"], { net: ["sum"] });
    process.stdout.write(JSON.stringify({ seen, net: [...net].map(String), negative: Object.is(net[1], -0), rows: values.length }));
  `;
  const answer = { seen: [false, true], net: ["0.1", "0"], negative: true, rows: 2 };

  it.each([
    [
      "an ECMAScript module",
      "frame.mjs",
      `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);
       await import(${JSON.stringify(join(dist, "index.js"))});
       const frame = await import(${JSON.stringify(join(dist, "frame.js"))});${program}`,
    ],
    [
      "a CommonJS module",
      "frame.cjs",
      `require(${JSON.stringify(join(dist, "index.cjs"))});
       const frame = require(${JSON.stringify(built)}); (async () => {${program}})();`,
    ],
  ])("as %s loads danfojs when the first frame is made, and says nothing", (_, name, text) => {
    const folder = mkdtempSync(join(tmpdir(), "pf-report-frame-"));
    try {
      writeFileSync(join(folder, name), text);
      const { stdout, stderr } = spawnSync(process.execPath, [join(folder, name)], { encoding: "utf8" });
      expect([JSON.parse(stdout || "null"), stderr]).toEqual([answer, ""]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("is nothing that the main entry loads or names", () => {
    for (const file of loadedWith("index.js")) expect(textOf(file), file).not.toContain("danfojs.cjs");
    expect(textOf("index.cjs")).not.toContain("danfojs.cjs");
    expect(textOf("frame.cjs")).toContain("danfojs.cjs");
  });

  it("brings danfojs with the licences of what is in it", () => {
    const vendor = join(home, "vendor");
    expect(readFileSync(join(vendor, "danfojs.cjs")).length).toBeGreaterThan(1e6);
    const licences = readFileSync(join(vendor, "danfojs.LEGAL.txt"), "utf8");
    for (const name of [
      "danfojs-node 1.2.0 (MIT)",
      "@tensorflow/tfjs-core",
      "mathjs",
      "papaparse",
      "Apache License",
    ])
      expect(licences).toContain(name);
  });
});

/** The built modules that come with one of them: itself and whatever it imports at once. */
function loadedWith(file: string): string[] {
  const imported = Array.from(textOf(file).matchAll(/(?:from|import) "\.\/([^"]+)"/g), ([, name]) => name!);
  return [file, ...imported.flatMap(loadedWith)];
}

function textOf(file: string): string {
  return readFileSync(join(dist, file), "utf8");
}
