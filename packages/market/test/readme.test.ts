import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as market from "../src/index.js";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

describe("the README's example", () => {
  const [, code = ""] = /```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  const claims = code.match(/\/\/ => .*/g) ?? [];

  it("gives the results it states", () => {
    const body = code
      .replace(/import \{(.*?)\} from "@pf\/market";/, "const {$1} = market;")
      .replace(
        /^(.*); \/\/ => (.*)$/gm,
        (_, call, stated) => `check(${call}, ${stated}, ${JSON.stringify(call)});`,
      );
    let checked = 0;
    const check = (actual: unknown, expected: unknown, what: string) => {
      const shown =
        actual instanceof Float64Array ? [...actual].map((value) => Number(value.toFixed(12))) : actual;
      expect(shown, what).toEqual(expected);
      checked++;
    };
    new Function("market", "check", body)(market, check);
    expect(claims.length).toBeGreaterThan(7);
    expect(checked).toBe(claims.length);
  });
});

describe("the examples in the comments of the source", () => {
  it.each([
    ["session", 4],
    ["newYork", 3],
  ] as const)("of %s.ts give the results they state", (file, count) => {
    const source = readFileSync(new URL(`../src/${file}.ts`, import.meta.url), "utf8");
    const examples = [...source.matchAll(/@example\n\s*\* (.*); \/\/ => (.*)\n/g)];
    expect(examples).toHaveLength(count);
    for (const [, call, stated] of examples) {
      const run = new Function("market", `const {${Object.keys(market)}} = market; return ${call}`);
      expect(run(market), call).toEqual(JSON.parse(stated!));
    }
  });
});
