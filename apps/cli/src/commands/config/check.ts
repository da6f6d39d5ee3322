import { PfCommand } from "../../command.js";

export default class ConfigCheck extends PfCommand {
  static override summary = "Say whether the configuration is sound, and what is wrong.";
  static override examples = [
    "<%= config.bin %> config check",
    "<%= config.bin %> config check --config DIR",
  ];

  async run(): Promise<void> {
    const { flags } = await this.parse(ConfigCheck);
    await this.serve(
      flags,
      (services) => services.configCheck(),
      (outcome) => outcome,
      async (outcome, style) => (await import("../../render/config.js")).renderConfigCheck(outcome, style),
    );
  }
}
