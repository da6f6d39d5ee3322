import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openBarCache } from "../src/cache.js";
import { contentHash } from "../src/content-hash.js";
import { WriteError } from "../src/errors.js";
import { builtSources } from "./built.js";
import { day, scaled, sound, temporaryFolder } from "./world.js";

const rows = 2849;
const one = sound("SPY", "2015-01-02", rows, 100);
const stored = (series: typeof one) => ({ series, source: "csv", requestedFrom: day("2015-01-01") });
const namesIn = (folder: string) => readdirSync(join(folder, "parquet"));

let built: Awaited<ReturnType<typeof builtSources>>;
beforeAll(async () => {
  built = await builtSources();
});
afterAll(() => built.remove());

/** Rewrites one file for ever, with the same bars at two prices in turn. */
const writer = (module: string, folder: string) => `
  import { openBarCache } from ${JSON.stringify(pathToFileURL(module).href)};
  const cache = openBarCache(${JSON.stringify(folder)});
  const stored = await cache.read("SPY");
  const twice = (column) => column.map((value) => value * 2);
  const { open, high, low, close } = stored.series;
  const dear = { ...stored.series, open: twice(open), high: twice(high), low: twice(low), close: twice(close) };
  for (let turn = 0; ; turn++) {
    await cache.write({ ...stored, series: turn % 2 ? stored.series : dear });
    if (turn === 0) console.log("writing");
  }`;

async function writing(folder: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", writer(built.module, folder)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout!.once("data", () => resolve());
    child.once("exit", (code) => reject(new Error(`the writer ended by itself with ${code}`)));
  });
  return child;
}

const ended = (child: ChildProcess) => new Promise((resolve) => child.once("exit", resolve));

describe("a write that is cut off", () => {
  it.each([
    ["SIGKILL", 24],
    ["SIGINT", 6],
  ] as const)(
    "by %s leaves the old bars or the new ones, and the next run tidies up",
    async (signal, kills) => {
      const folder = temporaryFolder();
      const whole = new Set([contentHash(one), contentHash(scaled(one, 2))]);
      let leftBehind = 0;
      for (let kill = 0; kill < kills; kill++) {
        await openBarCache(folder).write(stored(one));
        const child = await writing(folder);
        // Spread over the few milliseconds that one write takes.
        await new Promise((resolve) => setTimeout(resolve, (kill * 7) % 13));
        // Every other kill waits until a write is under way: on a busy machine chance alone may hit none.
        const patience = Date.now() + 2000;
        while (kill % 2 === 1 && namesIn(folder).length === 1 && Date.now() < patience);
        child.kill(signal);
        await ended(child);
        const read = await openBarCache(folder).read("SPY");
        expect(whole).toContain(read!.hash);
        expect(read!.series.sessions).toHaveLength(rows);
        leftBehind += namesIn(folder).length - 1;
        openBarCache(folder).prepare();
        expect(namesIn(folder)).toEqual(["SPY.parquet"]);
      }
      // Otherwise no kill ever hit a write, and nothing was tested.
      if (signal === "SIGKILL") expect(leftBehind).toBeGreaterThan(0);
    },
    60_000,
  );

  it("leaves the temporary file of a run that still writes alone", async () => {
    const folder = temporaryFolder();
    const cache = openBarCache(folder);
    mkdirSync(join(folder, "parquet"));
    const machine = hostname().replaceAll(/[^A-Za-z0-9]/g, "_");
    const living = `.SPY.parquet.${machine}-${process.ppid}-1.tmp`;
    const elsewhere = `.SPY.parquet.another_machine-1-1.tmp`;
    const foreign = ".SPY.parquet.tmp";
    for (const name of [living, elsewhere, foreign]) writeFileSync(join(folder, "parquet", name), "x");
    await cache.write(stored(one));
    expect(namesIn(folder).sort()).toEqual([living, elsewhere, foreign, "SPY.parquet"].sort());
    expect(cache.tickers()).toEqual(["SPY"]);
  });
});

const disk = smallDisk();

describe("a full disk", () => {
  it.runIf(disk)(
    `is a write error, and the old bars stay${disk ? "" : " (not run: no tmpfs can be mounted here)"}`,
    async () => {
      const folder = disk!;
      const cache = openBarCache(folder);
      const short = sound("SPY", "2015-01-02", 400);
      await cache.write(stored(short));
      const before = readFileSync(cache.file("SPY"));
      const error = await cache.write(stored(one)).catch((caught) => caught);
      expect(error).toBeInstanceOf(WriteError);
      expect(error).toMatchObject({ code: "PF_CANNOT_WRITE", errno: "ENOSPC", file: cache.file("SPY") });
      expect(error.message).toContain("no space left on the disk");
      expect(namesIn(folder)).toEqual(["SPY.parquet"]);
      expect(readFileSync(cache.file("SPY")).equals(before)).toBe(true);
      expect((await cache.read("SPY"))!.hash).toBe(contentHash(short));
    },
  );

  it.runIf(disk)(
    `is one that is read-only, too${disk ? "" : " (not run: no tmpfs can be mounted here)"}`,
    async () => {
      const folder = disk!;
      execFileSync("mount", ["-o", "remount,ro", folder]);
      onTestFinished(() => void execFileSync("mount", ["-o", "remount,rw", folder]));
      await expect(openBarCache(folder).write(stored(sound("QQQ", "2015-01-02", 3)))).rejects.toMatchObject({
        code: "PF_CANNOT_WRITE",
        errno: "EROFS",
      });
      expect(statSync(join(folder, "parquet")).isDirectory()).toBe(true);
    },
  );
});

/** A file system of 64 KB, where the system lets us have one. */
function smallDisk(): string | undefined {
  if (process.platform !== "linux") return undefined;
  const folder = execFileSync("mktemp", ["-d"], { encoding: "utf8" }).trim();
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  afterAll(() => {
    execFileSync("umount", [folder]);
    execFileSync("rmdir", [folder]);
  });
  return folder;
}
