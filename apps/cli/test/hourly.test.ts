import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { documentOf, filesIn, pf, temporaryFolder } from "./process.js";
import { startSim } from "./simulator.js";

// Hours from a broker over a socket, as a person would fetch and use them.

const hours = ["--set", "ibkr.timeframe=1 hour"];
const two = ["--set", "universe=[SPY, TLT]", "--start", "2024-01-02"];
const atNoon = ["--clock", "2025-06-30T12:20", "--speed", "frozen"];
const afterClose = ["--clock", "2025-06-30T17:00", "--speed", "frozen"];

describe("hourly bars of a broker", () => {
  it("are fetched up to the last session that is over, and again without changing a byte", async () => {
    const home = temporaryFolder();
    const noon = await startSim(atNoon);
    const early = documentOf(await pf(["fetch", "--json", ...hours, ...two, ...noon.address], { cwd: home }));
    await noon.end();
    expect(early).toMatchObject({ source: "tws-sim:synthetic:42", timeframe: "1 hour", end: "2025-06-27" });
    expect(early.symbols.map(({ last }: { last: string }) => last)).toEqual(["2025-06-27", "2025-06-27"]);

    const sim = await startSim(afterClose);
    const fetch = (...words: readonly string[]) =>
      pf(["fetch", ...words, ...two, ...sim.address], { cwd: home });
    const later = documentOf(await fetch("--json", ...hours));
    expect(later.symbols).toMatchObject([
      { status: "ok", added: 7, refetched: false, last: "2025-06-30" },
      { status: "ok", added: 7, refetched: false, last: "2025-06-30" },
    ]);
    const bytes = filesIn(home);
    const again = documentOf(await fetch("--json", ...hours));
    expect(again.symbols.map(({ added }: { added: number }) => added)).toEqual([0, 0]);
    expect(filesIn(home)).toEqual(bytes);

    const inParquet = Object.keys(bytes).filter((name) => name.endsWith(".parquet"));
    expect(inParquet).toEqual(["data/parquet/SPY.1h.parquet", "data/parquet/TLT.1h.parquet"]);
    await sim.end();
  });

  it("tell in 80 columns what they are, and that no account was traded with them", async () => {
    const home = temporaryFolder();
    const words = [...hours, "--set", "universe=[SPY, TLT]"];
    const clock = ["--start", "2024-01-02", "--end", "2025-06-30", "--source", "synthetic"];
    const fetched = await pf(["fetch", ...words, ...clock], { cwd: home });
    expect(fetched.stdout).toContain("Hourly bars from synthetic:42, 2024-01-02 to 2025-06-30");
    const { code, stdout } = await pf(["backtest", "--no-plots", ...words], { cwd: home });
    expect(code).toBe(0);
    // 374 sessions of seven hours, less three hours of each of three half days.
    expect(stdout).toContain("hourly bars: 2,609, annualised by 1,758 to a year");
    expect(stdout).toContain("No account was traded with it");
    const weights = await pf(["weights", ...words], { cwd: home });
    expect(weights.stdout).toContain("as of 2025-06-30, the hour up to 20:00 UTC");
    for (const line of [...fetched.stdout.split("\n"), ...stdout.split("\n")])
      expect(line.length).toBeLessThanOrEqual(80);
    const [header] = readFileSync(join(home, "reports", "returns.csv"), "utf8").split("\n");
    expect(header).toBe("date,ts,net,gross,turnover,commission,slippage,equity");
  });

  it("are refused by the account engine and by replay, with what to do", async () => {
    const home = temporaryFolder();
    for (const words of [["backtest", "--engine", "account"], ["replay"]]) {
      const { code, stderr } = await pf([...words, ...hours], { cwd: home });
      expect([code, stderr]).toEqual([2, expect.stringContaining("(PF_HOURLY_BARS)")]);
      expect(stderr).toContain('--set "ibkr.timeframe=1 day"');
    }
    expect(filesIn(home)).toEqual({});
  });
});
