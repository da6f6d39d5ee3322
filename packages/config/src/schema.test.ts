import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { isMap, isScalar, LineCounter, parse, parseDocument, type YAMLMap } from "yaml";
import * as z from "zod";
import { configJsonSchema, renderDefaultYaml } from "./render.js";
import { resolveConfig } from "./resolve.js";
import { settingNames } from "./schema.js";

const workspaceFile = (name: string) => readFileSync(new URL(`../../../${name}`, import.meta.url), "utf8");
const specification = new URL("../../../../shared/seed-specification.md", import.meta.url);
const regenerate = "differs from the schema: run `pnpm --filter @pf/config schema`";

/** Every key of a file, sections included, with the comment lines right above it. */
function commentsIn(text: string): readonly [name: string, comment: string][] {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter });
  const lines = text.split("\n");
  const commentAbove = (line: number): string => {
    const above = lines[line - 2] ?? "";
    return above.trimStart().startsWith("#")
      ? `${commentAbove(line - 1)} ${above.trim().slice(2)}`.trim()
      : "";
  };
  const walk = (map: YAMLMap, prefix: string): [string, string][] =>
    map.items.flatMap(({ key, value }) => {
      if (!isScalar(key) || !key.range) throw new Error("a key is no word");
      const name = `${prefix}${String(key.value)}`;
      const own: [string, string] = [name, commentAbove(counter.linePos(key.range[0]).line)];
      return isMap(value) ? [own, ...walk(value as YAMLMap, `${name}.`)] : [own];
    });
  return walk(document.contents as YAMLMap, "");
}

describe("config/config.yaml", () => {
  const text = workspaceFile("config/config.yaml");

  it("is the schema's defaults, written out", () => {
    expect(text, regenerate).toBe(renderDefaultYaml());
    expect(parse(text)).toEqual(resolveConfig({}).written);
  });

  it("tells editors where the JSON Schema is, in its first line", () => {
    expect(text.split("\n")[0]).toBe("# yaml-language-server: $schema=./config.schema.json");
  });

  it("has every setting, each under a comment of its own", () => {
    const comments = commentsIn(text);
    expect(comments.map(([name]) => name)).toEqual(expect.arrayContaining([...settingNames]));
    for (const [name, comment] of comments) expect(comment.length, name).toBeGreaterThan(12);
    expect(new Set(comments.map(([, comment]) => comment)).size).toBe(comments.length);
  });

  it("loads without a warning", () => {
    expect(resolveConfig({ config: { path: "config.yaml", text } }).warnings).toEqual([]);
  });
});

describe(".env.example", () => {
  it("sets what the defaults are already", () => {
    const { written, origins } = resolveConfig({
      dotenv: { path: ".env", text: workspaceFile(".env.example") },
    });
    expect(written).toEqual(resolveConfig({}).written);
    const named = Object.values(origins).flatMap(({ variable }) => variable ?? []);
    expect(named).toEqual(["IB_HOST", "IB_PORT", "IB_CLIENT_ID", "IB_ACCOUNT_PAPER"]);
  });

  it("has examples that work once they are uncommented", () => {
    const text = workspaceFile(".env.example").replaceAll("# PF_", "PF_");
    const { config } = resolveConfig({ dotenv: { path: ".env", text } });
    expect([config.selection.topN, config.universe]).toEqual([1, ["SPY", "TLT"]]);
  });
});

describe("config/config.schema.json", () => {
  const written = JSON.parse(workspaceFile("config/config.schema.json"));
  const schema = z.fromJSONSchema(written);

  it("is generated from the schema", () => {
    expect(written, regenerate).toEqual(JSON.parse(JSON.stringify(configJsonSchema())));
  });

  it("accepts the default file and a file that says little", () => {
    expect(schema.safeParse(parse(workspaceFile("config/config.yaml"))).success).toBe(true);
    expect(schema.safeParse({ selection: { top_n: 1 } }).success).toBe(true);
  });

  it.each([
    { selection: { top_m: 1 } },
    { selection: { top_n: 0 } },
    { weights: { cash_buffer: 1 } },
    { ibkr: { start: "2023-02-29" } },
    { execution: { order_type: "mkt" } },
    { universe: ["spy"] },
    { universe: [] },
    { universe: "us_sektors" },
    { universe: "./mine.xlsx" },
    { data: { fallback: ["synthetic"] } },
    { data: { tiingo_key: "abc" } },
  ])("refuses %j in the editor", (wrong) => {
    expect(schema.safeParse(wrong).success).toBe(false);
  });

  it.each([["SPY", "TLT"], "us_sectors", "./my-universe.txt", "lists/Mine.CSV", "a.yaml"])(
    "accepts the universe %j in the editor",
    (universe) => expect(schema.safeParse({ universe }).success).toBe(true),
  );

  it("describes every section and setting", () => {
    const undescribed = (
      node: { properties?: Record<string, object>; description?: string },
      name: string,
    ): string[] => [
      ...(name !== "" && !node.description ? [name] : []),
      ...Object.entries(node.properties ?? {}).flatMap(([key, child]) =>
        name === "overlays" ? [] : undescribed(child, `${name}.${key}`),
      ),
    ];
    expect(undescribed(written, "")).toEqual([]);
  });
});

describe.runIf(existsSync(specification))(
  "the specification's configuration (read from ../shared, not run where that folder is absent)",
  () => {
    // Read by the tests and not here: vitest collects this block even where it will not run it.
    const written = () =>
      /### 3\.1[\s\S]*?```yaml\n([\s\S]*?)```/.exec(readFileSync(specification, "utf8"))?.[1] ?? "";

    it("loads unchanged", () => {
      const text = written();
      const loaded = resolveConfig({ config: { path: "config.yaml", text } });
      const { origins, warnings } = loaded;
      expect(loaded.written).toMatchObject(parse(text));
      expect(Object.values(origins).filter(({ source }) => source === "config.yaml").length).toBeGreaterThan(
        40,
      );
      expect(warnings).toEqual([]);
    });

    it("has the very values that are the defaults", () => {
      expect(resolveConfig({}).written).toMatchObject(parse(written()));
    });
  },
);
