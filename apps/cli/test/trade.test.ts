import { spawn, spawnSync } from "node:child_process";
import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { documentOf, entry, type Finished, filesIn, pf, temporaryFolder } from "./process.js";
import { type SimProcess, startSim } from "./simulator.js";

// The program as a person starts it, against a simulator in a process of its own.

const settings = ["--set", "universe=[SPY, QQQ, TLT, GLD, BITO]", "--set", "ibkr.start=2024-06-03"];
const inWindow = ["--clock", "2025-06-02T15:55:05", "--speed", "2"];
const paper = ["trade", "--paper", "--clock", "broker", ...settings];

/** A cache of bars, made once. */
let data: string;
beforeAll(async () => {
  data = temporaryFolder();
  const sim = await startSim(["--clock", "2025-06-02T12:00"]);
  const words = ["fetch", "--end", "2025-05-30", "--data-dir", data, ...settings, ...sim.address];
  expect((await pf(words)).code).toBe(0);
  await sim.end();
}, 60_000);

function homeWithBars(): string {
  const home = temporaryFolder();
  cpSync(data, join(home, "data"), { recursive: true });
  return home;
}

const journalOf = (home: string) =>
  join(home, "state", readdirSync(join(home, "state")).find((name) => /^paper.*_42\.sqlite$/.test(name))!);
const failure = ({ code, stdout }: Finished) => [code, JSON.parse(stdout).error?.code];

describe("pf trade, status, halt and resume", () => {
  let sim: SimProcess;
  let home: string;
  let before: Finished;
  let traded: Finished;
  beforeAll(async () => {
    sim = await startSim(inWindow);
    home = homeWithBars();
    before = await pf([...paper, "--dry-run", "--json", ...sim.address], { cwd: home });
    traded = await pf([...paper, ...sim.address], { cwd: home });
  }, 60_000);
  afterAll(() => sim?.end());

  it("shows a plan and a verdict in a dry run, and leaves neither state nor reports behind", () => {
    const document = documentOf(before);
    expect(before.code).toBe(0);
    expect(document).toMatchObject({
      mode: "dry-run",
      asOf: "2025-06-02",
      verdict: { ok: true },
      orders: [],
      fills: [],
      halted: null,
    });
    expect(Object.keys(document.plan.orders[0])).toEqual(
      expect.arrayContaining([
        ...["symbol", "side", "quantity", "type", "limit", "notional", "reference", "reason"],
      ]),
    );
    expect(document.error).toBeUndefined();
  });

  it("tells people what is held, wanted and sent, and why, on 80 columns", () => {
    expect(traded.code).toBe(0);
    const lines = traded.stdout.split("\n");
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines[0]).toBe("Trade 2025-06-02 (paper, account DUK200445, on a simulator)");
    const at = (text: string) => lines.findIndex((line) => line.includes(text));
    expect(lines[2]).toMatch(/Symbol +Price +Held +Wanted +Weight +Order +Waits/);
    expect(at("Why")).toBeGreaterThan(2);
    expect(at("Sent")).toBeGreaterThan(at("Why"));
    expect(at("checks passed")).toBeGreaterThan(at("Sent"));
    expect(at("Done: 2 of 2 orders filled")).toBeGreaterThan(at("Sent"));
  });

  it("trades a session once, and prints its document with the error the second time", async () => {
    const again = await pf([...paper, "--json", ...sim.address], { cwd: home });
    expect(failure(again)).toEqual([5, "PF_BLOCKED"]);
    expect(documentOf(again)).toMatchObject({ outcome: "done_before", halted: null });
    expect(documentOf(again).fills).toHaveLength(2);
  });

  it("tells the state of the account, by the simulator's clock where asked", async () => {
    const status = documentOf(
      await pf(["status", "--json", "--clock", "broker", ...settings, ...sim.address], { cwd: home }),
    );
    expect(status).toMatchObject({
      state: "idle",
      lastSession: { session: "2025-06-02", outcome: "filled", complete: true },
      next: { session: "2025-06-03", opens: "2025-06-03T19:55:00.000Z", closes: "2025-06-03T19:59:30.000Z" },
      halted: null,
      venue: "tws-sim:synthetic:42",
    });
    const words = (await pf(["status", ...settings], { cwd: home })).stdout;
    expect(words).toContain("nothing is under way");
    expect(words.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  it("halts durably with exit 6, and goes on after resume", async () => {
    const halted = await pf(["halt", "--reason", "on holiday", "--json", ...settings], { cwd: home });
    expect(documentOf(halted)).toMatchObject({
      state: "halted",
      halted: { code: "asked", reason: "on holiday" },
    });
    const refused = await pf([...paper, "--json", ...sim.address], { cwd: home });
    expect(failure(refused)).toEqual([6, "PF_HALTED"]);
    expect(documentOf(refused).halted).toMatchObject({ reason: "on holiday" });
    const resumed = await pf(["resume", "--json", ...settings], { cwd: home });
    expect([resumed.code, documentOf(resumed).state]).toEqual([0, "idle"]);
    expect(failure(await pf(["resume", "--json", ...settings], { cwd: home }))).toEqual([2, "PF_USAGE"]);
  });

  it("keeps an audit log that verifies, and shows where one was changed", async () => {
    expect((await pf(["audit-log", "verify"], { cwd: home })).code).toBe(0);
    const log = readdirSync(join(home, "reports", "logs"))[0]!;
    const path = join(home, "reports", "logs", log);
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.replace('"quantity":', '"quantity": '));
    const broken = await pf(["audit-log", "verify", "--json"], { cwd: home });
    expect(failure(broken)).toEqual([3, "PF_AUDIT_LOG"]);
    expect(documentOf(broken).files[0].problems[0]).toMatchObject({
      line: 1,
      problem: "the record was changed",
    });
    writeFileSync(path, text);
    expect(failure(await pf(["audit-log", "verify", "--file", "none", "--json"], { cwd: home }))).toEqual([
      3,
      "PF_AUDIT_LOG",
    ]);
  });

  it("says what it would do on the cache alone, asking nobody", async () => {
    const offline = await pf(
      ["trade", "--dry-run", "--asof", "2025-05-01", "--json", ...settings, "--set", "ibkr.port=1"],
      { cwd: homeWithBars() },
    );
    expect(offline.code).toBe(0);
    expect(documentOf(offline)).toMatchObject({ mode: "dry-run", asOf: "2025-05-01", venue: null });
  });
});

describe("what pf trade refuses before anybody is connected to", () => {
  const live = ["--set", "ibkr.account_live=U7654321"];
  const unlocked = [...live, "--set", "execution.live=true"];
  it.each([
    ["no mode", [], 2, "PF_USAGE"],
    ["both modes", ["--paper", "--live"], 2, "PF_USAGE"],
    ["--asof without --dry-run", ["--paper", "--asof", "2025-05-01"], 2, "PF_USAGE"],
    ["live without an account", ["--live"], 2, "PF_USAGE"],
    ["live that is not switched on", ["--live", ...live, "--confirm", "U7654321"], 2, "PF_LIVE_LOCKED"],
    ["live without the account typed", ["--live", ...unlocked], 2, "PF_LIVE_LOCKED"],
    ["live with another account typed", ["--live", ...unlocked, "--confirm", "U1"], 2, "PF_LIVE_LOCKED"],
    [
      "live by a clock of somebody else",
      ["--live", ...unlocked, "--confirm", "U7654321", "--clock", "broker"],
      2,
      "PF_LIVE_LOCKED",
    ],
    [
      "an account that is no paper account",
      ["--paper", "--set", "ibkr.account_paper=U1"],
      2,
      "PF_IBKR_ACCOUNT_MODE",
    ],
    ["hourly bars", ["--dry-run", "--set", 'ibkr.timeframe="1 hour"'], 2, "PF_HOURLY_BARS"],
    ["hourly bars on paper", ["--paper", "--set", "ibkr.timeframe=1 hour"], 2, "PF_HOURLY_BARS"],
  ])("%s", async (_, words, exit, code) => {
    const home = temporaryFolder();
    const refused = await pf(["trade", ...words, "--json", "--set", "ibkr.port=1"], { cwd: home });
    expect(failure(refused)).toEqual([exit, code]);
    expect(Object.keys(filesIn(home)).filter((name) => !name.endsWith(".lock"))).toEqual([]);
  });

  it("live is refused by a simulator, all locks open", async () => {
    const sim = await startSim(inWindow);
    const refused = await pf(
      ["trade", "--live", ...unlocked, "--confirm", "U7654321", "--json", ...sim.address],
      { cwd: temporaryFolder() },
    );
    expect(failure(refused)).toEqual([4, "PF_IBKR_ACCOUNT"]);
    await sim.end();
  });
});

describe("two processes, damaged state and wrong clocks: nothing is traded", () => {
  it("a second process is locked out as long as the first one lives", async () => {
    const sim = await startSim(inWindow);
    const home = homeWithBars();
    const { PATH = "", HOME = "" } = process.env;
    const first = spawn(process.execPath, [entry, ...paper, ...sim.address], {
      cwd: home,
      env: { PATH, HOME },
    });
    let told = "";
    first.stderr.setEncoding("utf8").on("data", (text: string) => (told += text));
    await new Promise<void>((resolve) => {
      const look = setInterval(() => {
        // It says that it connects when it holds the lock.
        if (!told.includes("connecting")) return;
        clearInterval(look);
        first.kill("SIGSTOP");
        resolve();
      }, 2);
    });
    expect(failure(await pf([...paper, "--json", ...sim.address], { cwd: home }))).toEqual([
      5,
      "PF_STATE_LOCKED",
    ]);
    first.kill("SIGKILL");
    const third = await pf([...paper, "--json", ...sim.address], { cwd: home });
    expect([third.code, documentOf(third).outcome]).toEqual([0, "filled"]);
    await sim.end();
  }, 60_000);

  it("a journal that is damaged, or that a later version wrote", async () => {
    const sim = await startSim(inWindow);
    const home = homeWithBars();
    expect((await pf([...paper, ...sim.address], { cwd: home })).code).toBe(0);
    const path = journalOf(home);
    const sound = readFileSync(path);
    for (const file of readdirSync(join(home, "state"))) {
      if (/-(wal|shm)$/.test(file)) rmSync(join(home, "state", file));
    }
    const later = Buffer.from(sound);
    later.writeUInt32BE(99, 60);
    writeFileSync(path, later);
    expect(failure(await pf([...paper, "--json", ...sim.address], { cwd: home }))).toEqual([
      3,
      "PF_STATE_FROM_FUTURE",
    ]);
    const broken = Buffer.from(sound);
    broken.fill(0x5a, 5000, Math.min(9000, broken.length));
    writeFileSync(path, broken);
    for (const command of [paper, ["status", ...settings], ["resume", ...settings]]) {
      expect(failure(await pf([...command, "--json", ...sim.address], { cwd: home }))).toEqual([
        3,
        "PF_STATE_DAMAGED",
      ]);
    }
    await sim.end();
  }, 60_000);

  it("a clock that is not the broker's, and one that went back", async () => {
    const sim = await startSim(inWindow);
    const home = homeWithBars();
    const skewed = await pf(["trade", "--paper", ...settings, "--json", ...sim.address], { cwd: home });
    expect(failure(skewed)).toEqual([5, "PF_CLOCK_SKEW"]);
    expect((await pf([...paper, ...sim.address], { cwd: home })).code).toBe(0);
    await sim.end();
    // The same market and account, a session earlier.
    const earlier = await startSim(["--clock", "2025-05-30T15:55:10", "--speed", "2"]);
    const back = await pf([...paper, "--json", ...earlier.address], { cwd: home });
    expect(failure(back)).toEqual([5, "PF_CLOCK_BACKWARDS"]);
    await earlier.end();
  }, 60_000);
});

const small = temporaryFolder();
const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", small]).status === 0;
const why = mounted ? "" : " (not run: no small disk can be mounted here)";
afterAll(() => {
  if (mounted) spawnSync("umount", [small]);
});

describe.runIf(mounted)(`a full disk${why}`, () => {
  it("stops wherever it becomes full with exit 7, and with room again the session is finished, every order once", async () => {
    for (const freeKb of [0, 60, 100, 120]) {
      for (const name of readdirSync(small)) rmSync(join(small, name), { recursive: true });
      const sim = await startSim(inWindow);
      const home = homeWithBars();
      const words = [...paper, "--state-dir", small, "--json", ...sim.address];
      const filler = join(small, "filler");
      const room = statSync(small).blksize;
      writeFileSync(filler, Buffer.alloc(Math.floor(((256 - freeKb) * 1024) / room) * room));
      const first = await pf(words, { cwd: home });
      const code = JSON.parse(first.stdout).error?.code;
      expect(
        [
          [7, "PF_CANNOT_WRITE"],
          [0, undefined],
        ],
        `${freeKb} kB free`,
      ).toContainEqual([first.code, code]);
      if (freeKb === 0) expect(first.code).toBe(7);
      rmSync(filler);
      const second = documentOf(await pf(words, { cwd: home }));
      expect(["filled", "done_before"], `${freeKb} kB free`).toContain(second.outcome);
      expect(second.fills, `${freeKb} kB free`).toHaveLength(2);
      const broker = documentOf(await pf(["connect", "--json", ...settings, ...sim.address], { cwd: home }));
      const held = Object.fromEntries(
        second.orders.map(({ symbol, filled }: { symbol: string; filled: number }) => [symbol, filled]),
      );
      expect(
        Object.fromEntries(
          broker.positions.map(({ symbol, quantity }: { symbol: string; quantity: number }) => [
            symbol,
            quantity,
          ]),
        ),
        `${freeKb} kB free`,
      ).toEqual(held);
      await sim.end();
    }
  }, 120_000);
});
