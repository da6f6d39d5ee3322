import { fileURLToPath } from "node:url";
import { Config } from "@oclif/core/config";
import { loadHelpClass, normalizeArgv } from "@oclif/core/help";
import type { RunContext } from "./command.js";
import { UnknownCommandError } from "./usage.js";

/** Finds the command the words name and runs it; help and version are answered here. */
export async function dispatch(argv: readonly string[], root: URL, context: RunContext): Promise<void> {
  const config = await Config.load({ root: fileURLToPath(root) });
  const words = [...argv];
  const named = words.filter((word) => !word.startsWith("-"));
  if (words.includes("--version") && named.length === 0) return answer("version", config.version, context);
  if (named[0] === "help") return help(config, named.slice(1), context);
  const asksForHelp = words.some((word) => word === "--help" || word === "-h");
  if (words.length === 0 || (asksForHelp && named.length === 0)) return help(config, [], context);

  const [id = "", ...rest] = withoutStrayWords(config, normalizeArgv(config, words));
  if (asksForHelp) return help(config, id.split(":"), context);
  const command = config.findCommand(id);
  if (command) {
    const loaded = await command.load();
    const { provideContext } = await import("./command.js");
    provideContext(context);
    await loaded.run(rest, config);
    return;
  }
  if (config.findTopic(id) && rest.every((word) => word.startsWith("-"))) return help(config, [id], context);
  throw new UnknownCommandError(id.startsWith("-") ? "" : id.replaceAll(":", " "), namesIn(config));
}

/** `pf weights SPY` means the command weights with a word too many, which the command itself then names. */
function withoutStrayWords(config: Config, [id = "", ...rest]: string[]): string[] {
  const parts = id.split(":");
  for (let depth = parts.length - 1; depth > 0; depth--) {
    const known = parts.slice(0, depth).join(":");
    if (config.findCommand(known)) return [known, ...parts.slice(depth), ...rest];
  }
  return [id, ...rest];
}

async function help(config: Config, words: readonly string[], context: RunContext): Promise<void> {
  // A wrong word after a right command, `pf weights foo --help`, still means the command.
  let depth = words.length;
  while (
    depth > 0 &&
    !config.findCommand(words.slice(0, depth).join(":")) &&
    !config.findTopic(words.slice(0, depth).join(":"))
  )
    depth--;
  if (words.length > 0 && depth === 0) {
    throw new UnknownCommandError(words.join(" "), namesIn(config));
  }
  const Help = await loadHelpClass(config);
  const lines: string[] = [];
  const page = new Help(config, { ...config.pjson.oclif.helpOptions });
  Object.assign(page, { print: (line: string) => lines.push(line) });
  await page.showHelp(words.slice(0, depth) as string[]);
  answer("help", lines.join("\n").trimEnd(), context);
}

/** Everything that can stand behind `pf`: commands and topics, as people type them. */
function namesIn(config: Config): string[] {
  const topics = config.topics.map(({ name }) => name);
  return [...new Set([...config.commandIDs, ...topics])].map((name) => name.replaceAll(":", " "));
}

function answer(key: string, text: string, context: RunContext): void {
  process.stdout.write(context.json ? `${JSON.stringify({ [key]: text }, null, 2)}\n` : `${text}\n`);
}
