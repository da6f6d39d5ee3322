import { writeFileSync, writeSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";

const { beats, tickMs, mostSilent } = workerData as {
  readonly beats: Int32Array;
  readonly tickMs: number;
  readonly mostSilent: number;
};

let wordPath: string | undefined;
parentPort?.on("message", (path: string) => {
  wordPath = path;
});

let last = Atomics.load(beats, 0);
let silent = 0;
setInterval(() => {
  const now = Atomics.load(beats, 0);
  silent = now === last ? silent + 1 : 0;
  last = now;
  if (silent >= mostSilent) end(Math.round((silent * tickMs) / 1000));
}, tickMs);

/** Nothing that cannot be written keeps the process from ending. */
function end(seconds: number): void {
  const msg = `the main thread hangs since ${seconds} s, the process ends`;
  const line = `${JSON.stringify({ level: 60, time: Date.now(), msg })}\n`;
  try {
    if (wordPath !== undefined) writeFileSync(wordPath, line, { mode: 0o600, flush: true });
  } finally {
    try {
      writeSync(2, line);
    } finally {
      process.kill(process.pid, "SIGKILL");
    }
  }
}
