import { PfCommand, valueFlag } from "../command.js";

export default class Weights extends PfCommand {
  static override summary = "Print target weights as of a session, and why.";
  static override examples = [
    "<%= config.bin %> weights",
    "<%= config.bin %> weights --asof 2024-12-31",
    "<%= config.bin %> weights --json",
  ];
  static override flags = {
    asof: valueFlag("session to decide on (default: the latest cached)", "DATE"),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Weights);
    await this.serve(
      flags,
      (services) => services.targetWeights(flags.asof ? { asOf: flags.asof } : {}),
      (outcome) => outcome,
      async (outcome, style) => (await import("../render/weights.js")).renderWeights(outcome, style),
    );
  }
}
