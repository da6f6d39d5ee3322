import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { documentOf, type Finished, filesIn, pf, smallMarket, temporaryFolder } from "./process.js";

/** A few combinations over short windows, so that a search of two years is quick. */
const smallGrid = [
  ...smallMarket,
  ...["--set", "walkforward.train_years=1"],
  ...["--set", "walkforward.reoptimize={ema_fast: [10, 20], ema_slow: [40], top_n: [1, 2], corr_cap: [0.7]}"],
];

let home: string;
beforeAll(async () => {
  home = temporaryFolder();
  expect((await pf(["fetch", ...smallMarket], { cwd: home })).code).toBe(0);
});

const search = (words: readonly string[], out = temporaryFolder()) =>
  pf([...words, ...smallGrid, "--out", out, "--json"], { cwd: home });

/** A walk-forward as several tests look at it, made once: how it ended, and the folder that it made for its report. */
const walks = new Map<string, Promise<{ readonly finished: Finished; readonly out: string }>>();
function walked(workers?: string): Promise<{ readonly finished: Finished; readonly out: string }> {
  const key = workers ?? "as many as usual";
  const out = join(temporaryFolder(), "deep", "reports");
  const words = ["walkforward", ...(workers === undefined ? [] : ["--workers", workers])];
  const made = walks.get(key) ?? search(words, out).then((finished) => ({ finished, out }));
  walks.set(key, made);
  return made;
}

/** What two runs must agree on: every file but the log, whose name is a time. */
const reportIn = (out: string) =>
  Object.fromEntries(Object.entries(filesIn(out)).filter(([name]) => !name.startsWith("logs/")));

const fitsTheScreen = ({ stdout }: Finished) => {
  for (const line of stdout.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
};

describe("pf walkforward", () => {
  it("prints folds, metrics, files and the manifest, and writes what it names", async () => {
    const { finished, out } = await walked();
    expect(finished.code).toBe(0);
    const document = documentOf(finished);
    expect(document.folds.map(({ index }: { index: number }) => index)).toEqual([0, 1, 2, 3]);
    for (const fold of document.folds) {
      expect(
        fold.trainStart < fold.trainEnd && fold.trainEnd < fold.oosStart && fold.oosStart <= fold.oosEnd,
      ).toBe(true);
      expect(Object.keys(fold.params)).toEqual(["ema_fast", "ema_slow", "top_n", "corr_cap"]);
      expect([10, 20]).toContain(fold.params.ema_fast);
      expect(fold.objective === null || Number.isFinite(fold.objective)).toBe(true);
    }
    expect(document.folds[0]).toMatchObject({
      trainStart: "2016-01-04",
      trainEnd: "2017-01-03",
      oosStart: "2017-01-04",
    });
    expect(document.folds[3].oosEnd).toBe("2017-12-29");
    expect(document.metrics.Bars).toBe(250);
    const png = ["walkforward.png", "parameter-map.png"];
    const plain = ["walkforward.json", "walkforward-returns.csv", "walkforward-weights.csv"];
    expect(document.files).toEqual([...plain, ...png]);
    const written = filesIn(out);
    expect(Object.keys(written).sort()).toEqual([...document.files, document.log].sort());
    expect(document.manifest).toMatchObject({
      command: "walkforward",
      seed: 42,
      sessions: 503,
      study: { objective: "Calmar", points: 4, trainYears: 1, oosMonths: 3, windows: 4 },
    });
    const onDisk = JSON.parse(Buffer.from(written["walkforward.json"]!, "base64").toString());
    expect(onDisk.manifest).toEqual(document.manifest);
    expect(onDisk.metrics).toEqual(document.metrics);
    const log = Buffer.from(written[document.log]!, "base64").toString().trim().split("\n");
    const events = log.map((line) => JSON.parse(line).event);
    expect(events.filter((event) => event === "choice")).toHaveLength(4);
    expect(events.filter((event) => event === "rebalance")).toHaveLength(document.metrics.RebalanceDays);
  });

  it.each(["0", "2"])("logs why every change of targets was made, with %s workers", async (workers) => {
    const { finished, out } = await walked(workers);
    const document = documentOf(finished);
    const [, ...rows] = readFileSync(join(out, "walkforward-weights.csv"), "utf8").trim().split("\n");
    const targets = new Map<string, Record<string, number>>();
    for (const row of rows) {
      const [date, symbol, weight] = row.split(",") as [string, string, string];
      targets.set(date, { ...targets.get(date), [symbol]: Number(weight) });
    }
    const records = readFileSync(join(out, document.log), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
      .filter(({ event }) => event === "rebalance");
    expect(records.length).toBeGreaterThan(20);
    for (const record of records) {
      expect(Object.keys(record)).toEqual(
        expect.arrayContaining(["time", "inputs", "candidates", "correlations", "weights", "orders"]),
      );
      expect([record.session, record.weights]).toEqual([record.session, targets.get(record.session) ?? {}]);
      expect(record.candidates.map(({ symbol }: { symbol: string }) => symbol)).toEqual([
        "SPY",
        "TLT",
        "GLD",
      ]);
      const { oosStart, oosEnd } = document.folds[record.fold];
      expect(oosStart <= record.session && record.session <= oosEnd).toBe(true);
      const { length } = record.selected;
      expect(record.correlations).toHaveLength((length * (length - 1)) / 2);
    }
  });

  it("writes the same bytes with any number of workers, and twice", async () => {
    const again = temporaryFolder();
    expect((await search(["walkforward", "--workers", "0"], again)).code).toBe(0);
    const first = reportIn(again);
    expect(Object.keys(first)).toHaveLength(5);
    for (const workers of [undefined, "0", "1", "2", "3"]) {
      const { finished, out } = await walked(workers);
      expect([workers, finished.code, reportIn(out)]).toEqual([workers, 0, first]);
    }
  });

  it("chooses by the metric it is told, and draws nothing with --no-plots", async () => {
    const document = documentOf(await search(["walkforward", "--objective", "Turnover", "--no-plots"]));
    expect(document.manifest.study.objective).toBe("Turnover");
    expect(document.files.filter((name: string) => name.endsWith(".png"))).toEqual([]);
    for (const { objective, train } of document.folds) expect(objective).toBeCloseTo(train.Turnover, 10);
    const calmar = documentOf((await walked()).finished);
    for (const { objective, train } of calmar.folds) expect(objective).toBeCloseTo(train.Calmar, 10);
  });

  it("takes more keys into the grid when they have values", async () => {
    const more = ["--set", "walkforward.reoptimize.min_weight_change=[0, 0.05]"];
    const document = documentOf(await search(["walkforward", "--no-plots", ...more]));
    expect(document.manifest.study.points).toBe(8);
    expect([0, 0.05]).toContain(document.folds[0].params.min_weight_change);
  });

  it("shows people the path, its stability, what it compares with, and a verdict", async () => {
    const finished = await pf(["walkforward", ...smallGrid, "--no-plots", "--quiet"], { cwd: home });
    expect([finished.code, finished.stderr]).toEqual([0, ""]);
    for (const text of [
      "Fixed parameters",
      "SPY held",
      "Applied from",
      "Stability",
      "of 4 windows gained",
      "deflated Sharpe",
      "Verdict",
      "What this does not show",
      "walkforward.json",
    ]) {
      expect(finished.stdout).toContain(text);
    }
    fitsTheScreen(finished);
  });
});

describe("pf permute", () => {
  it("prints windows, overall, files and the manifest, and writes what it names", async () => {
    const out = temporaryFolder();
    const finished = await search(["permute", "--runs", "9", "--seed", "7"], out);
    expect(finished.code).toBe(0);
    const document = documentOf(finished);
    expect(document.windows).toHaveLength(4);
    for (const { real, p, pPlusOne, permuted } of document.windows) {
      expect(permuted).toHaveLength(9);
      const atLeast = permuted.filter((score: number) => score >= real).length;
      expect([p, pPlusOne]).toEqual([atLeast / 9, (atLeast + 1) / 10]);
    }
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(document.overall.real).toBeCloseTo(
      mean(document.windows.map(({ real }: { real: number }) => real)),
      12,
    );
    expect(document.overall.permuted).toHaveLength(9);
    expect(document.files).toEqual(["permutation.json", "permutation.png"]);
    expect(Object.keys(filesIn(out)).sort()).toEqual([...document.files, document.log].sort());
    expect(document.manifest).toMatchObject({
      command: "permute",
      seed: 7,
      study: { runs: 9, seed: 7, shuffled: [0, 1, 2, 3] },
    });
  });

  it("writes the same bytes with any number of workers, and others with another seed", async () => {
    const run = async (...words: string[]) => {
      const out = temporaryFolder();
      expect((await search(["permute", "--runs", "60", "--walkforward-runs", "2", ...words], out)).code).toBe(
        0,
      );
      return reportIn(out);
    };
    const first = await run("--workers", "0");
    expect(Object.keys(first)).toHaveLength(2);
    for (const workers of ["1", "2", "3"]) expect(await run("--workers", workers)).toEqual(first);
    expect(await run("--workers", "0", "--seed", "43")).not.toEqual(first);
  });

  it("shuffles the windows it is told, each as it is in the whole", async () => {
    const windows = async (...words: string[]) =>
      documentOf(await search(["permute", "--runs", "5", "--no-plots", ...words])).windows;
    const all = await windows();
    expect(await windows("--windows", "last")).toEqual(all.slice(-1));
    expect(await windows("--windows", "2")).toEqual(all.slice(-2));
    expect(await windows("--windows", "all")).toEqual(all);
    const { stdout } = await pf(["permute", ...smallGrid, "--windows", "9", "--runs", "5", "--no-plots"], {
      cwd: home,
    });
    expect(stdout).toContain("there are 4 windows");
  });

  it("shows people every window with both p-values, the procedure, and a verdict", async () => {
    const words = [
      "permute",
      ...smallGrid,
      "--runs",
      "5",
      "--walkforward-runs",
      "3",
      "--no-plots",
      "--quiet",
    ];
    const finished = await pf(words, { cwd: home });
    expect([finished.code, finished.stderr]).toEqual([0, ""]);
    for (const text of [
      "2016-01-04 to 2017-01-03",
      "mean of 4 windows",
      "p+1",
      "Walking forward",
      "Verdict",
    ]) {
      expect(finished.stdout).toContain(text);
    }
    fitsTheScreen(finished);
  });
});

describe("an interrupted permutation test", () => {
  const shuffles = "3000";
  const runs = ["permute", "--runs", shuffles, "--walkforward-runs", "40"];
  const unfinished = (out: string) => join(out, "permutation.unfinished.jsonl");
  const linesIn = (out: string) =>
    existsSync(unfinished(out)) ? readFileSync(unfinished(out), "utf8").split("\n").length - 1 : 0;

  /** Starts the test and sends a signal once so many units are written. */
  const interrupted = (out: string, signal: NodeJS.Signals, lines: number, words: readonly string[]) =>
    pf([...runs, ...words, ...smallGrid, "--out", out, "--json"], {
      cwd: home,
      meanwhile: (child) => {
        const looking = setInterval(() => {
          if (linesIn(out) < lines) return;
          clearInterval(looking);
          child.kill(signal);
        }, 5);
        child.on("close", () => clearInterval(looking));
      },
    });

  let whole: Readonly<Record<string, string>>;
  beforeAll(async () => {
    const out = temporaryFolder();
    expect((await search([...runs, "--workers", "2"], out)).code).toBe(0);
    whole = reportIn(out);
  });

  it.each([
    ["in one thread", "0", "2"],
    ["on two threads", "2", "0"],
  ])("that was killed %s goes on where it stopped, to the same bytes", async (_, workers, then) => {
    const out = temporaryFolder();
    const killed = await interrupted(out, "SIGKILL", 40, ["--workers", workers]);
    expect(killed.signal).toBe("SIGKILL");
    const kept = linesIn(out);
    expect(kept).toBeGreaterThanOrEqual(40);
    expect(Object.keys(reportIn(out))).toEqual([".permutation.lock", "permutation.unfinished.jsonl"]);
    // A crash may leave half a line; it must spoil neither the lines before it nor those that follow.
    writeFileSync(unfinished(out), `${readFileSync(unfinished(out), "utf8")}{"run":"half`);
    const again = await interrupted(out, "SIGKILL", kept + 40, ["--workers", then, "--resume"]);
    expect(again.signal).toBe("SIGKILL");
    const finished = await search([...runs, "--resume", "--workers", workers], out);
    expect(finished.code).toBe(0);
    // It went on: what was known is not made again.
    expect(/\[ *(\d+)\/12000\]/.exec(finished.stderr)![1]).not.toBe("0");
    expect(reportIn(out)).toEqual(whole);
  });

  it.each(["0", "2"])(
    "by Ctrl-C with %s workers exits 130 soon, says how to go on, and can",
    async (workers) => {
      const out = temporaryFolder();
      const stopped = await interrupted(out, "SIGINT", 20, ["--workers", workers]);
      expect(stopped.code).toBe(130);
      const { error } = documentOf(stopped);
      expect(error.code).toBe("PF_INTERRUPTED");
      expect(error.next).toContain("--resume");
      expect(Object.keys(filesIn(out))).toEqual(["permutation.unfinished.jsonl"]);
      expect((await search([...runs, "--resume"], out)).code).toBe(0);
      expect(reportIn(out)).toEqual(whole);
    },
  );

  it("is not continued by another one, and a new one starts without it", async () => {
    const out = temporaryFolder();
    await interrupted(out, "SIGKILL", 20, ["--workers", "0"]);
    const before = readFileSync(unfinished(out), "utf8");
    const other = await search(["permute", "--runs", shuffles, "--resume", "--seed", "8"], out);
    expect(other.code).toBe(2);
    expect(documentOf(other).error).toMatchObject({ code: "PF_OTHER_RUN" });
    expect(readFileSync(unfinished(out), "utf8")).toBe(before);
    expect((await search(["permute", "--runs", "5", "--seed", "8"], out)).code).toBe(0);
    expect(existsSync(unfinished(out))).toBe(false);
  });

  it("lets no second one into its folder, and keeps its own scores", async () => {
    const out = temporaryFolder();
    const others = [[...runs, "--resume"], runs, ["permute", "--runs", "5", "--seed", "8", "--resume"]];
    let refused: readonly Finished[] = [];
    const first = await pf([...runs, ...smallGrid, "--workers", "1", "--out", out, "--json"], {
      cwd: home,
      meanwhile: (child) => {
        const looking = setInterval(async () => {
          if (linesIn(out) < 10) return;
          clearInterval(looking);
          // It stands still while the others try, so that it is there however long they take.
          child.kill("SIGSTOP");
          refused = await Promise.all(others.map((words) => search(words, out)));
          child.kill("SIGCONT");
        }, 5);
        child.on("close", () => clearInterval(looking));
      },
    });
    expect(refused.map(({ code }) => code)).toEqual([2, 2, 2]);
    for (const finished of refused) {
      const { error } = documentOf(finished);
      expect(error.code).toBe("PF_FOLDER_IN_USE");
      expect(error.message).toContain(".permutation.lock");
      expect(error.next).toContain("--out");
    }
    expect(first.code).toBe(0);
    expect(reportIn(out)).toEqual(whole);
  });

  it("need not be there to be continued", async () => {
    expect((await search(["permute", "--runs", "5", "--resume", "--no-plots"])).code).toBe(0);
  });
});

describe("a walk-forward that is interrupted", () => {
  it.each(["0", "2"])("by Ctrl-C with %s workers exits 130 and leaves nothing", async (workers) => {
    const out = temporaryFolder();
    const finished = await pf(
      [
        "walkforward",
        ...smallGrid,
        ...[
          "--set",
          "walkforward.oos_months=1",
          "--workers",
          workers,
          "--out",
          out,
          "--data-dir",
          join(home, "data"),
          "--json",
        ],
      ],
      {
        meanwhile: (child) => child.stderr!.once("data", () => child.kill("SIGINT")),
      },
    );
    expect(finished.code).toBe(130);
    expect(documentOf(finished).error.code).toBe("PF_INTERRUPTED");
    expect(filesIn(out)).toEqual({});
  });
});

describe("the ledger of trials", () => {
  const trialsOf = async (state: string, words: readonly string[]) => {
    const finished = await search([...words, "--state-dir", state, "--no-plots"]);
    expect(finished.code).toBe(0);
    return documentOf(finished).manifest.study?.trials;
  };

  it("counts every strategy once, whichever command tried it", async () => {
    const state = join(temporaryFolder(), "state");
    // The grid's four, and the configured one, which is none of them.
    expect(await trialsOf(state, ["walkforward"])).toBe(5);
    const ledger = filesIn(state)["trials.jsonl"];
    expect(await trialsOf(state, ["walkforward"])).toBe(5);
    expect(await trialsOf(state, ["permute", "--runs", "5"])).toBe(5);
    await trialsOf(state, ["backtest"]);
    expect(filesIn(state)["trials.jsonl"]).toBe(ledger);
    await trialsOf(state, ["backtest", "--set", "selection.min_score=0.5"]);
    expect(await trialsOf(state, ["permute", "--runs", "5"])).toBe(6);
    // Other bars are another matter.
    expect(await trialsOf(state, ["walkforward", "--end", "2017-11-30"])).toBe(5);
  });

  it("survives commands that run at the same time", async () => {
    const state = join(temporaryFolder(), "state");
    const scores = ["0.1", "0.2", "0.3", "0.4", "0.5", "0.6"];
    await Promise.all(
      scores.map((score) => trialsOf(state, ["backtest", "--set", `selection.min_score=${score}`])),
    );
    const lines = readFileSync(join(state, "trials.jsonl"), "utf8").trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line).trials.length)).toEqual(scores.map(() => 1));
    expect(await trialsOf(state, ["walkforward"])).toBe(5 + scores.length);
  });

  it("that cannot be written stops the command with exit 7, before any report", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "state"), "mine");
    for (const words of [["backtest"], ["walkforward"], ["permute", "--runs", "5"]]) {
      const out = temporaryFolder();
      const finished = await search([...words, "--no-plots", "--state-dir", join(folder, "state")], out);
      expect(finished.code).toBe(7);
      expect(documentOf(finished).error).toMatchObject({
        code: "PF_CANNOT_WRITE",
        details: { errno: "ENOTDIR" },
      });
      expect(documentOf(finished).error.next).toContain("--state-dir");
      expect(Object.keys(reportIn(out)).filter((name) => name !== "permutation.unfinished.jsonl")).toEqual(
        [],
      );
    }
    expect(readFileSync(join(folder, "state"), "utf8")).toBe("mine");
  });

  it("says when it cannot be read in part", async () => {
    const state = temporaryFolder();
    writeFileSync(join(state, "trials.jsonl"), '{"data":"x","trials":["a"]}\n{"data":"x","tri');
    const finished = await pf(["walkforward", ...smallGrid, "--no-plots", "--state-dir", state], {
      cwd: home,
    });
    expect(finished.code).toBe(0);
    expect(finished.stdout).toContain("1 line of trials.jsonl cannot be read");
    expect(await trialsOf(state, ["walkforward"])).toBe(5);
  });
});

describe("what cannot be searched is refused in words", () => {
  const refused: readonly (readonly [string, readonly string[], number, string, string])[] = [
    [
      "fewer sessions than one window",
      ["walkforward", "--end", "2016-12-30"],
      3,
      "PF_TOO_FEW_SESSIONS",
      "2017-01-04",
    ],
    ["the same for permute", ["permute", "--end", "2016-12-30"], 3, "PF_TOO_FEW_SESSIONS", "2017-01-04"],
    [
      "an empty grid",
      ["walkforward", "--set", "walkforward.reoptimize.top_n=[]"],
      2,
      "PF_CONFIG",
      "walkforward.reoptimize.top_n",
    ],
    [
      "a grid value the schema refuses",
      ["permute", "--set", "walkforward.reoptimize.corr_cap=[0.5, 1.5]"],
      2,
      "PF_CONFIG",
      "corr_cap[1]",
    ],
    [
      "a grid without a possible pair",
      ["walkforward", "--set", "walkforward.reoptimize.ema_fast=[90]"],
      2,
      "PF_CONFIG",
      "ema_fast",
    ],
    [
      "a grid value that fits no combination",
      ["walkforward", "--set", "walkforward.reoptimize.ema_fast=[10, 90]"],
      2,
      "PF_GRID",
      "ema_fast 90",
    ],
    ["0 runs", ["permute", "--runs", "0"], 2, "PF_RUNS", "at least 1"],
    [
      "0 runs in the configuration",
      ["permute", "--set", "permutation.runs=0"],
      2,
      "PF_CONFIG",
      "permutation.runs",
    ],
    ["runs that are no number", ["permute", "--runs", "many"], 2, "PF_USAGE", "many"],
    ["more runs than anybody waits for", ["permute", "--runs", "1000000"], 2, "PF_USAGE", "100000"],
    ["less than no walk-forward runs", ["permute", "--walkforward-runs", "-1"], 2, "PF_USAGE", "-1"],
    ["windows that are none", ["permute", "--windows", "first"], 2, "PF_USAGE", "first"],
    ["no windows", ["permute", "--windows", "0"], 2, "PF_USAGE", "0"],
    ["workers below none", ["walkforward", "--workers", "-1"], 2, "PF_USAGE", "-1"],
    ["a thousand workers", ["walkforward", "--workers", "1000"], 2, "PF_USAGE", "1000"],
    ["an objective that is none", ["walkforward", "--objective", "Luck"], 2, "PF_USAGE", "Luck"],
    [
      "a start after the end",
      ["permute", "--start", "2017-02-01", "--end", "2017-01-04"],
      2,
      "PF_RANGE_ORDER",
      "2017-02-01",
    ],
    ["an empty cache", ["walkforward", "--data-dir", "nowhere"], 3, "PF_MISSING_BARS", "nowhere"],
  ];

  it.each(refused)("%s", async (_, words, code, name, text) => {
    const out = temporaryFolder();
    const finished = await pf([words[0]!, ...smallGrid, ...words.slice(1), "--out", out, "--json"], {
      cwd: home,
    });
    expect(finished.code).toBe(code);
    const { error } = documentOf(finished);
    expect(error.code).toBe(name);
    expect(error.message).toContain(text);
    expect(error.next.length).toBeGreaterThan(10);
    expect(filesIn(out)).toEqual({});
  });

  it("a grid value in a file, with its line and column", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "config"));
    writeFileSync(join(folder, "config", "config.yaml"), "walkforward:\n  reoptimize:\n    top_n: [1, 0]\n");
    const { code, stderr } = await pf(["walkforward"], { cwd: folder });
    expect([code, stderr.includes("config/config.yaml:3:16")]).toEqual([2, true]);
  });

  it("but more workers than cores work, with a note", async () => {
    const workers = String(availableParallelism() + 1);
    const finished = await pf(["walkforward", ...smallGrid, "--no-plots", "--workers", workers], {
      cwd: home,
    });
    expect(finished.code).toBe(0);
    expect(finished.stdout).toContain(`${workers} workers share`);
  });
});

describe("markets in which nothing happens", () => {
  let sessions: readonly string[];
  beforeAll(async () => {
    const out = temporaryFolder();
    await pf(["backtest", ...smallMarket, "--no-plots", "--out", out], { cwd: home });
    const table = readFileSync(join(out, "returns.csv"), "utf8").trim().split("\n");
    sessions = table.slice(1).map((row) => row.split(",")[0]!);
  });

  /** A folder whose cache holds three symbols with the closes a function gives. */
  const marketOf = async (closeOn: (row: number, symbol: number) => number) => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "csv"));
    for (const [at, symbol] of ["SPY", "TLT", "GLD"].entries()) {
      const bars = sessions.map((date, row) => {
        const close = closeOn(row, at);
        return `${date},${close},${close},${close},${close},1000`;
      });
      writeFileSync(
        join(folder, "csv", `${symbol}.csv`),
        `date,open,high,low,close,volume\n${bars.join("\n")}\n`,
      );
    }
    const fetched = await pf(["fetch", ...smallMarket, "--source", "csv", "--csv-dir", "csv"], {
      cwd: folder,
    });
    expect(fetched.code).toBe(0);
    return folder;
  };

  it("constant prices exit 3: nothing can be chosen, and nothing is tested", async () => {
    const cwd = await marketOf(() => 100);
    for (const [command, code] of [
      ["walkforward", "PF_NOTHING_TRADED"],
      ["permute", "PF_PERMUTATION_DEAD"],
    ] as const) {
      const finished = await pf([command, ...smallGrid, "--json"], { cwd });
      expect(finished.code).toBe(3);
      expect(documentOf(finished).error).toMatchObject({ code });
      expect(reportIn(join(cwd, "reports"))).toEqual({});
    }
  });

  it("a window in which nothing trades decides nothing, says so, and is left out of the test", async () => {
    // Flat through the first train window, a market of waves after it.
    const cwd = await marketOf((row, symbol) =>
      row < 260 ? 100 : 100 * (1 + 0.1 * Math.sin((row - 260) / 25 + symbol) + 0.001 * (row - 260)),
    );
    const walked = await pf(["walkforward", ...smallGrid, "--no-plots", "--json"], { cwd });
    expect(walked.code).toBe(0);
    const document = documentOf(walked);
    expect(document.undecided).toContain(0);
    expect(document.undecided.length).toBeLessThan(4);
    expect(document.folds[0].objective).toBeNull();
    const told = await pf(["walkforward", ...smallGrid, "--no-plots"], { cwd });
    expect(told.stdout.replaceAll(/\s+/g, " ")).toContain("nothing was decided there");
    const permuted = await pf(["permute", ...smallGrid, "--runs", "20", "--no-plots", "--json"], { cwd });
    expect(permuted.code).toBe(0);
    const { windows, overall } = documentOf(permuted);
    expect(windows[0]).toMatchObject({ real: null, p: null, pPlusOne: null });
    expect(overall.windows).toBe(windows.filter(({ p }: { p: number | null }) => p !== null).length);
  });
});

describe("runs that end in one folder at once", () => {
  it("leave the report of one of them, whole, and the log of each", async () => {
    const out = temporaryFolder();
    const objectives = ["Calmar", "Sharpe", "CAGR", "Calmar"];
    const finished = await Promise.all(
      objectives.map((objective) => search(["walkforward", "--no-plots", "--objective", objective], out)),
    );
    expect(finished.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    const logs = finished.map((one) => documentOf(one).log);
    expect(new Set(logs).size).toBe(4);
    for (const log of logs) expect(existsSync(join(out, log))).toBe(true);
    const left = reportIn(out);
    const { manifest } = JSON.parse(Buffer.from(left["walkforward.json"]!, "base64").toString());
    const alone = temporaryFolder();
    await search(["walkforward", "--no-plots", "--objective", manifest.study.objective], alone);
    expect(Object.keys(left)).toEqual(Object.keys(reportIn(alone)));
    for (const file of ["walkforward-returns.csv", "walkforward-weights.csv"])
      expect([file, left[file]]).toEqual([file, reportIn(alone)[file]]);
  });
});
