import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { columnsOf, type FrameColumn, frameOf, isNumeric } from "./columns.js";
import { columnsOfCsv, csvOf } from "./csv.js";
import { loadDanfo } from "./danfo.js";
import { FrameError } from "./errors.js";

const number = fc.oneof(
  fc.double(),
  fc.constantFrom(0, -0, 1, 1e308, 5e-324, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
);
const text = fc.oneof(
  fc.string(),
  fc.constantFrom("2024-01-02", "007", "1e5", "NaN", "true", "a,b", 'say "no"', "two\nlines", " ", ""),
);
const tables = fc
  .tuple(fc.integer({ min: 1, max: 40 }), fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }))
  .chain(([rows, kinds]) =>
    fc.tuple(
      ...kinds.map((numeric, at): fc.Arbitrary<FrameColumn> => {
        const exactly = { minLength: rows, maxLength: rows };
        const name = `column ${at}`;
        return numeric
          ? fc.array(number, exactly).map((numbers) => ({ name, numbers }))
          : fc.array(text, exactly).map((texts) => ({ name, texts }));
      }),
    ),
  );
const plain = (columns: readonly FrameColumn[]) =>
  columns.map((one) => (isNumeric(one) ? { name: one.name, numbers: [...Array.from(one.numbers)] } : one));

describe("frameOf", () => {
  it("keeps every double and every text as it is", async () => {
    await fc.assert(
      fc.asyncProperty(tables, async (columns) => {
        expect(plain(columnsOf(await frameOf(columns)))).toEqual(plain(columns));
      }),
    );
  });

  it("does not take whole numbers, digits or an empty start for a type of their own, as danfojs does", async () => {
    const texts = Array.from({ length: 25 }, (_, row) => String(row));
    const numbers = texts.map((_, row) => (row < 24 ? row : 0.5));
    const late = texts.map((_, row) => (row < 24 ? Number.NaN : 7));
    const frame = await frameOf([
      { name: "code", texts },
      { name: "x", numbers },
      { name: "late", numbers: late },
    ]);
    expect(frame.dtypes).toEqual(["string", "float32", "float32"]);
    const { DataFrame } = await loadDanfo();
    expect(new DataFrame(frame.values, { columns: frame.columns }).dtypes).toEqual([
      "int32",
      "int32",
      "float32",
    ]);
    expect(columnsOf(frame)).toMatchObject([{ texts }, {}, {}]);
  });

  it("holds no rows, and refuses two columns of one name or of other lengths", async () => {
    expect((await frameOf([{ name: "x", numbers: [] }])).shape).toEqual([0, 1]);
    const x = { name: "x", numbers: [1] };
    await expect(frameOf([x, x])).rejects.toThrow(new FrameError("columns", "two of them are named x"));
    await expect(frameOf([x, { name: "y", texts: [] }])).rejects.toThrow("y has 0 values, x has 1");
  });
});

describe("csvOf", () => {
  it("writes what reads back: every double, and texts with commas, quotes and line breaks", async () => {
    await fc.assert(
      fc.asyncProperty(tables, async (columns) => {
        const read = columnsOfCsv(await csvOf(await frameOf(columns)));
        expect(read.map(({ name }) => name)).toEqual(columns.map(({ name }) => name));
        read.forEach((one, at) => {
          const own = columns[at]!;
          // A file does not say what its columns are: texts that are all numbers read as numbers, and nothing as texts.
          if (isNumeric(own) && isNumeric(one)) expect([...Array.from(one.numbers)]).toEqual(own.numbers);
          else if (!isNumeric(own) && !isNumeric(one)) expect(one.texts).toEqual(own.texts);
          else if (isNumeric(own)) expect(Array.from(own.numbers).every(Number.isNaN)).toBe(true);
          else
            expect(
              own.texts.some((cell) => cell !== "" && Number.isNaN(Number(cell)) && cell !== "NaN"),
            ).toBe(false);
        });
      }),
    );
  });
});

describe("columnsOfCsv", () => {
  it("looks at every row, and keeps dates and symbols as texts", () => {
    const read = columnsOfCsv("date,symbol,x,y,z\r\n2024-01-02,600000,1,,\r\n2024-01-03,7,-0,1e-5,\r\n\r\n");
    expect(plain(read)).toEqual([
      { name: "date", texts: ["2024-01-02", "2024-01-03"] },
      { name: "symbol", texts: ["600000", "7"] },
      { name: "x", numbers: [1, -0] },
      { name: "y", numbers: [Number.NaN, 1e-5] },
      { name: "z", texts: ["", ""] },
    ]);
    const late = columnsOfCsv(`x\n${"1\n".repeat(30)}one\n`);
    expect(isNumeric(late[0]!)).toBe(false);
  });

  it.each([
    ["", "it has no line with the names of its columns"],
    ["\n\n", "it has no line with the names of its columns"],
    ["a,b\n1,2\n1,2,3\n", "line 3 has 3 cells for 2 columns"],
    ['a,b\n"1\n,2', "line 2 has a quote that does not end, or that stands inside a cell"],
    ['a,b\n1"2,3', "line 2 has a quote that does not end, or that stands inside a cell"],
  ])("refuses %j", (text, problem) => {
    expect(() => columnsOfCsv(text)).toThrow(new FrameError("a table", problem));
  });
});
