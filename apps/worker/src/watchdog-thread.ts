import { writeSync } from "node:fs";
import { workerData } from "node:worker_threads";

const { beats, tickMs, mostSilent } = workerData as {
  readonly beats: Int32Array;
  readonly tickMs: number;
  readonly mostSilent: number;
};

let last = Atomics.load(beats, 0);
let silent = 0;
setInterval(() => {
  const now = Atomics.load(beats, 0);
  silent = now === last ? silent + 1 : 0;
  last = now;
  if (silent < mostSilent) return;
  const seconds = Math.round((silent * tickMs) / 1000);
  const line = {
    level: 60,
    time: Date.now(),
    msg: `the main thread hangs since ${seconds} s, the process ends`,
  };
  writeSync(2, `${JSON.stringify(line)}\n`);
  process.kill(process.pid, "SIGKILL");
}, tickMs);
