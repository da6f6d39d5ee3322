import * as Flags from "@oclif/core/flags";
import { PfCommand } from "../../command.js";

export default class AlertTest extends PfCommand {
  static override summary = "Send a test alarm on every channel.";
  static override description =
    "What alerts.webhook, alerts.ntfy and alerts.email lead to gets a message of the highest level, and alerts.ping is called once. No address, token or password is shown.";
  static override examples = [
    "<%= config.bin %> alert test",
    "<%= config.bin %> alert test --dry-run",
    "<%= config.bin %> alert test --set alerts.ntfy=https://ntfy.sh/a-name-nobody-guesses",
  ];
  static override flags = {
    "dry-run": Flags.boolean({ summary: "only say what would be sent where" }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(AlertTest);
    await this.serve(
      flags,
      (services) => services.alertTest({ dryRun: flags["dry-run"] }),
      (outcome) => outcome,
      async (outcome, style) => (await import("../../render/alert.js")).renderAlertTest(outcome, style),
    );
  }
}
