import * as Flags from "@oclif/core/flags";
import { clockFlag, PfCommand, valueFlag } from "../command.js";

export default class Trade extends PfCommand {
  static override summary = "Bring the account to its targets before the close.";
  static override description =
    "Shows what is held, what is wanted and why, what is sent, and what waits for settlement and until when. Started again, it goes on where it was interrupted and sends nothing twice. A rejected order, or one of which nobody knows what became, halts trading until `pf resume`.";
  static override examples = [
    "<%= config.bin %> trade --dry-run",
    "<%= config.bin %> trade --dry-run --asof 2024-12-31",
    "<%= config.bin %> trade --dry-run --paper",
    "<%= config.bin %> trade --paper",
    "<%= config.bin %> trade --live --confirm U1234567",
  ];
  static override flags = {
    "dry-run": Flags.boolean({
      summary: "send nothing; without --paper or --live also ask nobody, and plan on the cache",
    }),
    paper: Flags.boolean({ summary: "the paper account, ibkr.account_paper", exclusive: ["live"] }),
    live: Flags.boolean({ summary: "the live account; takes execution.live: true and --confirm" }),
    asof: valueFlag("dry run only: the session to decide on, on the cache alone", "DATE"),
    confirm: valueFlag("live only: the account's id, typed", "ACCOUNT"),
    clock: clockFlag(),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Trade);
    await this.serve(
      flags,
      (services) =>
        services.trade({
          dryRun: flags["dry-run"],
          ...(flags.paper ? { mode: "paper" as const } : {}),
          ...(flags.live ? { mode: "live" as const } : {}),
          ...(flags.asof ? { asOf: flags.asof } : {}),
          ...(flags.confirm ? { confirm: flags.confirm } : {}),
          ...(flags.clock ? { clock: flags.clock } : {}),
        }),
      ({ document, error }) => (error ? { ...document, error } : document),
      async ({ document }, style) => (await import("../render/trade.js")).renderTrade(document, style),
    );
  }
}
