import { ink } from "./theme.js";
import type { TimeTicks } from "./ticks.js";

/** A horizontal axis of dates with these ticks and a faint line at each. */
export function timeAxis({ min, max, ticks, label }: TimeTicks) {
  return {
    type: "time" as const,
    min,
    max,
    axisLine: { lineStyle: { color: ink.line } },
    axisTick: { customValues: [...ticks], lineStyle: { color: ink.line } },
    axisLabel: {
      customValues: [...ticks],
      formatter: label,
      hideOverlap: true,
      color: ink.normal,
      fontSize: 12,
    },
    splitLine: { show: true, lineStyle: { color: ink.grid } },
  };
}

/** One line of names below the title, each beside a sample of its colour. */
export function legendAt(top: number) {
  return {
    left: 20,
    top,
    itemGap: 28,
    itemWidth: 22,
    itemHeight: 3,
    icon: "rect",
    selectedMode: false as const,
    textStyle: { color: ink.strong, fontSize: 13 },
  };
}

/** A name along a vertical axis. */
export function axisName(name: string) {
  return {
    name,
    nameLocation: "middle" as const,
    nameGap: 52,
    nameTextStyle: { color: ink.normal, fontSize: 12 },
  };
}
