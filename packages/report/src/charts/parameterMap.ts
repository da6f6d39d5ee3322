import {
  type GridKey,
  type GridPoint,
  gridKeys,
  isMinimised,
  type MapPoint,
  type OverfittingReport,
  type Study,
  type WalkForward,
} from "@pf/research";
import type { EChartsOption } from "echarts";
import { configuredPoint } from "../researchJson.js";
import { mixed, type Rgb, textColorOn } from "./colors.js";
import { decimal, objectiveText, shortened } from "./formatters.js";
import type { ChartOption, ChartSize } from "./input.js";
import { base, benchmarkColors, between, caption, heading, ink } from "./theme.js";

/** What a parameter map is drawn from. */
export interface ParameterMapInput {
  readonly title?: string;
  readonly study: Study;
  readonly overfitting: Pick<OverfittingReport, "map" | "best">;
  readonly walkForward?: Pick<WalkForward, "folds">;
}

const width = 1200;
const [left, right, top, bottom] = [92, 36, 156, 116];
const [panelGapX, panelGapY] = [24, 40];
const usualHeight = 620;
const [mostCellWidth, mostCellHeight, leastCellHeight] = [150, 60, 14];
/** White between two cells, where the frames of marked points lie. */
const mostGap = 12;
/** Pixels that a character and a line of a cell's number need, at most. */
const [characterWidth, lineHeight] = [8.6, 15];

const worseToBetter = ["#f1f5fa", "#c6dbef", "#8fc0e0", "#4a98c9", "#1f6cb0", "#08407e"];
const undefinedColor = "#e3e3e3";

export function parameterMapSize(input: ParameterMapInput): ChartSize {
  return { width, height: Math.round(layoutOf(input).bottom + bottom) };
}

/**
 * Every point of the grid with its objective over all sessions in the upper half of a cell and the median of its
 * neighbours in the lower half, on one colour scale: on a plateau both are of one shade, on a lonely spike they differ.
 * The first two keys that vary span a panel, the next two its columns and rows; any further ones stay at the best
 * point's values. Data are `[x value, y value, number]`, the number null where undefined; framed are the best point, the
 * fixed parameters and the last fold's choice.
 */
export function parameterMapChart(input: ParameterMapInput): ChartOption {
  const { objective } = input.study;
  const layout = layoutOf(input);
  const { panels, x, y } = layout;
  const range = rangeOf(panels.flatMap(({ points }) => points));
  const scale = isMinimised(objective) ? [...worseToBetter].reverse() : worseToBetter;
  const shade = (value: number): Rgb =>
    mixed(scale, range && range.max > range.min ? (value - range.min) / (range.max - range.min) : 0.5);
  const marks = marksOf(input, layout);
  const option = {
    ...base,
    title: [
      heading(
        `${shortened(input.title ?? "Walk-forward", 44)}: parameter map, ${objective} over all sessions`,
        `${keyNumbers(input, layout)}\nupper half: the point itself${between}lower half: median of its neighbours, one step away along one key${between}alike: a plateau`,
      ),
      ...panels.map((panel) => caption(panel.caption, panel.left + layout.gap / 2, panel.top - 16)),
    ],
    legend: {
      left: 24,
      top: 92,
      itemGap: 28,
      itemWidth: 22,
      itemHeight: 14,
      selectedMode: false as const,
      textStyle: { color: ink.strong, fontSize: 13 },
      data: marks.map(({ name }) => name),
    },
    grid: panels.map((panel) => ({
      left: panel.left,
      top: panel.top,
      width: x.values.length * layout.cellWidth,
      height: y.values.length * layout.cellHeight,
    })),
    xAxis: panels.map((panel, index) => ({
      ...cellAxis(x, index, panel.isLowest),
      ...(panel.isLowest ? { name: x.key ?? "", nameGap: 30 } : {}),
    })),
    yAxis: panels.map((panel, index) => ({
      ...cellAxis(y, index, panel.isLeftmost),
      ...(panel.isLeftmost ? { name: y.key ?? "", nameGap: 52 } : {}),
    })),
    ...(range && range.max > range.min
      ? {
          visualMap: [
            {
              type: "continuous" as const,
              // A legend alone: the cells have their colours already.
              seriesIndex: [],
              min: range.min,
              max: range.max,
              inRange: { color: [...scale] },
              orient: "horizontal" as const,
              left: "center",
              bottom: 20,
              itemWidth: 14,
              itemHeight: 260,
              text: [objectiveText(objective, range.max), objectiveText(objective, range.min)],
              textGap: 12,
              textStyle: { color: ink.normal, fontSize: 12 },
            },
          ],
        }
      : {}),
    series: [
      ...panels.flatMap((panel, index) => [
        halfCells(panel.points, "objective", index, layout, shade, objective),
        halfCells(panel.points, "neighbourMedian", index, layout, shade, objective),
      ]),
      ...marks.map((mark) => frame(mark, layout)),
    ],
  } satisfies EChartsOption;
  return option;
}

interface Axis {
  /** Undefined where fewer keys vary: then there is one step without a name. */
  readonly key: GridKey | undefined;
  /** Ascending. */
  readonly values: readonly (number | undefined)[];
}

interface Panel {
  readonly points: readonly MapPoint[];
  readonly caption: string;
  readonly left: number;
  readonly top: number;
  readonly isLeftmost: boolean;
  readonly isLowest: boolean;
}

interface Layout {
  readonly x: Axis;
  readonly y: Axis;
  readonly panels: readonly Panel[];
  readonly cellWidth: number;
  readonly cellHeight: number;
  readonly gap: number;
  /** Keys beyond four: only the best point's values of them are shown. */
  readonly further: readonly GridKey[];
  /** Where the lowest panel ends. */
  readonly bottom: number;
}

function layoutOf({ overfitting: { map, best } }: ParameterMapInput): Layout {
  const axes = gridKeys.flatMap((key): Axis[] => {
    const values = [...new Set(map.points.flatMap(({ point }) => point[key] ?? []))].sort((a, b) => a - b);
    return values.length > 0 ? [{ key, values }] : [];
  });
  const varying = axes.filter(({ values }) => values.length > 1);
  const none: Axis = { key: undefined, values: [undefined] };
  const [x = axes[0] ?? none, y = none, column = none, row = none, ...further] = varying;
  const shown = map.points.filter(({ point }) =>
    further.every(({ key }) => at(point, key) === at(best.point, key)),
  );

  const [columns, rows] = [column.values.length, row.values.length];
  const room = (width - left - right - (columns - 1) * panelGapX) / columns;
  const cellWidth = Math.min(mostCellWidth, room / x.values.length);
  const cellHeight = Math.max(
    leastCellHeight,
    Math.min(mostCellHeight, (usualHeight - (rows - 1) * panelGapY) / (rows * y.values.length)),
  );
  const panels = row.values.flatMap((rowValue, rowAt) =>
    column.values.map(
      (columnValue, columnAt): Panel => ({
        points: shown.filter(
          ({ point }) => at(point, row.key) === rowValue && at(point, column.key) === columnValue,
        ),
        caption: [
          ...(column.key ? [`${column.key} {strong|${columnValue}}`] : []),
          ...(row.key ? [`${row.key} {strong|${rowValue}}`] : []),
        ].join("    "),
        left: left + columnAt * (x.values.length * cellWidth + panelGapX),
        top: top + rowAt * (y.values.length * cellHeight + panelGapY),
        isLeftmost: columnAt === 0,
        isLowest: rowAt === rows - 1,
      }),
    ),
  );
  return {
    x,
    y,
    panels,
    cellWidth,
    cellHeight,
    further: further.flatMap(({ key }) => key ?? []),
    gap: Math.min(mostGap, cellWidth / 6, cellHeight / 4),
    bottom: panels.at(-1)!.top + y.values.length * cellHeight,
  };
}

function at(point: GridPoint, key: GridKey | undefined): number | undefined {
  return key && point[key];
}

/** The place of a point in its panel, as the axes name it. */
function cellOf(point: GridPoint, { x, y }: Layout): [string, string] {
  return [String(at(point, x.key) ?? ""), String(at(point, y.key) ?? "")];
}

function cellAxis({ values }: Axis, gridIndex: number, labelled: boolean) {
  return {
    type: "category" as const,
    gridIndex,
    data: values.map((value) => String(value ?? "")),
    nameLocation: "middle" as const,
    nameTextStyle: { color: ink.normal, fontSize: 12 },
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: { show: labelled, color: ink.normal, fontSize: 12 },
    splitLine: { show: false },
  };
}

function halfCells(
  points: readonly MapPoint[],
  which: "objective" | "neighbourMedian",
  panel: number,
  layout: Layout,
  shade: (value: number) => Rgb,
  objective: Study["objective"],
) {
  const [cellWidth, cellHeight] = [layout.cellWidth - layout.gap, (layout.cellHeight - layout.gap) / 2];
  const upper = which === "objective";
  const texts = points.map((one) => objectiveText(objective, one[which]));
  const longest = texts.reduce((most, text) => Math.max(most, text.length), 0);
  return {
    type: "scatter" as const,
    name: which,
    xAxisIndex: panel,
    yAxisIndex: panel,
    silent: true,
    symbol: "rect",
    symbolSize: [cellWidth, cellHeight],
    symbolOffset: [0, (upper ? -cellHeight : cellHeight) / 2],
    label: {
      show: cellWidth >= longest * characterWidth && cellHeight >= lineHeight,
      position: "inside" as const,
      fontSize: upper ? 12 : 11,
      fontWeight: upper ? ("bold" as const) : ("normal" as const),
    },
    data: points.map((one, index) => {
      const value = one[which];
      return {
        value: [...cellOf(one.point, layout), value],
        itemStyle: { color: value === null ? undefinedColor : css(shade(value)), opacity: 1 },
        label: {
          formatter: texts[index]!,
          color: value === null ? ink.normal : textColorOn(shade(value)),
        },
      };
    }),
  };
}

interface Mark {
  readonly name: string;
  readonly point: GridPoint;
  readonly objective: number | null;
  readonly panel: number;
  readonly color: string;
  readonly line: "solid" | "dashed";
  /** Pixels by which the frame stands out from the cell; further in where frames meet on one cell. */
  readonly outset: number;
}

function marksOf(
  { study, overfitting, walkForward }: ParameterMapInput,
  { panels }: Layout,
): readonly Mark[] {
  const configured = configuredPoint(study.options);
  const last = walkForward?.folds.at(-1)?.params;
  const { best } = overfitting;
  const wanted = [
    ...(best.objective === null
      ? []
      : [{ name: "best", point: best.point, color: benchmarkColors[0], line: "solid" as const, outset: 10 }]),
    { name: "fixed parameters", point: configured, color: ink.strong, line: "dashed" as const, outset: 4 },
    ...(last
      ? [
          {
            name: "last fold's choice",
            point: last,
            color: benchmarkColors[1],
            line: "solid" as const,
            outset: -3,
          },
        ]
      : []),
  ];
  return wanted.flatMap((mark) => {
    const panel = panels.findIndex(({ points }) => points.some(({ point }) => isPoint(mark.point, point)));
    if (panel < 0) return [];
    const { point, objective } = panels[panel]!.points.find((one) => isPoint(mark.point, one.point))!;
    return [
      {
        ...mark,
        point,
        objective,
        panel,
        name: `${mark.name}  ${objectiveText(study.objective, objective)}`,
      },
    ];
  });
}

/** Whether a point has these values for all keys of the grid. */
function isPoint(values: GridPoint, point: GridPoint): boolean {
  return gridKeys.every((key) => point[key] === undefined || point[key] === values[key]);
}

function frame({ name, point, objective, panel, color, line, outset }: Mark, layout: Layout) {
  const { left: panelLeft, top: panelTop } = layout.panels[panel]!;
  const [column, row] = cellOf(point, layout);
  const inset = (layout.gap - Math.min(outset, layout.gap)) / 2;
  const x = panelLeft + stepOf(layout.x, column) * layout.cellWidth;
  // Rows ascend upwards.
  const y = panelTop + (layout.y.values.length - 1 - stepOf(layout.y, row)) * layout.cellHeight;
  const itemStyle = {
    color: "transparent",
    borderColor: color,
    borderWidth: 2.4,
    borderType: line,
    opacity: 1,
  };
  return {
    type: "scatter" as const,
    name,
    xAxisIndex: panel,
    yAxisIndex: panel,
    silent: true,
    // The point shows in the legend alone; its frame is an area, because a symbol's outline is scaled with it.
    symbol: "rect",
    symbolSize: 0,
    itemStyle,
    data: [[column, row, objective]],
    markArea: {
      silent: true,
      z: 5,
      label: { show: false },
      itemStyle,
      data: [
        [
          { x: x + inset, y: y + inset },
          { x: x + layout.cellWidth - inset, y: y + layout.cellHeight - inset },
        ] as [{ x: number; y: number }, { x: number; y: number }],
      ],
    },
  };
}

function stepOf({ values }: Axis, shown: string): number {
  return values.findIndex((value) => String(value ?? "") === shown);
}

function rangeOf(points: readonly MapPoint[]): { readonly min: number; readonly max: number } | undefined {
  const values = points
    .flatMap((one) => [one.objective, one.neighbourMedian])
    .filter((value) => value !== null);
  return values.length > 0 ? { min: Math.min(...values), max: Math.max(...values) } : undefined;
}

function keyNumbers({ study, overfitting: { map, best } }: ParameterMapInput, { further }: Layout): string {
  const plateau = map.points.find(({ point }) => isPoint(best.point, point))?.plateau ?? null;
  return [
    `${decimal(map.points.length, 0)} point${map.points.length === 1 ? "" : "s"}`,
    `best ${objectiveText(study.objective, best.objective)}`,
    `median of the grid ${objectiveText(study.objective, map.median)}`,
    ...(plateau === null
      ? []
      : [`the best point's neighbours keep ${decimal(plateau)} of its lead over that`]),
    ...(further.length > 0
      ? [`shown at ${further.map((key) => `${key} ${best.point[key]}`).join(", ")}`]
      : []),
  ].join(between);
}

function css([red, green, blue]: Rgb): string {
  return `rgb(${red},${green},${blue})`;
}
