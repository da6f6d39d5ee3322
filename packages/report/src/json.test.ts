import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { metricsOf, runOf, walk, weekdays } from "../test/worlds.js";
import { jsonText, metricNames, metricsJson, plainJson } from "./json.js";

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
    expect(jsonText({ b: ["1"], a: null })).toBe('{\n  "b": [\n    "1"\n  ],\n  "a": null\n}\n');
  });

  it("keeps a list of numbers on one line, and reads back as what it was", () => {
    expect(jsonText({ a: [1, -2.5e-7, null], b: [[]] })).toBe(
      '{\n  "a": [1, -2.5e-7, null],\n  "b": [\n    []\n  ]\n}\n',
    );
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        expect(JSON.parse(jsonText({ value, text: "[\n  1,\n  2\n]" }))).toEqual(
          JSON.parse(JSON.stringify({ value, text: "[\n  1,\n  2\n]" })),
        );
      }),
    );
  });
});

describe("plainJson", () => {
  it("says null for what JSON has no word for, leaves out what is undefined and unfolds columns", () => {
    const value = {
      a: Number.NaN,
      b: [Number.POSITIVE_INFINITY, 1],
      c: undefined,
      d: Float64Array.of(0.1, Number.NaN),
      e: { f: Int32Array.of(3), g: "x", h: true, i: null },
    };
    expect(plainJson(value)).toStrictEqual({
      a: null,
      b: [null, 1],
      d: [0.1, null],
      e: { f: [3], g: "x", h: true, i: null },
    });
  });

  it("refuses what is no data", () => {
    expect(() => plainJson({ at: () => 1 })).toThrow(TypeError);
  });
});
