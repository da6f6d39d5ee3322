import * as Flags from "@oclif/core/flags";
import { PfCommand, valueFlag } from "../command.js";

const modes = ["close", "path"] as const;

export default class Replay extends PfCommand {
  static override summary = "Trade the past as if live at a simulated broker and compare.";
  static override examples = [
    "<%= config.bin %> replay",
    "<%= config.bin %> replay --start 2024-01-01 --end 2024-12-31",
    "<%= config.bin %> replay --start 2024-01-01 --intraday path",
  ];
  static override flags = {
    start: valueFlag("first session to trade (default: the last twelve months)", "DATE"),
    end: valueFlag("last session to trade", "DATE"),
    intraday: Flags.option({ options: modes })({
      summary: "prices stand at the close when it trades, or move until then (default: close)",
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Replay);
    await this.serve(
      flags,
      (services) =>
        services.replay({
          ...(flags.start ? { start: flags.start } : {}),
          ...(flags.end ? { end: flags.end } : {}),
          ...(flags.intraday ? { intraday: flags.intraday } : {}),
        }),
      ({ document, error }) => (error ? { ...document, error } : document),
      async ({ document }, style) => (await import("../render/replay.js")).renderReplay(document, style),
    );
  }
}
