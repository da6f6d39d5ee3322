// `make fetch`: files where DATA names a folder of them, else Interactive Brokers where it answers, else a synthetic
// market. It says which, and it never mixes them: `pf fetch` refuses another source for a symbol it already holds.
// What stands behind it, ARGS for make, goes to the command.
import { isAbsolute, relative, resolve } from "node:path";
import { pfOrExit, pfWithErrors, root } from "./pf.mjs";

// Nobody is there, or somebody else. A broker that is there and refuses is no reason to make a market up.
const noBroker = /\((PF_IBKR_UNREACHABLE|PF_IBKR_SILENT|PF_IBKR_NOT_TWS)\)/;
const say = (text) => process.stdout.write(`${text}\n`);

const words = process.argv.slice(2);
const data = process.env.DATA;
if (data) {
  const folder = resolve(process.env.INIT_CWD ?? process.cwd(), data);
  const shown = relative(root, folder);
  say(`Source: csv, the files in ${data}`);
  pfOrExit(
    "fetch",
    "--source",
    "csv",
    "--csv-dir",
    shown === "" || isAbsolute(shown) ? folder : shown,
    ...words,
  );
} else {
  const { code, errors } = await pfWithErrors("fetch", "--source", "ibkr", ...words);
  if (code === 0) {
    say("Source: ibkr, or the simulator that plays it: the name stands above");
  } else if (noBroker.test(errors)) {
    say("\nNo bars from Interactive Brokers, for the reason above, and DATA names no folder of CSV files.");
    say("Source: synthetic, a market out of a seed (real files: make fetch DATA=path/to/csvs)");
    pfOrExit("fetch", "--source", "synthetic", ...words);
  } else {
    process.exitCode = code;
  }
}
