declare module "asciichart" {
  interface PlotOptions {
    height?: number;
    min?: number;
    max?: number;
    offset?: number;
    padding?: string;
    format?: (value: number, index: number) => string;
  }
  export function plot(
    series: readonly number[] | readonly (readonly number[])[],
    options?: PlotOptions,
  ): string;
}
