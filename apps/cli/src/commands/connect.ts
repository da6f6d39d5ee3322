import { modeFlags, modeOf, PfCommand } from "../command.js";

export default class Connect extends PfCommand {
  static override summary = "Check the connection to Interactive Brokers, step by step.";
  static override description =
    "Looks at the port, the handshake, the account, the clock, contracts, history and quotes, in this order, and says what to click in TWS where something is missing. Nothing is ever ordered.";
  static override examples = [
    "<%= config.bin %> connect",
    "<%= config.bin %> connect --set ibkr.port=4002",
    "<%= config.bin %> connect --live --json",
  ];
  static override flags = modeFlags();

  async run(): Promise<void> {
    const { flags } = await this.parse(Connect);
    await this.serve(
      flags,
      (services) => services.connect({ mode: modeOf(flags) }),
      (outcome) => outcome,
      async (outcome, style) => (await import("../render/connect.js")).renderConnect(outcome, style),
    );
  }
}
