import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createServices } from "../src/index.js";

const home = mkdtempSync(join(tmpdir(), "pf-user-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const config = join(home, "config");

const file = (name: string, text: string) => writeFileSync(join(config, name), text);

/** Services with a configuration of these lines. */
function servicesWith(yaml: string, overrides: readonly string[] = []) {
  writeFileSync(join(config, "config.yaml"), yaml);
  return createServices({
    configuration: {
      directory: config,
      overrides: [
        "universe=[SPY, TLT, GLD, XLE]",
        "data.source=synthetic",
        "ibkr.start=2020-01-01",
        ...overrides,
      ],
    },
    folders: { data: join(home, "data"), out: join(home, "reports"), state: join(home, "state") },
    version: "1.2.3",
    clock: { nowUtcMs: () => Date.parse("2022-07-01T22:00:00Z") },
  });
}

const messageOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "no error",
    (error: Error) => error.message,
  );

beforeAll(async () => {
  mkdirSync(config, { recursive: true });
  await servicesWith("selection: {}\n").fetch();
});

describe("a score of the user's own", () => {
  it("ranks as the built-in one does when it says the same, and otherwise as it says", async () => {
    file(
      "same.mjs",
      `export const trend = (view) => {
        const last = (column) => column[column.length - 1];
        const close = last(view.column("close"));
        return (close / last(view.ema(20)) - 1) / Math.max(last(view.atr(20)) / close, 1e-6);
      };
      export const against = (view) => -trend(view);`,
    );
    const builtIn = await servicesWith("selection: {}\n").backtest({ plots: false });
    const same = await servicesWith("selection: {score: ./same.mjs#trend}\n").backtest({ plots: false });
    const against = await servicesWith(
      "selection: {score: './same.mjs#against', min_score: -1000}\n",
    ).backtest({ plots: false });
    expect(same.document.metrics).toEqual(builtIn.document.metrics);
    expect(against.document.metrics).not.toEqual(builtIn.document.metrics);
    expect(same.document.manifest.config.selection.score).toBe("./same.mjs#trend");
    expect(same.document.manifest.config.modules).toEqual({
      "./same.mjs#trend": expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(builtIn.document.manifest.config).not.toHaveProperty("modules");
  });

  it("sees no more than the row being decided", async () => {
    file(
      "seen.cjs",
      `exports.ends = (view) => {
        const close = view.column("close");
        if (close.length !== view.returns().length) throw new Error("columns of different lengths");
        (globalThis.pfSeen ??= new Map()).set(view.session, close.length);
        return 1;
      };`,
    );
    await servicesWith("selection: {score: ./seen.cjs#ends}\n").backtest({ plots: false });
    const seen = [...(globalThis as unknown as { pfSeen: Map<string, number> }).pfSeen].sort();
    expect(seen.length).toBeGreaterThan(500);
    // One row more a session, whatever the order of asking.
    for (const [at, [, rows]] of seen.entries()) expect(rows - seen[0]![1]).toBe(at);
  });

  it("that throws or gives no number is named with its file, symbol and session", async () => {
    file(
      "bad.js",
      `exports.throws = (view) => { if (view.ticker === "GLD" && view.session >= "2021-06-01") throw new Error("oh no"); return 1; };
       exports.says = () => "much";`,
    );
    expect(
      await messageOf(servicesWith("selection: {score: './bad.js#throws'}\n").backtest({ plots: false })),
    ).toBe('score "./bad.js#throws" on 2021-06-01 for GLD: oh no');
    expect(
      await messageOf(servicesWith("selection: {score: './bad.js#says'}\n").backtest({ plots: false })),
    ).toMatch(/^score "\.\/bad\.js#says" on \d{4}-\d\d-\d\d for SPY: /);
  });

  it("is told where it is named when nothing usable stands behind it", async () => {
    file("empty.mjs", "export const number = 5;\n");
    file("broken.mjs", "export const = 5;\n");
    const check = (name: string) =>
      messageOf(servicesWith(`selection:\n  score: ${name}\n`).configCheck()).then((message) =>
        message.replaceAll(home, "HOME"),
      );
    expect(await check("./none.js")).toBe(
      "HOME/config/config.yaml:2:10 selection.score: ./none.js: HOME/config/none.js: there is no such file",
    );
    expect(await check("'./empty.mjs#number'")).toContain(
      "exports no function named number (it exports no functions)",
    );
    expect(await check("./broken.mjs")).toContain("HOME/config/broken.mjs cannot be loaded: ");
    // A name without a file is a registered one, or a mistake.
    expect(await check("trent")).toContain("must be a registered score");
  });

  it("is loaded anew when its file has changed", async () => {
    const scores = async () =>
      (
        await servicesWith("selection: {score: ./changing.mjs, min_score: -1}\n").targetWeights()
      ).candidates.map(({ score }) => score);
    file("changing.mjs", "export default () => 1;\n");
    expect(new Set(await scores())).toContain(1);
    file("changing.mjs", "export default () => 2;\n");
    expect(new Set(await scores())).not.toContain(1);
    expect(new Set(await scores())).toContain(2);
  });
});

describe("weightings and overlays of the user's own", () => {
  it("weigh and lower what the strategy holds, with their reasons", async () => {
    file(
      "mine.mjs",
      `export const first = (input, raw) => { for (let k = 0; k < input.tickers.length; k++) raw[k] = k === 0 ? 3 : 1; };
       export const half = ({ exposure }) => () => ({ exposure, reason: "half is enough" });
       export const double = () => () => ({ exposure: 2, reason: "more" });`,
    );
    const yaml = `weights: {method: './mine.mjs#first', max_weight_per_asset: 1}\n`;
    const asOf = "2021-03-01";
    const { weights } = await servicesWith(yaml).targetWeights({ asOf });
    const sorted = Object.values(weights).sort();
    expect(sorted).toHaveLength(2);
    expect(sorted[1]! / sorted[0]!).toBeCloseTo(3, 9);
    const lowered = await servicesWith(
      `${yaml}overlays: [{name: './mine.mjs#half', exposure: 0.5}]\n`,
    ).targetWeights({ asOf });
    for (const [symbol, weight] of Object.entries(weights))
      expect(lowered.weights[symbol]).toBeCloseTo(weight / 2, 12);
    expect(JSON.stringify(lowered)).toContain("half is enough");
    expect(
      await messageOf(servicesWith(`overlays: [{name: './mine.mjs#double'}]\n`).targetWeights()),
    ).toMatch(/overlay ".\/mine.mjs#double" on/);
  });
});
