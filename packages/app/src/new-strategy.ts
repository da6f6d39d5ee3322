import { mkdir, readdir, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { RequestError, StateWriteError } from "./errors.js";

export interface NewStrategyRequest {
  /** The folder to make; its last part is the strategy's name. */
  readonly folder: string;
}

/** A file of the new package, before anything is written. */
interface NewFile {
  readonly path: string;
  readonly text: string;
}

export interface NewStrategyDocument {
  readonly name: string;
  readonly folder: string;
  /** Relative to the folder. */
  readonly files: readonly string[];
}

/**
 * Makes a small package with a score of one's own, its test, and a configuration that runs at once on made-up bars.
 *
 * @throws RequestError for a name that is none, or a folder that already holds something
 * @throws StateWriteError when the system refuses
 */
export async function makeStrategy({ folder }: NewStrategyRequest): Promise<NewStrategyDocument> {
  const home = resolve(folder);
  const name = basename(home);
  const files = planStrategy(name);
  const held = await readdir(home).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return [];
    throw new RequestError(
      `${folder} cannot be used (${cause.code})`,
      "name a folder that does not exist yet",
    );
  });
  if (held.length > 0) {
    throw new RequestError(
      `${folder} already holds ${held.length === 1 ? "something" : `${held.length} things`}`,
      "name a folder that does not exist yet",
    );
  }
  for (const { path, text } of files) {
    const target = join(home, path);
    try {
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, text, { flag: "wx" });
    } catch (cause) {
      throw new StateWriteError(target, (cause as NodeJS.ErrnoException).code ?? "EIO", { cause });
    }
  }
  return { name, folder, files: files.map(({ path }) => path) };
}

/** The files of a package with that name. @throws RequestError for a name that is none */
function planStrategy(name: string): readonly NewFile[] {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) {
    throw new RequestError(
      `${JSON.stringify(name)} is no name for a strategy`,
      "use small letters, digits and hyphens, as in my-momentum",
    );
  }
  return [
    { path: "package.json", text: manifest(name) },
    { path: "score.js", text: score },
    { path: "score.test.js", text: scoreTest },
    { path: "config/config.yaml", text: config },
    { path: "README.md", text: readme(name) },
    { path: ".gitignore", text: "data/\nreports/\nstate/\nconfig/*.local.yaml\n.env\n" },
  ];
}

const manifest = (name: string) =>
  `${JSON.stringify({ name, version: "0.1.0", private: true, type: "module", scripts: { test: "node --test" } }, null, 2)}\n`;

const score = `/** Sessions to look back. */
const lookback = 126;
/** The last sessions are left out: what rose fastest within a month often falls back. */
const skipped = 21;

/**
 * Momentum: the return from lookback sessions ago to a month ago. Higher is better; NaN while the symbol has no such
 * history, and then it is not held.
 *
 * The view ends at the session being decided, so that nothing here can look ahead. It has columns ("open", "high",
 * "low", "close", "volume") and what is made of them: returns(), ema(span), atr(window), volatility(window),
 * macdLine(fast, slow). Every column has one value a session, NaN where the symbol has no bar. Columns are there to be
 * read: sort or fill a copy, column.slice(). What is returned may depend on the view alone.
 *
 * @type {import("@pf/selection").ScoreFunction}
 */
export function momentum(view) {
  const close = view.column("close");
  const last = close.length - 1;
  return close[last - skipped] / close[last - lookback] - 1;
}
`;

const scoreTest = `import assert from "node:assert/strict";
import { test } from "node:test";
import { momentum } from "./score.js";

/** A view of made-up closes, as the strategy would show them. */
const viewOf = (close) => ({ ticker: "SPY", session: "2024-12-31", column: () => Float64Array.from(close) });

test("is the return from half a year ago to a month ago", () => {
  const close = Array.from({ length: 200 }, (_, day) => 100 + day);
  assert.equal(momentum(viewOf(close)), (100 + 199 - 21) / (100 + 199 - 126) - 1);
});

test("says nothing of a symbol without enough history", () => {
  assert.ok(Number.isNaN(momentum(viewOf([100, 101, 102]))));
});

test("does not look at the last month", () => {
  const close = Array.from({ length: 200 }, (_, day) => 100 + day);
  const fallen = close.map((price, day) => (day > 180 ? 1 : price));
  assert.equal(momentum(viewOf(fallen)), momentum(viewOf(close)));
});
`;

const config = `# What is not said here is at its default; \`pf config show\` prints all of it.

data:
  # Made-up bars, so that everything runs at once. ibkr, csv, tiingo and alpaca bring real ones.
  source: synthetic

selection:
  # The function momentum of the file score.js, seen from this file.
  score: ../score.js#momentum
`;

const readme = (name: string) => `# ${name}

A score for \`pf\`: \`score.js\` ranks the symbols, \`score.test.js\` says what is true of it, \`config/config.yaml\` names it.

\`\`\`sh
node --test          # the score's own tests
pf fetch             # made-up bars, as config/config.yaml says
pf backtest          # the whole strategy with this score
pf weights           # what it would hold now, and why
\`\`\`

\`npm install --save-dev @pf/selection\` brings the types to an editor. From Node 22.18 on the file may be TypeScript,
\`score.ts\`; its name stands in \`config/config.yaml\`.
`;
