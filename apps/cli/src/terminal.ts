import type { WriteStream } from "node:tty";

/** Marks words of a text; the plain painter returns them as they are. */
export interface Painter {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
}

const same = (text: string) => text;
const sgr = (on: number, off: number) => (text: string) => `\u001b[${on}m${text}\u001b[${off}m`;

export const plain: Painter = { bold: same, dim: same, red: same, green: same, yellow: same, cyan: same };
export const coloured: Painter = {
  bold: sgr(1, 22),
  dim: sgr(2, 22),
  red: sgr(31, 39),
  green: sgr(32, 39),
  yellow: sgr(33, 39),
  cyan: sgr(36, 39),
};

/** Colours only where a person looks: never into a pipe or a file, and never with NO_COLOR. */
export function painterFor(stream: NodeJS.WriteStream): Painter {
  const wanted = stream.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== "dumb";
  return wanted ? coloured : plain;
}

/** How many characters fit on a line: the terminal's width, 80 where there is none, at most 120 to stay readable. */
export function widthOf(stream: NodeJS.WriteStream): number {
  const columns = stream.isTTY ? (stream as WriteStream).columns : 80;
  return Math.max(40, Math.min(columns || 80, 120));
}
