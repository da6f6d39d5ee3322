import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as indicators from "../src/index.js";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

describe("the README's example", () => {
  const [, code = ""] = /```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  const claims = code.match(/\/\/ => .*/g) ?? [];

  it("gives the results it states", () => {
    const body = code
      .replace(/import \{(.*?)\} from "@pf\/indicators";/, "const {$1} = indicators;")
      .replace(/^(.*); \/\/ => (.*)$/gm, "check($1, $2, `$1`);");
    let checked = 0;
    const check = (actual: unknown, expected: unknown, what: string) => {
      expect(actual instanceof Float64Array ? [...actual] : actual, what).toEqual(expected);
      checked++;
    };
    new Function("indicators", "check", body)(indicators, check);
    expect(claims.length).toBeGreaterThan(4);
    expect(checked).toBe(claims.length);
  });
});

describe("the examples in the comments of the source", () => {
  for (const file of ["trend", "returns"]) {
    it(`of ${file}.ts give the results they state`, () => {
      const source = readFileSync(new URL(`../src/${file}.ts`, import.meta.url), "utf8");
      const examples = [...source.matchAll(/@example\n([\s\S]*?)\*\//g)].map(([, text]) =>
        text!.replace(/^\s*\* ?/gm, "").replace(/;\s*\/\/ => /, " => "),
      );
      expect(examples.length).toBe(file === "trend" ? 4 : 5);
      for (const example of examples) {
        const [call, stated] = example.trim().split(" => ");
        const actual = new Function(
          "indicators",
          `const {${Object.keys(indicators)}} = indicators; return ${call}`,
        )(indicators);
        const expected = JSON.parse(
          stated!.replace(/^Float64Array /, "").replaceAll("NaN", "null"),
        ) as unknown;
        const shown =
          actual instanceof Float64Array ? [...actual].map((x) => (Number.isNaN(x) ? null : x)) : actual;
        expect(shown, call).toEqual(expected);
      }
    });
  }
});
