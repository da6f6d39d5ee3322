import { open, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

/** The pictures that are shown, and the only files besides the reports that are ever opened. */
export const pictures = {
  "equity.png": "Growth of 1 in the backtest, beside SPY and the other benchmarks",
  "drawdown.png": "How far the backtest stood below its peak, beside SPY",
  "heatmap.png": "Return of each month of the backtest, by year and month",
  "walkforward.png": "Growth of 1 out of sample, beside fixed parameters and SPY",
  "parameter-map.png": "The objective at every point of the grid",
  "permutation.png": "The real objective beside those of shuffled markets",
} as const;

export type PictureName = keyof typeof pictures;

export interface Picture {
  readonly name: PictureName;
  readonly alt: string;
  readonly width: number;
  readonly height: number;
  /** Changes when the file does. */
  readonly version: string;
}

/** A verdict as the reports have it. */
export interface Verdict {
  readonly headline: string;
  readonly findings: readonly { readonly passed: boolean | null; readonly line: string }[];
  readonly limits: readonly string[];
}

/** One line of a comparison: fractions and plain numbers, `null` where undefined. */
interface Measured {
  readonly name: string;
  readonly values: Readonly<Record<string, number | null>>;
}

interface Report {
  /** First and last session, and where the bars came from. */
  readonly about: string;
  readonly isSynthetic: boolean;
  readonly measured: readonly Measured[];
  /** In words. */
  readonly facts: readonly string[];
  readonly verdict: Verdict | null;
}

/** What is known of one report: `null` where there is none, a text where it cannot be read. */
export type Found = Report | null | { readonly trouble: string };

export interface Research {
  readonly backtest: Found;
  readonly walkForward: Found;
  readonly permutation: Found;
  readonly pictures: readonly Picture[];
}

const mostReportBytes = 256 * 1024 * 1024;
const mostPictureBytes = 8 * 1024 * 1024;

export interface ResearchReader {
  read(): Promise<Research>;
  /** The bytes of a picture; `null` where there is none. */
  picture(
    name: PictureName,
  ): Promise<{ readonly bytes: Uint8Array<ArrayBuffer>; readonly version: string } | null>;
}

/** Reads the reports of a folder; a file that did not change since is not read again. */
export function researchIn(folder: string): ResearchReader {
  const known = new Map<string, { readonly version: string; readonly value: unknown }>();

  async function remembered<T>(
    name: string,
    most: number,
    read: (path: string) => Promise<T>,
  ): Promise<{ readonly version: string; readonly value: T } | null> {
    const path = join(folder, name);
    const file = await statOrNull(path);
    if (!file) {
      known.delete(name);
      return null;
    }
    const version = `${file.size.toString(36)}-${Math.round(file.mtimeMs).toString(36)}`;
    const before = known.get(name);
    if (before?.version === version) return before as { readonly version: string; readonly value: T };
    if (file.size > most) throw new Error(`it has ${file.size} bytes, more than a report ever has`);
    const found = { version, value: await read(path) };
    known.set(name, found);
    return found;
  }

  async function report(name: string, reading: (document: unknown) => Report): Promise<Found> {
    try {
      const found = await remembered(name, mostReportBytes, async (path) =>
        reading(JSON.parse(await readFile(path, "utf8"))),
      );
      return found?.value ?? null;
    } catch (error) {
      return { trouble: `${name} cannot be read: ${(error as Error).message}` };
    }
  }

  async function pictureFacts(name: PictureName): Promise<readonly Picture[]> {
    try {
      const found = await remembered(name, mostPictureBytes, sizeOfPng);
      return found ? [{ name, alt: pictures[name], ...found.value, version: found.version }] : [];
    } catch {
      // A picture that cannot be shown is left out; the numbers beside it say the same.
      return [];
    }
  }

  return {
    async read() {
      const [backtest, walkForward, permutation, ...shown] = await Promise.all([
        report("metrics.json", backtestOf),
        report("walkforward.json", walkForwardOf),
        report("permutation.json", permutationOf),
        ...(Object.keys(pictures) as PictureName[]).map(pictureFacts),
      ]);
      return { backtest, walkForward, permutation, pictures: shown.flat() };
    },
    async picture(name) {
      const [facts] = await pictureFacts(name);
      if (!facts) return null;
      return { bytes: new Uint8Array(await readFile(join(folder, name))), version: facts.version };
    },
  };
}

async function statOrNull(path: string): Promise<{ readonly size: number; readonly mtimeMs: number } | null> {
  try {
    const found = await stat(path);
    return found.isFile() ? found : null;
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return null;
    throw error;
  }
}

/** A PNG says its size in its first bytes, so that the page keeps room for it before it is there. */
async function sizeOfPng(path: string): Promise<{ readonly width: number; readonly height: number }> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(24), 0, 24, 0);
    if (bytesRead < 24 || buffer.toString("latin1", 1, 4) !== "PNG") throw new Error("it is no PNG");
    return { width: buffer.readUInt32BE(16), height: buffer.readUInt32BE(20) };
  } finally {
    await file.close();
  }
}

/** The metrics shown, in the order of the columns. */
export const shownMetrics = [
  "CAGR",
  "Sharpe",
  "Sortino",
  "Calmar",
  "MaxDD",
  "AnnualVol",
  "RebalancesPerMonth",
];

function backtestOf(document: unknown): Report {
  const benchmarks = fieldsOf(at(document, "benchmarks"));
  return {
    ...originOf(document),
    measured: [
      measured("Strategy", at(document, "metrics")),
      ...benchmarks.map(([key, value]) => measured(benchmarkNames[key] ?? key, value)),
      ...(at(document, "literal") ? [measured("Ranked daily", at(document, "literal"))] : []),
    ],
    facts: [],
    verdict: null,
  };
}

const benchmarkNames: Readonly<Record<string, string>> = {
  SPY: "SPY",
  equal_weight: "Equal weight",
  "60_40": "60/40",
};

function walkForwardOf(document: unknown): Report {
  const comparison = at(document, "comparison");
  const folds = at(document, "folds");
  const objective = textAt(document, "objective") ?? "the objective";
  const [efficiency, gaining] = [numberAt(comparison, "efficiency"), numberAt(comparison, "gainingFolds")];
  return {
    ...originOf(document),
    measured: [
      measured("Walk-forward", at(comparison, "walkForward")),
      measured("Fixed parameters", at(comparison, "fixed")),
      measured("SPY", at(comparison, "spy")),
    ],
    facts: [
      `${Array.isArray(folds) ? folds.length : 0} windows, chosen by ${objective}`,
      ...(gaining === null ? [] : [`${Math.round(gaining * 100)}% of them gained out of sample`]),
      ...(efficiency === null ? [] : [`efficiency ${efficiency.toPrecision(3)}`]),
    ],
    verdict: verdictOf(document),
  };
}

function permutationOf(document: unknown): Report {
  const overall = at(document, "overall");
  const [p, windows, runs] = [
    numberAt(overall, "pPlusOne"),
    numberAt(overall, "windows"),
    numberAt(document, "runs"),
  ];
  return {
    ...originOf(document),
    measured: [],
    facts: [
      ...(windows === null || runs === null ? [] : [`${windows} windows, ${runs} shuffled markets for each`]),
      ...(p === null ? [] : [`p = ${p.toPrecision(3)} over all windows`]),
    ],
    verdict: verdictOf(document),
  };
}

function originOf(document: unknown): Pick<Report, "about" | "isSynthetic"> {
  if (at(document, "manifest") === undefined) throw new Error("it is no report of pf");
  const manifest = at(document, "manifest");
  const data = fieldsOf(at(manifest, "data"));
  const sources = [...new Set(data.map(([, series]) => textAt(series, "source") ?? "unknown"))];
  return {
    about: `${textAt(manifest, "first") ?? "?"} to ${textAt(manifest, "last") ?? "?"}, ${data.length} symbols from ${sources.join(", ") || "unknown"}`,
    isSynthetic: sources.some((source) => /synthetic|tws-sim/.test(source)),
  };
}

function verdictOf(document: unknown): Verdict | null {
  const verdict = at(document, "verdict");
  const headline = textAt(verdict, "headline");
  if (headline === null) return null;
  const [findings, limits] = [at(verdict, "findings"), at(verdict, "limits")];
  return {
    headline,
    findings: (Array.isArray(findings) ? findings : []).map((finding: unknown) => {
      const passed = at(finding, "passed");
      return { passed: typeof passed === "boolean" ? passed : null, line: textAt(finding, "line") ?? "" };
    }),
    limits: (Array.isArray(limits) ? limits : []).filter((limit) => typeof limit === "string"),
  };
}

function measured(name: string, metrics: unknown): Measured {
  return {
    name,
    values: Object.fromEntries(shownMetrics.map((metric) => [metric, numberAt(metrics, metric)])),
  };
}

function at(document: unknown, key: string): unknown {
  return typeof document === "object" && document !== null && Object.hasOwn(document, key)
    ? (document as Record<string, unknown>)[key]
    : undefined;
}

function textAt(document: unknown, key: string): string | null {
  const value = at(document, key);
  return typeof value === "string" ? value : null;
}

function numberAt(document: unknown, key: string): number | null {
  const value = at(document, key);
  return typeof value === "number" ? value : null;
}

function fieldsOf(document: unknown): readonly (readonly [string, unknown])[] {
  return typeof document === "object" && document !== null ? Object.entries(document) : [];
}
