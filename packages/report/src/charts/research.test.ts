import { gridPoints, type ParameterMap, parameterMap } from "@pf/research";
import { PNG } from "pngjs";
import { describe, expect, it } from "vitest";
import { quickStudy } from "../../../research/test/studies.js";
import { madePermutation, madeWalkForward, outcomeOf, testOf } from "../../test/research.js";
import { rgb } from "./colors.js";
import { objectiveText } from "./formatters.js";
import type { ChartOption, ChartSize } from "./input.js";
import { parameterMapChart, parameterMapSize } from "./parameterMap.js";
import { permutationChart, permutationSize } from "./permutation.js";
import { renderPng } from "./png.js";
import { benchmarkColors, lossColor, portfolioColor } from "./theme.js";
import { utcMs } from "./ticks.js";
import { walkForwardChart, walkForwardSize } from "./walkForward.js";

const input = await madeWalkForward();
const { walkForward, overfitting, study } = input;
const { folds, result } = walkForward;
const permutation = await madePermutation();

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}
interface Item {
  readonly value: readonly [string, string, number | null];
  readonly itemStyle: { readonly color: string };
  readonly label: { readonly formatter: string };
}
const textsOf = (option: ChartOption) => option.title.map(({ text }) => text.replace(/\{\w+\||\}/g, ""));
const seriesOf = (option: ChartOption, name: string) => option.series.find((one) => one.name === name)!;
const itemsOf = (option: ChartOption, name: string) =>
  option.series.filter((one) => one.name === name).flatMap(({ data }) => data as Item[]);

/** Pixels of one colour, or nearly, within a box of the chart. */
async function pixels(option: ChartOption, size: ChartSize, color: string, box: Box): Promise<number> {
  const { data, width } = PNG.sync.read(Buffer.from(await renderPng(option, { ...size, scale: 1 })));
  const wanted = rgb(color);
  let count = 0;
  for (let y = Math.round(box.top); y < box.top + box.height; y++) {
    for (let x = Math.round(box.left); x < box.left + box.width; x++) {
      const at = (y * width + x) * 4;
      if (wanted.every((channel, index) => Math.abs(channel - data[at + index]!) < 12)) count++;
    }
  }
  return count;
}

const gridsOf = (option: ChartOption) => option.grid as readonly (Box & { right: number })[];
const everyChart = [
  ["walk-forward", walkForwardChart(input), walkForwardSize(input)],
  ["parameter map", parameterMapChart(input), parameterMapSize(input)],
  ["permutation", permutationChart(permutation), permutationSize(permutation)],
] as const;

describe.each(everyChart)("the chart of the %s", (_, option, size) => {
  it("holds nothing that JSON would lose but functions that format ticks", () => {
    const lost = new Set<string>();
    JSON.stringify(option, (key, value: unknown) => {
      if (typeof value === "function") lost.add(key);
      else if (value === undefined || (typeof value === "number" && !Number.isFinite(value)))
        throw new Error(key);
      return value;
    });
    expect([...lost].filter((key) => key !== "formatter")).toEqual([]);
  });

  it("is a picture of the size asked for, with a title, that fits a mail", async () => {
    const bytes = await renderPng(option, size);
    const { width, height } = PNG.sync.read(Buffer.from(bytes));
    expect([width, height]).toEqual([1500, Math.ceil(size.height * 1.25)]);
    expect(bytes.length).toBeLessThan(250_000);
    const title = { left: 20, top: 14, width: 700, height: 24 };
    expect(await pixels(option, size, "#1c2530", title)).toBeGreaterThan(300);
    expect(await pixels({ ...option, title: option.title.slice(1) }, size, "#1c2530", title)).toBe(0);
  });

  it("keeps every part within the picture, and none upon another", () => {
    const boxes = gridsOf(option).map((grid) => ({
      ...grid,
      width: grid.width ?? size.width - grid.left - grid.right,
    }));
    for (const [index, box] of boxes.entries()) {
      expect(box.left + box.width).toBeLessThanOrEqual(size.width - 30);
      expect(box.top + box.height).toBeLessThanOrEqual(size.height - 35);
      for (const other of boxes.slice(0, index)) {
        const apart =
          other.left + other.width <= box.left ||
          box.left + box.width <= other.left ||
          other.top + other.height <= box.top ||
          box.top + box.height <= other.top;
        expect(apart).toBe(true);
      }
    }
  });
});

describe("the walk-forward chart", () => {
  const option = walkForwardChart(input);

  it("draws the stitched run, the fixed parameters and SPY, and says where each ends", () => {
    const last = result.sessions.length - 1;
    const runs = [result, input.fixed, input.benchmarks[0]!.result];
    for (const [index, run] of runs.entries()) {
      const { data, name } = option.series[index]!;
      expect(data).toHaveLength(result.sessions.length);
      expect(data[last]).toEqual([utcMs(result.sessions[last]!), run.equity[last]]);
      expect(name).toBe(
        `${["Rotation", "Fixed parameters", "SPY held"][index]}  ${run.equity[last]!.toFixed(2)}`,
      );
    }
  });

  it("marks the border before every fold but the first", () => {
    const { markLine } = option.series[0] as unknown as { markLine: { data: { xAxis?: number }[] } };
    expect(markLine.data.flatMap(({ xAxis }) => xAxis ?? [])).toEqual(
      folds.slice(1).map(({ oosStart }) => utcMs(oosStart)),
    );
  });

  it("shows for every key that varies what each fold chose, from its first session to the next fold's", () => {
    for (const key of ["ema_fast", "ema_slow", "top_n"] as const) {
      const path = seriesOf(option, key).data as [number, string][];
      expect(path).toHaveLength(2 * folds.length);
      for (const [index, fold] of folds.entries()) {
        expect(path[2 * index]).toEqual([utcMs(fold.oosStart), String(fold.params[key])]);
        const until = folds[index + 1]?.oosStart ?? fold.oosEnd;
        expect(path[2 * index + 1]).toEqual([utcMs(until), String(fold.params[key])]);
      }
    }
    expect(option.series.map(({ name }) => name)).not.toContain("corr_cap");
  });

  it("puts each choice at its own time and value", async () => {
    const key = "ema_slow";
    const [low, high] = [8, 15];
    const chosen = folds.map((fold, index) => ({
      ...fold,
      params: { ...fold.params, [key]: index === 1 ? high : low },
    }));
    const drawn = { ...input, walkForward: { ...walkForward, folds: chosen } };
    const alternating = walkForwardChart(drawn);
    const strip = gridsOf(alternating)[2]!;
    const { min, max } = (alternating.xAxis as { min: number; max: number }[])[2]!;
    const place = (ms: number) => strip.left + ((ms - min) / (max - min)) * (1200 - strip.left - strip.right);
    for (const [index, fold] of folds.entries()) {
      const [from, to] = [place(utcMs(fold.oosStart)) + 4, place(utcMs(fold.oosEnd)) - 8];
      const half = (top: number) =>
        pixels(alternating, walkForwardSize(drawn), portfolioColor, {
          left: from,
          top,
          width: to - from,
          height: strip.height / 2,
        });
      const [upper, lower] = [await half(strip.top), await half(strip.top + strip.height / 2)];
      if (index === 1) expect([upper > to - from, lower]).toEqual([true, 0]);
      else expect([upper, lower > to - from]).toEqual([0, true]);
    }
  });

  it("dashes the fixed parameters where the grid tries them", () => {
    const tried = { ...study, grid: { ...study.grid, ema_fast: [2, 3] } };
    const lines = (key: string) =>
      (
        seriesOf(walkForwardChart({ ...input, study: tried }), key) as unknown as {
          markLine: { data: { yAxis: string }[] };
        }
      ).markLine.data;
    expect(lines("ema_fast")).toEqual([{ yAxis: "3" }]);
    expect(lines("top_n")).toEqual([{ yAxis: "2" }]);
    const untried = { ...study, grid: { ...study.grid, top_n: [1, 3] } };
    expect(
      seriesOf(walkForwardChart({ ...input, study: untried }), "top_n") as unknown as object,
    ).toMatchObject({ markLine: { data: [] } });
  });

  it("says how the points were chosen, and shades folds that decided nothing", () => {
    const { changes } = walkForward.stability;
    expect(option.title[0]!.subtext).toContain(`${folds.length} folds, chosen by Calmar`);
    expect(option.title[0]!.subtext).toContain(`another point at ${changes} of ${folds.length - 1} borders`);
    expect(option.title[0]!.subtext).not.toContain("grey");
    const undecided = walkForwardChart({ ...input, walkForward: { ...walkForward, undecided: [1] } });
    expect(undecided.title[0]!.subtext).toContain("grey: 1 undecided");
    expect(seriesOf(undecided, "top_n") as unknown as object).toMatchObject({
      markArea: { data: [[{ xAxis: utcMs(folds[1]!.oosStart) }, { xAxis: utcMs(folds[1]!.oosEnd) }]] },
    });
  });

  it("can be drawn of a single fold, of a single point and of nothing to compare with", async () => {
    const single = {
      study: { ...study, grid: { top_n: [2] } },
      walkForward: { ...walkForward, folds: folds.slice(0, 1) },
    };
    const one = walkForwardChart(single);
    expect(one.series).toHaveLength(1);
    expect(one.title[0]!.subtext).toContain("1 fold, chosen by Calmar");
    expect(one.title[0]!.subtext).not.toContain("border");
    const box = { left: 78, top: 136, width: 1080, height: 340 };
    expect(await pixels(one, walkForwardSize(single), portfolioColor, box)).toBeGreaterThan(500);
  });

  it("leaves the borders out where they would be a shade", () => {
    const many = Array.from({ length: 300 }, () => folds[1]!);
    const { markLine } = walkForwardChart({ ...input, walkForward: { ...walkForward, folds: many } })
      .series[0] as unknown as { markLine: { data: unknown[] } };
    expect(markLine.data).toEqual([{ yAxis: 1 }]);
  });
});

describe("the parameter map", () => {
  const option = parameterMapChart(input);
  const mapOf = (
    grid: Parameters<typeof gridPoints>[0],
    score: (at: number) => number | null,
  ): ParameterMap => {
    const points = gridPoints(grid);
    return parameterMap(
      points,
      points.map((_, at) => score(at)),
      "Calmar",
    );
  };
  const chartOf = (map: ParameterMap, best = map.points[0]!) => ({
    study: quickStudy,
    overfitting: { map, best },
  });

  it("shows every point of the grid with its objective and the median of its neighbours", () => {
    const { points } = overfitting.map;
    expect(points).toHaveLength(8);
    for (const which of ["objective", "neighbourMedian"] as const) {
      const items = itemsOf(option, which);
      const expected = points.map((one) => [
        String(one.point.ema_fast),
        String(one.point.ema_slow),
        one[which],
      ]);
      const sorted = (rows: readonly (readonly unknown[])[]) => rows.map((row) => row.join(" ")).sort();
      expect(sorted(items.map(({ value }) => value))).toEqual(sorted(expected));
      for (const { value, label } of items) expect(label.formatter).toBe(objectiveText("Calmar", value[2]));
    }
    expect(textsOf(option).slice(1)).toEqual(["top_n 1", "top_n 2"]);
  });

  it("is darker where the objective is better, whichever way it is better", () => {
    const grid = { ema_fast: [1, 2, 3] };
    const shades = (objective: "Calmar" | "MaxDD") => {
      const map = mapOf(grid, (at) => at / 10);
      const chart = parameterMapChart({ ...chartOf(map), study: { ...quickStudy, objective } });
      return itemsOf(chart, "objective").map(({ itemStyle }) =>
        itemStyle.color.match(/\d+/g)!.reduce((sum, channel) => sum + Number(channel), 0),
      );
    };
    const [low, middle, high] = shades("Calmar");
    expect([low! > middle!, middle! > high!]).toEqual([true, true]);
    const [small, , large] = shades("MaxDD");
    expect(small!).toBeLessThan(large!);
  });

  it("frames the best point, the fixed parameters and the last fold's choice where they are", async () => {
    const map = mapOf({ ema_fast: [2, 3, 4], ema_slow: [8, 15] }, (at) => at);
    const chart = parameterMapChart({
      ...chartOf(map, map.points[5]!),
      walkForward: { folds: [{ ...folds[0]!, params: { ema_fast: 2, ema_slow: 15 } }] },
    });
    expect(seriesOf(chart, "best  5.00").data).toEqual([["4", "15", 5]]);
    expect(seriesOf(chart, "fixed parameters  2.00").data).toEqual([["3", "8", 2]]);
    expect(seriesOf(chart, "last fold's choice  1.00").data).toEqual([["2", "15", 1]]);
    const [panel] = gridsOf(chart);
    const [across, down] = [panel!.width / 3, panel!.height / 2];
    const framed = (column: number, row: number) =>
      pixels(chart, parameterMapSize(chartOf(map)), benchmarkColors[0], {
        left: panel!.left + column * across - 1,
        top: panel!.top + row * down - 1,
        width: across,
        height: down,
      });
    expect(await framed(2, 0)).toBeGreaterThan(400);
    expect(await framed(0, 0)).toBe(0);
    expect(await framed(1, 1)).toBe(0);
  });

  it("says n/a where nothing is defined, and frames no best then", () => {
    const chart = parameterMapChart(chartOf(mapOf({ ema_fast: [2, 3] }, () => null)));
    expect(itemsOf(chart, "objective").map(({ label }) => label.formatter)).toEqual(["n/a", "n/a"]);
    expect(chart.series.some(({ name }) => name!.startsWith("best"))).toBe(false);
    expect(chart.visualMap).toBeUndefined();
  });

  it("shows four keys, and of any further one the best point's value, which it names", () => {
    const grid = {
      ema_fast: [2, 3],
      ema_slow: [8, 9],
      top_n: [1, 2],
      corr_cap: [0.5, 0.7],
      min_score: [0, 0.1],
    };
    const map = mapOf(grid, (at) => at);
    const chart = parameterMapChart(chartOf(map, map.points[31]!));
    expect(itemsOf(chart, "objective").map(({ value }) => value[2])).toEqual(
      expect.arrayContaining([1, 3, 5, 31]),
    );
    expect(itemsOf(chart, "objective")).toHaveLength(16);
    expect(itemsOf(chart, "objective").every(({ value }) => value[2]! % 2 === 1)).toBe(true);
    expect(chart.title[0]!.subtext).toContain("shown at min_score 0.1");
    expect(textsOf(chart).slice(1)).toEqual(
      [0.5, 0.7].flatMap((cap) => [1, 2].map((top) => `top_n ${top}    corr_cap ${cap}`)),
    );
  });

  it("leaves numbers out of cells that cannot hold them, and stays a picture", async () => {
    const values = Array.from({ length: 40 }, (_, index) => index + 1);
    const map = mapOf({ ema_fast: values, ema_slow: values.map((value) => value + 50) }, Math.sqrt);
    const chart = parameterMapChart(chartOf(map));
    expect(seriesOf(chart, "objective") as unknown as object).toMatchObject({ label: { show: false } });
    expect(parameterMapSize(chartOf(map)).height).toBeLessThan(1200);
    expect(seriesOf(option, "objective") as unknown as object).toMatchObject({ label: { show: true } });
    const bytes = await renderPng(chart, parameterMapSize(chartOf(map)));
    expect(bytes.length).toBeGreaterThan(10_000);
  });
});

describe("the permutation chart", () => {
  const { test, procedure } = permutation;
  const option = permutationChart(permutation);
  /** Runs under a histogram's outline. */
  const runsIn = ({ data }: { data: readonly unknown[] }) =>
    (data as [number, number][]).reduce((sum, [, count], index) => sum + (index % 2 === 1 ? count : 0), 0);
  const marksIn = (chart: ChartOption, name: string) =>
    (seriesOf(chart, name) as unknown as { markLine: { data: { xAxis: number }[] } }).markLine.data;

  it("has the overall mean, the walk-forward permutation and every window, each run in one bin", () => {
    const outcomes = [test.overall, procedure, ...test.windows];
    expect(option.series.map(({ name }) => name)).toEqual([
      "overall",
      "procedure",
      ...test.windows.map(({ window }) => `window ${window}`),
    ]);
    for (const [index, { permuted }] of outcomes.entries()) {
      const series = option.series[index]!;
      expect(runsIn(series)).toBe(permuted.filter((score) => score !== null).length);
      const defined = permuted.filter((score) => score !== null);
      const edges = (series.data as [number, number][]).map(([edge]) => edge);
      expect(Math.min(...edges)).toBeLessThanOrEqual(Math.min(...defined));
      expect(Math.max(...edges)).toBeGreaterThanOrEqual(Math.max(...defined));
    }
  });

  it("puts every run of a histogram where its score is", () => {
    const permuted = [...Array.from({ length: 30 }, () => 1), ...Array.from({ length: 10 }, () => 2)];
    const { data } = permutationChart({ test: testOf(outcomeOf(1.5, permuted)) }).series[0]!;
    const below = (data as [number, number][]).filter(([edge]) => edge < 1.5);
    const above = (data as [number, number][]).filter(([edge]) => edge > 1.5);
    expect([
      Math.max(...below.map(([, count]) => count)),
      Math.max(...above.map(([, count]) => count)),
    ]).toEqual([30, 10]);
  });

  it("marks the real value and prints p, blue where it is rare and red where it is not", async () => {
    const rare = {
      test: testOf(
        outcomeOf(
          3,
          Array.from({ length: 40 }, (_, run) => run / 40),
        ),
      ),
    };
    const usual = {
      test: testOf(
        outcomeOf(
          0.5,
          Array.from({ length: 40 }, (_, run) => run / 40),
        ),
      ),
    };
    expect(marksIn(permutationChart(rare), "window").at(-1)!.xAxis).toBe(3);
    expect(textsOf(permutationChart(rare))[1]).toContain("p = 0.024");
    expect(textsOf(permutationChart(rare))[1]).toContain("0 of 40 runs at least as good");
    expect(textsOf(permutationChart(usual))[1]).toContain("20 of 40 runs at least as good");
    const box = { left: 78, top: 142, width: 1086, height: 230 };
    const inked = (one: typeof rare, color: string) =>
      pixels(permutationChart(one), permutationSize(one), color, box);
    expect(await inked(rare, portfolioColor)).toBeGreaterThan(200);
    expect(await inked(rare, lossColor)).toBe(0);
    expect(await inked(usual, lossColor)).toBeGreaterThan(200);
    expect(await inked(usual, portfolioColor)).toBe(0);
  });

  it("marks what one run in twenty reaches, where there are twenty", () => {
    const scores = Array.from({ length: 40 }, (_, run) => run);
    const marks = (runs: number) =>
      marksIn(permutationChart({ test: testOf(outcomeOf(5, scores.slice(0, runs))) }), "window");
    expect(marks(40).map(({ xAxis }) => xAxis)).toEqual([38, 5]);
    expect(marks(19).map(({ xAxis }) => xAxis)).toEqual([5]);
  });

  it("shows a single window once, and many on one axis", () => {
    const outcome = outcomeOf(2, [1, 2, 3]);
    expect(permutationChart({ test: testOf(outcome) }).series).toHaveLength(1);
    const other = outcomeOf(9, [7, 8]);
    const { series, xAxis } = permutationChart({ test: testOf(outcome, other, outcome) });
    expect(series).toHaveLength(4);
    const [, ...windows] = xAxis as { min: number; max: number }[];
    for (const { min, max } of windows) {
      expect([min, max]).toEqual([windows[0]!.min, windows[0]!.max]);
      expect([min < 1, max > 9]).toEqual([true, true]);
    }
  });

  it("says why a window has no p-value", () => {
    const still = { ...outcomeOf(1, [1, 1, 1]), p: null, pPlusOne: null };
    const chart = permutationChart({
      test: testOf(
        outcomeOf(2, [1, 3, null]),
        outcomeOf(null, [1, 2, 3]),
        outcomeOf(1, [null, null, null]),
        still,
      ),
    });
    const texts = textsOf(chart);
    for (const remark of ["no score on the real days", "no score on shuffled days", "the runs do not vary"]) {
      expect(texts.filter((text) => text === remark)).toHaveLength(1);
    }
    expect(texts[1]).toContain("1 without a score");
    expect(texts.filter((text) => text.endsWith("no p"))).toHaveLength(3);
    expect(marksIn(chart, "window 1")).toEqual([]);
  });

  it.each([
    ["one run", testOf(outcomeOf(1, [1]))],
    [
      "a hundred runs of one window",
      testOf(
        outcomeOf(
          40,
          Array.from({ length: 100 }, (_, run) => run),
        ),
      ),
    ],
    ["nothing defined", testOf(outcomeOf(null, [null]), outcomeOf(null, [null]))],
    ["a hundred windows", testOf(...Array.from({ length: 100 }, (_, at) => outcomeOf(at, [1, 2, at])))],
  ])("can be drawn of %s", async (_, drawn) => {
    const size = permutationSize({ test: drawn });
    const title = { left: 20, top: 14, width: 700, height: 24 };
    expect(await pixels(permutationChart({ test: drawn }), size, "#1c2530", title)).toBeGreaterThan(300);
    expect(size.height).toBeLessThan(2400);
  });
});
