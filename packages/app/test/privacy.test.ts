import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { secretSettings } from "@pf/config";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createServices } from "../src/index.js";
import { openJournal } from "../src/journal/journal.js";
import { tradeWorld } from "./tradeWorld.js";

/** What is below a folder, itself included, with its rights. */
function rightsBelow(folder: string): Readonly<Record<string, string>> {
  const names = ["", ...readdirSync(folder, { recursive: true, encoding: "utf8" })].sort();
  return Object.fromEntries(
    names.map((name) => {
      const found = statSync(join(folder, name));
      return [`${name}${found.isDirectory() ? "/" : ""}`, (found.mode & 0o777).toString(8)];
    }),
  );
}

function expectPrivate(folder: string): readonly string[] {
  const rights = rightsBelow(folder);
  for (const [name, mode] of Object.entries(rights))
    expect(mode, name).toBe(name.endsWith("/") ? "700" : "600");
  return Object.keys(rights);
}

describe("with the usual rights of new files, 644 in folders 755", () => {
  let before: number;
  beforeEach(() => {
    before = process.umask(0o022);
  });
  afterEach(() => process.umask(before));

  it("journal, lock, backup and audit log of an account are its user's alone, also while they are in use", async () => {
    await using world = await tradeWorld();
    const seen = new Set<string>();
    const { error } = await world.trade(
      { mode: "paper" },
      {
        onStep: () => {
          if (existsSync(join(world.folder, "state")))
            for (const name of expectPrivate(join(world.folder, "state"))) seen.add(name);
        },
      },
    );
    expect(error).toBeUndefined();
    for (const name of expectPrivate(join(world.folder, "state"))) seen.add(name);
    const endings = [".sqlite", ".sqlite-wal", ".sqlite-shm", ".bak.sqlite", ".lock"];
    for (const ending of endings)
      expect(
        [...seen].filter((name) => name.endsWith(ending)),
        ending,
      ).not.toEqual([]);
    const logs = expectPrivate(join(world.folder, "reports", "logs"));
    expect(logs).toContainEqual(expect.stringMatching(/^trade-.*\.jsonl$/));
  });

  it("so are the ledger of trials and the log of a run, in whichever order they are made", async () => {
    const home = mkdtempSync(join(tmpdir(), "pf-privacy-"));
    try {
      const services = smallResearch(home);
      await services.fetch();
      await services.walkforward({ plots: false });
      expect(expectPrivate(join(home, "state"))).toContain("trials.jsonl");
      expect(expectPrivate(join(home, "reports", "logs"))).toContainEqual(
        expect.stringMatching(/^walkforward-/),
      );
      // Reports are made to be shown.
      expect(rightsBelow(join(home, "reports"))["walkforward.json"]).toBe("644");
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });

  it("and a copy of a journal is never anybody's else, not even while it is made", () => {
    const home = mkdtempSync(join(tmpdir(), "pf-privacy-"));
    try {
      const identity = { mode: "paper", account: "DU1", venue: "ibkr" } as const;
      const journal = openJournal<{ kind: string }>(join(home, "state"), identity, { nowUtcMs: () => 0 });
      journal.append({ kind: "halted" });
      const copy = journal.backup("2025-06-02");
      expectPrivate(join(home, "state"));
      journal.close();
      expect(statSync(copy).size).toBeGreaterThan(0);
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });
});

describe("a manifest", () => {
  it("holds no section that holds a secret, nor does any file of a run hold one", async () => {
    const secret = "aSecretThatNobodyShallSee";
    const home = mkdtempSync(join(tmpdir(), "pf-privacy-"));
    try {
      const services = smallResearch(home, [
        `research.queue=redis://:${secret}@127.0.0.1:6379`,
        `page.token=${secret}`,
        `alerts.webhook=https://example.org/${secret}`,
        `alerts.ntfy=https://example.org/${secret}`,
        `alerts.ntfy_token=${secret}`,
        `alerts.email={smtp: "smtps://me:${secret}@example.org", from: pf@example.org, to: [me@example.org]}`,
        `alerts.ping=https://example.org/${secret}`,
      ]);
      const shown = await services.configShow();
      expect(shown.settings.filter(({ value }) => value === "***")).toHaveLength(secretSettings.length);
      await services.fetch();
      const bars = await services.backtest({ plots: false });
      const account = await services.backtest({ plots: false, engine: "account" });
      const walk = await services.walkforward({ plots: false });
      for (const { document } of [bars, account, walk]) {
        for (const section of ["research", "page", "alerts"])
          expect(document.manifest.config).not.toHaveProperty(section);
      }
      expect(JSON.stringify([shown, bars, account, walk])).not.toContain(secret);
      const files = readdirSync(home, { recursive: true, encoding: "utf8" }).filter((name) =>
        statSync(join(home, name)).isFile(),
      );
      expect(files.length).toBeGreaterThan(8);
      for (const name of files) expect(readFileSync(join(home, name)).includes(secret), name).toBe(false);
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });
});

/** A small made-up market, and a search that one thread is quick with. */
function smallResearch(home: string, overrides: readonly string[] = []) {
  return createServices({
    configuration: {
      overrides: [
        "data.source=synthetic",
        "universe=[SPY, TLT]",
        "ibkr.start=2013-01-01",
        "walkforward.reoptimize={ema_fast: [10], ema_slow: [40], top_n: [1], corr_cap: [0.7]}",
        "research.executor=inline",
        ...overrides,
      ],
    },
    folders: { data: join(home, "data"), out: join(home, "reports"), state: join(home, "state") },
    version: "0.0.0-test",
    clock: { nowUtcMs: () => Date.parse("2017-12-29T22:00:00Z") },
  });
}
