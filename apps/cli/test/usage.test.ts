import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { documentOf, pf, temporaryFolder } from "./process.js";

describe("help", () => {
  it.each([[[]], [["--help"]], [["help"]], [["-h"]]])(
    "%j shows the commands and the first steps",
    async (words) => {
      const { code, stdout, stderr } = await pf(words);
      expect([code, stderr]).toEqual([0, ""]);
      for (const name of [
        "fetch",
        "backtest",
        "walkforward",
        "permute",
        "weights",
        "config show",
        "config check",
        "config schema",
        "alert test",
        "queue status",
        "queue cancel",
        "new strategy",
        "frame",
        "First steps",
      ]) {
        expect(stdout).toContain(name);
      }
      for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
    },
  );

  it.each([
    ["fetch"],
    ["backtest"],
    ["walkforward"],
    ["permute"],
    ["weights"],
    ["config show"],
    ["config check"],
    ["config schema"],
    ["alert test"],
    ["queue status"],
    ["queue cancel"],
    ["new strategy"],
    ["frame"],
  ])("of %s names the flags every command takes", async (command) => {
    const { code, stdout } = await pf([...command.split(" "), "--help"]);
    expect(code).toBe(0);
    for (const flag of ["config", "set", "data-dir", "out", "state-dir", "json", "quiet", "no-color"]) {
      expect(stdout).toContain(`--${flag}`);
    }
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });

  it("of a topic lists its commands", async () => {
    const { code, stdout } = await pf(["config"]);
    expect(code).toBe(0);
    for (const name of ["show", "check", "schema"]) expect(stdout).toContain(`pf config ${name}`);
  });

  it("is one document with --json, and so is the version", async () => {
    expect(documentOf(await pf(["--help", "--json"])).help).toContain("backtest");
    expect(documentOf(await pf(["weights", "--help", "--json"])).help).toContain("--asof");
    expect(documentOf(await pf(["--version", "--json"])).version).toMatch(/^\d+\.\d+\.\d+/);
    expect((await pf(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\S*\n$/);
  });
});

describe("what was typed wrong", () => {
  const wrong: readonly (readonly [string, readonly string[], string, string])[] = [
    ["an unknown command", ["wieghts"], "PF_UNKNOWN_COMMAND", "pf weights"],
    ["a misspelt topic", ["conifg"], "PF_UNKNOWN_COMMAND", "pf config"],
    ["an unknown command of a topic", ["config", "shwo"], "PF_UNKNOWN_COMMAND", "pf config show"],
    ["a command that comes later", ["explain"], "PF_UNKNOWN_COMMAND", "pf --help"],
    ["no command but a flag", ["--quiet"], "PF_UNKNOWN_COMMAND", "pf --help"],
    ["an unknown flag", ["weights", "--asoff", "2024-01-02"], "PF_UNKNOWN_FLAG", "--asof"],
    ["an unknown flag before the command", ["--jsno", "weights"], "PF_UNKNOWN_COMMAND", "pf --help"],
    ["a flag without its value", ["weights", "--asof"], "PF_USAGE", "--asof VALUE"],
    ["a date that is empty", ["weights", "--asof="], "PF_USAGE", "leave it out"],
    ["a flag with an empty value", ["weights", "--out", ""], "PF_USAGE", "leave it out"],
    ["a value that is not allowed", ["fetch", "--source", "yahoo"], "PF_USAGE", "ibkr, csv, synthetic"],
    ["a word too many", ["weights", "SPY"], "PF_USAGE", "--symbols"],
    ["no such engine", ["backtest", "--engine", "warp"], "PF_USAGE", "bars, account"],
    ["no date", ["weights", "--asof", "yesterday"], "PF_INVALID_DATE", "2024-12-31"],
    ["a date beyond the calendar", ["weights", "--asof", "2050-01-03"], "PF_CALENDAR_RANGE", "1990-01-01"],
    [
      "a start after the end",
      ["backtest", "--start", "2020-02-01", "--end", "2020-01-01"],
      "PF_RANGE_ORDER",
      "start",
    ],
    ["a setting that does not exist", ["weights", "--set", "selection.topn=1"], "PF_CONFIG", "config check"],
    ["a setting without a value", ["weights", "--set", "selection.top_n"], "PF_CONFIG", "config check"],
    ["a folder without configuration", ["config", "check", "--config", "nowhere"], "PF_CONFIG", "config"],
    ["an impossible setting", ["config", "check", "--set", "features.ema_fast=60"], "PF_CONFIG", "config"],
    ["no way to a person", ["alert", "test"], "PF_ALERT_NONE", "PF_ALERTS__NTFY"],
    [
      "a sender without a person",
      ["alert", "test", "--set", "alerts.email.smtp=smtp://localhost"],
      "PF_CONFIG",
      "config check",
    ],
    ["no folder of files", ["fetch", "--source", "csv"], "PF_USAGE", "--csv-dir DIR"],
    [
      "a symbol in small letters",
      ["fetch", "--source", "synthetic", "--symbols", "spy"],
      "PF_INVALID_SYMBOL",
      "capitals",
    ],
    ["no queue", ["queue", "status"], "PF_USAGE", "research.queue=redis://"],
    [
      "a queue's address that is none",
      ["queue", "status", "--set", "research.queue=127.0.0.1"],
      "PF_QUEUE_ADDRESS",
      "redis://HOST:PORT",
    ],
    ["no run to cancel", ["queue", "cancel"], "PF_USAGE", "--help"],
    ["no results to look at", ["frame"], "PF_USAGE", "--help"],
    ["results that are no table", ["frame", "equity.png"], "PF_USAGE", "`bars`"],
    ["no number of rows", ["frame", "returns", "--head", "0"], "PF_USAGE", "at least 1"],
    ["statistics of no groups", ["frame", "returns", "--agg", "mean"], "PF_USAGE", "--group-by"],
    ["no folder for a strategy", ["new", "strategy"], "PF_USAGE", "--help"],
    ["a strategy's name that is none", ["new", "strategy", "My Score"], "PF_USAGE", "small letters"],
    [
      "a range that is not over yet",
      ["fetch", "--source", "synthetic", "--start", "2028-12-01"],
      "PF_NOTHING_FINISHED",
      "earlier",
    ],
  ];

  it.each(wrong)("%s exits 2, in three lines", async (_, words, code, next) => {
    const plain = await pf(words);
    expect(plain.code).toBe(2);
    expect(plain.stdout).toBe("");
    const lines = plain.stderr.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^Error: /);
    expect(lines.at(-2)).toMatch(/^What it means: /);
    expect(lines.at(-1)).toMatch(/^What to do: /);
    expect(lines.at(-1)).toContain(next);
    expect(plain.stderr).toContain(`(${code})`);
    expect(plain.stderr).not.toMatch(/\n {4}at |node_modules|See more help|Parsing/);
  });

  it.each(wrong)("%s is one document with --json", async (_, words, code, next) => {
    const finished = await pf([...words, "--json"]);
    const { error } = documentOf(finished);
    expect(finished.code).toBe(2);
    expect(finished.stderr).toBe("");
    expect(error.code).toBe(code);
    expect(error.next).toContain(next);
    expect(error.message.length).toBeGreaterThan(5);
    expect(error.details).toBeTypeOf("object");
  });

  it("lists everything that is wrong with the configuration", async () => {
    const { error } = documentOf(
      await pf([
        "config",
        "check",
        "--json",
        "--set",
        "selection.top_n=0",
        "--set",
        "weigths.cash_buffer=0.1",
      ]),
    );
    expect(error.details.issues).toHaveLength(2);
    expect(error.message).toContain("weights");
  });

  it("says that there is no broker, and what goes without one", async () => {
    // Nobody listens on port 1.
    const finished = await pf(["fetch", "--json", "--set", "ibkr.port=1"]);
    expect(finished.code).toBe(4);
    expect(documentOf(finished).error).toMatchObject({ code: "PF_IBKR_UNREACHABLE" });
    expect(documentOf(finished).error.next).toContain("--source csv --csv-dir DIR");
  });
});

describe("a queue that does not answer", () => {
  it.each([[["queue", "status"]], [["queue", "cancel", "1f0c92ab"]]])(
    "is exit 4 in three lines for %j, without the password",
    async (words) => {
      // Nobody listens on port 1.
      const set = ["--set", "research.queue=redis://me:hidden-word@127.0.0.1:1"];
      const { code, stdout, stderr } = await pf([...words, ...set]);
      expect([code, stdout]).toEqual([4, ""]);
      expect(stderr).toContain("no queue answers at 127.0.0.1:1 (ECONNREFUSED) (PF_QUEUE_UNREACHABLE)");
      expect(stderr).not.toContain("hidden-word");
      expect(documentOf(await pf([...words, ...set, "--json"])).error.code).toBe("PF_QUEUE_UNREACHABLE");
    },
  );
});

describe("the flags every command takes", () => {
  it("may also stand before the command", async () => {
    const shown = documentOf(await pf(["--json", "--set", "selection.top_n=3", "config", "show"]));
    expect(shown.config.selection.top_n).toBe(3);
  });

  it("--config is config/ here also where that has only what goes on top of a configuration, which is refused", async () => {
    const cwd = temporaryFolder();
    mkdirSync(join(cwd, "config"));
    expect(documentOf(await pf(["config", "show", "--json"], { cwd })).files).toEqual([]);
    writeFileSync(join(cwd, "config", "config.local.yaml"), "selection: { top_n: 1 }\n");
    const refused = await pf(["config", "show", "--json"], { cwd });
    expect([refused.code, documentOf(refused).error.code]).toEqual([2, "PF_CONFIG"]);
    expect(documentOf(refused).error.message).toContain("config: the folder has no config.yaml");
    writeFileSync(join(cwd, "config", "config.yaml"), "");
    const shown = documentOf(await pf(["config", "show", "--json"], { cwd }));
    expect([shown.config.selection.top_n, shown.files.length]).toEqual([1, 2]);
  });

  it("colour nothing that is not a terminal", async () => {
    const { stdout, stderr } = await pf(["config", "show"]);
    expect(stdout + stderr).not.toContain("\u001b");
  });
});
