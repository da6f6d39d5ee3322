import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigError } from "./errors.js";
import { loadConfig } from "./load.js";
import { resolveConfig } from "./resolve.js";
import { symbolLists } from "./symbol-lists.js";

const defaults = resolveConfig({});
const configText = (text: string) => ({ config: { path: "config/config.yaml", text } });
/** A configuration whose universe is the file `u.<ending>` with a content. */
const withFile = (ending: string, content: string) => ({
  ...configText(`universe: u.${ending}\n`),
  read: (path: string) => {
    if (path === `config/u.${ending}`) return content;
    throw Object.assign(new Error("no such file"), { code: "ENOENT" });
  },
});
const told = (sources: Parameters<typeof resolveConfig>[0], known?: Parameters<typeof resolveConfig>[1]) => {
  try {
    return resolveConfig(sources, known).config.universe;
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split("\n");
    throw error;
  }
};

describe("a list by name", () => {
  it("is its symbols, wherever the name is written, with the place of the name as origin", () => {
    const loaded = resolveConfig(configText("universe: us_sectors\n"));
    expect(loaded.config.universe).toEqual(symbolLists.us_sectors);
    expect(loaded.written.universe).toEqual(symbolLists.us_sectors);
    expect(loaded.origins.universe).toMatchObject({ file: "config/config.yaml", line: 1, column: 11 });
    for (const source of [{ overrides: ["universe=bonds"] }, { env: { PF_UNIVERSE: "bonds" } }])
      expect(told(source)).toEqual(symbolLists.bonds);
  });

  it("is the default universe where it is called default", () => {
    expect(told(configText("universe: default\n"))).toEqual(defaults.config.universe);
  });

  it("can be no list but a sound one: known symbols in capitals, none twice, enough to choose from", () => {
    expect(Object.keys(symbolLists)).toEqual(["default", "us_sectors", "us_broad", "bonds", "world"]);
    for (const symbols of Object.values(symbolLists)) {
      expect(resolveConfig({ overrides: [`universe=[${symbols.join(", ")}]`] }).warnings).toEqual([]);
      expect(symbols.length).toBeGreaterThanOrEqual(9);
    }
    expect(symbolLists.us_sectors).toHaveLength(11);
  });

  it.each([
    ["us_sector", "did you mean us_sectors?"],
    ["bond", "did you mean bonds?"],
    ["SPY", "write [SPY]"],
    ["SPY TLT, BRK-B", "write [SPY, TLT, BRK-B]"],
    ["./list.xlsx", "files of symbols end in .txt, .csv or .yaml"],
    ["constructor", "the lists are default, us_sectors, us_broad, bonds, world"],
  ])("that does not exist, %s, is told with what was probably meant", (text, hint) => {
    expect(told(configText(`universe: "${text}"\n`))).toEqual([
      `config/config.yaml:1:11 universe: must be a list of symbols, the name of a list, or a file of symbols (is the text "${text}"); ${hint}`,
    ]);
  });
});

describe("a file of symbols", () => {
  const symbols = fc.uniqueArray(fc.stringMatching(/^[A-Z]{1,5}([.-][A-Z])?$/), {
    minLength: 1,
    maxLength: 8,
  });

  it("gives the symbols in its order, however they are laid out", () =>
    fc.assert(
      fc.property(
        symbols,
        fc.array(fc.constantFrom("\n", "\r\n", " ", ",", ", ", "  # why\n", "\n\n# all\n")),
        (list, gaps) => {
          const text = list.map((symbol, at) => symbol + (gaps[at] ?? "\n")).join("");
          expect(told(withFile("txt", text))).toEqual(list);
          const rows = list.map((symbol) => `"Fund, large","${symbol}",0.1`);
          expect(told(withFile("csv", ["name,Symbol,fee", ...rows].join("\n")))).toEqual(list);
          expect(told(withFile("csv", list.map((symbol) => `${symbol},0.1\r\n`).join("")))).toEqual(list);
          expect(told(withFile("yaml", list.map((symbol) => `- "${symbol}" # a fund\n`).join("")))).toEqual(
            list,
          );
        },
      ),
      { numRuns: 50 },
    ));

  it("is the same configuration as the list written out", () => {
    const loaded = resolveConfig(withFile("txt", "SPY\nTLT\n"));
    expect(loaded.written).toEqual(resolveConfig(configText("universe: [SPY, TLT]")).written);
    expect(loaded.files).toEqual(["config/config.yaml", "config/u.txt"]);
  });

  it.each<[string, string, string]>([
    [
      "txt",
      "SPY\nTLT spy\n",
      'u.txt:2:5 universe[2]: must be a symbol in capital letters such as SPY or BRK-B (is the text "spy"); did you mean SPY?',
    ],
    [
      "txt",
      "# ours\nSPY, TLT\nQQQ\nTLT\n",
      'u.txt:4:1 universe[3]: stands twice in the list (is the text "TLT")',
    ],
    [
      "txt",
      "SPY\nTL?T # no\n",
      'u.txt:2:1 universe[1]: must be a symbol in capital letters such as SPY or BRK-B (is the text "TL?T")',
    ],
    ["txt", "", "u.txt universe: holds no symbol"],
    ["txt", "\ufeff# nothing\n\n", "u.txt universe: holds no symbol"],
    ["csv", "", "u.csv universe: holds no symbol"],
    ["csv", "name,symbol\n", "u.csv universe: holds no symbol"],
    ["csv", "symbol,name\nSPY,Fund\n,Other\n", "u.csv:3:1 universe: has no symbol in this line"],
    [
      "csv",
      'name,symbol\n"A, ""B""", "spy"\n',
      'u.csv:2:14 universe[0]: must be a symbol in capital letters such as SPY or BRK-B (is the text "spy"); did you mean SPY?',
    ],
    ["yaml", "", "u.yaml universe: holds no symbol"],
    ["yaml", "[]", "u.yaml universe: holds no symbol"],
    [
      "yaml",
      "universe: [SPY]\n",
      "u.yaml:1:1 universe: must be a list of symbols; one a line, as in `- SPY`",
    ],
    ["yaml", "- SPY\n- 7\n", "u.yaml:2:3 universe[1]: must be text (is 7); put it in quotes"],
    [
      "yaml",
      "- SPY\n- [TLT\n",
      "u.yaml:3:1 universe: is not indented like the lines it belongs to, or a bracket before it is not closed",
    ],
    ["yaml", "- SPY\n- SPY\n", 'u.yaml:2:3 universe[1]: stands twice in the list (is the text "SPY")'],
  ])("that is wrong is told with its own line and column: .%s %j", (ending, content, expected) => {
    const lines = told(withFile(ending, content));
    expect(lines).toEqual([`config/${expected}`]);
  });

  it("with an unknown symbol is told where the symbol stands", () => {
    expect(told(withFile("txt", "SPY\n  TTL\n"), { symbols: ["SPY", "TLT"] })).toEqual([
      'config/u.txt:2:3 universe[1]: is not a known symbol (is the text "TTL"); did you mean TLT?',
    ]);
  });

  it("is told beside whatever else is wrong, and after the files that name it", () => {
    const { read } = withFile("txt", "spy\n");
    expect(told({ ...configText("universe: u.txt\nweights: {cash_buffer: 2}\n"), read })).toEqual([
      "config/config.yaml:2:24 weights.cash_buffer: must be less than 1 (is 2)",
      expect.stringContaining("config/u.txt:1:1 universe[0]:"),
    ]);
  });
});

describe("where a file of symbols is looked for", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "pf-universe-"));
    await mkdir(join(folder, "lists"));
    await writeFile(join(folder, "config.yaml"), "universe: ./lists/mine.txt\n");
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("is the folder of the configuration file that names it", async () => {
    await writeFile(join(folder, "lists", "mine.txt"), "GLD SLV\n");
    const { config, files } = await loadConfig({ directory: folder });
    expect(config.universe).toEqual(["GLD", "SLV"]);
    expect(files.at(-1)).toBe(join(folder, "lists", "mine.txt"));
  });

  it("is the current folder where a flag or a variable names it", async () => {
    const path = join(folder, "other.csv");
    await writeFile(path, "ticker\nEEM\n");
    for (const sources of [{ overrides: [`universe=${path}`] }, { env: { PF_UNIVERSE: path } }])
      expect((await loadConfig(sources)).config.universe).toEqual(["EEM"]);
  });

  it("may hold none, or none that can be read, which is told at the setting", async () => {
    const failure = () =>
      loadConfig({ directory: folder }).then(
        ({ config }) => config.universe,
        (error: Error) => error.message.replaceAll(folder, "DIR"),
      );
    const place = "DIR/config.yaml:1:11 universe: names the file DIR/lists/mine.txt:";
    expect(await failure()).toBe(`${place} there is no such file`);
    await writeFile(join(folder, "lists", "mine.txt"), Uint8Array.of(0x53, 0xff, 0xfe));
    expect(await failure()).toBe(`${place} is not UTF-8 text`);
    await rm(join(folder, "lists", "mine.txt"));
    await mkdir(join(folder, "lists", "mine.txt"));
    expect(await failure()).toBe(`${place} cannot be read (EISDIR)`);
  });

  it("is nowhere for who hands over texts alone", () => {
    expect(told(configText("universe: u.txt\n"))).toEqual([
      "config/config.yaml:1:11 universe: names the file config/u.txt, and no files were handed over",
    ]);
  });
});
