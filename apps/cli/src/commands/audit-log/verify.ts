import * as Flags from "@oclif/core/flags";
import { PfCommand } from "../../command.js";

export default class AuditLogVerify extends PfCommand {
  static override summary = "Check that audit logs were not changed.";
  static override description =
    "Every record carries the hash of the one before it, so that a record that was changed, removed, added or moved shows. Keep the last hash elsewhere to notice also what was cut off at the end.";
  static override examples = [
    "<%= config.bin %> audit-log verify",
    "<%= config.bin %> audit-log verify --file reports/logs/trade-paper-DU1234567.jsonl",
  ];
  static override flags = {
    file: Flags.string({
      summary: "a log to check; repeatable (default: every log below --out)",
      helpValue: "FILE",
      multiple: true,
      multipleNonGreedy: true,
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(AuditLogVerify);
    await this.serve(
      flags,
      (services) => services.verifyAuditLogs(flags.file ? { files: flags.file } : {}),
      (outcome) => outcome,
      async (outcome, style) => (await import("../../render/auditLog.js")).renderAuditLog(outcome, style),
    );
  }
}
