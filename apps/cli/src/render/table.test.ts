import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { coloured, plain } from "../terminal.js";
import { renderTable, wrap } from "./table.js";

describe("renderTable", () => {
  const columns = [{ heading: "Symbol" }, { heading: "Weight", align: "right" as const }, { heading: "Why" }];
  const rows = [
    ["SPY", "50.0%", "the best of all"],
    ["cash", "5.0%", ""],
  ];
  it("aligns columns two spaces apart", () => {
    expect(renderTable(columns, rows, { painter: plain, width: 80 })).toBe(
      ["  Symbol  Weight  Why", "  SPY      50.0%  the best of all", "  cash      5.0%", ""].join("\n"),
    );
  });
  it("wraps the last column under itself", () => {
    const text = renderTable(columns, [["SPY", "1%", "one two three four five six"]], {
      painter: plain,
      width: 34,
    });
    expect(text.split("\n").slice(1, 3)).toEqual([
      "  SPY         1%  one two three",
      "                  four five six",
    ]);
  });
  it("takes as much room with colours as without", () => {
    const bare = renderTable(columns, rows, { painter: plain, width: 80 });
    const painted = renderTable(columns, rows, {
      painter: coloured,
      width: 80,
      paint: (text) => coloured.red(text),
    });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes are control characters
    expect(painted.replace(/\u001b\[\d+m/g, "")).toBe(bare);
    expect(painted).not.toBe(bare);
  });
});

describe("wrap", () => {
  it("keeps every word in order and every line within the width", () => {
    const words = fc.array(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(words, fc.integer({ min: 8, max: 40 }), (some, width) => {
        const lines = wrap(some.join(" "), width);
        expect(lines.join(" ")).toBe(some.join(" "));
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
      }),
    );
  });
});
