import { resolveConfig, strategyOptionsOf } from "@pf/config";
import { createStrategy, defaultOptions } from "@pf/selection";
import { expect, it } from "vitest";

it("a program that spreads the default options decides as pf does without a configuration", () => {
  expect(defaultOptions).toEqual(strategyOptionsOf(resolveConfig({}).config));
  expect(createStrategy(defaultOptions).warmUp).toBe(91);
});
