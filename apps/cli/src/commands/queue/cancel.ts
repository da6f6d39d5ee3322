import * as Args from "@oclif/core/args";
import { PfCommand } from "../../command.js";

export default class QueueCancel extends PfCommand {
  static override summary = "End a search that runs on the research queue.";
  static override description =
    "The command that started it ends with exit code 130. What was finished is kept for a day: the same command goes on from there, `pf permute` with --resume.";
  static override examples = ["<%= config.bin %> queue cancel 1f0c92ab"];
  static override args = {
    run: Args.string({ description: "id of the run, as `pf queue status` shows it", required: true }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.parse(QueueCancel);
    await this.serve(
      flags,
      (services) => services.cancelRun({ run: args.run }),
      (outcome) => outcome,
      async (outcome, style) => (await import("../../render/queue.js")).renderCancelled(outcome, style),
    );
  }
}
