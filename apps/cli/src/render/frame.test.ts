import type { FrameDocument } from "@pf/app";
import { describe, expect, it } from "vitest";
import { painterFor } from "../terminal.js";
import { renderFrame } from "./frame.js";

const style = { painter: painterFor({ isTTY: false } as NodeJS.WriteStream), width: 80, out: "reports" };
const document: FrameDocument = {
  source: "reports/returns.csv",
  table: "rows",
  tables: ["rows"],
  view: "rows",
  columns: ["date", "net", "shares"],
  rows: [
    { date: "2024-01-02", net: -0.0123456, shares: 1200 },
    { date: "2024-01-03", net: null, shares: 7 },
    { date: "2024-01-04", net: -1e-9, shares: 0 },
  ],
  total: 3,
  notes: [],
  file: null,
};

describe("a table of results", () => {
  it("has one number of decimals a column, a dash where a number is missing, and no minus before a zero", () => {
    expect(renderFrame(document, style, 40)).toBe(
      [
        "reports/returns.csv: 3 rows",
        "",
        "  date              net  shares",
        "  2024-01-02  -0.012346    1200",
        "  2024-01-03          –       7",
        "  2024-01-04   0.000000       0",
        "",
      ].join("\n"),
    );
  });

  it("says how much of it is not on the screen, what it does not count, and what was written", () => {
    const text = renderFrame({ ...document, total: 9, notes: ["only some"], file: "a.csv" }, style, 2);
    expect(text).toContain(
      "  2 of 9 rows; --head N shows more.\n  Only some.\n  Written to a.csv: 3 rows.\n",
    );
    expect(text).not.toContain("2024-01-04");
    expect(renderFrame({ ...document, total: 9 }, style, 3)).toContain("  3 of 9 rows.\n");
  });

  it("stays within 80 columns and names the columns for which there is no room", () => {
    const columns = ["date", ...Array.from({ length: 30 }, (_, at) => `column_${at}`)];
    const row = Object.fromEntries(columns.map((name, at) => [name, at === 0 ? "2024-01-02" : at * 1234.5]));
    const text = renderFrame({ ...document, columns, rows: [row], total: 1 }, style, 40);
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
    expect(text).toMatch(/No room for column_6,[\s\S]*and 14 more; choose with\s+--columns\./);
  });

  it("shows a description's numbers each by its own size, in 80 columns", () => {
    const columns = ["column", "count", "missing", "mean", "std", "min", "median", "max"];
    const rows = [
      {
        column: "commission",
        count: 2849,
        missing: 0,
        mean: 9.24e-6,
        std: -3.488e-5,
        min: 0,
        median: 0,
        max: 5.1e-4,
      },
      {
        column: "volume",
        count: 2849,
        missing: 12,
        mean: 87_654_321.5,
        std: 1.5e7,
        min: 1,
        median: 3,
        max: 123_456_789,
      },
    ];
    const text = renderFrame({ ...document, view: "description", columns, rows, total: 2 }, style, 40);
    expect(text).toContain("2 columns described");
    expect(text).toContain("9.240e-6");
    expect(text).toContain("123456789");
    expect(text).not.toContain("No room");
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });

  it("lets no text of a file reach the terminal as a command to it", () => {
    const text = renderFrame(
      { ...document, columns: ["x"], rows: [{ x: "a\u001b[2Jb\nc" }], total: 1 },
      style,
      40,
    );
    expect(text).not.toContain("\u001b");
    expect(text).toContain("a�[2Jb�c");
  });

  it("names the other tables of its file, and says when there are no rows", () => {
    const text = renderFrame(
      { ...document, table: "folds", tables: ["folds", "grid"], rows: [], total: 0 },
      style,
      40,
    );
    expect(text).toContain("reports/returns.csv, folds: 0 rows\n  also in it: --table grid\n");
    expect(text).toContain("There are no rows.");
  });
});
