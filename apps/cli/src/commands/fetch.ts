import * as Flags from "@oclif/core/flags";
import type { SourceName } from "@pf/app";
import { PfCommand, valueFlag } from "../command.js";

const sources: readonly SourceName[] = ["ibkr", "csv", "synthetic", "tiingo", "alpaca"];

export default class Fetch extends PfCommand {
  static override summary = "Fetch the bars that the cache does not have yet.";
  static override examples = [
    "<%= config.bin %> fetch --source synthetic",
    "<%= config.bin %> fetch --source csv --csv-dir DIR",
    "<%= config.bin %> fetch --source tiingo",
    "<%= config.bin %> fetch --symbols SPY,TLT --start 2020-01-01",
  ];
  static override flags = {
    source: Flags.option({ options: sources })({ summary: "where bars come from (default: data.source)" }),
    "csv-dir": valueFlag("folder of SYMBOL.csv for source csv", "DIR"),
    symbols: valueFlag("what to fetch, with commas (default: the universe)", "A,B"),
    start: valueFlag("first day (default: ibkr.start)", "DATE"),
    end: valueFlag("last day (default: ibkr.end, else the last complete session)", "DATE"),
    replace: Flags.boolean({ summary: "fetch everything anew, also over another source or damaged files" }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Fetch);
    await this.serve(
      flags,
      (services) =>
        services.fetch({
          replace: flags.replace,
          ...(flags.source ? { source: flags.source } : {}),
          ...(flags["csv-dir"] ? { csvDir: flags["csv-dir"] } : {}),
          ...(flags.symbols ? { symbols: symbolsIn(flags.symbols) } : {}),
          ...(flags.start ? { start: flags.start } : {}),
          ...(flags.end ? { end: flags.end } : {}),
        }),
      (outcome) => outcome,
      async (outcome, style) => (await import("../render/fetch.js")).renderFetch(outcome, style),
    );
  }
}

function symbolsIn(list: string): string[] {
  return list.split(",").flatMap((symbol) => (symbol.trim() === "" ? [] : [symbol.trim()]));
}
