import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WriteError } from "./errors.js";
import { type PlannedFile, writeReport } from "./write.js";

const file = (name: string, text: string): PlannedFile => ({ name, bytes: new TextEncoder().encode(text) });
const report = [file("metrics.json", "{}\n"), file("returns.csv", "date\n")];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pf-report-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function failure(writing: Promise<unknown>): Promise<WriteError> {
  const error = await writing.then(
    () => new Error("nothing failed"),
    (cause: unknown) => cause,
  );
  if (!(error instanceof WriteError)) throw error;
  return error;
}

describe("writeReport", () => {
  it("makes the folder, writes every byte and says where", async () => {
    const directory = join(folder, "a", "b");
    const bytes = Uint8Array.of(0, 255, 10, 13, 0);
    const written = await writeReport([...report, { name: "equity.png", bytes }], directory);
    expect(written).toEqual(
      ["metrics.json", "returns.csv", "equity.png"].map((name) => join(directory, name)),
    );
    expect(readFileSync(join(directory, "metrics.json"), "utf8")).toBe("{}\n");
    expect([...readFileSync(join(directory, "equity.png"))]).toEqual([...bytes]);
    expect(readdirSync(directory).sort()).toEqual(["equity.png", "metrics.json", "returns.csv"]);
  });

  it("writes for the user alone where that is asked for, and leaves the folders above as they are made", async () => {
    const before = process.umask(0o022);
    try {
      const directory = join(folder, "reports", "logs");
      await writeReport(report, directory, { isPrivate: true });
      await writeReport(report, join(folder, "reports"));
      const modeOf = (path: string) => (statSync(join(folder, path)).mode & 0o777).toString(8);
      expect(modeOf("reports/logs")).toBe("700");
      expect(modeOf("reports/logs/metrics.json")).toBe("600");
      expect([modeOf("reports"), modeOf("reports/metrics.json")]).toEqual(["755", "644"]);
    } finally {
      process.umask(before);
    }
  });

  it("replaces what was there before, and leaves other files alone", async () => {
    writeFileSync(join(folder, "metrics.json"), "old and much longer than the new one");
    writeFileSync(join(folder, "notes.txt"), "mine");
    await writeReport(report, folder);
    expect(readFileSync(join(folder, "metrics.json"), "utf8")).toBe("{}\n");
    expect(readFileSync(join(folder, "notes.txt"), "utf8")).toBe("mine");
  });

  it("refuses a file where the folder should be, and a file on the way to it", async () => {
    const standing = join(folder, "reports");
    writeFileSync(standing, "a file");
    const here = await failure(writeReport(report, standing));
    expect([here.code, here.errno, here.file]).toEqual(["PF_CANNOT_WRITE", "EEXIST", standing]);
    expect(here.message).toBe(`cannot write ${standing}: a file stands where the folder should be (EEXIST)`);
    expect(here.next).toContain("--out");
    const below = await failure(writeReport(report, join(standing, "deeper")));
    expect(below.errno).toBe("ENOTDIR");
    expect(readFileSync(standing, "utf8")).toBe("a file");
  });

  it("replaces nothing when a folder stands where one of the files should be", async () => {
    writeFileSync(join(folder, "metrics.json"), "old");
    mkdirSync(join(folder, "returns.csv"));
    const error = await failure(writeReport(report, folder));
    expect([error.errno, error.file, error.replaced]).toEqual(["EISDIR", join(folder, "returns.csv"), []]);
    expect(readFileSync(join(folder, "metrics.json"), "utf8")).toBe("old");
    expect(readdirSync(folder).sort()).toEqual(["metrics.json", "returns.csv"]);
  });

  it("stops when asked to, before any file of the previous report is touched", async () => {
    writeFileSync(join(folder, "metrics.json"), "old");
    const stop = new AbortController();
    const slow: PlannedFile[] = [
      report[0]!,
      {
        name: "returns.csv",
        get bytes() {
          stop.abort(new Error("interrupted"));
          return report[1]!.bytes;
        },
      },
    ];
    await expect(writeReport(slow, folder, { signal: stop.signal })).rejects.toThrow("interrupted");
    expect(readdirSync(folder)).toEqual(["metrics.json"]);
    expect(readFileSync(join(folder, "metrics.json"), "utf8")).toBe("old");
  });
});

describe.runIf(canMount())(
  "writeReport on a small disk of its own (needs the right to mount a tmpfs)",
  () => {
    beforeEach(() => mount("size=64k"));
    afterEach(() => {
      execFileSync("umount", [folder]);
    });

    it("keeps the previous report whole when the disk is full, and leaves no temporary file", async () => {
      await writeReport(report, folder);
      const error = await failure(
        writeReport([file("metrics.json", "new"), file("returns.csv", "x".repeat(100_000))], folder),
      );
      expect([error.errno, error.file]).toEqual(["ENOSPC", join(folder, "returns.csv")]);
      expect(error.message).toContain("no space left on the disk");
      expect(readdirSync(folder).sort()).toEqual(["metrics.json", "returns.csv"]);
      expect(readFileSync(join(folder, "metrics.json"), "utf8")).toBe("{}\n");
    });

    it("says that a disk is read-only", async () => {
      await writeReport(report, folder);
      mount("remount,ro");
      const error = await failure(writeReport(report, folder));
      expect(error.errno).toBe("EROFS");
      expect(readFileSync(join(folder, "metrics.json"), "utf8")).toBe("{}\n");
    });

    function mount(options: string): void {
      execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder]);
    }
  },
);

function canMount(): boolean {
  const probe = mkdtempSync(join(tmpdir(), "pf-report-probe-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=16k", "tmpfs", probe], { stdio: "ignore" });
    execFileSync("umount", [probe]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(probe, { recursive: true, force: true });
  }
}
