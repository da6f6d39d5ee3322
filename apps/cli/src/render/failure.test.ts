import { describe, expect, it } from "vitest";
import { plain } from "../terminal.js";
import { failureDocument, renderFailure } from "./failure.js";

const failure = {
  code: "PF_CONFIG",
  exit: 2 as const,
  message: "config.yaml:1:1 a: wrong\nconfig.yaml:2:1 b: wrong too",
  means: "Nothing was written.",
  next: "correct it",
  details: { issues: [1, 2] },
};

describe("failures", () => {
  it("read in three lines, with a list between where there are several things wrong", () => {
    expect(
      renderFailure({ ...failure, message: "no bars" }, plain)
        .trimEnd()
        .split("\n"),
    ).toEqual([
      "Error: no bars (PF_CONFIG)",
      "What it means: Nothing was written.",
      "What to do:    correct it",
    ]);
    expect(renderFailure(failure, plain).split("\n")[1]).toBe("  config.yaml:2:1 b: wrong too");
  });
  it("become one document for programs", () => {
    const { error } = failureDocument(failure);
    expect(error).toMatchObject({
      code: "PF_CONFIG",
      message: failure.message,
      next: "correct it",
      details: { issues: [1, 2] },
    });
  });
});
