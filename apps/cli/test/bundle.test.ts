import { existsSync, readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

// The built program holds the packages of the workspace and most of what they use; what it leaves outside has to be
// installed with it, in the versions that the packages were tried with.

const root = fileURLToPath(new URL("../../../", import.meta.url));
const dist = join(root, "apps/cli/dist");
const manifestOf = (folder: string) =>
  JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as {
    readonly dependencies?: Readonly<Record<string, string>>;
  };
const outside = manifestOf("apps/cli").dependencies ?? {};

describe("the built program", () => {
  const files = readdirSync(dist, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".js"),
  );
  // At the beginning of a line, or outside a type, so that no text that speaks of an import is taken for one.
  const named = /^(?:import|export)\b[^"'\n]*?["']([^"'\n]+)["'];?$|(?<!\{)\bimport\(["']([^"'\n]+)["']\)/gm;
  const imported = new Set(
    files.flatMap((file) =>
      [...readFileSync(join(dist, file), "utf8").matchAll(named)].map((match) => match[1] ?? match[2]!),
    ),
  );

  it("imports nothing but its own files, Node's modules and what its manifest installs with it", () => {
    const allowed = new Set([...builtinModules, ...Object.keys(outside)]);
    const foreign = [...imported].filter(
      (name) => !name.startsWith(".") && !name.startsWith("node:") && !allowed.has(name),
    );
    expect(foreign).toEqual([]);
    // The pattern finds imports at all.
    expect([...imported].some((name) => name === "tinypool")).toBe(true);
  });

  it("brings the module of its threads, the fonts of its pictures, danfojs for its tables and the licences of what it holds", () => {
    expect(files).toContain("research-worker.js");
    for (const file of [
      "fonts/DejaVuSans.ttf",
      "fonts/DejaVuSans-Bold.ttf",
      "licenses/zod.txt",
      "licenses/echarts.txt",
      "vendor/danfojs.cjs",
      "licenses/danfojs.txt",
    ])
      expect([file, existsSync(join(dist, file))]).toEqual([file, true]);
  });

  it("loads danfojs for tables alone", () => {
    const naming = files.filter((file) =>
      readFileSync(join(dist, file), "utf8").includes("vendor/danfojs.cjs"),
    );
    expect(naming).toHaveLength(1);
    const importing = files.filter((file) =>
      [...readFileSync(join(dist, file), "utf8").matchAll(/^import\b[^"\n]*"\.\/([^"\n]+)"/gm)].some(
        ([, name]) => name === naming[0],
      ),
    );
    expect(importing).toEqual([]);
  });

  it("installs the versions that the packages name", () => {
    const versions = readdirSync(join(root, "packages")).flatMap((name) =>
      Object.entries(manifestOf(`packages/${name}`).dependencies ?? {}).filter(([one]) => one in outside),
    );
    expect(versions.length).toBeGreaterThan(0);
    for (const [name, version] of versions) expect([name, version]).toEqual([name, outside[name]]);
  });
});
