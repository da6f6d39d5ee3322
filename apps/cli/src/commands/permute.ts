import * as Flags from "@oclif/core/flags";
import { PfCommand, valueFlag } from "../command.js";
import { searchFlags, searchRequest } from "../search.js";

export default class Permute extends PfCommand {
  static override summary = "Hold the best parameters against shuffled markets.";
  static override examples = [
    "<%= config.bin %> permute",
    "<%= config.bin %> permute --windows last --runs 1000",
    "<%= config.bin %> permute --walkforward-runs 200 --resume",
  ];
  static override flags = {
    ...searchFlags,
    runs: Flags.integer({ summary: "shuffled markets a window (default: permutation.runs)", helpValue: "N" }),
    seed: Flags.integer({ summary: "same seed, same results (default: backtest.seed)", helpValue: "N" }),
    windows: valueFlag(
      "train windows to shuffle: all, last, or how many of the last (default: all)",
      "WHICH",
    ),
    "walkforward-runs": Flags.integer({
      summary: "shuffled markets to walk forward on, the test of the whole procedure (default: 0)",
      helpValue: "N",
    }),
    resume: Flags.boolean({ summary: "go on where an interrupted run of the same test stopped" }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Permute);
    const walkforwardRuns = flags["walkforward-runs"];
    await this.serve(
      flags,
      (services) =>
        services.permute({
          ...searchRequest(flags),
          resume: flags.resume,
          ...(flags.runs === undefined ? {} : { runs: flags.runs }),
          ...(flags.seed === undefined ? {} : { seed: flags.seed }),
          ...(flags.windows === undefined ? {} : { windows: flags.windows }),
          ...(walkforwardRuns === undefined ? {} : { walkforwardRuns }),
        }),
      ({ document }) => document,
      async (outcome, style) => (await import("../render/permute.js")).renderPermute(outcome, style),
    );
  }
}
