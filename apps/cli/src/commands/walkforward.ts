import { PfCommand } from "../command.js";
import { searchFlags, searchRequest } from "../search.js";

export default class WalkForward extends PfCommand {
  static override summary = "Choose parameters on the past, use them on what follows.";
  static override examples = [
    "<%= config.bin %> walkforward",
    "<%= config.bin %> walkforward --objective Sharpe --no-plots",
    "<%= config.bin %> walkforward --set walkforward.reoptimize.top_n=[2,3]",
  ];
  static override flags = searchFlags;

  async run(): Promise<void> {
    const { flags } = await this.parse(WalkForward);
    await this.serve(
      flags,
      (services) => services.walkforward(searchRequest(flags)),
      ({ document }) => document,
      async (outcome, style) => (await import("../render/walkforward.js")).renderWalkForward(outcome, style),
    );
  }
}
