import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Alert, type AlertsOptions, createAlerts } from "../src/index.js";
import { closedPort, mailServer, webServer } from "./servers.js";

const alert: Alert = {
  key: "halt",
  level: "alarm",
  title: "Angehalten: Ärger",
  text: "An order was refused.\n.\nLook at the account.",
  url: "http://127.0.0.1:8321/",
};

/** Channels whose pauses take no time; `pauses` says how long they would have been. */
function alertsOf(options: AlertsOptions) {
  const pauses: number[] = [];
  const alerts = createAlerts({
    ...options,
    retry: { attemptTimeoutMs: 2_000, ...options.retry },
    timers: {
      nowUtcMs: () => 0,
      sleep: async (ms) => {
        pauses.push(ms);
      },
    },
  });
  return { ...alerts, pauses };
}

const mailTo = (
  host: string,
  { account = "", requireTls }: { account?: string; requireTls?: boolean } = {},
) => ({
  email: {
    smtp: `smtp://${account}${host}`,
    from: "pf <pf@example.org>",
    to: ["me@example.org", "you@example.org"],
    ...(requireTls === undefined ? {} : { requireTls }),
  },
});

describe("send", () => {
  it("reaches a person on every channel at once, and says so", async () => {
    const [hook, ntfy, mail] = [await webServer(), await webServer(), await mailServer()];
    const alerts = alertsOf({
      webhook: `${hook.url}/services/secret-hook`,
      ntfy: `${ntfy.url}/secret-topic`,
      ntfyToken: "tk_secret",
      ...mailTo(mail.host),
    });
    expect(alerts.channels).toEqual(["webhook", "ntfy", "email"]);
    expect(await alerts.send(alert)).toEqual([
      { channel: "webhook", ok: true, attempts: 1, detail: `${hook.host} answered 200` },
      { channel: "ntfy", ok: true, attempts: 1, detail: `${ntfy.host} answered 200` },
      { channel: "email", ok: true, attempts: 1, detail: `${mail.host} accepted it` },
    ]);
    expect(hook.received).toMatchObject([
      {
        method: "POST",
        path: "/services/secret-hook",
        headers: { "content-type": "application/json; charset=utf-8" },
      },
    ]);
    expect(JSON.parse(hook.received[0]!.body)).toMatchObject({
      level: "alarm",
      key: "halt",
      title: alert.title,
    });
    expect(ntfy.received).toMatchObject([
      {
        method: "POST",
        path: "/secret-topic",
        body: alert.text,
        headers: {
          title: "=?UTF-8?B?QW5nZWhhbHRlbjogw4RyZ2Vy?=",
          priority: "5",
          authorization: "Bearer tk_secret",
        },
      },
    ]);
    const [{ from, to, text } = { from: "", to: [], text: "" }] = mail.mails;
    expect([from, to]).toEqual([
      expect.stringContaining("<pf@example.org>"),
      [expect.stringContaining("<me@example.org>"), expect.stringContaining("<you@example.org>")],
    ]);
    expect(text).toMatch(/^Subject: =\?UTF-8\?/m);
    expect(text).toMatch(/^Content-Type: text\/plain/m);
    expect(text).toContain("An order was refused.\n.\nLook at the account.");
    expect(text).toContain("http://127.0.0.1:8321/");
  });

  it("goes on trying after a 500, a 429 and a cut connection", async () => {
    const hook = await webServer([
      { status: 500 },
      { status: 429, headers: { "retry-after": "7" } },
      "cut",
      { status: 204 },
    ]);
    const alerts = alertsOf({ webhook: hook.url });
    expect(await alerts.send(alert)).toEqual([
      { channel: "webhook", ok: true, attempts: 4, detail: `${hook.host} answered 204` },
    ]);
    expect(alerts.pauses).toEqual([1000, 7000, 4000]);
    expect(new Set(hook.received.map(({ body }) => body)).size).toBe(1);
  });

  it("gives up where the other side says no, and after so many tries", async () => {
    const [no, never] = [await webServer([{ status: 404 }]), await webServer([{ status: 503 }])];
    const [refused] = await alertsOf({ webhook: no.url }).send(alert);
    const [gone] = await alertsOf({ webhook: never.url }).send(alert);
    expect(refused).toEqual({
      channel: "webhook",
      ok: false,
      attempts: 1,
      detail: `${no.host} answered 404`,
    });
    expect(gone).toEqual({
      channel: "webhook",
      ok: false,
      attempts: 4,
      detail: `${never.host} answered 503`,
    });
    expect([no.received.length, never.received.length]).toEqual([1, 4]);
  });

  it("waits for nobody longer than an attempt may take", async () => {
    const silent = await webServer(["silence"]);
    const alerts = alertsOf({ webhook: silent.url, retry: { attempts: 2, attemptTimeoutMs: 50 } });
    expect(await alerts.send(alert)).toEqual([
      { channel: "webhook", ok: false, attempts: 2, detail: `${silent.host} did not answer in time` },
    ]);
  });

  it("does not let one dead channel keep another from being reached", async () => {
    const hook = await webServer();
    const port = await closedPort();
    const deliveries = await alertsOf({
      webhook: hook.url,
      ntfy: `http://127.0.0.1:${port}/topic`,
      ...mailTo(`127.0.0.1:${port}`),
    }).send(alert);
    expect(deliveries).toEqual([
      { channel: "webhook", ok: true, attempts: 1, detail: `${hook.host} answered 200` },
      { channel: "ntfy", ok: false, attempts: 4, detail: `127.0.0.1:${port} does not listen (ECONNREFUSED)` },
      {
        channel: "email",
        ok: false,
        attempts: 4,
        detail: `127.0.0.1:${port} does not listen (ECONNREFUSED)`,
      },
    ]);
  });

  it("tells of the channel that took it while another is still being tried", async () => {
    const [quick, silent] = [await webServer(), await webServer(["silence"])];
    const heard: string[] = [];
    const alerts = alertsOf({ webhook: quick.url, ntfy: `${silent.url}/topic`, retry: { attempts: 1 } });
    const stop = new AbortController();
    const deliveries = await alerts.send(alert, stop.signal, ({ channel, ok }) => {
      heard.push(`${channel} ${ok}`);
      // The other one would be waited for for two seconds.
      stop.abort();
    });
    expect(heard).toEqual(["webhook true", "ntfy false"]);
    expect(deliveries[1]).toMatchObject({ ok: false, attempts: 1 });
  });

  it("follows no redirect, so that no other host ever hears of the alarm", async () => {
    const other = await webServer();
    const hook = await webServer([{ status: 307, headers: { location: `${other.url}/elsewhere` } }]);
    const [delivery] = await alertsOf({ webhook: `${hook.url}/secret-hook` }).send(alert);
    expect(delivery).toMatchObject({ ok: false, attempts: 1 });
    expect(delivery!.detail).toBe(`${hook.host} answered 307, and redirects are not followed`);
    expect(other.received).toEqual([]);
  });

  it("trusts no certificate that nobody signed, and does not try again", async () => {
    const [hook, mail] = [await webServer([{ status: 200 }], { secure: true }), await mailServer()];
    const [web] = await alertsOf({ webhook: hook.url }).send(alert);
    expect(web).toMatchObject({ ok: false, attempts: 1 });
    expect(web!.detail).toContain("certificate that is not trusted");
    expect(hook.received).toEqual([]);
    const over = { ...mailTo(hook.host).email, smtp: `smtps://u:password@${hook.host}` };
    const [secure] = await alertsOf({ email: over }).send(alert);
    expect(secure).toMatchObject({ ok: false, attempts: 1 });
    expect(secure!.detail).toContain("certificate that is not trusted");
    const plain = { ...over, smtp: `smtps://u:password@${mail.host}` };
    const [wrong] = await alertsOf({ email: plain }).send(alert);
    expect(wrong).toMatchObject({ ok: false, attempts: 1 });
    expect(wrong!.detail).toContain("does not speak TLS");
  });

  it("stops when it is told to, also in the middle of waiting for an answer", async () => {
    const silent = await webServer(["silence"]);
    const stop = new AbortController();
    const sending = alertsOf({ webhook: silent.url }).send(alert, stop.signal);
    setTimeout(() => stop.abort(), 50);
    expect(await sending).toMatchObject([{ ok: false, attempts: 1 }]);
    expect(await alertsOf({ webhook: silent.url }).send(alert, stop.signal)).toMatchObject([
      { ok: false, attempts: 0 },
    ]);
  });

  it("reads no more of an answer than it is worth", async () => {
    const chatty = await webServer([{ status: 200, body: "x".repeat(5_000_000) }]);
    expect(await alertsOf({ webhook: chatty.url }).send(alert)).toMatchObject([{ ok: true, attempts: 1 }]);
  });
});

describe("a mail", () => {
  it("goes through a server that wants a name and a password, odd characters included", async () => {
    const account = { user: "me@example.org", pass: "p@ss word/1" };
    const mail = await mailServer({ account });
    const written = `${encodeURIComponent(account.user)}:${encodeURIComponent(account.pass)}@`;
    expect(await alertsOf(mailTo(mail.host, { account: written })).send(alert)).toMatchObject([{ ok: true }]);
    expect(mail.mails).toHaveLength(1);
  });

  it("is refused with a wrong password, once, and nobody reads the password, whatever the server repeats", async () => {
    const mail = await mailServer({ account: { user: "me", pass: "right" } });
    const [delivery] = await alertsOf(mailTo(mail.host, { account: "me:wrong-password@" })).send(alert);
    expect(delivery).toEqual({
      channel: "email",
      ok: false,
      attempts: 1,
      detail: `${mail.host} refused the user name or the password (535)`,
    });
    expect(mail.mails).toEqual([]);
  });

  it.each(["none", "refused"] as const)(
    "carries no password over an open line where encryption is required and STARTTLS is %s",
    async (startTls) => {
      const mail = await mailServer({ account: { user: "me", pass: "password" }, startTls });
      const alerts = alertsOf(mailTo(mail.host, { account: "me:password@", requireTls: true }));
      const [delivery] = await alerts.send(alert);
      expect(delivery).toMatchObject({ ok: false, attempts: 1 });
      expect(delivery!.detail).toContain("no encryption");
      expect(mail.heard.filter((line) => /^(AUTH|MAIL|DATA)/.test(line))).toEqual([]);
    },
  );

  it("is not sent in the open either where a server offers STARTTLS and then refuses it", async () => {
    const mail = await mailServer({ startTls: "refused" });
    expect(await alertsOf(mailTo(mail.host)).send(alert)).toMatchObject([{ ok: false, attempts: 1 }]);
    expect(mail.mails).toEqual([]);
  });

  it("is tried again after a temporary refusal, and not after a lasting one", async () => {
    const later = await mailServer({ data: [451, 250] });
    expect(await alertsOf(mailTo(later.host)).send(alert)).toMatchObject([{ ok: true, attempts: 2 }]);
    const busy = await mailServer({ greeting: [421, 220] });
    expect(await alertsOf(mailTo(busy.host)).send(alert)).toMatchObject([{ ok: true, attempts: 2 }]);
    const never = await mailServer({ data: [554] });
    expect(await alertsOf(mailTo(never.host)).send(alert)).toEqual([
      { channel: "email", ok: false, attempts: 1, detail: `${never.host} refused the mail (554)` },
    ]);
  });

  it("counts as delivered where somebody gets it, and says who does not", async () => {
    const mail = await mailServer({ recipient: [250, 550] });
    expect(await alertsOf(mailTo(mail.host)).send(alert)).toEqual([
      { channel: "email", ok: true, attempts: 1, detail: `${mail.host} accepted it for 1 of 2 recipients` },
    ]);
    const nobody = await mailServer({ recipient: [550] });
    expect(await alertsOf(mailTo(nobody.host)).send(alert)).toEqual([
      {
        channel: "email",
        ok: false,
        attempts: 1,
        detail: `${nobody.host} refused the sender or the recipients (550)`,
      },
    ]);
  });

  it("has no header that a title made, over the wire", async () => {
    const mail = await mailServer();
    await alertsOf(mailTo(mail.host)).send({ ...alert, title: "x\r\nBcc: all@example.org\r\n\r\nhello" });
    const head = mail.mails[0]!.text.split("\n\n", 1)[0]!;
    expect(head).toMatch(/^Subject: \[pf alarm\] x Bcc: all@example\.org hello$/m);
    expect(head).not.toMatch(/^Bcc/m);
    expect(mail.mails[0]!.to).toHaveLength(2);
  });
});

describe("ping", () => {
  it("calls the switch, with /fail where something is wrong, and tries again like any other", async () => {
    const watcher = await webServer([{ status: 502 }, { status: 200 }]);
    const alerts = alertsOf({ ping: `${watcher.url}/secret-check` });
    expect(alerts.channels).toEqual(["ping"]);
    expect(alerts.plan(alert)).toEqual([{ channel: "ping", host: watcher.host, content: "GET" }]);
    expect(await alerts.ping()).toEqual({
      channel: "ping",
      ok: true,
      attempts: 2,
      detail: `${watcher.host} answered 200`,
    });
    await alerts.ping("fail");
    expect(watcher.received.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "GET /secret-check",
      "GET /secret-check",
      "GET /secret-check/fail",
    ]);
  });

  it("is nothing where there is none, and is not called by an alert", async () => {
    expect(await alertsOf({}).ping()).toBeNull();
    const watcher = await webServer();
    expect(await alertsOf({ ping: watcher.url }).send(alert)).toEqual([]);
    expect(watcher.received).toEqual([]);
  });
});

describe("no secret", () => {
  it("stands in any delivery or plan, whatever it is and whatever goes wrong", async () => {
    const word = fc.stringMatching(/^[A-Za-z0-9_-]{8,24}$/);
    const loud = { status: 400, headers: {}, body: "" };
    const servers = [
      await webServer([loud]),
      await webServer([{ status: 301, headers: { location: "http://127.0.0.1:1/" } }]),
      await webServer(["cut"]),
      await webServer(),
    ];
    const hosts = [...servers.map(({ host }) => host), `127.0.0.1:${await closedPort()}`];
    const mail = await mailServer({ account: { user: "nobody", pass: "knows" } });
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(word, word, word, word, word),
        fc.constantFrom(...hosts),
        async (secrets, host) => {
          const [hook, topic, token, password, check] = secrets;
          const alerts = alertsOf({
            webhook: `http://user:${password}@${host}/services/${hook}?key=${token}`,
            ntfy: `http://${host}/${topic}`,
            ntfyToken: token,
            ...mailTo(mail.host, { account: `${hook}:${password}@` }),
            ping: `http://${host}/${check}`,
            retry: { attempts: 2 },
          });
          const told = JSON.stringify([
            alerts.plan(alert),
            await alerts.send(alert),
            await alerts.ping("fail"),
          ]);
          for (const secret of secrets) expect(told).not.toContain(secret);
        },
      ),
      { numRuns: 30 },
    );
  });
});
