import { dirname, join } from "node:path";
import { type ConfigIssue, issueAt } from "./errors.js";
import { nearest } from "./nearest.js";
import type { Origin } from "./origin.js";
import { symbolLists } from "./symbol-lists.js";
import { readYaml, type Written } from "./written.js";

const universeFileForm = /\.(txt|csv|ya?ml)$/i;

/** A universe written as a text, turned into the list of symbols that it stands for. */
export interface FoundUniverse {
  /** Absent where there is none to be had. */
  readonly list?: Written;
  readonly issues: readonly ConfigIssue[];
  /** The file that was read. */
  readonly file?: string;
}

/**
 * Finds the symbols that a text stands for: the name of a list, or a file of symbols. A file is seen from the folder of
 * the configuration file that names it; named by a variable or a flag, from the current folder. Every symbol keeps the
 * line and column of its own file as its origin.
 *
 * `.txt` holds symbols between spaces, commas and line ends, `.csv` one a line in the column `symbol` or `ticker`, else
 * in the first; what follows a `#` is a comment. `.yaml` is a list.
 *
 * @param read - the text of a file; throws what the system says
 */
export function findUniverse(written: Written, text: string, read?: (path: string) => string): FoundUniverse {
  const { origin } = written;
  const known = Object.hasOwn(symbolLists, text) ? symbolLists[text] : undefined;
  if (known)
    return {
      list: listOf(
        written,
        known.map((scalar) => ({ scalar, origin })),
      ),
      issues: [],
    };
  if (!universeFileForm.test(text)) return { issues: [neither(origin, text)] };

  const isInFile = origin.source === "config.yaml" || origin.source === "config.local.yaml";
  const path = isInFile && origin.file !== undefined ? join(dirname(origin.file), text) : text;
  const wholeFile = (message: string): FoundUniverse => ({
    issues: [issueAt({ source: origin.source, file: path }, "universe", message)],
    file: path,
  });
  const unread = (why: string): FoundUniverse => ({
    issues: [issueAt(origin, "universe", `names the file ${path}${why}`)],
    file: path,
  });
  if (!read) return unread(", and no files were handed over");
  let content: string;
  try {
    content = read(path).replace(/^\ufeff/, "");
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    if (code === "ENOENT") return unread(": there is no such file");
    if (code === "ERR_ENCODING_INVALID_ENCODED_DATA") return unread(": is not UTF-8 text");
    return unread(`: cannot be read (${code})`);
  }
  const locate = (line: number, column: number): Origin => ({
    source: origin.source,
    file: path,
    line,
    column,
  });
  if (/\.ya?ml$/i.test(text)) {
    const { root, issues } = readYaml(content, locate, "universe");
    if (issues.length > 0) return { issues, file: path };
    if (!root) return wholeFile("holds no symbol");
    if (!root.items) {
      const example = "one a line, as in `- SPY`";
      return { issues: [issueAt(root.origin, "universe", "must be a list of symbols", example)], file: path };
    }
    if (root.items.length === 0) return wholeFile("holds no symbol");
    return { list: listOf(written, root.items), issues: [], file: path };
  }
  const { symbols, issues } = /\.csv$/i.test(text)
    ? symbolsOfCsv(content, locate)
    : symbolsOfText(content, locate);
  if (issues.length > 0) return { issues, file: path };
  return symbols.length === 0
    ? wholeFile("holds no symbol")
    : { list: listOf(written, symbols), issues, file: path };
}

interface Symbols {
  readonly symbols: readonly Found[];
  readonly issues: readonly ConfigIssue[];
}

interface Found {
  readonly scalar?: unknown;
  readonly origin: Origin;
}

function listOf({ origin, keyOrigin }: Written, symbols: readonly Found[]): Written {
  const items = symbols.map((symbol) => ({ keyOrigin: symbol.origin, ...symbol }));
  return { origin, keyOrigin, items };
}

function symbolsOfText(text: string, locate: (line: number, column: number) => Origin): Symbols {
  const symbols = linesOf(text).flatMap(({ content, line }) =>
    [...content.matchAll(/[^\s,;]+/g)].map(({ 0: scalar, index }) => ({
      scalar,
      origin: locate(line, index + 1),
    })),
  );
  return { symbols, issues: [] };
}

function symbolsOfCsv(text: string, locate: (line: number, column: number) => Origin): Symbols {
  const symbols: Found[] = [];
  const issues: ConfigIssue[] = [];
  const [header, ...rest] = linesOf(text).map(({ content, line }) => ({ cells: cellsOf(content), line }));
  if (!header) return { symbols, issues };
  const named = header.cells.findIndex(({ text: name }) => /^(symbol|ticker)$/i.test(name));
  for (const { cells, line } of named === -1 ? [header, ...rest] : rest) {
    const cell = cells[Math.max(named, 0)];
    if (cell && cell.text !== "") symbols.push({ scalar: cell.text, origin: locate(line, cell.column) });
    else issues.push(issueAt(locate(line, 1), "universe", "has no symbol in this line"));
  }
  return { symbols, issues };
}

/** The lines that hold something, without comments. */
function linesOf(text: string): readonly { readonly content: string; readonly line: number }[] {
  return text
    .split(/\r\n|\r|\n/)
    .map((content, index) => ({ content: content.replace(/(^|[\s,;])#.*$/, "$1"), line: index + 1 }))
    .filter(({ content }) => content.trim() !== "");
}

/** The cells of a line of CSV, with the column each begins in, from 1. */
function cellsOf(line: string): readonly { readonly text: string; readonly column: number }[] {
  const cells: { text: string; column: number }[] = [];
  for (const { 0: cell, 1: space = "", 2: quoted, 3: bare = "", index } of line.matchAll(
    /(\s*)(?:"((?:[^"]|"")*)"|([^,]*))\s*(?:,|$)/g,
  )) {
    if (cell === "" && index > 0 && line[index - 1] !== ",") break;
    const column = index + space.length + (quoted === undefined ? 1 : 2);
    cells.push({ text: (quoted?.replaceAll('""', '"') ?? bare).trim(), column });
  }
  return cells;
}

function neither(origin: Origin, text: string): ConfigIssue {
  const names = Object.keys(symbolLists);
  const meant = nearest(text, names);
  const symbols = text.split(/[\s,;]+/).filter((word) => word !== "");
  const areSymbols =
    symbols.length > 0 && symbols.every((word) => /^[A-Z0-9]+(?:[.-][A-Z0-9]+)*$/.test(word));
  const hint = areSymbols
    ? `write [${symbols.join(", ")}]`
    : meant !== undefined
      ? `did you mean ${meant}?`
      : /[./\\]/.test(text)
        ? "files of symbols end in .txt, .csv or .yaml"
        : `the lists are ${names.join(", ")}`;
  const shown = JSON.stringify(text.length <= 40 ? text : `${text.slice(0, 39)}…`);
  return issueAt(
    origin,
    "universe",
    `must be a list of symbols, the name of a list, or a file of symbols (is the text ${shown})`,
    hint,
  );
}
