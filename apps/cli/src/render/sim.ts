import type { RunningSimulator } from "@pf/app";
import { wrap } from "./table.js";

/** What a person who started a simulator wants to know, on standard error: standard output is for programs. */
export function renderSim({ document, remote }: Pick<RunningSimulator, "document" | "remote">): string {
  const { listening, account, clock, market, symbols } = document;
  const { host, port } = listening;
  return [
    `A simulator of TWS, not TWS: no money, no broker. Market ${market}, account ${account}.`,
    `It is ${clock} in there, and there are bars of ${symbols.join(", ")}.`,
    ...(remote
      ? ["Other machines can connect too: nothing is encrypted and nobody is asked who they are."]
      : []),
    `Connect to ${host}:${port}, for instance with`,
    `  pf connect --set ibkr.host=${host} --set ibkr.port=${port}`,
    "Ctrl-C ends it.",
  ]
    .flatMap((line) => (line.startsWith("  ") ? [line] : wrap(line, 80)))
    .join("\n")
    .concat("\n");
}
