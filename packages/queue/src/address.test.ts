import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAddress } from "./address.js";
import { QueueAddressError } from "./errors.js";

describe("the address of a queue", () => {
  it("is taken apart, with what everybody uses where something is left out", () => {
    expect(parseAddress("redis://127.0.0.1")).toEqual({
      ...{ host: "127.0.0.1", port: 6379, database: 0, isEncrypted: false, shown: "127.0.0.1:6379" },
    });
    expect(parseAddress("rediss://worker:p%40ss@queue.example.org:6380/2")).toEqual({
      ...{ host: "queue.example.org", port: 6380, database: 2, isEncrypted: true },
      ...{ username: "worker", password: "p@ss", shown: "queue.example.org:6380/2" },
    });
    expect(parseAddress("redis://:secret@[::1]:7000/")).toMatchObject({ host: "::1", shown: "[::1]:7000" });
  });

  it("shows no password, whatever it is", () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }).map((text) => `p${text}w`),
        (password) => {
          const address = parseAddress(`redis://me:${encodeURIComponent(password)}@127.0.0.1:6400/3`);
          expect([address.password, address.shown]).toEqual([password, "127.0.0.1:6400/3"]);
        },
      ),
    );
  });

  it.each([
    "",
    "   ",
    "127.0.0.1:6379/hidden-word",
    "http://:hidden-word@host",
    "redis://",
    "redis://:hidden-word@host/first",
    "redis://:hidden-word@host:99999",
    "redis://:hidden-word%@host",
    "redis://:hidden-word@host?password=hidden-word",
  ])("that is none is refused and never repeated: %s", (address) => {
    const error = failureOf(() => parseAddress(address));
    expect(error).toBeInstanceOf(QueueAddressError);
    expect(error).toMatchObject({ code: "PF_QUEUE_ADDRESS" });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain("hidden-word");
  });
});

function failureOf(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}
