import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { run, temporaryFolder } from "./process.js";

// No engine is needed here: a `docker` that writes down what it is asked stands in for one.

const root = fileURLToPath(new URL("../../../", import.meta.url));
const nodeAlone = join(process.execPath, "..");

/** Runs scripts/image.mjs with a `docker` that answers so; `undefined` means that there is none. */
async function image(
  words: readonly string[],
  answers: { readonly info: number; readonly build: number } | undefined,
  env: Readonly<Record<string, string>> = {},
) {
  const folder = temporaryFolder();
  const asked = join(folder, "asked");
  if (answers) {
    const docker = `#!/bin/sh\necho "$PWD: $@" >> ${asked}\n[ "$1" = info ] && exit ${answers.info}\nexit ${answers.build}\n`;
    writeFileSync(join(folder, "docker"), docker);
    chmodSync(join(folder, "docker"), 0o755);
  }
  // Whatever else is in the system's folders, this `docker` comes first, or a folder without one stands alone.
  const PATH = answers ? `${folder}:${nodeAlone}:/usr/bin:/bin` : folder;
  const finished = await run(process.execPath, [join(root, "scripts/image.mjs"), ...words], {
    env: { PATH, ...env },
  });
  return { ...finished, asked: existsSync(asked) ? readFileSync(asked, "utf8").trim().split("\n") : [] };
}

describe("make build and make image", () => {
  const wellAnswers = { info: 0, build: 0 };
  const build = /: build --file docker\/Dockerfile --tag pf:local \.$/;

  it.each([[["--if-possible"]], [[]]])(
    "build the image from the root where an engine answers: %j",
    async (words) => {
      const { code, asked, stdout } = await image(words, wellAnswers);
      expect(code).toBe(0);
      expect(asked).toEqual([expect.stringMatching(/: info$/), expect.stringMatching(build)]);
      expect(asked[1]).toContain(root.replace(/\/$/, ""));
      expect(stdout).toContain("pf:local");
    },
  );

  it("fail when the build fails", async () => {
    expect((await image(["--if-possible"], { info: 0, build: 3 })).code).toBe(3);
  });

  it.each([
    ["an engine that does not answer", { info: 1, build: 0 }],
    ["no docker at all", undefined],
  ])("with %s: the first says so and is done, the second fails", async (_, answers) => {
    const first = await image(["--if-possible"], answers);
    expect([first.code, first.asked.filter((line) => build.test(line))]).toEqual([0, []]);
    expect(first.stdout).toContain("not built, no container engine answers");
    expect((await image([], answers)).code).toBe(1);
  });

  it("ask nobody with DOCKER=0", async () => {
    const { code, asked, stdout } = await image(["--if-possible"], wellAnswers, { DOCKER: "0" });
    expect([code, asked, stdout]).toEqual([0, [], "image: left out, DOCKER=0\n"]);
  });

  it("are what the Makefile calls, and only they build an image", async () => {
    const targets = async (name: string) =>
      (await run("make", ["--dry-run", "--directory", root, name])).stdout;
    expect(await targets("build")).toMatch(/run build\nnode scripts\/image\.mjs --if-possible/);
    expect(await targets("image")).toMatch(/node scripts\/image\.mjs$/m);
    for (const name of ["check", "demo", "fetch", "backtest", "test"])
      expect(await targets(name)).not.toContain("image.mjs");
  });
});
