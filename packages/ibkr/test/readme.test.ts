import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runReadmeExample } from "../../market/test/readme.js";
import * as ibkr from "../src/index.js";

const folder = new URL("../", import.meta.url);
const readme = readFileSync(new URL("README.md", folder), "utf8");

describe("the README", () => {
  it("has an example that prints what it says it prints", async () => {
    const { printed, stated } = await runReadmeExample(folder);
    expect(printed).toBe(stated);
  });

  it("names every error code", () => {
    const sources = readFileSync(new URL("src/errors.ts", folder), "utf8");
    for (const [code] of sources.matchAll(/PF_IBKR_[A-Z_]+/g)) expect(readme).toContain(code);
    expect(Object.keys(ibkr)).toContain("connectIbkr");
  });

  it("is on one screen", () => {
    expect(readme.split("\n").length).toBeLessThan(80);
  });
});
