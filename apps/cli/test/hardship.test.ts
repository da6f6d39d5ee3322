import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { documentOf, entry, filesIn, pf, run, smallMarket, temporaryFolder } from "./process.js";

const whyNoLock = " (not run: root writes into read-only folders, and no read-only disk can be mounted here)";
const lock = lockFor(process.getuid?.() === 0);

/** Makes a folder read-only and gives what undoes it. Root writes wherever it likes, but not on a read-only disk. */
function lockFor(root: boolean): ((folder: string) => () => void) | undefined {
  if (!root) {
    return (folder) => {
      chmodSync(folder, 0o500);
      return () => chmodSync(folder, 0o700);
    };
  }
  const mount = (folder: string) => spawnSync("mount", ["-t", "tmpfs", "-o", "ro,size=64k", "tmpfs", folder]);
  const probe = temporaryFolder();
  if (mount(probe).status !== 0) return undefined;
  spawnSync("umount", [probe]);
  return (folder) => {
    mount(folder);
    return () => void spawnSync("umount", [folder]);
  };
}

let home: string;
beforeAll(async () => {
  home = temporaryFolder();
  expect((await pf(["fetch", ...smallMarket], { cwd: home })).code).toBe(0);
});

/** Names of files that only a write in progress may leave. */
const halfWritten = (folder: string) => Object.keys(filesIn(folder)).filter((name) => name.includes(".tmp"));

describe("a place that cannot be written exits 7 and leaves nothing half-written", () => {
  it("a file where the output folder should be", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "reports"), "mine");
    const out = join(folder, "reports");
    for (const json of [[], ["--json"]]) {
      const finished = await pf(["backtest", ...smallMarket, "--no-plots", "--out", out, ...json], {
        cwd: home,
      });
      expect(finished.code).toBe(7);
      if (json.length > 0) expect(documentOf(finished).error).toMatchObject({ code: "PF_CANNOT_WRITE" });
      else expect(finished.stderr).toContain("PF_CANNOT_WRITE");
    }
    expect(filesIn(folder)).toEqual({ reports: Buffer.from("mine").toString("base64") });
  });

  it("a file where the folder of logs should be", async () => {
    const out = temporaryFolder();
    writeFileSync(join(out, "logs"), "mine");
    const finished = await pf(["backtest", ...smallMarket, "--no-plots", "--out", out, "--json"], {
      cwd: home,
    });
    expect(finished.code).toBe(7);
    expect(documentOf(finished).error).toMatchObject({ code: "PF_CANNOT_WRITE" });
    expect(Object.keys(filesIn(out))).toEqual(["logs"]);
  });

  it("a file where the cache should be", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "data"), "mine");
    const finished = await pf(["fetch", ...smallMarket, "--json"], { cwd: folder });
    expect(finished.code).toBe(7);
    expect(documentOf(finished).error).toMatchObject({ code: "PF_CANNOT_WRITE" });
    expect(filesIn(folder)).toEqual({ data: Buffer.from("mine").toString("base64") });
  });

  it.runIf(existsSync("/proc/self"))("a folder below one of the system's own", async () => {
    for (const words of [
      ["backtest", "--no-plots", "--out", "/proc/pf/reports"],
      ["fetch", "--data-dir", "/proc/pf"],
    ]) {
      const finished = await pf([...words, ...smallMarket, "--json"], { cwd: home });
      expect(finished.code).toBe(7);
      expect(documentOf(finished).error).toMatchObject({ code: "PF_CANNOT_WRITE" });
    }
  });

  it.runIf(lock !== undefined)(`a read-only folder${lock ? "" : whyNoLock}`, async () => {
    const folder = temporaryFolder();
    const unlock = lock!(folder);
    const finished = await pf(["backtest", ...smallMarket, "--out", join(folder, "reports"), "--json"], {
      cwd: home,
    });
    expect(readdirSync(folder)).toEqual([]);
    unlock();
    expect(finished.code).toBe(7);
    expect(documentOf(finished).error).toMatchObject({ code: "PF_CANNOT_WRITE" });
  });
});

const small = join(temporaryFolder(), "disk");
mkdirSync(small);
const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", small]).status === 0;
const why = mounted ? "" : " (not run: no small disk can be mounted here)";
afterAll(() => {
  if (mounted) spawnSync("umount", [small]);
});

describe.runIf(mounted)(`a full disk exits 7 and keeps what was there${why}`, () => {
  it("for a report", async () => {
    const out = join(small, "reports");
    const brief = ["backtest", ...smallMarket, "--no-plots", "--end", "2016-01-29", "--out", out, "--json"];
    expect((await pf(brief, { cwd: home })).code).toBe(0);
    const before = filesIn(out);
    const finished = await pf(["backtest", ...smallMarket, "--out", out, "--json"], { cwd: home });
    expect(finished.code).toBe(7);
    expect(documentOf(finished).error).toMatchObject({
      code: "PF_CANNOT_WRITE",
      details: { errno: "ENOSPC" },
    });
    expect(filesIn(out)).toEqual(before);
  });

  it("for the cache: the symbols that fitted are whole", async () => {
    const data = join(small, "data");
    const finished = await pf(["fetch", ...smallMarket, "--data-dir", data, "--json"]);
    expect(finished.code).toBe(7);
    expect(documentOf(finished).error).toMatchObject({ code: "PF_CANNOT_WRITE" });
    expect(halfWritten(data)).toEqual([]);
    for (const [name, bytes] of Object.entries(filesIn(data)))
      expect([name, bytes]).toEqual([name, filesIn(join(home, "data"))[name]]);
  });
});

describe("Ctrl-C", () => {
  it.each([200, 350, 500, 700, 900])(
    "after %i ms exits 130 or was too late, and leaves nothing half-written",
    async (delay) => {
      const out = temporaryFolder();
      const finished = await pf(["backtest", ...smallMarket, "--out", out, "--json"], {
        cwd: home,
        meanwhile: (child) => setTimeout(() => child.kill("SIGINT"), delay),
      });
      expect(halfWritten(out)).toEqual([]);
      if (finished.signal === "SIGINT") return; // before the program had begun
      expect([0, 130]).toContain(finished.code);
      const document = documentOf(finished);
      if (finished.code === 130) expect(document.error).toMatchObject({ code: "PF_INTERRUPTED" });
      else expect(document.files).toHaveLength(6);
    },
  );

  it("in the middle of fetching many symbols exits 130 with a message, and the next run goes on from there", async () => {
    const folder = temporaryFolder();
    const symbols = Array.from({ length: 60 }, (_, at) => `S${String(at).padStart(3, "0")}`);
    // Made-up symbols may begin late; by now all of them have.
    const now = ["--start", "2022-01-03", "--end", "2024-06-28"];
    const words = ["fetch", "--source", "synthetic", ...now, "--symbols", symbols.join(","), "--json"];
    const interrupted = await pf(words, {
      cwd: folder,
      meanwhile: (child) => {
        let seen = "";
        child.stderr!.on("data", (text: string) => {
          if (!seen.includes("[10/60]") && (seen + text).includes("[10/60]")) child.kill("SIGINT");
          seen += text;
        });
      },
    });
    expect(interrupted.code).toBe(130);
    expect(documentOf(interrupted).error).toMatchObject({ code: "PF_INTERRUPTED" });
    expect(halfWritten(folder)).toEqual([]);
    const kept = filesIn(folder);
    const done = Object.keys(kept).filter((name) => /S\d+\.parquet$/.test(name)).length;
    expect(done).toBeGreaterThan(5);
    expect(done).toBeLessThan(60);
    const again = documentOf(await pf(words, { cwd: folder }));
    expect(again.symbols.filter(({ added }: { added: number }) => added === 0)).toHaveLength(done);
    expect(filesIn(folder)).toMatchObject(kept);
  });
});

describe("Ctrl-C twice", () => {
  it("ends at once, with exit 130 and one document all the same", async () => {
    const folder = temporaryFolder();
    const symbols = Array.from({ length: 60 }, (_, at) => `S${String(at).padStart(3, "0")}`).join(",");
    const finished = await pf(["fetch", "--source", "synthetic", "--symbols", symbols, "--json"], {
      cwd: folder,
      meanwhile: (child) => {
        child.stderr!.once("data", () => {
          child.kill("SIGINT");
          setTimeout(() => child.kill("SIGINT"), 1);
        });
      },
    });
    expect(finished.code).toBe(130);
    expect(documentOf(finished).error).toMatchObject({ code: "PF_INTERRUPTED" });
  });
});

describe("pipes", () => {
  it("that close early end the program quietly", async () => {
    for (const command of ["weights --json", "config schema", "config show"]) {
      const line = `"${process.execPath}" "${entry}" ${command} --set 'universe=[SPY, TLT, GLD]' --quiet | head -1`;
      const { code, stdout, stderr } = await run("sh", ["-c", line], { cwd: home });
      expect([code, stderr]).toEqual([0, ""]);
      expect(stdout.split("\n")).toHaveLength(2);
    }
  });

  it("that nobody reads end no work before it is done, nor its exit code", async () => {
    const cwd = temporaryFolder();
    const unread = (words: string) =>
      `{ "${process.execPath}" "${entry}" ${words}; echo $? >> codes; } 2>&1 | true`;
    const market = smallMarket.map((word) => `'${word}'`).join(" ");
    for (const words of [`fetch ${market}`, "weights --asof yesterday"])
      await run("sh", ["-c", unread(words)], { cwd });
    expect(readFileSync(join(cwd, "codes"), "utf8")).toBe("0\n2\n");
    for (const symbol of ["SPY", "TLT", "GLD"])
      expect(Object.keys(filesIn(cwd))).toContain(`data/parquet/${symbol}.parquet`);
  });

  it("get the whole document, however long", async () => {
    const line = `"${process.execPath}" "${entry}" config schema --json | (sleep 1; cat)`;
    const { stdout } = await run("sh", ["-c", line]);
    expect(JSON.parse(stdout)).toHaveProperty("properties.selection");
    expect(stdout.length).toBeGreaterThan(10_000);
  });
});

describe("a bug of ours", () => {
  it("exits 1 with a code and no stack, unless asked for it", async () => {
    for (const missing of [/^dispatch-/, /^(dispatch|src|usage)-/, /^chunk-/]) {
      // A broken installation: the program is there, some of its files are not.
      const broken = temporaryFolder();
      for (const part of ["bin", "dist", "package.json", "oclif.manifest.json"]) {
        cpSync(join(entry, "../..", part), join(broken, part), {
          recursive: true,
          filter: (file) => part !== "dist" || file.endsWith("dist/main.js") || !missing.test(basename(file)),
        });
      }
      symlinkSync(join(entry, "../../node_modules"), join(broken, "node_modules"));
      const start = join(broken, "bin", "run.js");
      for (const words of [["weights"], ["weights", "--json"], ["--help", "--json"]]) {
        const finished = await run(process.execPath, [start, ...words]);
        expect([missing.source, finished.code]).toEqual([missing.source, 1]);
        if (missing.source === "^chunk-") continue; // Not even the words to say it in are left.
        expect(finished.stdout + finished.stderr).toContain("PF_BUG");
        expect(finished.stdout + finished.stderr).not.toMatch(/\n {4}at /);
        if (words.includes("--json")) expect(documentOf(finished).error.next).toContain("PF_DEBUG=1");
        const told = await run(process.execPath, [start, ...words], { env: { PF_DEBUG: "1" } });
        expect(told.stderr).toMatch(/\n {4}at |ERR_MODULE_NOT_FOUND/);
      }
    }
  });

  it("ends even where nothing is left that could tell of it", async () => {
    const broken = temporaryFolder();
    for (const part of ["bin", "package.json", "oclif.manifest.json"]) {
      cpSync(join(entry, "../..", part), join(broken, part), { recursive: true });
    }
    mkdirSync(join(broken, "dist"));
    cpSync(join(entry, "../../dist/main.js"), join(broken, "dist", "main.js"));
    const finished = await run(process.execPath, [join(broken, "bin", "run.js"), "weights"]);
    expect(finished.code).toBe(1);
    expect(finished.signal).toBeNull();
  });
});

describe("the folder it is started in", () => {
  it("is where relative paths begin, whatever a script runner says", async () => {
    const folder = temporaryFolder();
    const elsewhere = temporaryFolder();
    const finished = await pf(["fetch", ...smallMarket, "--symbols", "SPY"], {
      cwd: folder,
      env: { INIT_CWD: elsewhere },
    });
    expect(finished.code).toBe(0);
    expect(Object.keys(filesIn(folder))).toContain("data/parquet/SPY.parquet");
    expect(filesIn(elsewhere)).toEqual({});
  });

  it("is where `pnpm pf` was typed", async () => {
    const folder = temporaryFolder();
    const workspace = join(entry, "../workspace.js");
    const finished = await run(process.execPath, [workspace, "fetch", ...smallMarket, "--symbols", "SPY"], {
      cwd: temporaryFolder(),
      env: { INIT_CWD: folder },
    });
    expect(finished.code).toBe(0);
    expect(Object.keys(filesIn(folder))).toContain("data/parquet/SPY.parquet");
  });
});
