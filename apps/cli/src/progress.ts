import type { Progress, ProgressListener } from "@pf/app";

/**
 * Shows on standard error what is going on: one line that rewrites itself on a terminal, one line a step elsewhere
 * (a log of a scheduled run), nothing at all when quiet.
 */
export function progressOn(
  stream: NodeJS.WriteStream,
  quiet: boolean,
): { show: ProgressListener; clear(): void } {
  if (quiet) return { show: () => {}, clear: () => {} };
  if (!stream.isTTY) return { show: (progress) => stream.write(`${lineOf(progress)}\n`), clear: () => {} };
  let shown = false;
  return {
    show(progress) {
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
