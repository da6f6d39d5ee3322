import * as Args from "@oclif/core/args";
import { PfCommand } from "../../command.js";

export default class NewStrategy extends PfCommand {
  static override summary = "Make a small package with a score of your own.";
  static override description =
    "A folder with a score, its test, and a configuration that names it and runs at once on made-up bars. The score sees one symbol's history up to the session being decided, and says how good it is.";
  static override examples = ["<%= config.bin %> new strategy my-momentum"];
  static override args = {
    folder: Args.string({ description: "the folder to make, named as the strategy", required: true }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.parse(NewStrategy);
    await this.serve(
      flags,
      (services) => services.newStrategy({ folder: args.folder }),
      (outcome) => outcome,
      async (outcome, style) =>
        (await import("../../render/newStrategy.js")).renderNewStrategy(outcome, style),
    );
  }
}
