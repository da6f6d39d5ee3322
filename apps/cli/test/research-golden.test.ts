import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { documentOf, filesIn, pf, temporaryFolder } from "./process.js";

const shared = fileURLToPath(new URL("../../../../shared/", import.meta.url));
const present = existsSync(`${shared}golden`) && existsSync(`${shared}data/etf-daily`);
const why = present ? "" : " (not run: there is no ../shared beside the project)";
const golden = (name: string) => JSON.parse(readFileSync(`${shared}golden/${name}`, "utf8"));

const literally = ["--set", "selection.incumbents=rank", "--set", "rebalance.min_weight_change=0"];

describe.runIf(present)(
  `a walk-forward through the command line equals the independent reference${why}`,
  () => {
    let home: string;
    beforeAll(async () => {
      home = temporaryFolder();
      const source = ["--source", "csv", "--csv-dir", `${shared}data/etf-daily`];
      expect((await pf(["fetch", ...source, "--quiet"], { cwd: home })).code).toBe(0);
    });

    const walk = async (words: readonly string[]) => {
      const out = temporaryFolder();
      const finished = await pf(["walkforward", "--no-plots", "--out", out, "--json", ...words], {
        cwd: home,
      });
      expect(finished.code).toBe(0);
      const text = (name: string) => readFileSync(join(out, name), "utf8");
      const table = (name: string) =>
        text(name)
          .trimEnd()
          .split("\n")
          .slice(1)
          .map((line) => line.split(","));
      const report = Object.fromEntries(
        Object.entries(filesIn(out)).filter(([name]) => !name.startsWith("logs/")),
      );
      return {
        document: documentOf(finished),
        json: JSON.parse(text("walkforward.json")),
        returns: table("walkforward-returns.csv"),
        weights: table("walkforward-weights.csv"),
        report,
      };
    };

    function expectClose(actual: number | null, expected: number | null, what: string): void {
      if (expected === null || actual === null) expect(actual, what).toBe(expected);
      else
        expect(Math.abs(actual - expected), what).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(expected)));
    }

    it.each([
      ["the default: incumbents are kept, band 0.05", "walkforward_keep.json", []],
      ["the literal rule", "walkforward_calmar.json", literally],
    ])("%s: all objectives, choices, returns, weights and metrics", async (_, name, words) => {
      const expected = golden(name);
      const { document, json, returns, weights } = await walk(words);
      expect(document.folds).toHaveLength(expected.folds.length);
      for (const [at, fold] of document.folds.entries()) {
        const told = expected.folds[at];
        expect(fold).toMatchObject({
          index: at,
          params: told.params,
          oosStart: told.oos_first,
          oosEnd: told.oos_last,
        });
        expectClose(fold.objective, told.train_objective, `fold ${at}`);
        expect(json.folds[at].objectives).toHaveLength(81);
        for (const [point, objective] of json.folds[at].objectives.entries()) {
          expectClose(objective, told.grid_objectives[point], `fold ${at}, point ${point}`);
        }
      }
      expect(Object.keys(expected.oos_metrics)).toHaveLength(11);
      for (const [metric, value] of Object.entries(expected.oos_metrics)) {
        expectClose(document.metrics[metric], value as number | null, metric);
      }
      expect(returns.map(([date]) => date)).toEqual(expected.oos_dates);
      for (const [row, [date, net, , turnover]] of returns.entries()) {
        expectClose(Number(net), expected.oos_net[row], `net of ${date}`);
        expectClose(Number(turnover), expected.oos_turnover[row], `turnover of ${date}`);
      }
      const held = new Map<string, Record<string, number>>();
      for (const [date, symbol, weight] of weights) {
        held.set(date!, { ...held.get(date!), [symbol!]: Number(weight) });
      }
      for (const { date, weights: of } of expected.oos_weights) {
        const names = Object.keys(of).filter((symbol) => of[symbol] !== 0);
        const ours = held.get(date) ?? {};
        expect(Object.keys(ours).sort(), date).toEqual(names.sort());
        for (const symbol of names) expectClose(ours[symbol]!, of[symbol], `${date} ${symbol}`);
      }
    });

    it("writes the same bytes with 0, 1 and 2 workers", async () => {
      const [none, one, two] = [
        await walk(["--workers", "0"]),
        await walk(["--workers", "1"]),
        await walk(["--workers", "2"]),
      ];
      expect(Object.keys(none!.report)).toHaveLength(3);
      expect(one!.report).toEqual(none!.report);
      expect(two!.report).toEqual(none!.report);
    });

    it("and so does the permutation test, window after window", async () => {
      const permute = async (workers: string) => {
        const out = temporaryFolder();
        const words = ["permute", "--runs", "4", "--no-plots", "--out", out, "--json", "--workers", workers];
        const finished = await pf(words, { cwd: home });
        expect(finished.code).toBe(0);
        return { document: documentOf(finished), file: readFileSync(join(out, "permutation.json"), "utf8") };
      };
      const [none, two] = [await permute("0"), await permute("2")];
      expect(two.file).toBe(none.file);
      // The real scores are those the walk-forward chose by.
      const { folds } = golden("walkforward_keep.json");
      expect(none.document.windows).toHaveLength(folds.length);
      for (const [at, { real, trainStart }] of none.document.windows.entries()) {
        expectClose(real, folds[at].train_objective, `window ${at}`);
        expect(trainStart >= folds[at].train_start).toBe(true);
      }
    });
  },
);
