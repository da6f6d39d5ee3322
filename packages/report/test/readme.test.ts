import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as backtest from "@pf/backtest";
import * as market from "@pf/market";
import * as research from "@pf/research";
import ts from "typescript";
import { expect, it } from "vitest";
import * as frame from "../src/frame.js";
import * as report from "../src/index.js";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const examples = Array.from(readme.matchAll(/```ts\n([\s\S]*?)```/g), ([, code]) => code!);

/** Runs an example, writing into a folder; each line that states its value is checked. */
async function run(example: string, folder: string): Promise<number> {
  const code = example
    .replace(/^import \{(.*)\} from "@pf\/([\w/]+)";$/gm, 'const {$1} = modules["$2"];')
    .replace('"reports"', JSON.stringify(folder))
    .replace(/^(.*); \/\/ => (.*)$/gm, "check($1, $2);");
  const { outputText } = ts.transpileModule(code, { compilerOptions: { target: ts.ScriptTarget.ES2022 } });
  let checked = 0;
  const check = (actual: unknown, stated: unknown) => {
    expect(actual).toEqual(stated);
    checked++;
  };
  const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor as FunctionConstructor;
  const modules = { backtest, market, report, "report/frame": frame, research };
  await new AsyncFunction("modules", "check", outputText)(modules, check);
  expect(checked).toBe(example.match(/\/\/ => /g)!.length);
  return checked;
}

it("the README's examples give the results they state", async () => {
  const folder = mkdtempSync(join(tmpdir(), "pf-report-readme-"));
  try {
    const checked: number[] = [];
    for (const example of examples) checked.push(await run(example, folder));
    expect(checked).toEqual([3, 2, 3]);
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
