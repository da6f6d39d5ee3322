// Chooses parameters on three years, applies them to the next three months, and goes on; on two threads.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServices } from "@pf/app";

const home = await mkdtemp(join(tmpdir(), "walk-forward-"));
const services = createServices({
  configuration: {
    overrides: [
      "data.source=synthetic",
      "universe=[SPY, QQQ, TLT, GLD, XLE]",
      "ibkr.start=2018-01-01",
      "ibkr.end=2022-12-31",
      "walkforward.reoptimize={ema_fast: [10, 20, 30], ema_slow: [50, 100]}",
    ],
  },
  folders: { data: join(home, "data"), out: join(home, "reports"), state: join(home, "state") },
  version: "1.0.0",
});
await services.fetch();

const { document } = await services.walkforward({ workers: 2, plots: false });
for (const { oosStart, oosEnd, params } of document.folds)
  console.log(oosStart, oosEnd, JSON.stringify(params));
console.log("Sharpe out of sample:", document.metrics.Sharpe?.toFixed(2));

// Threads change the time it takes and nothing else.
const { document: alone } = await services.walkforward({ workers: 0, plots: false });
console.log("the same without threads:", JSON.stringify(alone.folds) === JSON.stringify(document.folds));
await rm(home, { recursive: true });
