import { modeFlags, modeOf, PfCommand, valueFlag } from "../command.js";

export default class Resume extends PfCommand {
  static override summary = "Lift a halt, after somebody has looked at the account.";
  static override description =
    "What differs between the book and the broker is then accepted, and booked by the next `pf trade`. The same session trades again only within its window, and only when it is known what became of every order sent before.";
  static override examples = [
    '<%= config.bin %> resume --reason "the order was cancelled in TWS"',
    "<%= config.bin %> resume --live",
  ];
  static override flags = {
    ...modeFlags(),
    reason: valueFlag("what was found, for the journal", "TEXT"),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Resume);
    await this.serve(
      flags,
      (services) =>
        services.resume({ mode: modeOf(flags), ...(flags.reason ? { reason: flags.reason } : {}) }),
      (outcome) => outcome,
      async (outcome, style) => (await import("../render/status.js")).renderStatus(outcome, style),
    );
  }
}
