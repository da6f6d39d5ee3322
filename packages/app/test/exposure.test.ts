import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createServices } from "../src/index.js";

const home = mkdtempSync(join(tmpdir(), "pf-exposure-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const config = join(home, "config");

function servicesWith(yaml: string, overrides: readonly string[] = []) {
  writeFileSync(join(config, "config.yaml"), yaml);
  return createServices({
    configuration: {
      directory: config,
      overrides: ["data.source=synthetic", "ibkr.start=2020-01-01", ...overrides],
    },
    folders: { data: join(home, "data"), out: join(home, "reports"), state: join(home, "state") },
    version: "1.2.3",
    clock: { nowUtcMs: () => Date.parse("2022-07-01T22:00:00Z") },
  });
}

const universe = "universe: [SPY, TLT, GLD, XLE]\n";
const lowered = `${universe}weights: {method: hrp, vol_target: 0.08}
overlays:
  - {name: sma_filter, symbol: SPY, window: 100, exposure: 0.5}
  - {name: volatility, symbol: universe, window: 20, threshold: 0.1, exposure: 0.25}
  - {name: breadth, window: 50, threshold: 0.5, exposure: 0.5}
`;

interface Logged {
  readonly session: string;
  readonly overlays: readonly { readonly name: string; readonly exposure: number; readonly reason: string }[];
}

beforeAll(async () => {
  mkdirSync(config, { recursive: true });
  await servicesWith(universe).fetch();
});

describe("what lowers exposure", () => {
  it("is told alike by a backtest's audit log, by weights and by the plan of trade, and lowers weights", async () => {
    const { document } = await servicesWith(lowered).backtest({ plots: false });
    const rebalances = readFileSync(join(home, "reports", document.log), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Logged);
    const holding = rebalances.filter(({ overlays }) => overlays.length === 4);
    // A dozen rebalances all over the history, so that there are calm days and others.
    const told = holding.filter((_, at) => at % Math.ceil(holding.length / 12) === 0);
    expect(told.length).toBeGreaterThan(8);
    const lowering = new Set<string>();
    for (const { session, overlays } of told) {
      const weights = await servicesWith(lowered).targetWeights({ asOf: session });
      expect(weights.overlays).toEqual(overlays);
      const { document: plan } = await servicesWith(lowered).trade({ dryRun: true, asOf: session });
      expect(plan.overlays).toEqual(overlays);
      expect(plan.weights).toEqual(weights.weights);
      for (const { name, exposure } of overlays) if (exposure < 1) lowering.add(name);
    }
    expect(overlayNames(told)).toEqual(["vol_target", "sma_filter", "volatility", "breadth"]);
    expect(lowering.size).toBeGreaterThan(1);
  });

  it("is refused where it stands, symbols outside the universe included, whatever the universe comes from", async () => {
    await expect(servicesWith(lowered, ["universe=[TLT, GLD, XLE]"]).targetWeights()).rejects.toThrow(
      /config\.yaml:4:32 overlays\[0\]\.symbol: must be a symbol of the universe, for others have no bars \(is the text "SPY"\)/,
    );
    await expect(
      servicesWith(`${universe}overlays: [{name: breadth, window: 50}]\n`).targetWeights(),
    ).rejects.toThrow(/config\.yaml:2:12 overlays\[0\]\.threshold: is missing/);
  });
});

function overlayNames(told: readonly Logged[]): string[] {
  return [...new Set(told.flatMap(({ overlays }) => overlays.map(({ name }) => name)))];
}
