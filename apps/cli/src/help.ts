import type { Command, Interfaces } from "@oclif/core";
import { Help } from "@oclif/core/help";

/** The help pages; lines are handed to `print`, so that `--json` can put them into its one document. */
export default class PfHelp extends Help {
  print: (line: string) => void = (line) => process.stdout.write(`${line}\n`);

  constructor(config: Interfaces.Config, options: Partial<Interfaces.HelpOptions> = {}) {
    super(config, {
      ...options,
      maxWidth: Math.min(options.maxWidth ?? 80, 80),
      flagSortOrder: "none",
      hideCommandSummaryInDescription: true,
    });
  }

  protected override log(...lines: string[]): void {
    this.print(lines.join(" "));
  }

  protected override async showRootHelp(): Promise<void> {
    const commands = this.config.commands
      .filter(({ hidden }) => !hidden)
      .map((command) => [command.id.replaceAll(":", " "), command.summary ?? ""] as const);
    // In the order in which a newcomer needs them.
    const order = [
      ...["connect", "fetch", "backtest", "walkforward", "permute", "weights", "trade", "status"],
      ...["halt", "resume", "frame", "sim", "replay"],
      ...["queue status", "queue cancel", "new strategy"],
      ...["alert test", "audit-log verify", "config show", "config check", "config schema"],
    ];
    const listed = [...commands].sort(([a], [b]) => rank(a, order) - rank(b, order) || a.localeCompare(b));
    const widest = Math.max(...listed.map(([id]) => id.length));
    const page = [
      `pf ${this.config.version}: research, backtest and trade a correlation-aware ETF portfolio.`,
      "",
      heading("Usage"),
      "  pf COMMAND [flags]        pf COMMAND --help",
      "",
      heading("Commands"),
      ...listed.map(([id, summary]) => `  ${id.padEnd(widest)}  ${summary}`),
      "",
      heading("First steps"),
      "  pf fetch --source synthetic         make a market to try everything on, or",
      "  pf fetch --source csv --csv-dir DIR use your own files, DIR/SYMBOL.csv, or",
      "  pf connect && pf fetch              ask Interactive Brokers (pf sim plays it)",
      "  pf backtest                         see how the strategy would have done",
      "  pf weights                          see what to hold now, and why",
      "  pf trade --dry-run                  see what would be ordered for it",
      "",
      heading("Flags of every command"),
      "  --config DIR   folder with config.yaml      --set KEY=VALUE  one setting",
      "  --data-dir DIR --out DIR --state-dir DIR    where things live",
      "  --json         one JSON document            --quiet --no-color",
    ];
    this.print(page.join("\n"));
  }

  protected override async showTopicHelp(topic: Interfaces.Topic): Promise<void> {
    const commands = this.config.commands.filter(({ id }) => id.startsWith(`${topic.name}:`));
    const widest = Math.max(...commands.map(({ id }) => id.length));
    const lines = commands
      .sort((a, b) => a.id.localeCompare(b.id))
      .map(({ id, summary }) => `  pf ${id.replaceAll(":", " ").padEnd(widest)}  ${summary ?? ""}`);
    this.print([topic.description ?? "", "", heading("Commands"), ...lines].join("\n").trimStart());
  }

  override async showCommandHelp(command: Command.Loadable): Promise<void> {
    const own = Object.entries(command.flags).filter(
      ([, flag]) => flag.helpGroup !== "global" && !flag.hidden,
    );
    const words = own.map(([name, flag]) =>
      flag.type === "boolean"
        ? `[--${name}]`
        : `[--${name} ${flag.helpValue ?? flag.options?.join("|") ?? "VALUE"}]`,
    );
    // The flags every command takes have a section of their own; the usage line is for this command's.
    const args = Object.entries(command.args).map(([name, { required }]) =>
      required ? name.toUpperCase() : `[${name.toUpperCase()}]`,
    );
    command.usage = [command.id, ...args, ...words, "[flags]"].join(" ");
    this.print(`${command.summary ?? ""}\n`);
    this.print(this.formatCommand(command));
  }
}

function rank(id: string, order: readonly string[]): number {
  const at = order.indexOf(id);
  return at < 0 ? order.length : at;
}

function heading(text: string): string {
  return process.stdout.isTTY && !process.env.NO_COLOR ? `\u001b[1m${text}\u001b[22m` : text;
}
