import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { documentOf, pf, temporaryFolder } from "./process.js";

const home = temporaryFolder();
const file = (name: string, text: string) => writeFileSync(join(home, name), text);
const weights = (name: string) =>
  pf(["weights", "--json", "--set", "universe=[SPY, TLT]", "--set", `selection.score=${name}`], {
    cwd: home,
  });

beforeAll(async () => {
  const words = ["fetch", "--source", "synthetic", "--symbols", "SPY,TLT", "--start", "2021-01-04"];
  expect((await pf([...words, "--end", "2021-12-31"], { cwd: home })).code).toBe(0);
});

describe("a file of the user's own", () => {
  it("that throws is told with file, symbol, session and line", async () => {
    file(
      "throws.mjs",
      `const inner = (view) =>
        view.colum("close");
      export const mine = (view) => (view.ticker === "TLT" ? inner(view) : 1);\n`,
    );
    const run = await weights("./throws.mjs#mine");
    expect(run.code).toBe(2);
    const { error } = documentOf(run);
    expect(error.code).toBe("PF_EXTENSION");
    expect(error.message).toMatch(
      /^score "\.\/throws\.mjs#mine" on 2021-\d\d-\d\d for TLT: view\.colum is not a function$/,
    );
    expect(error.next).toMatch(/^correct .*throws\.mjs, line 2$/);
  });

  it("that sorts what it is shown is refused, and one that sorts a copy is not", async () => {
    file(
      "sorts.mjs",
      `export const inPlace = (view) => view.column("close").sort().at(-1);
      export const aCopy = (view) => view.column("close").slice().sort().at(-1);\n`,
    );
    const run = await weights("./sorts.mjs#inPlace");
    expect(run.code).toBe(2);
    expect(documentOf(run).error.message).toMatch(/on 2021-\d\d-\d\d for SPY: changed close of its view/);
    expect((await weights("./sorts.mjs#aCopy")).code).toBe(0);
  });

  it("with a mistake in its syntax is told with the line", async () => {
    file("broken.mjs", "export const right = () => 1;\nexport const = 5;\n");
    const run = await weights("./broken.mjs#right");
    expect(run.code).toBe(2);
    expect(documentOf(run).error.message).toMatch(/broken\.mjs cannot be loaded: line 2: Unexpected token/);
  });

  it("may be TypeScript where Node reads it, and says what to do where it does not", async () => {
    file("typed.mts", "export const one: (view: object) => number = () => 1;\n");
    const run = await weights("./typed.mts#one");
    if ("typescript" in process.features && process.features.typescript) expect(run.code).toBe(0);
    else {
      expect(run.code).toBe(2);
      expect(documentOf(run).error.message).toMatch(
        /typed\.mts cannot be loaded: Node \S+ reads no TypeScript \(22\.18 and later do\)/,
      );
    }
  });
});
