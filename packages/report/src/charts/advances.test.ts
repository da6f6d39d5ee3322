import { readFileSync } from "node:fs";
import { Resvg } from "@resvg/resvg-js";
import { describe, expect, it } from "vitest";
import { fontFiles } from "../fonts.js";
import { readAdvances } from "./advances.js";

const files = [...fontFiles()];
const font = { loadSystemFonts: false, fontFiles: files, defaultFontFamily: "DejaVu Sans" };
/** Right edge of the ink of a text, as resvg draws it. */
function rightEdge(text: string, weight: string): number {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="4000" height="200"><text x="0" y="120" font-size="100" style="font-kerning:none" font-weight="${weight}">${text}</text></svg>`;
  const box = new Resvg(svg, { font }).getBBox()!;
  return box.x + box.width;
}

describe.each([
  ["regular", 0, "normal"],
  ["bold", 1, "bold"],
])("advance widths of the %s font", (_, index, weight) => {
  const advances = readAdvances(readFileSync(files[index]!));

  it.each(["H", "0", "W", "i", "\u2212", "\u2026", "%", " ", "\u00e9"])(
    "agree with what resvg draws for %j",
    (character) => {
      // Between two letters a character moves the edge of the second one by exactly its advance.
      const drawn = (rightEdge(`H${character}H`, weight) - rightEdge("HH", weight)) / 100;
      expect(drawn).toBeCloseTo(advances.width(character), 2);
    },
  );

  it("add up, and give characters outside the font the width of the empty box", () => {
    expect(advances.width("Hi")).toBeCloseTo(advances.width("H") + advances.width("i"), 12);
    expect(advances.width("\u{10ffff}")).toBe(advances.width("\u{1f999}"));
    expect(advances.width("")).toBe(0);
  });
});

it("bytes that are no font are refused", () => {
  expect(() => readAdvances(new Uint8Array(64))).toThrow(RangeError);
});
