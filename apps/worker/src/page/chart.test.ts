import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dateTicks, lineChart, thinned } from "./chart.js";

const days = (count: number, from = "2024-01-01") =>
  Array.from({ length: count }, (_, at) =>
    new Date(Date.parse(from) + at * 86_400_000).toISOString().slice(0, 10),
  );
const values = fc.array(fc.option(fc.double({ min: 1, max: 1e6, noNaN: true })), {
  minLength: 1,
  maxLength: 3000,
});

describe("thinned", () => {
  it("keeps the first, the last, the least and the greatest, in order, and no more than twice what was asked", () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 8, max: 500 }), (column, most) => {
        const places = thinned(column, most);
        expect(places[0]).toBe(0);
        expect(places.at(-1)).toBe(column.length - 1);
        expect([...places].sort((a, b) => a - b)).toEqual(places);
        expect(new Set(places).size).toBe(places.length);
        expect(places.length).toBeLessThanOrEqual(
          Math.max(column.length <= most ? column.length : 0, most + 4),
        );
        const known = column.filter((value) => value !== null);
        const kept = places.map((at) => column[at]).filter((value) => value !== null && value !== undefined);
        if (known.length > 0)
          expect([Math.min(...kept), Math.max(...kept)]).toEqual([Math.min(...known), Math.max(...known)]);
      }),
    );
  });
});

describe("dateTicks", () => {
  it("are in order, at most as many as fit, and name months, years or days", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 2, max: 14 }), (count, most) => {
        const ticks = dateTicks(days(count), most);
        expect(ticks.length).toBeLessThanOrEqual(most);
        expect(ticks.length).toBeGreaterThan(0);
        for (const [index, { at, text }] of ticks.entries()) {
          expect(at).toBeGreaterThan(index > 0 ? ticks[index - 1]!.at : -1);
          expect(text).toMatch(/^(\d{4}|[A-Z][a-z]{2}|\d{1,2} [A-Z][a-z]{2})$/);
        }
      }),
    );
    expect(dateTicks(days(250), 12).map(({ text }) => text)).toEqual([
      "Feb",
      "Mar",
      "Apr",
      "May",
      "Jun",
      "Jul",
      "Aug",
      "Sep",
    ]);
    expect(dateTicks(days(800), 5).map(({ text }) => text)).toEqual(["Jul", "2025", "Jul", "2026"]);
  });
});

describe("lineChart", () => {
  it("draws every known value inside its frame, whatever the values, and labels that do not overlap", () => {
    fc.assert(
      fc.property(values, values, (account, spy) => {
        const sessions = days(account.length);
        const series = [
          { name: "account" as const, label: "Account", values: account },
          { name: "spy" as const, label: "SPY", values: account.map((_, at) => spy[at] ?? null) },
        ];
        for (const chart of lineChart(sessions, series, "words")) {
          const text = String(chart);
          const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(text)!.map(Number) as [
            number,
            number,
            number,
          ];
          expect(text).not.toMatch(/NaN|Infinity|undefined/);
          for (const [, x, y] of text.matchAll(/[ML]([\d.-]+),([\d.-]+)/g)) {
            expect(Number(x)).toBeGreaterThanOrEqual(0);
            expect(Number(x)).toBeLessThanOrEqual(width);
            expect(Number(y)).toBeGreaterThanOrEqual(0);
            expect(Number(y)).toBeLessThanOrEqual(height);
          }
          const labels = [...text.matchAll(/class="end [a-z]+" x="[\d.]+" y="([\d.]+)"/g)].map(([, y]) =>
            Number(y),
          );
          if (labels.length === 2) expect(Math.abs(labels[0]! - labels[1]!)).toBeGreaterThanOrEqual(14.8);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("puts greater values higher and later ones further right", () => {
    const series = [{ name: "account" as const, label: "Account", values: [100, 300, 200] }];
    const [wide] = lineChart(days(3), series, "words");
    const points = [...String(wide).matchAll(/[ML]([\d.]+),([\d.]+)/g)].map(([, x, y]) => [
      Number(x),
      Number(y),
    ]);
    const [[x0, y0], [x1, y1], [x2, y2]] = points as [[number, number], [number, number], [number, number]];
    expect([x0 < x1, x1 < x2, y1 < y2, y2 < y0]).toEqual([true, true, true, true]);
    expect(y0 - y2).toBeCloseTo(y2 - y1, 0);
  });

  it("breaks a line where a value is not known", () => {
    const series = [{ name: "model" as const, label: "Model", values: [100, 110, null, 120, 130] }];
    const [wide] = lineChart(days(5), series, "words");
    expect(/class="line model" d="([^"]+)"/.exec(String(wide))![1]!.match(/M/g)).toHaveLength(2);
  });
});
