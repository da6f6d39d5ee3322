import * as Flags from "@oclif/core/flags";
import { PfCommand, valueFlag } from "../command.js";

const engines = ["bars", "account"] as const;

export default class Backtest extends PfCommand {
  static override summary = "Backtest the strategy on the cached bars and write a report.";
  static override examples = [
    "<%= config.bin %> backtest",
    "<%= config.bin %> backtest --start 2020-01-01 --no-plots",
    "<%= config.bin %> backtest --set selection.top_n=3 --out reports/three",
  ];
  static override flags = {
    start: valueFlag("first day; indicators start there too", "DATE"),
    end: valueFlag("last day", "DATE"),
    "no-plots": Flags.boolean({ summary: "write no pictures" }),
    engine: Flags.option({ options: engines })({ summary: "how fills are simulated (default: bars)" }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Backtest);
    await this.serve(
      flags,
      (services) =>
        services.backtest({
          plots: !flags["no-plots"],
          ...(flags.start ? { start: flags.start } : {}),
          ...(flags.end ? { end: flags.end } : {}),
          ...(flags.engine ? { engine: flags.engine } : {}),
        }),
      ({ document }) => document,
      async (outcome, style) => (await import("../render/backtest.js")).renderBacktest(outcome, style),
    );
  }
}
