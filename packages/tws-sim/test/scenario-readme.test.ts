import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runReadmeExample } from "../../market/test/readme.js";
import { parseScenario } from "../src/index.js";
import { actionKeys } from "../src/scenario/schema.js";

const packageUrl = new URL("../", import.meta.url);
const scenarios = readFileSync(new URL("SCENARIOS.md", packageUrl), "utf8");

describe("the README's example", () => {
  it("prints what it says it prints", async () => {
    const { printed, stated } = await runReadmeExample(packageUrl);
    expect(printed).toBe(stated);
  });
  it("is on one screen", () => {
    expect(readFileSync(new URL("README.md", packageUrl), "utf8").split("\n").length).toBeLessThan(75);
  });
});

describe("SCENARIOS.md", () => {
  it("has examples that are scenarios", () => {
    const examples = [...scenarios.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) =>
      parseScenario(text!),
    );
    expect(examples.map(({ rules }) => rules.length)).toEqual([5, 18]);
  });
  it("explains every action, and none that there is not", () => {
    const explained = [...scenarios.matchAll(/^\| `(\w+)/gm)].map(([, name]) => name!);
    expect(explained.filter((name) => !["at", "after", "daily", "on"].includes(name)).sort()).toEqual(
      Object.keys(actionKeys).sort(),
    );
  });
});
