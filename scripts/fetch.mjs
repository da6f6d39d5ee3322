// `make fetch`: files where DATA names a folder of them, else Interactive Brokers where it answers, else a synthetic
// market. It says which, and it never mixes them: `pf fetch` refuses another source for a symbol it already holds.
import { isAbsolute, relative, resolve } from "node:path";
import { pf, pfOrExit, root } from "./pf.mjs";

const brokerUnreachable = 4;
const say = (text) => process.stdout.write(`${text}\n`);

const data = process.env.DATA;
if (data) {
  const folder = resolve(process.env.INIT_CWD ?? process.cwd(), data);
  const shown = relative(root, folder);
  say(`Source: csv, the files in ${data}`);
  pfOrExit("fetch", "--source", "csv", "--csv-dir", shown === "" || isAbsolute(shown) ? folder : shown);
} else {
  const code = pf("fetch", "--source", "ibkr");
  if (code === 0) {
    say("Source: ibkr");
  } else if (code === brokerUnreachable) {
    say("\nNo bars from Interactive Brokers, for the reason above, and DATA names no folder of CSV files.");
    say("Source: synthetic, a market out of a seed (real files: make fetch DATA=path/to/csvs)");
    pfOrExit("fetch", "--source", "synthetic");
  } else {
    process.exit(code);
  }
}
