import { newYorkToUtcMs, sessionDate } from "@pf/market";
import { describe, expect, it } from "vitest";
import { reportOf, runOf, walk, weekdays } from "../test/worlds.js";
import { drawdownChart } from "./charts/drawdown.js";
import { equityChart } from "./charts/equity.js";
import { monthlyReturns } from "./months.js";
import { returnsCsv, weightsCsv } from "./tables.js";

/** A run of two hours a session. */
function hourly(days: number, net: readonly number[], weights: Parameters<typeof runOf>[2] = []) {
  const sessions = weekdays("2024-03-07", days).flatMap((day) => [day, day]);
  const endsUtcMs = Float64Array.from(sessions, (day, row) =>
    newYorkToUtcMs(day, row % 2 === 0 ? "10:00" : "16:00"),
  );
  return { ...runOf(sessions, net, weights), endsUtcMs };
}

describe("reports of hourly bars", () => {
  it("name each row by its session and by the instant at which its hour ends, across a change of clocks", () => {
    const run = hourly(3, [0, 0.1, 0, 0, 0, -0.05], [{}, { SPY: 0.5 }, { SPY: 0.5 }, {}, {}, { TLT: 1 }]);
    const rows = returnsCsv(run).trimEnd().split("\n");
    expect(rows[0]).toBe("date,ts,net,gross,turnover,commission,slippage,equity");
    expect(rows.slice(1).map((row) => row.split(",").slice(0, 3))).toEqual([
      ["2024-03-07", "2024-03-07T15:00:00.000Z", "0"],
      ["2024-03-07", "2024-03-07T21:00:00.000Z", "0.1"],
      ["2024-03-08", "2024-03-08T15:00:00.000Z", "0"],
      ["2024-03-08", "2024-03-08T21:00:00.000Z", "0"],
      ["2024-03-11", "2024-03-11T14:00:00.000Z", "0"],
      ["2024-03-11", "2024-03-11T20:00:00.000Z", "-0.05"],
    ]);
    expect(weightsCsv(run)).toBe(
      [
        "date,ts,symbol,weight",
        "2024-03-07,2024-03-07T21:00:00.000Z,SPY,0.5",
        "2024-03-08,2024-03-08T15:00:00.000Z,SPY,0.5",
        "2024-03-11,2024-03-11T20:00:00.000Z,TLT,1",
        "",
      ].join("\n"),
    );
  });

  it("count sessions in months, and compound their hours", () => {
    const { months } = monthlyReturns(hourly(3, [0, 0.1, 0, 0, 0.1, 0]));
    expect(months).toMatchObject([{ year: 2024, month: 3, sessions: 3 }]);
    expect(months[0]!.value).toBeCloseTo(0.21, 12);
  });

  it("draw each hour where it ends, and say how many there are", () => {
    const run = hourly(60, walk(3, 120));
    const report = reportOf(run);
    for (const chart of [equityChart, drawdownChart]) {
      const option = chart(report);
      expect(option.title[0]!.subtext).toContain("60 sessions of 120 hourly bars");
      const { data } = option.series[0]!;
      expect((data as [number, number][]).map(([at]) => at)).toEqual([...run.endsUtcMs]);
    }
    const worst = drawdownChart(report).series.find(({ name }) => name === "deepest")!;
    const lowest = worst.data[0] as { readonly value: readonly [number, number] };
    expect([...run.endsUtcMs]).toContain(lowest.value[0]);
    expect(new Date(lowest.value[0]).toISOString()).not.toContain("T00:00");
  });

  it("place daily bars where they always were", () => {
    const run = runOf(weekdays("2024-03-07", 5), walk(3, 5));
    const { data } = equityChart(reportOf(run)).series[0]!;
    expect((data as [number, number][])[0]![0]).toBe(Date.parse(`${sessionDate("2024-03-07")}T00:00:00Z`));
  });
});
