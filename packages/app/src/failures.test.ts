import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { describeFailure, exitCodeOf, failures } from "./failures.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** The rooms whose errors can reach a person: both programs and, through them, every package they stand on. */
function joinedSources(): string[] {
  const rooms = ["apps/cli", "apps/worker"];
  for (const room of rooms) {
    // What a program carries in its own files stands among the dependencies of its making.
    const { dependencies, devDependencies } = JSON.parse(readFileSync(`${root}${room}/package.json`, "utf8"));
    const joined = Object.keys({ ...dependencies, ...devDependencies }).filter((name) =>
      name.startsWith("@pf/"),
    );
    for (const name of joined.map((one) => one.replace("@pf/", "packages/"))) {
      if (!rooms.includes(name)) rooms.push(name);
    }
  }
  return rooms;
}

/** Every `code = "PF_…"` of an error class in those rooms, with the file it stands in. */
function codesInSources(): Map<string, string> {
  const codes = new Map<string, string>();
  for (const room of joinedSources()) {
    const source = `${root}${room}/src`;
    for (const file of readdirSync(source, { recursive: true, encoding: "utf8" })) {
      if (!file.endsWith(".ts") || file.endsWith(".test.ts")) continue;
      const text = readFileSync(`${source}/${file}`, "utf8");
      for (const [, code] of text.matchAll(/readonly code = "(PF_[A-Z_]+)"/g))
        codes.set(code!, `${room}/${file}`);
    }
  }
  return codes;
}

describe("the table of failures", () => {
  const codes = codesInSources();

  it("has an entry for every error class of every package that is joined", () => {
    expect(codes.size).toBeGreaterThan(25);
    expect([...codes].filter(([code]) => !(code in failures))).toEqual([]);
  });

  it("has no entry that nobody throws", () => {
    expect(Object.keys(failures).filter((code) => code !== "PF_BUG" && !codes.has(code))).toEqual([]);
  });

  it("is the list of the README", () => {
    const readme = readFileSync(`${root}packages/app/README.md`, "utf8");
    for (const [code, { exit }] of Object.entries(failures)) {
      const [, entry = ""] =
        new RegExp(`^- \\*\\*${exit}\\*\\* ([\\s\\S]*?)(?=^- |^$)`, "m").exec(readme) ?? [];
      expect(entry, `exit code ${exit}`).toContain(`\`${code}\``);
    }
  });

  it("says in every line what it means and what to do, and exits with a code of the contract", () => {
    for (const [code, { exit, means, next }] of Object.entries(failures)) {
      expect([1, 2, 3, 4, 5, 6, 7, 130], code).toContain(exit);
      expect(means, code).toMatch(/^[A-Z].*\.$/);
      expect(next.length, code).toBeGreaterThan(10);
    }
  });
});

describe("describeFailure", () => {
  class WithFacts extends Error {
    readonly code = "PF_NO_SESSIONS";
    constructor(
      readonly first: string,
      readonly next?: string,
    ) {
      super("nothing there");
    }
  }

  it("keeps what the error knows and adds the exit code", () => {
    expect(describeFailure(new WithFacts("2015-01-02", "fetch more"))).toMatchObject({
      code: "PF_NO_SESSIONS",
      exit: 3,
      message: "nothing there",
      next: "fetch more",
      details: { first: "2015-01-02" },
    });
  });

  it("advises from the table where the error has no advice", () => {
    expect(describeFailure(new WithFacts("2015-01-02")).next).toBe(failures.PF_NO_SESSIONS!.next);
  });

  it("calls everything without a code of ours a bug", () => {
    for (const thrown of [
      new TypeError("x is not a function"),
      "text",
      null,
      Object.assign(new Error("no"), { code: "PF_NEVER" }),
    ]) {
      expect(describeFailure(thrown)).toMatchObject({ code: "PF_BUG", exit: 1, details: {} });
    }
    expect(describeFailure(new TypeError("x is not a function")).message).toContain("x is not a function");
  });

  it("recognises an aborted signal, whoever aborted it", () => {
    const controller = new AbortController();
    controller.abort();
    expect(describeFailure(controller.signal.reason)).toMatchObject({ code: "PF_INTERRUPTED", exit: 130 });
  });

  it("recognises a full disk by the system's word for it", () => {
    const full = Object.assign(new Error("ENOSPC: no space left on device, write"), {
      code: "ENOSPC",
      syscall: "write",
    });
    expect(describeFailure(full)).toMatchObject({ code: "PF_CANNOT_WRITE", exit: 7 });
  });
});

describe("exitCodeOf", () => {
  it("is 1 for a code nobody knows", () => {
    expect([exitCodeOf("PF_CONFIG"), exitCodeOf("PF_NEVER")]).toEqual([2, 1]);
  });
});
