import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const thread = new URL("../dist/watchdog-thread.js", import.meta.url).href;
const source = fileURLToPath(new URL("../src/watchdog.ts", import.meta.url));

/** What becomes of a process that starts a quick watchdog and then does this. */
async function fateOf(body: string): Promise<{ code: number | null; signal: string | null; stderr: string }> {
  const { outputText } = ts.transpileModule(readFileSync(source, "utf8"), {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  });
  const text = `${outputText}
    const watchdog = startWatchdog(new URL(${JSON.stringify(thread)}), { tickMs: 50, mostSilent: 10 });
    ${body}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", text], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (part: string) => {
    stderr += part;
  });
  return new Promise((resolve) => child.on("exit", (code, signal) => resolve({ code, signal, stderr })));
}

describe("the watchdog", () => {
  it("ends a process whose main thread hangs, and says so", async () => {
    const { signal, stderr } = await fateOf("for (;;);");
    expect(signal).toBe("SIGKILL");
    expect(JSON.parse(stderr)).toMatchObject({
      level: 60,
      msg: expect.stringContaining("the main thread hangs"),
    });
  });

  it("leaves a word of it for whoever starts next, and ends it also where that cannot be written", async () => {
    const home = mkdtempSync(join(tmpdir(), "pf-watchdog-"));
    try {
      const word = join(home, "worker.hung");
      const hangAt = (path: string) =>
        fateOf(
          `watchdog.leaveWordAt(${JSON.stringify(path)}); setTimeout(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0), 100);`,
        );
      expect((await hangAt(word)).signal).toBe("SIGKILL");
      expect(JSON.parse(readFileSync(word, "utf8"))).toMatchObject({ level: 60 });
      expect(statSync(word).mode & 0o777).toBe(0o600);
      const nowhere = await hangAt(join(home, "no", "folder"));
      expect(nowhere.signal).toBe("SIGKILL");
      expect(nowhere.stderr).toContain("the main thread hangs");
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });

  it("leaves a process alone that waits or works in pieces, and does not keep it from ending", async () => {
    const busy = "const end = performance.now() + 30; while (performance.now() < end);";
    const piecewise = `for (let at = 0; at < 30; at++) { ${busy} await new Promise((next) => setTimeout(next, 5)); }`;
    expect(await fateOf(piecewise)).toEqual({ code: 0, signal: null, stderr: "" });
    expect(
      await fateOf("watchdog.stop(); const end = performance.now() + 1000; while (performance.now() < end);"),
    ).toEqual({ code: 0, signal: null, stderr: "" });
  });
});
