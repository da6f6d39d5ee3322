import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import fc from "fast-check";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { createAccess, isFromElsewhere, isLoopback, isOurHost, lateAnswers } from "./access.js";

const token = "sixteen-or-more-characters";
const from = (address: string, authorization?: string, session?: string) => ({
  address,
  authorization,
  session,
});

describe("the token", () => {
  it("is known by all of itself and by nothing else", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.constant(token), fc.constant(`${token} `)), (typed) => {
        const access = createAccess(token, () => 0);
        expect(access.login(typed, "1.2.3.4").admitted).toBe(typed === token);
      }),
    );
  });

  it("is compared in the same time whatever is guessed: digests of one length, every time", () => {
    // Whoever imported it by name sees the spy as well, also where that was long ago.
    const spy = vi.spyOn(crypto, "timingSafeEqual");
    syncBuiltinESMExports();
    onTestFinished(() => {
      spy.mockRestore();
      syncBuiltinESMExports();
    });
    const guesses = ["", "s", token.slice(0, -1), `${token}x`, token, "é".repeat(500)];
    for (const typed of guesses) createAccess(token, () => 0).login(typed, "1.2.3.4");
    const compared = spy.mock.calls;
    expect(compared).toHaveLength(guesses.length);
    for (const [a, b] of compared) expect([a.byteLength, b.byteLength]).toEqual([32, 32]);
  });

  it("where there is none lets nobody in as who had one", () => {
    const access = createAccess("", () => 0);
    expect(access.admit(from("::1"))).toEqual({ admitted: true, reader: { kind: "open" } });
    expect(access.admit(from("::1", "Bearer x"))).toEqual({ admitted: true, reader: { kind: "open" } });
    expect(access.login("", "::1").admitted).toBe(false);
    expect(access.isOwnForm({ kind: "open" }, "")).toBe(false);
  });
});

describe("guessing", () => {
  const late = (answer: { readonly admitted: boolean }) => (answer as { readonly lateMs?: number }).lateMs;

  it("becomes slower: after five wrong tokens from an address each answer is later, up to eight seconds", () => {
    const access = createAccess(token, () => 0);
    const waits = Array.from({ length: 14 }, () => access.login("wrong", "1.2.3.4"));
    expect(waits).toEqual(
      [0, 0, 0, 0, 0, 250, 500, 1000, 2000, 4000, 8000, 8000, 8000, 8000].map((lateMs) => ({
        admitted: false,
        lateMs,
      })),
    );
  });

  it("never keeps out who knows the token, whatever came from the same address, by form or as Bearer", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("wrong", "form", "bearer"), { maxLength: 60 }), (tries) => {
        const access = createAccess(token, () => 0);
        for (const one of tries) {
          if (one === "wrong") expect(access.login("wrong", "1.2.3.4").admitted).toBe(false);
          else if (one === "form") expect(access.login(token, "1.2.3.4").admitted).toBe(true);
          else expect(access.admit(from("1.2.3.4", `Bearer ${token}`)).admitted).toBe(true);
        }
      }),
    );
  });

  it("is not made quicker by somebody else who knows the token and comes from the same address", () => {
    const access = createAccess(token, () => 0);
    for (let attempt = 0; attempt < 6; attempt++) {
      access.login("wrong", "1.2.3.4");
      access.admit(from("1.2.3.4", `Bearer ${token}`));
    }
    expect(late(access.login("wrong", "1.2.3.4"))).toBe(500);
  });

  it("is forgotten a quarter of an hour after the last wrong token, and nowhere else remembered", () => {
    let nowMs = 0;
    const access = createAccess(token, () => nowMs);
    for (let attempt = 0; attempt < 9; attempt++) access.login("wrong", "1.2.3.4");
    expect(late(access.login("wrong", "1.2.3.5"))).toBe(0);
    nowMs += 15 * 60_000;
    expect(late(access.login("wrong", "1.2.3.4"))).toBe(4000);
    nowMs += 15 * 60_000 + 1;
    expect(late(access.login("wrong", "1.2.3.4"))).toBe(0);
  });

  it("counts a whole IPv6 network as one, by Bearer as by form", () => {
    const access = createAccess(token, () => 0);
    for (let attempt = 0; attempt < 5; attempt++)
      access.admit(from(`2001:db8:0:7:${attempt}::1`, "Bearer wrong"));
    expect(access.login("wrong", "2001:db8::7:ffff:0:0:9")).toEqual({ admitted: false, lateMs: 250 });
    expect(access.login("wrong", "2001:db8:0:8::1")).toEqual({ admitted: false, lateMs: 0 });
  });

  it("is remembered of a bounded number of addresses, the last ones", () => {
    const access = createAccess(token, () => 0);
    for (let host = 0; host < 3000; host++)
      for (let attempt = 0; attempt < 5; attempt++) access.login("wrong", `10.0.${host >> 8}.${host & 255}`);
    expect(late(access.login("wrong", "10.0.0.0"))).toBe(0);
    expect(late(access.login("wrong", "10.0.11.183"))).toBe(250);
  });
});

describe("late answers", () => {
  it("are late by so much, and only so many at a time: the others are answered at once", async () => {
    vi.useFakeTimers();
    try {
      const late = lateAnswers();
      let answered = 0;
      for (let asked = 0; asked < 100; asked++) void late(8000).then(() => answered++);
      await vi.advanceTimersByTimeAsync(7999);
      expect(answered).toBe(68);
      await vi.advanceTimersByTimeAsync(1);
      expect(answered).toBe(100);
      // Those that were answered make room.
      void late(250).then(() => answered++);
      await vi.advanceTimersByTimeAsync(249);
      expect(answered).toBe(100);
      await vi.advanceTimersByTimeAsync(1);
      expect(answered).toBe(101);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("a session", () => {
  const opened = (nowMs: () => number) => {
    const access = createAccess(token, nowMs);
    const login = access.login(token, "::1");
    if (!login.admitted) throw new Error("the right token was refused");
    return { access, id: login.id, lastsSeconds: login.lastsSeconds };
  };

  it("is known by its id until it ends, and by no other", () => {
    let nowMs = 0;
    const { access, id, lastsSeconds } = opened(() => nowMs);
    expect(access.admit(from("::1", undefined, id))).toMatchObject({
      admitted: true,
      reader: { kind: "session" },
    });
    expect(access.admit(from("::1", undefined, `${id}x`)).admitted).toBe(false);
    expect(access.admit(from("::1", undefined, "")).admitted).toBe(false);
    nowMs = lastsSeconds * 1000 - 1;
    expect(access.admit(from("::1", undefined, id)).admitted).toBe(true);
    nowMs++;
    expect(access.admit(from("::1", undefined, id)).admitted).toBe(false);
  });

  it("has forms of its own", () => {
    const { access, id } = opened(() => 0);
    const reader = access.admit(from("::1", undefined, id));
    if (!reader.admitted || reader.reader.kind !== "session") throw new Error("no session");
    expect(access.isOwnForm(reader.reader, reader.reader.csrf)).toBe(true);
    expect(access.isOwnForm(reader.reader, `${reader.reader.csrf}x`)).toBe(false);
    expect(access.isOwnForm(reader.reader, "")).toBe(false);
    expect(reader.reader.csrf).not.toBe(id);
  });

  it("is one of a bounded number: the oldest makes room", () => {
    const { access, id } = opened(() => 0);
    for (let more = 0; more < 50; more++) access.login(token, "::1");
    expect(access.admit(from("::1", undefined, id)).admitted).toBe(false);
  });

  it("is not opened by a wrong Bearer beside a right cookie", () => {
    const { access, id } = opened(() => 0);
    expect(access.admit(from("::1", "Bearer wrong", id)).admitted).toBe(false);
  });
});

describe("loopback", () => {
  it.each(["127.0.0.1", "127.8.9.1", "localhost", "LOCALHOST", "::1", "[::1]"])("is %s", (host) =>
    expect(isLoopback(host)).toBe(true),
  );
  it.each([
    "0.0.0.0",
    "::",
    "128.0.0.1",
    "127.0.0.1.nip.io",
    "127.1",
    "localhost.example",
    "",
    "10.0.0.1",
    "::2",
  ])("is not %j", (host) => expect(isLoopback(host)).toBe(false));
});

describe("our names", () => {
  it.each([
    ["127.0.0.1", "localhost:8321", true],
    ["127.0.0.1", "[::1]:8321", true],
    ["127.0.0.1", "192.168.1.4", false],
    ["127.0.0.1", "box", false],
    ["127.0.0.1", "evil.example", false],
    ["127.0.0.1", undefined, false],
    ["127.0.0.1", "localhost:8321@evil.example", false],
    ["127.0.0.1", "localhost evil", false],
    ["192.168.1.4", "192.168.1.4:8321", true],
    ["192.168.1.4", "192.168.1.5:8321", false],
    ["worker.example", "Worker.Example:80", true],
    ["0.0.0.0", "192.168.1.4:8321", true],
    ["::", "[2001:db8::1]:8321", true],
    ["0.0.0.0", "box:8321", true],
    ["0.0.0.0", "evil.example", false],
  ])("listening on %s, called %s: %s", (listens, header, answer) =>
    expect(isOurHost(header, listens, "Box")).toBe(answer),
  );
});

describe("from elsewhere", () => {
  const base = {
    method: "POST",
    host: "localhost:8321",
    origin: undefined,
    site: undefined,
    mode: undefined,
  };
  it.each([
    [{}, false],
    [{ origin: "http://localhost:8321" }, false],
    [{ origin: "https://localhost:8321" }, false],
    [{ origin: "http://localhost:8322" }, true],
    [{ origin: "null" }, true],
    [{ origin: "http://localhost:8321", site: "cross-site" }, true],
    [{ site: "same-site" }, true],
    [{ site: "same-origin" }, false],
    [{ site: "none" }, false],
    [{ method: "GET", site: "cross-site", mode: "navigate" }, false],
    [{ method: "POST", site: "cross-site", mode: "navigate" }, true],
    [{ method: "GET", site: "cross-site", mode: "no-cors" }, true],
  ])("%j: %s", (more, answer) => expect(isFromElsewhere({ ...base, ...more })).toBe(answer));
});
