import { summariseNull } from "@pf/research";
import { describe, expect, it } from "vitest";
import { madePermutation, outcomeOf, testOf } from "../test/research.js";
import { permutationJson, planPermutationReport } from "./permutation.js";

const input = await madePermutation();
const { test } = input;

describe("planPermutationReport", () => {
  it("plans numbers alone, or numbers and the picture", async () => {
    const names = async (plots: boolean) =>
      (await planPermutationReport({ ...input, plots })).map(({ name }) => name);
    expect(await names(false)).toEqual(["permutation.json"]);
    expect(await names(true)).toEqual(["permutation.json", "permutation.png"]);
  });

  it("gives the same bytes for the same input, the picture included", async () => {
    const [one, two] = await Promise.all([
      planPermutationReport({ ...input, plots: true }),
      madePermutation().then((again) => planPermutationReport({ ...again, plots: true })),
    ]);
    for (const [index, file] of one.entries()) {
      expect(Buffer.compare(file.bytes, two[index]!.bytes), file.name).toBe(0);
    }
  });
});

describe("permutationJson", () => {
  const json = permutationJson(input);

  it("has the keys of the contract in one order, and is what the file holds", async () => {
    expect(Object.keys(json)).toEqual(
      "objective runs windows overall procedure statistics verdict manifest".split(" "),
    );
    const [file] = await planPermutationReport(input);
    expect(JSON.parse(new TextDecoder().decode(file!.bytes))).toEqual(json);
  });

  it("tells of each window and of the whole both p-values, every run and the null distribution", () => {
    const windows = json.windows as object[];
    expect(windows.length).toBe(test.windows.length);
    for (const [index, window] of test.windows.entries()) {
      expect(windows[index]).toEqual({
        ...window,
        distribution: summariseNull("Calmar", window.permuted),
      });
    }
    expect(json.overall).toEqual({
      ...test.overall,
      distribution: summariseNull("Calmar", test.overall.permuted),
    });
    expect(json.procedure).toMatchObject({
      runs: 3,
      real: input.procedure.real,
      permuted: input.procedure.permuted,
    });
  });

  it("says null where a score is undefined, and leaves out what was not made", () => {
    const bare = permutationJson({ manifest: {}, test: testOf(outcomeOf(null, [null, 1])) });
    expect(Object.keys(bare)).toEqual("objective runs windows overall manifest".split(" "));
    expect(bare.overall).toMatchObject({ real: null, p: null, pPlusOne: null, permuted: [null, 1] });
  });
});
