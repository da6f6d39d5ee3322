import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";
import { afterAll, describe, expect, it } from "vitest";
import { FolderInUseError } from "./errors.js";
import { lockFolder } from "./folder-lock.js";

const home = mkdtempSync(join(tmpdir(), "pf-lock-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const newFolder = () => mkdtempSync(join(home, "folder-"));
const name = ".pf.lock";

/** The number of a process that has ended. */
const ended = () => spawnSync(process.execPath, ["-e", ""]).pid;
const held = (folder: string, process: number, machine = hostname(), token = "another") =>
  writeFileSync(join(folder, name), JSON.stringify({ process, machine, token }));

/** The module as other processes can run it without a build. */
function compiled(): string {
  for (const module of ["folder-lock", "errors"]) {
    const source = readFileSync(join(import.meta.dirname, `${module}.ts`), "utf8");
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.ESNext,
        verbatimModuleSyntax: true,
      },
    });
    writeFileSync(join(home, `${module}.js`), outputText);
  }
  writeFileSync(join(home, "package.json"), '{ "type": "module" }');
  return join(home, "folder-lock.js");
}

describe("lockFolder", () => {
  it("gives a right to one, and to the next once it is given back", async () => {
    const folder = newFolder();
    const first = await lockFolder(folder, name);
    const refused = await lockFolder(folder, name).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(FolderInUseError);
    expect((refused as FolderInUseError).message).toContain(`process ${process.pid}`);
    first.release();
    first.release();
    const second = await lockFolder(folder, name);
    // What was given back gives nobody else's away.
    first.release();
    expect(existsSync(join(folder, name))).toBe(true);
    second.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("waits as long as it was told to", async () => {
    const folder = newFolder();
    const first = await lockFolder(folder, name);
    setTimeout(() => first.release(), 60);
    const second = await lockFolder(folder, name, 60_000);
    second.release();
    const third = await lockFolder(folder, name);
    await expect(lockFolder(folder, name, 50)).rejects.toThrow(FolderInUseError);
    third.release();
  });

  it("takes over from a process that is gone, and from nobody whose end it cannot see", async () => {
    const folder = newFolder();
    held(folder, ended());
    (await lockFolder(folder, name)).release();
    held(folder, process.ppid);
    await expect(lockFolder(folder, name)).rejects.toThrow(`process ${process.ppid}`);
    held(folder, ended(), "another-machine");
    await expect(lockFolder(folder, name)).rejects.toThrow(FolderInUseError);
    writeFileSync(join(folder, name), "mine, hands off");
    await expect(lockFolder(folder, name)).rejects.toThrow(FolderInUseError);
    expect(readFileSync(join(folder, name), "utf8")).toBe("mine, hands off");
    expect(readdirSync(folder)).toEqual([name]);
  });

  it("has one holder at a time among processes that find a dead one's lock and all want it", async () => {
    const folder = newFolder();
    const counter = join(folder, "count");
    writeFileSync(counter, "0");
    held(folder, ended());
    // Each adds to a number by reading and writing it: were two in there at once, some of it would be lost.
    const program = `
      const { lockFolder } = await import(${JSON.stringify(compiled())});
      const { readFileSync, writeFileSync } = await import("node:fs");
      for (let k = 0; k < 25; k++) {
        const lock = await lockFolder(${JSON.stringify(folder)}, ${JSON.stringify(name)}, 60_000);
        const number = Number(readFileSync(${JSON.stringify(counter)}, "utf8"));
        await new Promise((resolve) => setTimeout(resolve, 1));
        writeFileSync(${JSON.stringify(counter)}, String(number + 1));
        lock.release();
      }`;
    const codes = await Promise.all(
      Array.from(
        { length: 4 },
        () =>
          new Promise((resolve) => {
            const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
              stdio: "inherit",
            });
            child.on("close", resolve);
          }),
      ),
    );
    expect(codes).toEqual([0, 0, 0, 0]);
    expect(readFileSync(counter, "utf8")).toBe("100");
    expect(readdirSync(folder)).toEqual(["count"]);
  });
});
