import type { Progress, ProgressListener } from "@pf/app";
import { wrap } from "./render/table.js";
import { widthOf } from "./terminal.js";

/**
 * Shows on standard error what is going on: one line that rewrites itself on a terminal, one line a step elsewhere
 * (a log of a scheduled run) and where only plain text is wanted, nothing at all when quiet. What somebody has to know stays on lines of its own, whole, and
 * is said also when quiet: a program that waits for something must not wait in silence.
 */
export function progressOn(
  stream: NodeJS.WriteStream,
  quiet: boolean,
  plain = false,
): { show: ProgressListener; clear(): void } {
  if (quiet || plain || !stream.isTTY) {
    return {
      show: (progress) => {
        if (!quiet || progress.isNotice) stream.write(`${lineOf(progress)}\n`);
      },
      clear: () => {},
    };
  }
  let shown = false;
  return {
    show(progress) {
      if (progress.isNotice) {
        stream.write(`\r\u001b[K${wrap(lineOf(progress), widthOf(stream)).join("\n")}\n`);
        shown = false;
        return;
      }
      stream.write(`\r\u001b[K${lineOf(progress).slice(0, Math.max(20, (stream.columns || 80) - 1))}`);
      shown = true;
    },
    clear() {
      if (shown) stream.write("\r\u001b[K");
      shown = false;
    },
  };
}

function lineOf({ step, at, total }: Progress): string {
  return total === undefined ? step : `[${String(at ?? 0).padStart(String(total).length)}/${total}] ${step}`;
}
