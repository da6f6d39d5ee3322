// Times what a person waits for between the command line and a broker, with the simulator in its place: `pnpm bench`.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const pf = fileURLToPath(new URL("../bin/run.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "pf-bench-"));
const clock = ["--clock", "2025-06-30T17:00", "--speed", "frozen"];

try {
  const starts = [];
  for (let turn = 0; turn < 7; turn++) {
    const simulator = await startSimulator();
    starts.push(simulator.seconds);
    await simulator.end();
  }
  say("pf sim, until it listens", starts, "target 1 s");
  const simulator = await startSimulator();
  const address = ["--set", "ibkr.host=127.0.0.1", "--set", `ibkr.port=${simulator.port}`];
  const fetched = (name) =>
    run(["fetch", "--source", "ibkr", "--start", "2015-06-30", "--data-dir", name, ...address]);
  say(
    "pf connect",
    repeated(() => run(["connect", ...address])),
    "",
  );
  let turn = 0;
  say(
    "pf fetch, ten years of nine symbols",
    repeated(() => fetched(`new-${turn++}`)),
    "target 5 s",
  );
  say(
    "pf fetch, nothing new",
    repeated(() => fetched("new-0")),
    "",
  );
  await simulator.end();
} finally {
  rmSync(folder, { recursive: true });
}

async function startSimulator() {
  const began = performance.now();
  const child = spawn(process.execPath, [pf, "sim", "--port", "0", "--quiet", ...clock], { cwd: folder });
  const ended = new Promise((resolve) => child.on("close", resolve));
  const line = await new Promise((resolve, reject) => {
    child.stdout.once("data", (text) => resolve(String(text)));
    child.on("error", reject);
    void ended.then(() => reject(new Error("pf sim ended before it listened")));
  });
  const seconds = (performance.now() - began) / 1000;
  const { port } = JSON.parse(line).listening;
  return {
    port,
    seconds,
    end() {
      child.kill("SIGTERM");
      return ended;
    },
  };
}

function run(words) {
  const { status, stderr } = spawnSync(process.execPath, [pf, ...words, "--quiet"], {
    cwd: folder,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${words.join(" ")} ended with ${status}: ${stderr}`);
}

function repeated(once) {
  return Array.from({ length: 7 }, () => {
    const began = performance.now();
    once();
    return (performance.now() - began) / 1000;
  });
}

/** The median and the best. */
function say(what, seconds, target) {
  const sorted = [...seconds].sort((a, b) => a - b);
  console.log(`${what.padEnd(40)} ${sorted[3].toFixed(3)} s, best ${sorted[0].toFixed(3)} s   ${target}`);
}
