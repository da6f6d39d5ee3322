import type { Clock, ProgressListener } from "../ports.js";

/** How often a person waiting is told, in milliseconds. */
const everyMs = 1000;

/**
 * Tells how far a long piece of work is and how long the rest will take. The first word comes at once, the others a
 * second apart. The pace is counted from the first result on: what starting takes would promise hours.
 *
 * @param known - units that were finished before this run
 */
export function pace(
  step: string,
  total: number,
  known: number,
  clock: Clock,
  onProgress: ProgressListener,
): (done: number) => void {
  let told = clock.nowUtcMs();
  let first: { readonly done: number; readonly at: number } | undefined;
  onProgress({ step, at: known, total });
  return (done) => {
    const now = clock.nowUtcMs();
    first ??= { done, at: now };
    if (done < total && now - told < everyMs) return;
    told = now;
    const made = done - first.done;
    const left = made > 0 && done < total ? ((now - first.at) / made) * (total - done) : undefined;
    onProgress({ step: left === undefined ? step : `${step}, ${inWords(left)} left`, at: done, total });
  };
}

/** "about 40 s", "about 3 min", "about 2 h" */
function inWords(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 100) return `about ${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 100 ? `about ${minutes} min` : `about ${Math.round(minutes / 60)} h`;
}
