import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as backtest from "@pf/backtest";
import * as market from "@pf/market";
import ts from "typescript";
import { expect, it } from "vitest";
import * as report from "../src/index.js";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const [, example = ""] = /```ts\n([\s\S]*?)```/.exec(readme) ?? [];

it("the README's example gives the results it states", async () => {
  const folder = mkdtempSync(join(tmpdir(), "pf-report-readme-"));
  try {
    const claims = example.match(/\/\/ => /g) ?? [];
    const code = example
      .replace(/^import \{(.*)\} from "@pf\/(\w+)";$/gm, "const {$1} = modules.$2;")
      .replace('"reports"', JSON.stringify(folder))
      .replace(/^(.*); \/\/ => (.*)$/gm, "check($1, $2);");
    const { outputText } = ts.transpileModule(code, { compilerOptions: { target: ts.ScriptTarget.ES2022 } });
    let checked = 0;
    const check = (actual: unknown, stated: unknown) => {
      expect(actual).toEqual(stated);
      checked++;
    };
    const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor as FunctionConstructor;
    await new AsyncFunction("modules", "check", outputText)({ backtest, market, report }, check);
    expect([checked, claims.length]).toEqual([3, 3]);
    expect(readdirSync(folder).sort()).toEqual([
      "drawdown.png",
      "equity.png",
      "heatmap.png",
      "metrics.json",
      "returns.csv",
      "weights.csv",
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
