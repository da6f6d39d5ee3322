import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadScenario, parseScenario, ScenarioError } from "../src/index.js";
import { simulator } from "./server-harness.js";

function complaintsAbout(text: string): readonly string[] {
  try {
    parseScenario(text, "s.yaml");
  } catch (error) {
    if (error instanceof ScenarioError) return error.message.split("\n");
    throw error;
  }
  throw new Error("nothing was wrong with it");
}

describe("a scenario file", () => {
  it("may be YAML or JSON", () => {
    const yaml = 'rules:\n  - daily: "23:45"\n    do: [{ restart: { down: 2m } }]\n';
    const json = '{"rules": [{"daily": "23:45", "do": [{"restart": {"down": "2m"}}]}]}';
    expect(parseScenario(yaml)).toEqual(parseScenario(json));
    expect(parseScenario(yaml).rules[0]).toMatchObject({
      daily: "23:45",
      do: [{ restart: { down: 120_000 } }],
    });
  });

  it.each([
    ["500ms", 500],
    ["5s", 5000],
    ["1.5m", 90_000],
    ["2h", 7_200_000],
    ["3", 3000],
  ])("takes %s as a duration of %i ms", (written, ms) => {
    expect(parseScenario(`rules: [{ after: ${written}, do: [{ link: down }] }]`).rules[0]!.after).toBe(ms);
  });

  it.each([
    [
      "rules:\n  - after: soon\n    do: [{ link: down }]",
      "s.yaml:2:12 rules[0].after: must be a duration such as",
    ],
    [
      "rules:\n  - do: [{ link: down }]",
      "s.yaml:2:5 rules[0]: must have exactly one of at, after, daily, on",
    ],
    ["rules:\n  - after: 1\n    do: [drop]", "s.yaml:3:10 rules[0].do[0]: drop acts on a message"],
    [
      "rules:\n  - after: 1\n    do: [{ link: sideways }]",
      "s.yaml:3:18 rules[0].do[0].link: must be one of down, up",
    ],
    [
      "rules:\n  - after: 1\n    do: [{ explode: 1 }]",
      "s.yaml:3:21 rules[0].do[0].explode: is not a key of a scenario",
    ],
    ["rules:\n  - after: 1\n    do: []", "s.yaml:3:9 rules[0].do: must have at least one entry"],
    [
      "rules:\n  - after: 1\n    do: [{ link: up, farm: { name: market, up: true } }]",
      "s.yaml:3:10 rules[0].do[0]: must have exactly one of drop,",
    ],
    [
      "rules:\n  - on: { message: orderStats }\n    do: [drop]",
      "s.yaml:2:20 rules[0].on.message: there is no message orderStats",
    ],
    [
      "rules:\n  - on: { mesage: orderStatus }\n    do: [drop]",
      "s.yaml:2:19 rules[0].on.mesage: is not a key of a scenario",
    ],
    [
      "rules:\n  - on: { message: orderStatus, nth: 0 }\n    do: [drop]",
      "s.yaml:2:38 rules[0].on.nth: must be at least 1",
    ],
    [
      "rules:\n  - at: 2025-13-01\n    do: [{ link: up }]",
      "s.yaml:2:9 rules[0].at: must be a time in New York such as",
    ],
    [
      'rules: [{ at: "2025-02-30 10:00", do: [{ link: up }] }]',
      "s.yaml:1:15 rules[0].at: is no time that there is",
    ],
    ["rules: [", "s.yaml:1:9: is not valid YAML"],
    ["rulez: []", "s.yaml:1:8 rulez: is not a key of a scenario"],
    ["[]", "s.yaml:1:1: must be a section of `key: value` lines"],
    ["", "s.yaml"],
    ["a: &x [1]\nrules: *x", "s.yaml:2:8: *x refers to another value"],
  ])("says where %j is wrong", (text, expected) => {
    expect(
      complaintsAbout(text).some((line) => line.startsWith(expected)),
      complaintsAbout(text).join("\n"),
    ).toBe(true);
  });

  it("names everything that is wrong at once", () => {
    expect(
      complaintsAbout("rules:\n  - { after: x, do: [drop] }\n  - { do: [{ link: 1 }] }").length,
    ).toBeGreaterThan(1);
  });

  it("is read from a file, whose name stands before what is wrong", async () => {
    const folder = mkdtempSync(join(tmpdir(), "scenario-"));
    try {
      writeFileSync(join(folder, "good.yaml"), "rules: []\n");
      writeFileSync(join(folder, "bad.yaml"), Buffer.from([0xff, 0xfe, 0x00]));
      expect((await loadScenario(join(folder, "good.yaml"))).rules).toEqual([]);
      await expect(loadScenario(join(folder, "bad.yaml"))).rejects.toThrow(/bad\.yaml: is not UTF-8 text/);
      await expect(loadScenario(join(folder, "none.yaml"))).rejects.toMatchObject({ code: "PF_SCENARIO" });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("cannot be about a time that is over", async () => {
    const scenario = parseScenario('rules: [{ at: "2025-01-02 10:00", do: [{ link: down }] }]');
    await expect(simulator({ scenario })).rejects.toThrow(/rules\[0\]\.at: .* is before the simulated time/);
  });

  it.each([
    [
      "order: { symbol: NOSUCH, side: BUY, quantity: 1 }",
      "rules[0].do[0].order.symbol: the market has no NOSUCH",
    ],
    [
      "order: { symbol: SPY, side: BUY, quantity: 1, account: DU9 }",
      "rules[0].do[0].order.account: the market has no DU9",
    ],
    ["cash: { amount: 5, account: DU9 }", "rules[0].do[0].cash.account: the market has no DU9"],
    ["split: { symbol: NOSUCH, ratio: 2 }", "rules[0].do[0].split.symbol: the market has no NOSUCH"],
  ])("cannot name what the market does not have: %s", async (action, words) => {
    await expect(
      simulator({ scenario: parseScenario(`rules: [{ after: 1s, do: [{ ${action} }] }]`) }),
    ).rejects.toThrow(words);
  });

  it("says at once what is wrong with an action", async () => {
    const simulated = await simulator();
    expect(() => simulated.trigger({ split: { symbol: "NOSUCH", ratio: 2 } })).toThrow(ScenarioError);
    expect(() => simulated.trigger({ link: "sideways" as "up" })).toThrow(/link: .*down/);
    expect(() =>
      simulated.trigger({ order: { symbol: "SPY", side: "BUY", quantity: 1, type: "LMT" } }),
    ).toThrow(/needs a limit/);
  });

  it("counts the messages that fit, not all", async () => {
    const { rules } = parseScenario(
      "rules: [{ on: { message: orderStatus, status: Filled, nth: 3, times: 2 }, do: [drop] }]",
    );
    expect(rules[0]!.on).toEqual({ message: "orderStatus", status: "Filled", nth: 3, times: 2 });
  });
});
