// A worker as a process of its own, on the built package: what tests kill, stop and poison.
import { alignPanel } from "@pf/market";
import { inlineExecutor, prepareResearch, unitName } from "@pf/research";
import { serveUnits } from "../dist/index.js";

const { address, code, timing, slowMs = 0, poison, threads = 1 } = JSON.parse(process.argv[2]);

const fields = ["open", "high", "low", "close", "volume"];
function panelOf({ sessions, tickers, bars }) {
  const values = new Float64Array(bars);
  const column = (at) => values.subarray(at * sessions.length, (at + 1) * sessions.length);
  return alignPanel(
    tickers.map((ticker, at) => ({
      ticker,
      sessions,
      ...Object.fromEntries(fields.map((field, of) => [field, column(at * fields.length + of)])),
    })),
  );
}

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const worker = await serveUnits({
  address,
  code,
  program: "test",
  threads,
  timing,
  open(data) {
    const executor = inlineExecutor(prepareResearch(panelOf(data), data.study));
    return {
      async *run(units, signal) {
        for (const [at, unit] of units.entries()) {
          say({ kind: "begin", unit: unitName(unit) });
          if (unitName(unit) === poison) process.kill(process.pid, "SIGKILL");
          if (slowMs > 0) await new Promise((resolve) => setTimeout(resolve, slowMs));
          if (signal?.aborted) return;
          for await (const { result } of executor.run([unit], signal)) yield { at, result };
        }
      },
      async close() {},
    };
  },
  onEvent: say,
});
process.on("SIGTERM", () => void worker.close(1000));
