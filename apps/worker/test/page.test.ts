import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, request as rawRequest } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { type KeepOptions, keepPage } from "../src/page/keep.js";
import { startPage } from "../src/page/server.js";
import type { WorkerView } from "../src/view.js";
import { pageOf, token } from "./page.js";
import { fresh, halted, healthy, troubled } from "./views.js";

const html = { accept: "text/html" };

function post(
  url: string,
  fields: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
) {
  return fetch(url, {
    method: "POST",
    body: new URLSearchParams(fields),
    headers: { accept: "text/html", ...headers },
    redirect: "manual",
  });
}

async function signIn(origin: string): Promise<{ readonly cookie: string }> {
  const answer = await post(`${origin}/login`, { token });
  expect(answer.status).toBe(303);
  return { cookie: answer.headers.get("set-cookie")!.split(";")[0]! };
}

async function csrfAt(url: string, headers: Readonly<Record<string, string>>): Promise<string> {
  const text = await (await fetch(url, { headers: { ...html, ...headers } })).text();
  return /name="csrf" value="([^"]+)"/.exec(text)![1]!;
}

/** What fetch does not let a program say. */
function rawGet(origin: string, path: string, headers: Readonly<Record<string, string>>, method = "GET") {
  return new Promise<{
    readonly status: number;
    readonly headers: NodeJS.Dict<string | string[]>;
    readonly bytes: Buffer;
    readonly text: string;
  }>((resolve, reject) => {
    const asked = rawRequest(`${origin}${path}`, { headers, method, setHost: false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => {
        const bytes = Buffer.concat(chunks);
        resolve({ status: answer.statusCode!, headers: answer.headers, bytes, text: bytes.toString() });
      });
    });
    asked.on("error", reject);
    asked.end();
  });
}

/** A page that shows little. */
const options = {
  view: async () => healthy(3),
  halt: async () => {},
  resume: async () => {},
  outFolder: "nowhere",
  isAlive: () => ({ ok: true, detail: "" }),
  metrics: { text: async () => "", contentType: "text/plain" },
};

describe("where the page may listen", () => {
  it.each(["0.0.0.0", "::", "192.168.1.4", "worker.example.org", "127.0.0.1.example.org"])(
    "refuses %s without a token, before it listens, and says what to do",
    async (host) => {
      await expect(startPage({ ...options, host, port: 0, token: "" })).rejects.toMatchObject({
        code: "PF_PAGE_OPEN",
        host,
        next: expect.stringContaining("page.token"),
      });
    },
  );

  it("refuses a token that could be guessed, without repeating it", async () => {
    const refused = startPage({ ...options, host: "127.0.0.1", port: 0, token: "fifteen-letters" });
    await expect(refused).rejects.toMatchObject({ code: "PF_PAGE_TOKEN", least: 16 });
    await expect(refused).rejects.not.toThrow("fifteen-letters");
  });

  it("listens on every address with a token", async () => {
    const page = await pageOf({ host: "0.0.0.0" });
    const here = page.origin.replace("0.0.0.0", "127.0.0.1");
    expect((await fetch(here, { headers: html })).status).toBe(401);
  });

  it("says in words that a port is taken, and what to do", async () => {
    const page = await pageOf();
    const port = Number(new URL(page.url).port);
    await expect(startPage({ ...options, host: "127.0.0.1", port, token })).rejects.toMatchObject({
      code: "PF_PAGE_ADDRESS",
      message: `the page cannot listen on 127.0.0.1, port ${port}: something listens there already`,
      next: expect.stringContaining("page.port"),
    });
  });

  it("says in words that the machine has no such address", async () => {
    await expect(startPage({ ...options, host: "203.0.113.7", port: 0, token })).rejects.toMatchObject({
      code: "PF_PAGE_ADDRESS",
      message: expect.stringContaining("this machine has no such address"),
    });
  });
});

describe("a page whose address is not there", () => {
  const keep = async (where: { host: string; port: number }, more: Partial<KeepOptions> = {}) => {
    const told: (string | null)[] = [];
    const page = await keepPage({
      ...options,
      ...where,
      token,
      againMs: 20,
      patienceMs: 100,
      onTrouble: (trouble) => told.push(trouble?.code ?? null),
      ...more,
    });
    onTestFinished(() => page.close());
    return { page, told };
  };
  const until = async (isTrue: () => boolean) => {
    while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 10));
  };

  it("keeps nobody waiting, is told of once after a while, and is shown as soon as the port is free", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;
    const { page, told } = await keep({ host: "127.0.0.1", port });
    expect([page.url, told]).toEqual([null, []]);
    page.changed();
    await until(() => told.length > 0);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(told).toEqual(["PF_PAGE_ADDRESS"]);
    await new Promise((resolve) => other.close(resolve));
    await until(() => page.url !== null);
    expect(told).toEqual(["PF_PAGE_ADDRESS", null]);
    expect((await fetch(`${page.url}healthz`)).status).toBe(200);
  });

  it("is not told of where it comes up soon enough, or is there at once", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;
    const late = await keep({ host: "127.0.0.1", port }, { patienceMs: 60_000 });
    await new Promise((resolve) => other.close(resolve));
    await until(() => late.page.url !== null);
    const prompt = await keep({ host: "127.0.0.1", port: 0 });
    expect(prompt.page.url).toMatch(/^http:/);
    expect([late.told, prompt.told]).toEqual([[], []]);
  });

  it("goes on being tried where somebody who is told of it fails at that, and ends when it is closed", async () => {
    let told = 0;
    const problems: unknown[] = [];
    const { page } = await keep(
      { host: "203.0.113.7", port: 8321 },
      {
        onProblem: (error) => problems.push(error),
        onTrouble() {
          told++;
          throw new Error("the disk is full");
        },
      },
    );
    await until(() => told > 0);
    await until(() => problems.length > 0);
    await page.close();
    expect([page.url, told]).toEqual([null, 1]);
  });

  it("is refused at once where everybody could read it", async () => {
    const open = keepPage({ ...options, host: "0.0.0.0", port: 0, token: "", onTrouble: () => {} });
    await expect(open).rejects.toMatchObject({ code: "PF_PAGE_OPEN" });
  });
});

describe("who may see the page", () => {
  it("shows nothing but a form to who has no token, on every address that shows data", async () => {
    const { origin } = await pageOf();
    for (const path of [
      "/",
      "/view.json",
      "/metrics",
      "/events",
      "/research/equity.png",
      "/halt",
      "/resume",
    ]) {
      const answer = await fetch(`${origin}${path}`, { headers: html });
      const text = await answer.text();
      expect([path, answer.status]).toEqual([path, 401]);
      expect(text).toContain('action="/login"');
      expect(text).not.toContain("DUK200445");
      expect(answer.headers.get("www-authenticate")).toContain("Bearer");
    }
  });

  it("lets in who types the token, with a cookie no script and no other site gets", async () => {
    const { origin } = await pageOf();
    const answer = await post(`${origin}/login`, { token });
    expect(answer.status).toBe(303);
    expect(answer.headers.get("location")).toBe("/");
    const cookie = answer.headers.get("set-cookie")!;
    expect(cookie).toMatch(/HttpOnly/);
    expect(cookie).toMatch(/SameSite=Strict/);
    expect(cookie).toMatch(/Max-Age=\d+/);
    expect(cookie).not.toContain(token);
    const page = await fetch(origin, { headers: { ...html, cookie: cookie.split(";")[0]! } });
    expect(page.status).toBe(200);
    expect(await page.text()).toContain("DUK200445");
  });

  it("keeps the sessions of two workers on one machine apart", async () => {
    const [paper, live] = [await pageOf(), await pageOf()];
    const [one, other] = [await signIn(paper.origin), await signIn(live.origin)];
    expect(one.cookie.split("=")[0]).not.toBe(other.cookie.split("=")[0]);
    const both = { ...html, cookie: `${one.cookie}; ${other.cookie}` };
    for (const { url } of [paper, live]) expect((await fetch(url, { headers: both })).status).toBe(200);
    expect((await fetch(live.url, { headers: { ...html, ...one } })).status).toBe(401);
  });

  it("sends the cookie over https only where it came by https", async () => {
    const { origin } = await pageOf();
    const direct = await post(`${origin}/login`, { token });
    expect(direct.headers.get("set-cookie")).not.toMatch(/Secure/);
    const proxied = await post(`${origin}/login`, { token }, { "x-forwarded-proto": "https" });
    expect(proxied.headers.get("set-cookie")).toMatch(/Secure/);
  });

  it("takes the token as Bearer for programs", async () => {
    const { origin } = await pageOf();
    for (const path of ["/", "/view.json", "/metrics"]) {
      const right = await fetch(`${origin}${path}`, { headers: { authorization: `Bearer ${token}` } });
      expect([path, right.status]).toEqual([path, 200]);
      const wrong = await fetch(`${origin}${path}`, { headers: { authorization: `Bearer ${token}x` } });
      expect(wrong.status).toBe(401);
    }
  });

  it("never takes the token from an address", async () => {
    const { origin } = await pageOf();
    const answer = await fetch(`${origin}/?token=${token}&access_token=${token}`, { headers: html });
    expect(answer.status).toBe(401);
    expect(await answer.text()).not.toContain(token);
  });

  it("ends a session when its reader signs out", async () => {
    const { origin } = await pageOf();
    const session = await signIn(origin);
    const csrf = await csrfAt(origin, session);
    expect((await post(`${origin}/logout`, { csrf }, session)).status).toBe(303);
    expect((await fetch(origin, { headers: { ...html, ...session } })).status).toBe(401);
  });

  it("answers who guesses late, and who knows the token at once, from the same address and at the same time", async () => {
    const { origin } = await pageOf();
    const wrong = (signal?: AbortSignal) =>
      fetch(`${origin}/login`, {
        method: "POST",
        body: new URLSearchParams({ token: "wrong" }),
        headers: html,
        ...(signal ? { signal } : {}),
      });
    for (let attempt = 0; attempt < 5; attempt++) {
      const answer = await wrong();
      expect(answer.status).toBe(401);
      expect(await answer.text()).toContain("That is not the token.");
    }
    // The next of that address, as they would come from everybody behind one proxy, are late by 250 ms to 8 s.
    const stop = new AbortController();
    const began = performance.now();
    let answered = 0;
    const guesses = Array.from({ length: 8 }, () =>
      wrong(stop.signal).then(({ status }) => {
        answered++;
        return { status, afterMs: performance.now() - began };
      }),
    );
    const form = await post(`${origin}/login`, { token });
    const bearer = await fetch(`${origin}/view.json`, { headers: { authorization: `Bearer ${token}` } });
    expect([form.status, bearer.status]).toEqual([303, 200]);
    expect(answered).toBeLessThan(8);
    const first = await Promise.any(guesses);
    expect(first.status).toBe(401);
    expect(first.afterMs).toBeGreaterThan(240);
    stop.abort();
    await Promise.allSettled(guesses);
  });

  it("lets in who knows the token while as many guesses as ever wait are under way, and lets no more of them wait", async () => {
    const { origin } = await pageOf();
    const wrong = { authorization: "Bearer wrong" };
    for (let attempt = 0; attempt < 5; attempt++) await fetch(`${origin}/view.json`, { headers: wrong });
    const stop = new AbortController();
    const statuses: number[] = [];
    const atOnce = new Promise<void>((resolve) => {
      for (let attempt = 0; attempt < 90; attempt++)
        void fetch(`${origin}/view.json`, { headers: wrong, signal: stop.signal }).then(
          ({ status }) => statuses.push(status) >= 90 - 32 && resolve(),
          () => {},
        );
    });
    await atOnce;
    expect(new Set(statuses)).toEqual(new Set([401]));
    const right = await fetch(`${origin}/view.json`, { headers: { authorization: `Bearer ${token}` } });
    expect(right.status).toBe(200);
    expect(statuses.length).toBeLessThan(90);
    stop.abort();
  });

  it("does not write the token into anything it serves", async () => {
    const { origin } = await pageOf();
    const session = await signIn(origin);
    for (const path of ["/", "/view.json", "/metrics", "/halt", "/login", "/healthz", "/page.js", "/none"]) {
      const answer = await fetch(`${origin}${path}`, { headers: { ...html, ...session } });
      expect(await answer.text()).not.toContain(token);
      expect(JSON.stringify([...answer.headers])).not.toContain(token);
    }
  });
});

describe("without a token, on loopback", () => {
  it("everybody may read, nobody may act, and the page says how to change that", async () => {
    const page = await pageOf({ token: "" });
    const text = await (await fetch(page.url, { headers: html })).text();
    expect(text).toContain("DUK200445");
    expect(text).toContain("PF_PAGE__TOKEN");
    for (const action of ["halt", "resume", "logout"]) {
      const answer = await post(`${page.origin}/${action}`, { reason: "x", confirm: "DUK200445", csrf: "" });
      expect(answer.status).toBe(403);
      expect(await answer.text()).toContain("Set page.token");
    }
    // Even a token that was guessed to be empty.
    expect((await post(`${page.origin}/login`, { token: "" })).status).toBe(401);
    expect(page.done).toEqual([]);
  });
});

describe("halting and resuming", () => {
  it("takes the token, a form of the session, and for resuming the account and what was found", async () => {
    const page = await pageOf();
    const session = await signIn(page.origin);
    const csrf = await csrfAt(`${page.origin}/halt`, session);
    expect(
      (await post(`${page.origin}/halt`, { csrf, reason: " the broker\r\nis odd " }, session)).status,
    ).toBe(303);
    expect(page.done).toEqual(["halt: the broker is odd"]);

    const without = await post(`${page.origin}/resume`, { csrf, reason: "looked", confirm: "DU1" }, session);
    expect(without.status).toBe(422);
    expect(await without.text()).toContain("not the account");
    const silent = await post(`${page.origin}/resume`, { csrf, reason: " ", confirm: "DUK200445" }, session);
    expect(silent.status).toBe(422);
    expect(page.done).toHaveLength(1);

    const right = await post(
      `${page.origin}/resume`,
      { csrf, reason: "looked", confirm: "duk200445 " },
      session,
    );
    expect(right.status).toBe(303);
    expect(page.done).toEqual(["halt: the broker is odd", "resume: looked"]);
  });

  it("shows the new state at once to who acted", async () => {
    const page = await pageOf();
    const session = await signIn(page.origin);
    const csrf = await csrfAt(`${page.origin}/halt`, session);
    await post(`${page.origin}/halt`, { csrf, reason: "" }, session);
    const text = await (await fetch(page.url, { headers: { ...html, ...session } })).text();
    expect(text).toContain("Trading is halted");
    expect(text).toContain("<title>Halted");
  });

  it.each([
    ["without the session's form", {}, { csrf: "" }],
    ["with the form of another session", {}, { csrf: "x".repeat(43) }],
    ["sent by another site", { "sec-fetch-site": "cross-site" }, {}],
    ["sent by another program on this machine's name", { "sec-fetch-site": "same-site" }, {}],
    ["whose origin is another", { origin: "https://evil.example" }, {}],
    ["whose origin is hidden", { origin: "null" }, {}],
  ])("is refused %s", async (_, headers, fields) => {
    const page = await pageOf();
    const session = await signIn(page.origin);
    const csrf = await csrfAt(`${page.origin}/halt`, session);
    const answer = await post(
      `${page.origin}/halt`,
      { csrf, reason: "x", ...fields },
      { ...session, ...headers },
    );
    expect(answer.status).toBe(403);
    expect(page.done).toEqual([]);
  });

  it("is refused with a form of another session of the same reader", async () => {
    const page = await pageOf();
    const [first, second] = [await signIn(page.origin), await signIn(page.origin)];
    const csrf = await csrfAt(`${page.origin}/halt`, first);
    expect((await post(`${page.origin}/halt`, { csrf, reason: "x" }, second)).status).toBe(403);
    expect(page.done).toEqual([]);
  });

  it("is never done by a GET, and only forms are taken", async () => {
    const page = await pageOf();
    const bearer = { authorization: `Bearer ${token}` };
    await fetch(`${page.origin}/halt?reason=x`, { headers: bearer });
    const json = await fetch(`${page.origin}/halt`, {
      method: "POST",
      body: '{"reason":"x"}',
      headers: { ...bearer, "content-type": "application/json" },
    });
    expect(json.status).toBe(415);
    const large = await post(`${page.origin}/halt`, { reason: "x".repeat(10_000) }, bearer);
    expect(large.status).toBe(413);
    expect(page.done).toEqual([]);
    expect((await post(`${page.origin}/halt`, { reason: "by a program" }, bearer)).status).toBe(303);
    expect(page.done).toEqual(["halt: by a program"]);
  });

  it("can be halted while nobody can tell how the account stands, and that is said", async () => {
    const failing = { view: () => Promise.reject(new Error("the journal is gone")) };
    const page = await pageOf(failing);
    const session = await signIn(page.origin);
    const front = await fetch(page.url, { headers: { ...html, ...session } });
    expect(front.status).toBe(500);
    expect(await front.text()).toContain('href="/halt"');
    const csrf = await csrfAt(`${page.origin}/halt`, session);
    expect((await post(`${page.origin}/halt`, { csrf, reason: "blind" }, session)).status).toBe(303);
    expect(page.done).toEqual(["halt: blind"]);
  });

  it("says before one resumes when orders go out: in the next window, at once where one is open, or never", async () => {
    const view = halted();
    const next = view.next!;
    const page = await pageOf({ shows: view });
    const said = async (shows: WorkerView) => {
      page.state.view = shows;
      page.changed();
      const answer = await fetch(`${page.origin}/resume`, {
        headers: { ...html, authorization: `Bearer ${token}` },
      });
      return /<p id="when">(.*?)<\/p>/s.exec(await answer.text())![1]!.replace(/<[^>]+>/g, "");
    };
    const before = await said(view);
    expect(before).toContain("Nothing is sent at once");
    expect(before).toContain("on Fri 27 Nov 2026 from 12:55 to 12:59 in New York");
    expect(before).toContain(`pf trade --live --confirm ${view.status.account}`);
    const paper = await said({ ...view, status: { ...view.status, mode: "paper" } });
    expect(paper).toContain("pf trade on its machine");
    const open = await said({ ...view, atUtcMs: next.opensUtcMs });
    expect(open).toContain("The window of Fri 27 Nov 2026 is open until 12:59 in New York");
    expect(open).toContain("orders may go out at once");
    expect(await said({ ...view, next: null })).toContain("the worker sends nothing more");
  });

  it("does not halt twice, nor resume what is not halted", async () => {
    const page = await pageOf({ shows: halted() });
    const bearer = { authorization: `Bearer ${token}` };
    expect((await post(`${page.origin}/halt`, {}, bearer)).status).toBe(409);
    page.state.view = healthy(5);
    page.changed();
    const again = { confirm: "DUK200445", reason: "x" };
    expect((await post(`${page.origin}/resume`, again, bearer)).status).toBe(409);
    expect(page.done).toEqual([]);
  });
});

describe("other names and other sites", () => {
  it("are not answered: a name that was made to point here is not ours", async () => {
    const { origin } = await pageOf({ token: "" });
    for (const host of [
      "evil.example",
      "evil.example:80",
      "127.0.0.1.evil.example",
      "localhost.evil.example",
      "a b",
    ]) {
      const answer = await rawGet(origin, "/", { host, accept: "text/html" });
      expect([host, answer.status < 500 && answer.status >= 400]).toEqual([host, true]);
      expect(answer.text).not.toContain("DUK200445");
    }
    for (const host of ["localhost", "LOCALHOST:8321", "127.0.0.1:1", "[::1]:8321"])
      expect([host, (await rawGet(origin, "/", { host })).status]).toEqual([host, 200]);
  });

  it("are answered to who has the token, and to nobody who only says so", async () => {
    const host = "worker:8321";
    const status = async (origin: string, authorization: string) =>
      (await rawGet(origin, "/metrics", { host, authorization })).status;
    const { origin } = await pageOf();
    expect(await status(origin, `Bearer ${token}`)).toBe(200);
    expect(await status(origin, "Bearer guessed")).toBe(401);
    expect(await status(origin, "Basic Z3Vlc3NlZDo=")).toBe(401);
    const withoutToken = await pageOf({ token: "" });
    expect(await status(withoutToken.origin, "Bearer anything")).toBe(421);
  });

  it("may link to the page, and embed or fetch nothing of it", async () => {
    const { origin } = await pageOf({ token: "" });
    const from = (site: string, mode: string) =>
      fetch(`${origin}/`, { headers: { "sec-fetch-site": site, "sec-fetch-mode": mode } });
    // Node's fetch sets the mode itself.
    const status = async (site: string, mode: string) =>
      (
        await rawGet(origin, "/view.json", {
          host: "localhost",
          "sec-fetch-site": site,
          "sec-fetch-mode": mode,
        })
      ).status;
    expect((await from("same-origin", "cors")).status).toBe(200);
    expect(await status("cross-site", "navigate")).toBe(200);
    expect(await status("cross-site", "no-cors")).toBe(403);
    expect(await status("same-site", "cors")).toBe(403);
  });
});

describe("every answer", () => {
  it("forbids scripts and styles of others, frames, sniffing and keeping, errors included", async () => {
    const page = await pageOf({
      token: "",
      metrics: { text: () => Promise.reject(new Error("broken")), contentType: "" },
    });
    const asked: readonly (readonly [string, string, number])[] = [
      ["GET", "/", 200],
      ["HEAD", "/", 200],
      ["GET", "/healthz", 200],
      ["GET", "/metrics", 500],
      ["GET", "/page.css", 200],
      ["GET", "/nothing", 404],
      ["GET", "/%00%ff", 404],
      ["GET", "/halt", 403],
      ["POST", "/halt", 415],
      ["PUT", "/", 405],
      ["DELETE", "/view.json", 405],
      ["OPTIONS", "/", 405],
      ["TRACE", "/", 405],
    ];
    for (const [method, path, status] of asked) {
      const { headers, status: got } = await rawGet(page.origin, path, { host: "localhost" }, method);
      expect([method, path, got]).toEqual([method, path, status]);
      const policy = headers["content-security-policy"] as string;
      expect(policy).toMatch(/^default-src 'none'; /);
      expect(policy).not.toMatch(/unsafe|https?:|\*/);
      expect(policy).toContain("frame-ancestors 'none'");
      expect(headers["x-content-type-options"]).toBe("nosniff");
      expect(headers["cross-origin-resource-policy"]).toBe("same-origin");
      expect(headers["cross-origin-opener-policy"]).toBe("same-origin");
      expect(headers["referrer-policy"]).toBe("same-origin");
      expect(headers["access-control-allow-origin"]).toBeUndefined();
      expect(headers["cache-control"]).toBe(path === "/page.css" ? "no-cache" : "no-store");
    }
  });

  it("says so too where a request is not HTTP at all, or has too much of a head", async () => {
    const { url } = await pageOf();
    const answerTo = (text: string) =>
      new Promise<string>((resolve, reject) => {
        const socket = connect(Number(new URL(url).port), "127.0.0.1", () => socket.write(text));
        let heard = "";
        socket.on("data", (data) => {
          heard += data.toString();
        });
        socket.on("close", () => resolve(heard));
        socket.on("error", reject);
      });
    const nonsense = await answerTo("hello\r\n\r\n");
    expect(nonsense).toMatch(/^HTTP\/1\.1 400 /);
    expect(nonsense).toContain("content-security-policy: default-src 'none'");
    const long = await answerTo(`GET / HTTP/1.1\r\nhost: localhost\r\nx: ${"y".repeat(20_000)}\r\n\r\n`);
    expect(long).toMatch(/^HTTP\/1\.1 431 /);
  });

  it("of a failure tells a reader our own words, keeps those of others, and passes both on", async () => {
    const ours = Object.assign(new Error("the journal is damaged"), { code: "PF_STATE_DAMAGED" });
    const theirs = new Error("secret at redis://:password@host");
    for (const [error, shown] of [
      [ours, "the journal is damaged (PF_STATE_DAMAGED)"],
      [theirs, "its log says more"],
    ] as const) {
      const page = await pageOf({ token: "", view: () => Promise.reject(error) });
      const answer = await fetch(page.url, { headers: html });
      expect(answer.status).toBe(500);
      const text = await answer.text();
      expect(text).toContain(shown);
      expect(text).not.toContain("password");
      expect(page.problems).toEqual([error]);
    }
  });

  it("with a year of sessions travels in less than 40 kB", async () => {
    const { origin } = await pageOf({ token: "", shows: healthy(250) });
    const packed = await rawGet(origin, "/", {
      host: "localhost",
      "accept-encoding": "gzip",
      accept: "text/html",
    });
    expect(packed.headers["content-encoding"]).toBe("gzip");
    expect(packed.bytes.length).toBeLessThan(40_000);
    expect(gunzipSync(packed.bytes).toString()).toContain("DUK200445");
  });

  it("of an asset is sent again only where it changed", async () => {
    const { origin } = await pageOf();
    for (const name of ["page.css", "page.js", "icon.svg"]) {
      const first = await fetch(`${origin}/${name}`);
      expect(first.status).toBe(200);
      const etag = first.headers.get("etag")!;
      const again = await fetch(`${origin}/${name}`, { headers: { "if-none-match": etag } });
      expect(again.status).toBe(304);
      expect(await again.text()).toBe("");
    }
  });
});

describe("/healthz", () => {
  it("tells anybody how the worker is, by status and in words, whatever name it is called by", async () => {
    let isWell = true;
    const { origin } = await pageOf({
      isAlive: () => ({ ok: isWell, detail: isWell ? "waiting" : "a step is stuck" }),
    });
    const well = await rawGet(origin, "/healthz", { host: "worker:8321" });
    expect([well.status, JSON.parse(well.text)]).toEqual([200, { status: "ok", detail: "waiting" }]);
    isWell = false;
    const ill = await rawGet(origin, "/healthz", { host: "worker:8321" });
    expect([ill.status, JSON.parse(ill.text)]).toEqual([
      503,
      { status: "failing", detail: "a step is stuck" },
    ]);
  });
});

describe("what is shown", () => {
  it.each([
    ["a year of sessions", healthy()],
    ["an account that never traded", fresh()],
    ["a halted live account", halted()],
    ["an account whose past cannot be told", troubled()],
  ])("has one h1, headings in order and unique ids: %s", async (_, shows) => {
    const text = await textOf(shows);
    const levels = [...text.matchAll(/<h([1-6])[ >]/g)].map(([, level]) => Number(level));
    expect(levels.filter((level) => level === 1)).toHaveLength(1);
    levels.reduce((before, level) => {
      expect(level).toBeLessThanOrEqual(before + 1);
      return level;
    }, 0);
    const ids = [...text.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, id] of text.matchAll(/(?:href="#|aria-labelledby=")([^"]+)"/g)) expect(ids).toContain(id);
    expect(text).not.toMatch(/NaN|undefined|\[object|Infinity|>null</);
    expect(text).not.toMatch(/<(?:script|style)>| style=| on[a-z]+=/);
    expect(text).not.toMatch(/(?:href|src|action)="(?!\/[a-z]*|#)/);
  });

  it("says first of all what reached nobody yet, since when, and what to do", async () => {
    const sinceUtcMs = Date.UTC(2026, 10, 22, 23, 0);
    const shows = (count: number, dropped: number) => ({
      ...healthy(),
      undelivered: { count, sinceUtcMs, dropped },
    });
    const text = await plainTextOf(shows(30, 2));
    expect(text).toContain("30 messages reached nobody yet No channel took them since 22 Nov 2026, 18:00");
    expect(text).toContain("2 more were dropped. Run pf alert test to see what is wrong.");
    expect(text.indexOf("reached nobody")).toBeLessThan(text.indexOf("Next run Rebalance"));
    const one = await plainTextOf(shows(1, 0));
    expect(one).toContain("1 message reached nobody yet No channel took it since");
    expect(one).not.toContain("dropped");
    expect(await plainTextOf(healthy())).not.toContain("reached nobody");
  });

  it("says what an account is, what it did, holds and waits for", async () => {
    const text = await plainTextOf(healthy());
    for (const said of [
      "PAPER",
      "Account DUK200445 at ibkr",
      "Waiting for the early pre-flight of 2026-11-23, 14:55 New York time, since 23 Nov 2026, 11:20 in New York",
      "Rebalance of Mon 23 Nov 2026 1 h 35 min",
      "Orders are sent from 15:55 to 15:59 in New York",
      "QQQ 43.0%, GLD 34.4%, IEF 17.6%",
      "correlation 0.94 with QQQ, which was taken first; the cap is 0.70",
      "no bar on 2026-11-20",
      "Settles Tue 24 Nov 2026 $655.90",
      "Settled, can be spent $1,312.44",
      "fee not known yet",
      "Cancelled the broker cancelled the rest at the close",
      "Day trades ! Passed, look 2 in the last five sessions",
      "TWS 10.37 answers in 12 ms",
      "Abandoned, more to do the machine was off from 15:40 to 16:10",
      "Warning: The broker did not answer for 40 s",
      "1 more share is wanted; the cash for it settles on 2026-11-23",
    ])
      expect(text).toContain(said);
  });

  it("says of a halt why, and what to do", async () => {
    const text = await plainTextOf(halted());
    for (const said of [
      "LIVE real money",
      "Halted, waiting for the early pre-flight",
      "Trading is halted",
      "the broker rejected the sale of 28 XLE (201)",
      "Find out why the broker refused the order",
      "A half day: the session closes at 13:00.",
      "1 did not pass",
      "→ subscribe to its market data at the broker",
      "Restricted to settled cash until Thu 3 Dec 2026",
    ])
      expect(text).toContain(said);
  });

  it("says what cannot be told, and shows the rest", async () => {
    const text = await plainTextOf(troubled());
    expect(text).toContain("GLD.parquet in data/parquet cannot be read");
    expect(text).toContain("The calendar ends before another session.");
    expect(text).toContain("Settled, can be spent $1,312.44");
  });

  it("says nothing false of an account that never traded", async () => {
    const text = await plainTextOf(fresh());
    expect(text).toContain("a simulated market");
    expect(text).toContain("The curve begins with the first rebalance.");
    expect(text).toContain("Worth n/a not valued yet");
    expect(text).toContain("Nothing is held and nothing is wanted");
  });

  it("never lets a text of the data become markup, wherever it stands", async () => {
    const nasty = `<script>alert(1)</script>"'&</td><img src=x onerror=alert(1)>`;
    const poison = (value: unknown): unknown => {
      if (typeof value === "string")
        return /^(\d{4}-\d\d-\d\d.*|paper|live|idle|halted|rejected|waiting|info|warning|alarm|lookAhead|morning|early|late|trade|afterClose|buy|sell)$/.test(
          value,
        )
          ? value
          : value + nasty;
      if (Array.isArray(value)) return value.map(poison);
      if (value !== null && typeof value === "object")
        return Object.fromEntries(
          Object.entries(value).map(([key, one]) => [/^[A-Z]+$/.test(key) ? key + nasty : key, poison(one)]),
        );
      return value;
    };
    for (const view of [healthy(20), halted(), troubled()]) {
      const text = await textOf(poison(view) as WorkerView);
      expect(text).not.toContain("<img");
      expect(text.match(/<script/g)).toHaveLength(1);
      expect(text).not.toContain("</td><img");
      expect(text).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
    }
  });

  it("never lets what was typed become markup", async () => {
    const page = await pageOf({ shows: halted() });
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme", maxLength: 60 }), async (typed) => {
        const reason = `${typed}"><b id="x">`;
        const answer = await post(
          `${page.origin}/resume`,
          { reason, confirm: "no" },
          { authorization: `Bearer ${token}` },
        );
        expect(answer.status).toBe(422);
        expect(await answer.text()).not.toContain('<b id="x">');
      }),
      { numRuns: 40 },
    );
    expect(page.done).toEqual([]);
  });

  it("draws growth, fall and targets from the numbers, not from anywhere else", async () => {
    const view = healthy(3);
    const text = await plainTextOf({
      ...view,
      history: {
        ...view.history!,
        curve: {
          ...view.history!.curve,
          equity: [10_000, 12_000, 9000],
          model: [10_000, null, 11_000],
          spy: [10_000, 10_000, 10_000],
        },
      },
    });
    expect(text).toContain("Worth $9,000");
    expect(text).toContain("Since the start −10.0%");
    expect(text).toContain("Model +10.0%");
    expect(text).toContain("SPY 0.0%");
    expect(text).toContain("Below its peak 25.0% at most 25.0%");
  });

  async function textOf(shows: WorkerView): Promise<string> {
    const page = await pageOf({ token: "", shows });
    const answer = await fetch(page.url, { headers: html });
    expect(answer.status).toBe(200);
    return answer.text();
  }

  async function plainTextOf(shows: WorkerView): Promise<string> {
    const text = await textOf(shows);
    return text
      .replace(/<[^>]+>/g, " ")
      .replaceAll("&gt;", ">")
      .replace(/\s+/g, " ")
      .replace(/ (?=[,.;])/g, "");
  }
});

describe("/view.json", () => {
  it("is the view as it is", async () => {
    const view = healthy(5);
    const { origin } = await pageOf({ shows: view, token: "" });
    expect(await (await fetch(`${origin}/view.json`)).json()).toEqual(JSON.parse(JSON.stringify(view)));
  });
});

describe("asking for the view", () => {
  it("never happens twice at once, and not again within a moment unless something changed", async () => {
    let [asked, atOnce, most] = [0, 0, 0];
    const page = await pageOf({
      token: "",
      async view() {
        asked++;
        most = Math.max(most, ++atOnce);
        await new Promise((resolve) => setTimeout(resolve, 20));
        atOnce--;
        return healthy(3);
      },
    });
    await Promise.all(Array.from({ length: 12 }, () => fetch(`${page.origin}/view.json`)));
    expect([asked, most]).toEqual([1, 1]);
    page.changed();
    await Promise.all(Array.from({ length: 12 }, () => fetch(`${page.origin}/view.json`)));
    expect([asked, most]).toEqual([2, 1]);
  });
});

describe("/events", () => {
  afterEach(() => vi.useRealTimers());

  it("tells whoever listens that something changed", async () => {
    const page = await pageOf({ token: "" });
    const answer = await fetch(`${page.origin}/events`);
    expect(answer.headers.get("content-type")).toContain("text/event-stream");
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader.read()).value).toContain("event: hello");
    page.changed();
    expect((await reader.read()).value).toBe("event: changed\ndata:\n\n");
    await reader.cancel();
  });

  it("tells what changes within a moment once, and who asks for the head alone takes no place", async () => {
    const page = await pageOf({ token: "" });
    for (let times = 0; times < 30; times++)
      expect((await fetch(`${page.origin}/events`, { method: "HEAD" })).status).toBe(204);
    const answer = await fetch(`${page.origin}/events`);
    expect(answer.status).toBe(200);
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
    await reader.read();
    for (let times = 0; times < 100; times++) page.changed();
    expect((await reader.read()).value).toBe("event: changed\ndata:\n\n");
    const next = reader.read();
    const silence = new Promise((resolve) => setTimeout(resolve, 500, "silence"));
    expect(await Promise.race([next, silence])).toBe("silence");
    page.changed();
    expect((await next).value).toBe("event: changed\ndata:\n\n");
    await reader.cancel();
  });

  it("ends when the page does, and who went away no longer counts among the few that are let in", async () => {
    const page = await pageOf({ token: "" });
    for (let round = 0; round < 3; round++) {
      const stop = new AbortController();
      const open = await Promise.all(
        Array.from({ length: 24 }, () => fetch(`${page.origin}/events`, { signal: stop.signal })),
      );
      expect(open.map(({ status }) => status)).toEqual(Array(24).fill(200));
      const refused = await fetch(`${page.origin}/events`);
      expect(refused.status).toBe(503);
      expect(refused.headers.get("retry-after")).toBe("60");
      stop.abort();
      await vi.waitFor(
        async () => {
          const one = new AbortController();
          expect((await fetch(`${page.origin}/events`, { signal: one.signal })).status).toBe(200);
          one.abort();
        },
        { timeout: 5000 },
      );
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const last = await fetch(`${page.origin}/events`);
    await page.close();
    expect(await last.text()).toContain("event: hello");
  });
});

describe("research", () => {
  const png = Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "latin1"),
    Buffer.from([0, 0, 4, 176, 0, 0, 2, 88]),
  ]);
  const manifest = {
    first: "2015-01-02",
    last: "2025-12-31",
    data: { SPY: { source: "ibkr" }, QQQ: { source: "ibkr" } },
  };
  const verdict = {
    headline: "No test made can tell the strategy from luck.",
    findings: [
      { passed: false, line: "Deflated Sharpe ratio: 0.858" },
      { passed: null, line: "Too few runs" },
    ],
    limits: ["It is about these bars."],
  };

  function reports(): string {
    const folder = mkdtempSync(join(tmpdir(), "pf-page-reports-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    return folder;
  }
  const put = (folder: string, name: string, document: unknown) =>
    writeFileSync(join(folder, name), typeof document === "string" ? document : JSON.stringify(document));

  it("shows measures and verdicts of the reports, and says where their bars came from", async () => {
    const outFolder = reports();
    const metrics = { CAGR: 0.0521, Sharpe: 0.4426, MaxDD: 0.4977, Calmar: null };
    put(outFolder, "metrics.json", { metrics, benchmarks: { SPY: { CAGR: 0.123 } }, manifest });
    put(outFolder, "walkforward.json", {
      objective: "Calmar",
      folds: [{}, {}],
      comparison: { walkForward: metrics, fixed: {}, spy: {}, efficiency: -0.0463, gainingFolds: 0.4375 },
      verdict,
      manifest: { ...manifest, data: { SPY: { source: "synthetic:42" } } },
    });
    put(outFolder, "permutation.json", {
      runs: 200,
      overall: { pPlusOne: 0.00498, windows: 32 },
      verdict,
      manifest,
    });
    writeFileSync(join(outFolder, "equity.png"), png);
    const { origin } = await pageOf({ token: "", outFolder });
    const text = await (await fetch(origin, { headers: html })).text();
    for (const said of [
      "5.2%",
      "12.3%",
      "49.8%",
      "2015-01-02 to 2025-12-31, 2 symbols from ibkr",
      "an invented market",
      "2 windows, chosen by Calmar",
      "44% of them gained out of sample",
      "p = 0.00498 over all windows",
      "32 windows, 200 shuffled markets for each",
      "No test made can tell the strategy from luck.",
      "It is about these bars.",
    ])
      expect(text).toContain(said);
    expect(text).toMatch(/<img src="\/research\/equity\.png\?v=[^"]+" alt="[^"]+" width="1200" height="600"/);
    expect(text).not.toContain("drawdown.png");
    const picture = await fetch(`${origin}/research/equity.png`);
    expect(picture.headers.get("content-type")).toBe("image/png");
    expect(Buffer.from(await picture.arrayBuffer())).toEqual(png);
  });

  it("shows a new report without a restart, and says which cannot be read", async () => {
    const outFolder = reports();
    const { origin } = await pageOf({ token: "", outFolder });
    const read = async () => (await fetch(origin, { headers: html })).text();
    expect(await read()).toContain("No report yet");
    put(outFolder, "metrics.json", "{");
    expect(await read()).toContain("metrics.json cannot be read");
    put(outFolder, "metrics.json", "[1, 2]");
    expect(await read()).toContain("it is no report of pf");
    put(outFolder, "metrics.json", { metrics: { CAGR: 0.077 }, manifest });
    expect(await read()).toContain("7.7%");
  });

  it("opens nothing but its own names, whatever is asked for", async () => {
    const outFolder = join(reports(), "reports");
    mkdirSync(outFolder);
    writeFileSync(join(outFolder, "..", "secret.png"), png);
    writeFileSync(join(outFolder, "state.sqlite"), "state");
    mkdirSync(join(outFolder, "drawdown.png"));
    symlinkSync("../secret.png", join(outFolder, "other.png"));
    writeFileSync(join(outFolder, "equity.png"), "<script>not a picture</script>");
    const { origin } = await pageOf({ token: "", outFolder });
    for (const path of [
      "/research/../secret.png",
      "/research/..%2fsecret.png",
      "/research/%2e%2e/secret.png",
      "/research//etc/passwd",
      "/research/state.sqlite",
      "/research/other.png",
      "/research/drawdown.png",
      "/research/equity.png",
      "/research/equity.png%00.png",
      "/assets/page.css",
      "/page.css/../../package.json",
    ])
      expect([path, (await rawGet(origin, path, { host: "localhost" })).status]).toEqual([path, 404]);
  });
});
