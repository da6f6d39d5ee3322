import { newYorkTimeOf, type Panel } from "@pf/market";
import { createStrategy } from "@pf/selection";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { asHours, panelOf, scrambledAfter, worlds } from "../../market/test/worlds.js";
import { anyOptions, smallOptions } from "../../selection/test/options.js";
import { measure, rowsPerYear, runBacktest, runBenchmarks, sessionsPerYear } from "../src/index.js";

const markets = worlds({ minRows: 2 });
const costs = { commissionPerShare: 0.0035, slippageBps: 1 };
const lags = fc.constantFrom(1 as const, 2 as const);
const columns = ["net", "gross", "turnover", "commission", "slippage", "equity"] as const;

describe("the engine on hourly rows", () => {
  it("sees rows and no clock: hours give what the same bars give as days, lag and costs included", () => {
    fc.assert(
      fc.property(markets, anyOptions, lags, (world, options, lag) => {
        const days = panelOf(world);
        const hours = asHours(days);
        const run = (panel: Panel) => runBacktest(panel, createStrategy(options), costs, { lag });
        const [daily, hourly] = [run(days), run(hours)];
        for (const column of columns) expect(hourly[column]).toEqual(daily[column]);
        for (let row = 0; row < days.sessions.length; row++)
          expect(hourly.targets.at(row)).toEqual(daily.targets.at(row));
        expect(hourly.endsUtcMs).toEqual(hours.endsUtcMs);
        expect(daily.endsUtcMs).toBeUndefined();
      }),
    );
  });

  it("earns nothing from an hour that the decision saw: hours up to t do not change when later ones do", () => {
    fc.assert(
      fc.property(markets, anyOptions, lags, fc.nat(), (world, options, lag, pick) => {
        const panel = asHours(panelOf(world));
        const rows = panel.sessions.length;
        if (rows === 0) return;
        const row = pick % rows;
        const run = (market: Panel) => runBacktest(market, createStrategy(options), costs, { lag });
        const [real, scrambled] = [run(panel), run(scrambledAfter(panel, row, world.seed))];
        for (const column of columns) {
          expect(scrambled[column].slice(0, row + 1)).toEqual(real[column].slice(0, row + 1));
        }
      }),
    );
  });

  it("has later hours of the same session scrambled in that law too", () => {
    const panel = asHours(panelOf({ seed: 3, rows: 40, shapes: [{ kind: "walk", start: 0, holes: [] }] }));
    expect(newYorkTimeOf(panel.endsUtcMs![9]!)).toBe("12:00");
    const [real, other] = [panel, scrambledAfter(panel, 9, 1)].map((one) => one.column("close", "S0"));
    expect(other!.slice(0, 10)).toEqual(real!.slice(0, 10));
    expect(other![10]).not.toBe(real![10]);
    expect(panel.sessions[10]).toBe(panel.sessions[9]);
  });
});

describe("rows of a year", () => {
  const world = { seed: 5, rows: 70, shapes: [{ kind: "walk" as const, start: 0, holes: [] }] };
  const days = panelOf(world);
  const hours = asHours(days);
  const strategy = createStrategy(smallOptions);

  it("are 252 where a session has one row, so that such hours measure as days do", () => {
    expect(rowsPerYear(days.sessions)).toBe(sessionsPerYear);
    for (const { result } of runBenchmarks(days, costs)) {
      expect(measure(result, rowsPerYear(result.sessions))).toEqual(measure(result));
    }
    const run = runBacktest(days, strategy, costs);
    expect(measure(run, rowsPerYear(run.sessions))).toEqual(measure(run));
  });

  it("are 252 times the rows of a session on average, half days and holes counted as they are", () => {
    expect(rowsPerYear(hours.sessions)).toBe(7 * 252);
    // A half day has four hours.
    expect(rowsPerYear(hours.sessions.slice(0, 7 + 4))).toBe((252 * 11) / 2);
    expect(rowsPerYear([])).toBe(sessionsPerYear);
  });

  it("take an hour's growth, volatility and turnover to a year, and leave what is of no span", () => {
    const run = runBacktest(hours, strategy, costs);
    const [byHour, byDay] = [measure(run, rowsPerYear(run.sessions)), measure(run)];
    expect(byHour.CAGR).toBeCloseTo((1 + byDay.CAGR) ** 7 - 1, 9);
    expect(byHour.AnnualVol).toBeCloseTo(byDay.AnnualVol * Math.sqrt(7), 12);
    expect(byHour.Sharpe).toBeCloseTo(byDay.Sharpe * Math.sqrt(7), 12);
    expect(byHour.TurnoverAnnual).toBeCloseTo(byDay.TurnoverAnnual * 7, 12);
    expect([byHour.MaxDD, byHour.PF, byHour.FinalEquity, byHour.Turnover, byHour.Bars]).toEqual([
      byDay.MaxDD,
      byDay.PF,
      byDay.FinalEquity,
      byDay.Turnover,
      70,
    ]);
    // Ten sessions: so many rebalances in 21 of them.
    expect(byHour.RebalanceDays).toBeGreaterThan(0);
    expect(byHour.RebalancesPerMonth).toBeCloseTo((byHour.RebalanceDays * 21) / 10, 12);
  });
});
