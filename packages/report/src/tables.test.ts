import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runOf, walk, weekdays } from "../test/worlds.js";
import { returnsCsv, weightsCsv } from "./tables.js";

describe("returnsCsv", () => {
  it("has one row a session under the names of the contract", () => {
    const run = runOf(weekdays("2024-01-01", 3), [0, 0.1, -0.05], [{}, { SPY: 0.5 }, { SPY: 0.5 }]);
    const [header, ...rows] = returnsCsv(run).trimEnd().split("\n");
    expect(header).toBe("date,net,gross,turnover,commission,slippage,equity");
    expect(rows).toEqual([
      "2024-01-01,0,0,0,0,0,1",
      `2024-01-02,0.1,${0.1 + 0.5 * 1e-5},0.5,0,${0.5 * 1e-5},1.1`,
      `2024-01-03,-0.05,-0.05,0,0,0,${1.1 * 0.95}`,
    ]);
  });

  it("loses not a bit of any number", () => {
    const numbers = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(fc.array(numbers, { minLength: 1, maxLength: 20 }), (values) => {
        const run = {
          ...runOf(weekdays("2024-01-01", values.length), values),
          net: Float64Array.from(values),
        };
        const read = returnsCsv(run)
          .trimEnd()
          .split("\n")
          .slice(1)
          .map((line) => Number(line.split(",")[1]));
        expect(read.every((value, row) => value === values[row])).toBe(true);
        expect(read).toHaveLength(values.length);
      }),
    );
  });
});

describe("weightsCsv", () => {
  it("lists non-zero targets on the session that decided them, in universe order and full precision", () => {
    const run = runOf(weekdays("2024-01-01", 4), walk(1, 4), [
      {},
      { GLD: 0.1 + 0.2, SPY: 1 / 3 },
      { TLT: 0 },
      { TLT: 0.95 },
    ]);
    expect(weightsCsv(run)).toBe(
      "date,symbol,weight\n2024-01-02,SPY,0.3333333333333333\n2024-01-02,GLD,0.30000000000000004\n2024-01-04,TLT,0.95\n",
    );
  });

  it("is a header alone for a portfolio that never held anything", () => {
    expect(weightsCsv(runOf(weekdays("2024-01-01", 3), [0, 0, 0]))).toBe("date,symbol,weight\n");
  });
});
