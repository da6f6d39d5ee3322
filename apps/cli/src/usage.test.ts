import * as Flags from "@oclif/core/flags";
import { parse } from "@oclif/core/parser";
import { describe, expect, it } from "vitest";
import { asUsageError, nearestName, UnknownCommandError, UnknownFlagError, UsageError } from "./usage.js";

describe("nearestName", () => {
  const commands = ["fetch", "backtest", "weights", "config show", "config check", "config schema"];
  it.each([
    ["wieghts", "weights"],
    ["backtset", "backtest"],
    ["back", "backtest"],
    ["fecth", "fetch"],
    ["config shwo", "config show"],
    ["conifg check", "config check"],
  ])("takes %s for %s", (typed, meant) => expect(nearestName(typed, commands)).toBe(meant));
  it.each(["", "x", "trade", "permute"])("has no guess for %j", (typed) => {
    expect(nearestName(typed, commands)).toBeNull();
  });
});

describe("asUsageError", () => {
  const parserError = (message: string, fields: object = {}) =>
    Object.assign(new Error(message), { oclif: { exit: 2 }, ...fields });

  it("names the unknown flag and the nearest one", () => {
    const error = asUsageError(
      parserError("Nonexistent flag: --jsno\nSee more help with --help", {
        flags: ["--jsno"],
        parse: { input: { flags: { json: {}, out: {} } } },
      }),
    );
    expect(error).toBeInstanceOf(UnknownFlagError);
    expect(error).toMatchObject({ flag: "--jsno", nearest: "--json", next: "did you mean --json?" });
  });
  it("says that a value is missing", () => {
    expect(asUsageError(parserError("Flag --out expects a value"))).toMatchObject({
      message: "--out needs a value",
    });
  });
  it("lists the values a flag takes", () => {
    const error = asUsageError(
      parserError("Expected --source=x to be one of: ibkr, csv, synthetic\nSee more help with --help"),
    );
    expect(error).toBeInstanceOf(UsageError);
    expect(error).toMatchObject({
      message: '--source cannot be "x"',
      next: "choose one of ibkr, csv, synthetic",
    });
  });
  it("names two flags that exclude each other, as the parser finds them", async () => {
    const flags = {
      paper: Flags.boolean({ exclusive: ["live"] }),
      live: Flags.boolean(),
    };
    const thrown = await parse(["--paper", "--live"], { flags }).catch((error: unknown) => error);
    expect(asUsageError(thrown)).toMatchObject({
      code: "PF_USAGE",
      message: expect.stringMatching(/^--(paper|live) and --(paper|live) exclude each other$/),
      next: "leave one of them out",
    });
  });
  it("names the word too many", () => {
    expect(asUsageError(parserError("Unexpected argument: foo", { args: ["foo"] }))).toMatchObject({
      message: 'the command takes no word "foo"',
    });
  });
  it("repeats no setting and no address that lost its flag, for it may hold a secret", () => {
    for (const word of ["alerts.webhook=https://example.org/secret", "https://example.org/secret"]) {
      const told = [
        asUsageError(parserError(`Unexpected argument: ${word}`, { args: [word] })),
        new UnknownCommandError(word, ["fetch"]),
      ];
      for (const error of told) expect(String(error) + JSON.stringify(error)).not.toContain("secret");
    }
  });
  it("leaves alone what the argument parser did not throw", () => {
    const ours = Object.assign(new Error("Flag --out expects a value"), { code: "PF_CONFIG" });
    const theirs = new TypeError("Flag --out expects a value");
    expect(asUsageError(ours)).toBe(ours);
    expect(asUsageError(theirs)).toBe(theirs);
    expect(asUsageError("text")).toBe("text");
  });
});

describe("UnknownCommandError", () => {
  it("tells no command from a wrong one", () => {
    expect(new UnknownCommandError("", ["fetch"]).message).toBe("no command given");
    expect(new UnknownCommandError("fech", ["fetch"])).toMatchObject({
      nearest: "fetch",
      next: "did you mean `pf fetch`?",
    });
  });
});
