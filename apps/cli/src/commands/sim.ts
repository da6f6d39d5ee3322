import * as Flags from "@oclif/core/flags";
import { PfCommand, valueFlag } from "../command.js";

export default class Sim extends PfCommand {
  static override summary = "Run a simulator of TWS that real API clients can connect to.";
  static override description =
    "It speaks the wire protocol of TWS on a synthetic market, or on the cached bars, with accounts, fills and faults. When it is ready it prints one line of JSON; it runs until Ctrl-C. Real money is never involved.";
  static override examples = [
    "<%= config.bin %> sim",
    "<%= config.bin %> sim --port 0 --clock 2025-06-30T15:30 --speed frozen",
    "<%= config.bin %> sim --bars --scenario faults.yaml --wire-log wire.jsonl",
  ];
  static override flags = {
    host: valueFlag("address to listen on (default: 127.0.0.1, this machine only)", "HOST"),
    port: Flags.integer({
      summary: "port to listen on, 0 picks one (default: 7497)",
      helpValue: "N",
      min: 0,
      max: 65_535,
    }),
    account: valueFlag("account id (default: ibkr.account_paper)", "ID"),
    cash: valueFlag("settled dollars at the start (default: 25000)", "USD"),
    clock: valueFlag(
      "simulated time at the start, New York's where no zone is given (default: half an hour before a close)",
      "ISO",
    ),
    speed: valueFlag("times real time, max, or frozen (default: 1)", "N|max|frozen"),
    fractional: Flags.option({ options: ["reject", "accept"] as const })({
      summary: "orders for parts of a share: reject as TWS does, or fill (default: reject)",
    }),
    scenario: valueFlag("file that says what goes wrong, and when", "FILE"),
    "wire-log": valueFlag("file that gets every message of both directions", "FILE"),
    bars: Flags.boolean({ summary: "serve the cached bars of --data-dir instead of a synthetic market" }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Sim);
    const { services } = await this.services(flags);
    const running = await services.sim({
      bars: flags.bars,
      ...(flags.host ? { host: flags.host } : {}),
      ...(flags.port === undefined ? {} : { port: flags.port }),
      ...(flags.account ? { account: flags.account } : {}),
      ...(flags.cash ? { cash: flags.cash } : {}),
      ...(flags.clock ? { clock: flags.clock } : {}),
      ...(flags.speed ? { speed: flags.speed } : {}),
      ...(flags.fractional ? { fractional: flags.fractional } : {}),
      ...(flags.scenario ? { scenario: flags.scenario } : {}),
      ...(flags["wire-log"] ? { wireLog: flags["wire-log"] } : {}),
    });
    // One line, also without --json: whoever starts the simulator reads it to learn the port.
    process.stdout.write(`${JSON.stringify(running.document)}\n`);
    if (!flags.quiet && !flags.json) {
      const { renderSim } = await import("../render/sim.js");
      process.stderr.write(renderSim(running));
    }
    await running.ended;
    // The document was printed when it was ready; that it was stopped is what its exit code says.
    if (this.stopped) process.exitCode = 130;
  }
}
