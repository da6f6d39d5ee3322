import { readFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { runReadmeExample } from "../../market/test/readme.js";
import { tidy } from "./example.js";
import { hasRedis, whyNot } from "./redis.js";

const packageUrl = new URL("../", import.meta.url);

describe("the README", () => {
  afterAll(tidy);

  it.runIf(hasRedis)(`prints what it says it prints${whyNot}`, async () => {
    const { printed, stated } = await runReadmeExample(packageUrl);
    expect(printed).toBe(stated);
  });

  it("is on one screen", () => {
    expect(readFileSync(new URL("README.md", packageUrl), "utf8").split("\n").length).toBeLessThan(75);
  });
});
