import { clockFlag, modeFlags, modeOf, PfCommand } from "../command.js";

export default class Status extends PfCommand {
  static override summary = "Show an account: cash, holdings, last and next session.";
  static override description =
    "Reads the account's journal and asks nobody; what the broker holds is shown by `pf connect`.";
  static override examples = [
    "<%= config.bin %> status",
    "<%= config.bin %> status --live --json",
    "<%= config.bin %> status --clock broker",
  ];
  static override flags = { ...modeFlags(), clock: clockFlag() };

  async run(): Promise<void> {
    const { flags } = await this.parse(Status);
    await this.serve(
      flags,
      (services) => services.status({ mode: modeOf(flags), ...(flags.clock ? { clock: flags.clock } : {}) }),
      (outcome) => outcome,
      async (outcome, style) => (await import("../render/status.js")).renderStatus(outcome, style),
    );
  }
}
