import { describe, expect, it } from "vitest";
import { metricsOf, runOf, walk, weekdays } from "../test/worlds.js";
import { jsonText, metricNames, metricsJson } from "./json.js";

const metrics = metricsOf(runOf(weekdays("2024-01-01", 50), walk(1, 50)));

describe("metricsJson", () => {
  it("says null where a metric is undefined or without bound, and keeps every defined one as it is", () => {
    const shown = metricsJson({ ...metrics, Calmar: Number.NaN, PF: Number.POSITIVE_INFINITY });
    expect(shown).toEqual({ ...metrics, Calmar: null, PF: null });
  });

  it("has the keys of the contract in one order, whatever order they came in", () => {
    const backwards = Object.fromEntries(Object.entries(metrics).reverse()) as typeof metrics;
    expect(Object.keys(metricsJson(backwards))).toEqual(Object.keys(metricsJson(metrics)));
    expect(metricNames).toEqual(
      expect.arrayContaining(
        "CAGR Sharpe MaxDD Calmar PF Turnover TurnoverAnnual RebalanceDays RebalancesPerMonth FinalEquity Bars".split(
          " ",
        ),
      ),
    );
    expect([...metricNames].sort()).toEqual(Object.keys(metrics).sort());
  });
});

describe("jsonText", () => {
  it("indents by two spaces and ends with a newline", () => {
    expect(jsonText({ b: [1], a: null })).toBe('{\n  "b": [\n    1\n  ],\n  "a": null\n}\n');
  });
});
