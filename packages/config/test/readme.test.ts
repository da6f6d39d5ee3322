import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import * as config from "../src/index.js";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

describe("the README's example", () => {
  it("gives the results it states, with the workspace's own config folder", async () => {
    const [, code = ""] = /```ts\n([\s\S]*?)```/.exec(readme) ?? [];
    const stated = code.match(/\/\/ => .*/g)?.length ?? 0;
    const folder = fileURLToPath(new URL("../../../config", import.meta.url));
    const body = code
      .replace(/import (\{.*?\}) from "@pf\/config";/, "const $1 = pfConfig;")
      .replace('directory: "config"', `directory: ${JSON.stringify(folder)}`)
      .replace(/^(.*); \/\/ => (.*)$/gm, "check($1, $2);");
    const results: [actual: unknown, expected: unknown][] = [];
    const run = new Function("pfConfig", "check", `return (async () => {${body}})();`);
    await run(config, (actual: unknown, expected: unknown) => results.push([actual, expected]));
    expect(stated).toBeGreaterThan(6);
    expect(results).toHaveLength(stated);
    for (const [actual, expected] of results) expect(actual).toEqual(expected);
  });

  it("names every variable of the broker that is read", () => {
    const { config: loaded } = config.resolveConfig({
      env: { IB_HOST: "h", IB_PORT: "1", IB_CLIENT_ID: "2", IB_ACCOUNT_PAPER: "DU1", IB_ACCOUNT_LIVE: "U1" },
    });
    expect(loaded.ibkr).toMatchObject({
      host: "h",
      port: 1,
      clientId: 2,
      accountPaper: "DU1",
      accountLive: "U1",
    });
    for (const name of ["IB_HOST", "IB_PORT", "IB_CLIENT_ID", "IB_ACCOUNT_PAPER", "IB_ACCOUNT_LIVE"]) {
      expect(readme).toContain(`\`${name}\``);
    }
  });
});
