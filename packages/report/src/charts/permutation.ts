import {
  type Objective,
  type PermutationOutcome,
  type PermutationTest,
  type PermutationWindow,
  summariseNull,
} from "@pf/research";
import type { EChartsOption } from "echarts";
import { axisName } from "./axes.js";
import { decimal, isFraction, numberTick, objectiveText, percentTick, shortened } from "./formatters.js";
import type { ChartOption, ChartSize } from "./input.js";
import { base, between, caption, heading, ink, lossColor, portfolioColor } from "./theme.js";
import { type AxisTicks, evenTicks } from "./ticks.js";

/** What the picture of a permutation test is drawn from. */
export interface PermutationChartInput {
  readonly title?: string;
  readonly test: PermutationTest;
  readonly procedure?: PermutationOutcome;
}

const width = 1200;
const [left, right] = [78, 36];
const largeTop = 142;
const largeHeight = 240;
const smallTop = largeTop + largeHeight + 124;
const [smallHeight, smallGapX, smallGapY] = [62, 22, 38];
const mostColumns = 6;
const significant = 0.05;
/** Fewer runs have no twentieth part to show. */
const runsForTop = 20;
const veil = "rgba(255,255,255,0.85)";

export function permutationSize(input: PermutationChartInput): ChartSize {
  const rows = Math.ceil(smallWindowsOf(input.test).length / mostColumns);
  const end =
    rows > 0 ? smallTop + rows * (smallHeight + smallGapY) - smallGapY : largeTop + largeHeight + 20;
  return { width, height: end + 40 };
}

/**
 * How the best objective of the grid is distributed on shuffled days, with the value on the real days marked: the mean
 * over windows, the walk-forward permutation where one was made, and every window on a common axis. Data of a
 * distribution are the corners of its histogram, `[objective, runs]`.
 */
export function permutationChart(input: PermutationChartInput): ChartOption {
  const { test } = input;
  const panels = [...largePanels(input), ...smallPanels(test)];
  const { objective } = test;
  const option = {
    ...base,
    title: [
      heading(
        `${shortened(input.title ?? "Permutation test", 44)}: best ${objective} of the grid on shuffled days`,
        subtitle(test),
      ),
      ...panels.flatMap((panel) => [
        caption(panel.caption, panel.left, panel.top - (panel.large ? 40 : 17), {
          fontSize: panel.large ? 13 : 11,
        }),
        ...(panel.remark
          ? [
              caption(panel.remark, panel.left + panel.width / 2, panel.top + panel.height / 2 - 8, {
                textAlign: "center",
                backgroundColor: veil,
              }),
            ]
          : []),
      ]),
      ...(panels.some((panel) => !panel.large)
        ? [
            caption(`{strong|Every train window}   best ${objective}, all on one axis`, left, smallTop - 46, {
              fontSize: 13,
            }),
          ]
        : []),
    ],
    grid: panels.map(({ left: x, top, width: across, height }) => ({ left: x, top, width: across, height })),
    xAxis: panels.map((panel, index) => ({
      type: "value" as const,
      gridIndex: index,
      ...(panel.large ? { ...axisName(panel.measured), nameGap: 32 } : {}),
      min: panel.x.min,
      max: panel.x.max,
      axisLine: { show: true, onZero: false, lineStyle: { color: ink.line } },
      axisTick: { show: panel.labelled, customValues: [...panel.x.ticks], lineStyle: { color: ink.line } },
      axisLabel: {
        show: panel.labelled,
        customValues: [...panel.x.ticks],
        formatter: isFraction(objective) ? percentTick : numberTick,
        color: ink.normal,
        fontSize: panel.large ? 12 : 11,
      },
      splitLine: { show: false },
    })),
    yAxis: panels.map((panel, index) => ({
      type: "value" as const,
      gridIndex: index,
      min: 0,
      max: panel.most * 1.12,
      ...(panel.large && index === 0 ? axisName("runs") : {}),
      axisLine: { show: false },
      axisTick: { show: false, customValues: [...panel.counts] },
      axisLabel: { show: panel.large, customValues: [...panel.counts], color: ink.normal, fontSize: 12 },
      splitLine: { show: false },
    })),
    series: panels.map((panel, index) => distributionSeries(panel, index, objective)),
  } satisfies EChartsOption;
  return option;
}

interface Panel {
  readonly name: string;
  readonly caption: string;
  /** What the horizontal axis of a large panel shows. */
  readonly measured: string;
  /** Why there is no p-value; nothing where there is one. */
  readonly remark: string;
  readonly outcome: PermutationOutcome;
  readonly large: boolean;
  readonly labelled: boolean;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly x: AxisTicks;
  readonly corners: readonly (readonly [number, number])[];
  /** Runs in the fullest bin. */
  readonly most: number;
  readonly counts: readonly number[];
}

function largePanels({ test, procedure }: PermutationChartInput): readonly Panel[] {
  const { objective } = test;
  const [only] = test.windows;
  const single = test.windows.length === 1 && only;
  const shown = [
    single
      ? {
          name: "window",
          title: `Train window ${only.trainStart} to ${only.trainEnd}`,
          measured: `best ${objective} of the grid`,
          outcome: only,
        }
      : {
          name: "overall",
          title: `Mean over ${test.overall.windows} train windows`,
          measured: `best ${objective} of the grid, mean over windows`,
          outcome: test.overall,
        },
    ...(procedure
      ? [
          {
            name: "procedure",
            title: "Walk-forward permutation",
            measured: `${objective} of the walk-forward, out of sample`,
            outcome: procedure,
          },
        ]
      : []),
  ];
  const across = (width - left - right - (shown.length - 1) * left) / shown.length;
  return shown.map(({ name, title, measured, outcome }, index) => {
    const x = axisOf([outcome], 7);
    return {
      name,
      caption: `{strong|${title}}   ${pText(outcome)}`,
      measured,
      remark: remarkOn(outcome),
      outcome,
      large: true,
      labelled: true,
      left: left + index * (across + left),
      top: largeTop,
      width: across,
      height: largeHeight,
      x,
      ...histogramOf(outcome, x, Math.round(across / 22)),
    };
  });
}

/** A single window fills the large panel. */
function smallWindowsOf({ windows }: PermutationTest): readonly PermutationWindow[] {
  return windows.length > 1 ? windows : [];
}

function smallPanels(test: PermutationTest): readonly Panel[] {
  const windows = smallWindowsOf(test);
  const x = axisOf(windows, 3);
  const columns = Math.min(mostColumns, windows.length);
  const across = (width - left - right - (columns - 1) * smallGapX) / columns;
  return windows.map((outcome, index) => ({
    name: `window ${outcome.window}`,
    caption: `${outcome.trainStart.slice(0, 7)} to ${outcome.trainEnd.slice(0, 7)}  ${shortP(outcome)}`,
    measured: "",
    remark: remarkOn(outcome),
    outcome,
    large: false,
    labelled: index + columns >= windows.length,
    left: left + (index % columns) * (across + smallGapX),
    top: smallTop + Math.floor(index / columns) * (smallHeight + smallGapY),
    width: across,
    height: smallHeight,
    x,
    ...histogramOf(outcome, x, 28),
  }));
}

function distributionSeries(panel: Panel, index: number, objective: Objective) {
  const { real, permuted, pPlusOne } = panel.outcome;
  const { top5Percent } = summariseNull(objective, permuted);
  const rare = pPlusOne !== null && pPlusOne <= significant;
  return {
    type: "line" as const,
    name: panel.name,
    xAxisIndex: index,
    yAxisIndex: index,
    data: panel.corners.map((corner) => [...corner]),
    showSymbol: false,
    silent: true,
    color: "#9aa7b5",
    lineStyle: { width: 1 },
    areaStyle: { color: "#c9d2dc", opacity: 1 },
    markLine: {
      silent: true,
      symbol: "none",
      animation: false,
      data: [
        ...(panel.large && top5Percent !== null && permuted.length >= runsForTop
          ? [
              {
                xAxis: top5Percent,
                lineStyle: { color: ink.normal, type: "dashed" as const, width: 1 },
                label: {
                  show: true,
                  formatter: "1 run in 20",
                  position: "insideEndTop" as const,
                  color: ink.normal,
                },
              },
            ]
          : []),
        ...(real === null
          ? []
          : [
              {
                xAxis: real,
                lineStyle: {
                  color: rare ? portfolioColor : lossColor,
                  type: "solid" as const,
                  width: panel.large ? 2.6 : 2,
                },
                label: {
                  show: panel.large,
                  formatter: `real ${objectiveText(objective, real)}`,
                  position: "end" as const,
                  color: rare ? portfolioColor : lossColor,
                  fontWeight: "bold" as const,
                  fontSize: 13,
                },
              },
            ]),
      ],
    },
  };
}

/** Corners of the outline of a histogram, from the floor to the floor. */
function histogramOf(
  { permuted }: PermutationOutcome,
  { min, max }: AxisTicks,
  bins: number,
): Pick<Panel, "corners" | "most" | "counts"> {
  const runs = new Int32Array(bins);
  for (const score of permuted) {
    if (score !== null) runs[Math.min(bins - 1, Math.floor(((score - min) / (max - min)) * bins))]!++;
  }
  const edge = (bin: number) => min + ((max - min) * bin) / bins;
  const first = runs.findIndex((count) => count > 0);
  const last = runs.reduce((at, count, bin) => (count > 0 ? bin : at), -1);
  const most = runs.reduce((a, b) => Math.max(a, b), 1);
  const counts = evenTicks(0, most, 4).filter(Number.isInteger);
  if (first < 0) return { corners: [], most, counts };
  const filled = Array.from(runs.subarray(first, last + 1));
  const corners = filled.flatMap((count, bin): [number, number][] => [
    [edge(first + bin), count],
    [edge(first + bin + 1), count],
  ]);
  return { corners: [[edge(first), 0], ...corners, [edge(last + 1), 0]], most, counts };
}

/** An axis that holds every score, real and permuted, with a little room at both ends. */
function axisOf(outcomes: readonly PermutationOutcome[], ticks: number): AxisTicks {
  const scores = outcomes
    .flatMap(({ real, permuted }) => [real, ...permuted])
    .filter((score) => score !== null);
  const low = scores.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (scores.length === 0) return { min: 0, max: 1, ticks: [] };
  // Scores that are all one still deserve a band around them.
  const room = Math.max((high - low) * 0.06, Math.abs(high) * 0.02, 1e-6);
  const [min, max] = [low - room, high + room];
  return { min, max, ticks: evenTicks(min, max, ticks) };
}

function pText(outcome: PermutationOutcome): string {
  const { p, pPlusOne, permuted, undefinedRuns } = outcome;
  if (p === null || pPlusOne === null) return "no p-value";
  const runs = permuted.length;
  return [
    `p = ${decimal(pPlusOne, 3)}`,
    `${Math.round(p * runs)} of ${runs} run${runs === 1 ? "" : "s"} at least as good`,
    ...(undefinedRuns > 0 ? [`${undefinedRuns} without a score`] : []),
  ].join(between);
}

function shortP({ pPlusOne }: PermutationOutcome): string {
  if (pPlusOne === null) return "no p";
  return `{${pPlusOne <= significant ? "strong" : "plain"}|p ${decimal(pPlusOne, 3)}}`;
}

function remarkOn({ real, p, permuted }: PermutationOutcome): string {
  if (permuted.every((score) => score === null)) return "no score on shuffled days";
  if (real === null) return "no score on the real days";
  return p === null ? "the runs do not vary" : "";
}

function subtitle({ runs, windows, objective }: PermutationTest): string {
  return [
    `${decimal(runs, 0)} run${runs === 1 ? "" : "s"} a window`,
    `grey: best ${objective} on shuffled days`,
    "line: on the real days, blue where p is at most 0.05",
    "p = (count + 1) / (runs + 1)",
    ...(windows.length > 1 ? ["windows overlap"] : []),
  ].join(between);
}
