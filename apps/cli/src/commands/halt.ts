import { modeFlags, modeOf, PfCommand, valueFlag } from "../command.js";

export default class Halt extends PfCommand {
  static override summary = "Stop trading durably, until `pf resume`.";
  static override description =
    "A `pf trade` that runs at this moment sends nothing more. Orders that were sent stay at the broker: cancel them in TWS.";
  static override examples = [
    '<%= config.bin %> halt --reason "on holiday"',
    "<%= config.bin %> halt --live",
  ];
  static override flags = {
    ...modeFlags(),
    reason: valueFlag("why, for whoever finds it halted", "TEXT"),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Halt);
    await this.serve(
      flags,
      (services) => services.halt({ mode: modeOf(flags), ...(flags.reason ? { reason: flags.reason } : {}) }),
      (outcome) => outcome,
      async (outcome, style) => (await import("../render/status.js")).renderStatus(outcome, style),
    );
  }
}
