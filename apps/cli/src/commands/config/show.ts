import { PfCommand } from "../../command.js";

export default class ConfigShow extends PfCommand {
  static override summary = "Show every setting, its value and where it comes from.";
  static override examples = [
    "<%= config.bin %> config show",
    "<%= config.bin %> config show --set selection.top_n=3",
  ];

  async run(): Promise<void> {
    const { flags } = await this.parse(ConfigShow);
    await this.serve(
      flags,
      (services) => services.configShow(),
      (outcome) => outcome,
      async (outcome, style) => (await import("../../render/config.js")).renderConfigShow(outcome, style),
    );
  }
}
