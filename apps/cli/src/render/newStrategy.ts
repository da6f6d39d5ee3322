import type { NewStrategyDocument } from "@pf/app";
import type { Style } from "../command.js";

/** What was made, and what to type next. */
export function renderNewStrategy({ name, folder, files }: NewStrategyDocument, { painter }: Style): string {
  return [
    painter.bold(`Strategy ${name}`),
    ...files.map((file) => `  ${folder}/${file}`),
    "",
    painter.bold("What next"),
    `  cd ${folder}`,
    "  node --test          the score's own tests",
    "  pf fetch             made-up bars, as its configuration says",
    "  pf backtest          the whole strategy with this score",
    "",
  ].join("\n");
}
