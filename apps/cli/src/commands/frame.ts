import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { PfCommand, valueFlag } from "../command.js";
import { UsageError } from "../usage.js";

export default class Frame extends PfCommand {
  static override summary = "Describe, group and export results as tables.";
  static override description =
    "Reads a .csv or .json of results below --out, or by a path, or the cached bars, and shows rows, statistics of every column (--describe), or statistics of groups. Groups are made of columns, and of dates: month, year, and fold where walkforward.json stands beside. Where --agg does not say otherwise, returns are compounded, costs and turnover added up, prices and equity taken as they end, and of the rest the mean is shown. What is missing is left out. Statistics are doubles, although the danfojs underneath would add and divide frames in float32.";
  static override examples = [
    "<%= config.bin %> frame returns --group-by month",
    "<%= config.bin %> frame returns --describe --start 2020-01-01",
    "<%= config.bin %> frame weights --group-by year,symbol --agg mean,max",
    "<%= config.bin %> frame walkforward --columns fold,ema_fast,objective",
    "<%= config.bin %> frame walkforward --table grid --sort objective --descending",
    "<%= config.bin %> frame bars SPY,TLT --group-by symbol,year",
    "<%= config.bin %> frame returns --group-by year --export years.csv",
  ];
  static override args = {
    what: Args.string({
      description: "a file of results, with or without its ending, or: bars",
      required: true,
    }),
    symbols: Args.string({ description: "of bars: whose, with commas (default: the universe)" }),
  };
  static override flags = {
    table: valueFlag("which table of a file: folds or grid, windows or runs (default: the first)", "NAME"),
    columns: valueFlag("which columns, in this order", "A,B"),
    start: valueFlag("first date", "DATE"),
    end: valueFlag("last date", "DATE"),
    describe: Flags.boolean({ summary: "count, mean, deviation, extremes of every column" }),
    "group-by": valueFlag("columns, or month, year, fold", "A,B"),
    agg: valueFlag("count, sum, mean, std, min, median, max, first, last, compound", "A,B"),
    sort: valueFlag("a column of the outcome; missing values last", "COLUMN"),
    descending: Flags.boolean({ summary: "sort from the greatest down" }),
    head: Flags.string({
      summary: "how many rows at most (default: all; 40 on a screen)",
      helpValue: "N",
      parse: rowCount,
    }),
    export: valueFlag("write the outcome to a .csv or .json as well", "FILE"),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.parse(Frame);
    const { table, columns, start, end, describe, "group-by": groupBy, agg, sort, descending, head } = flags;
    await this.serve(
      flags,
      (services) =>
        services.frame({
          what: args.what,
          describe,
          descending,
          ...(args.symbols === undefined ? {} : { symbols: listed(args.symbols) }),
          ...(table === undefined ? {} : { table }),
          ...(columns === undefined ? {} : { columns: listed(columns) }),
          ...(start === undefined ? {} : { start }),
          ...(end === undefined ? {} : { end }),
          ...(groupBy === undefined ? {} : { groupBy: listed(groupBy) }),
          ...(agg === undefined ? {} : { aggregates: listed(agg) }),
          ...(sort === undefined ? {} : { sort }),
          ...(head === undefined ? {} : { head: Number(head) }),
          ...(flags.export === undefined ? {} : { exportTo: flags.export }),
        }),
      (outcome) => outcome,
      async (outcome, style) =>
        (await import("../render/frame.js")).renderFrame(
          outcome,
          style,
          head === undefined ? 40 : Number(head),
        ),
    );
  }
}

function listed(text: string): string[] {
  return text.split(",").flatMap((word) => (word.trim() === "" ? [] : [word.trim()]));
}

async function rowCount(text: string): Promise<string> {
  if (/^[1-9]\d{0,8}$/.test(text)) return text;
  throw new UsageError(`"${text}" is no number of rows`, "give a whole number of at least 1");
}
