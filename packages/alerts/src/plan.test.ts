import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Alert } from "./alert.js";
import { AlertOptionsError } from "./errors.js";
import { type AlertsOptions, channelsOf } from "./options.js";
import { describeDelivery, type PlannedMail, type PlannedRequest, planDeliveries, planPing } from "./plan.js";

const everything: AlertsOptions = {
  webhook: "https://hooks.example.org/services/T0/secret-hook",
  ntfy: "https://ntfy.example.org/secret-topic",
  ntfyToken: "tk_secret",
  email: {
    smtp: "smtps://me%40example.org:secret%20word@mail.example.org",
    from: "pf <pf@example.org>",
    to: ["me@example.org", "you@example.org"],
  },
  ping: "https://ping.example.org/secret-check",
};
const alert: Alert = { key: "halt", level: "alarm", title: "Halted", text: "An order was refused." };

const planned = (more: Partial<Alert> = {}, options = everything) =>
  planDeliveries({ ...alert, ...more }, channelsOf(options), "pf");
const webhookOf = (more: Partial<Alert> = {}) => JSON.parse((planned(more)[0] as PlannedRequest).body);
const ntfyOf = (more: Partial<Alert> = {}) => planned(more)[1] as PlannedRequest;
const mailOf = (more: Partial<Alert> = {}) => planned(more)[2] as PlannedMail;

/** Any text: line ends, control characters, emojis, halves of them. */
const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.string({
    unit: fc.constantFrom("\r", "\n", "\0", " ", "a", "é", "😀", "\ud83d", "=", "?", ":", "<", "@"),
    maxLength: 400,
  }),
);

/** Reads encoded words as RFC 2047 has them. */
const decodedHeader = (text: string) => {
  const words = [...text.matchAll(/=\?UTF-8\?B\?([A-Za-z0-9+/=]*)\?=/g)];
  for (const [word] of words) expect(word.length).toBeLessThanOrEqual(75);
  return words.length === 0
    ? text
    : words.map(([, base64]) => Buffer.from(base64!, "base64").toString()).join("");
};

describe("planDeliveries", () => {
  it("says one delivery a configured channel, and none for what is left out or empty", () => {
    expect(planned().map(({ channel }) => channel)).toEqual(["webhook", "ntfy", "email"]);
    expect(planDeliveries(alert, channelsOf({}), "pf")).toEqual([]);
    const empty = { webhook: "", ntfy: "", ntfyToken: "", email: { smtp: "", from: "", to: [] }, ping: "" };
    expect(planDeliveries(alert, channelsOf(empty), "pf")).toEqual([]);
  });

  it("gives the webhook the text that Slack, Mattermost and Discord show, and the parts for programs", () => {
    expect(webhookOf({ url: "http://127.0.0.1:8321/" })).toEqual({
      text: "ALARM: Halted\nAn order was refused.\nhttp://127.0.0.1:8321/",
      content: "ALARM: Halted\nAn order was refused.\nhttp://127.0.0.1:8321/",
      allowed_mentions: { parse: [] },
      source: "pf",
      key: "halt",
      level: "alarm",
      title: "Halted",
      message: "An order was refused.",
      url: "http://127.0.0.1:8321/",
    });
  });

  it("calls nobody who happens to be named in a text", () => {
    const { text } = webhookOf({ text: "<!channel> and @here and @Everyone, a@all-mail.org, x < 3" });
    expect(text).not.toMatch(/<!|@here|@everyone/i);
    expect(text).toContain("x < 3");
  });

  it("gives ntfy the text as the body, title, priority and tag in headers, and the token to its host alone", () => {
    const { url, headers, body } = ntfyOf({ url: "http://127.0.0.1:8321/" });
    expect(url.href).toBe("https://ntfy.example.org/secret-topic");
    expect(body).toBe("An order was refused.");
    expect(headers).toEqual({
      "content-type": "text/plain; charset=utf-8",
      title: "Halted",
      priority: "5",
      tags: "rotating_light",
      click: "http://127.0.0.1:8321/",
      authorization: "Bearer tk_secret",
    });
    expect(planned().filter((p) => JSON.stringify(p).includes("tk_secret"))).toHaveLength(1);
  });

  it("gives ntfy headers in ASCII that say the title, whatever it is", () => {
    fc.assert(
      fc.property(anyText, (title) => {
        const { headers, body } = ntfyOf({ title });
        for (const value of Object.values(headers)) expect(value).toMatch(/^[\x20-\x7e]*$/);
        const heard = decodedHeader(headers.title!);
        expect(heard).toBe(Buffer.from(mailOf({ title }).subject.slice("[pf alarm] ".length)).toString());
        expect(Buffer.byteLength(body)).toBeLessThanOrEqual(4096);
      }),
    );
    expect(decodedHeader(ntfyOf({ title: "Angehalten: Ärger mit 😀, =?UTF-8?" }).headers.title!)).toBe(
      "Angehalten: Ärger mit 😀, =?UTF-8?",
    );
  });

  it("writes a mail whose subject and headers are one line each, whatever the title, key and source say", () => {
    fc.assert(
      fc.property(anyText, anyText, anyText, (title, key, source) => {
        const mail = planDeliveries(
          { ...alert, title, key },
          channelsOf(everything),
          source,
        )[2] as PlannedMail;
        for (const value of [mail.subject, ...Object.values(mail.headers)]) {
          expect(value).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
        }
      }),
    );
    expect(mailOf({ title: "Halted\r\nBcc: all@example.org" }).subject).toBe(
      "[pf alarm] Halted Bcc: all@example.org",
    );
  });

  it("puts mails about the same trouble into one thread", () => {
    const thread = (key: string) => mailOf({ key }).headers.References;
    expect(thread("halt")).toBe(thread("halt"));
    expect(thread("halt")).not.toBe(thread("disk"));
  });

  it("keeps within what each service takes, and never cuts a character in two", () => {
    const text = "😀".repeat(5_000);
    expect([...webhookOf({ text }).content].length).toBeLessThanOrEqual(1_900);
    expect(Buffer.byteLength(ntfyOf({ text }).body)).toBeLessThanOrEqual(4_000);
    expect(Buffer.from(ntfyOf({ text }).body).toString()).toBe(ntfyOf({ text }).body);
    expect(ntfyOf({ text }).body).toMatch(/^(?:😀)+…$/u);
    expect([...webhookOf({ title: text }).title].length).toBe(200);
  });

  it("links only to the web", () => {
    expect(ntfyOf({ url: "javascript:alert(1)" }).headers).not.toHaveProperty("click");
    expect(ntfyOf({ url: "nowhere" }).headers).not.toHaveProperty("click");
    expect(ntfyOf({ url: "http://example.org/ü\r\nX: y" }).headers.click).toBe(
      "http://example.org/%C3%BCX:%20y",
    );
  });
});

describe("planPing", () => {
  it.each([
    ["https://hc.example.org/id", "https://hc.example.org/id/fail"],
    ["https://hc.example.org/id/?a=1", "https://hc.example.org/id/fail?a=1"],
  ])("calls %s while all is well, and %s where something is not", (address, failing) => {
    expect(planPing(new URL(address), "ok").url.href).toBe(address);
    expect(planPing(new URL(address), "fail").url.href).toBe(failing);
  });
});

describe("describeDelivery", () => {
  it("shows channel, host and form, and nothing that opens anything", () => {
    const shown = planned().map(describeDelivery);
    expect(shown).toEqual([
      {
        channel: "webhook",
        host: "hooks.example.org",
        content: expect.stringMatching(/^POST, \d+ bytes of JSON$/),
      },
      { channel: "ntfy", host: "ntfy.example.org", content: "POST, 21 bytes of text" },
      { channel: "email", host: "mail.example.org", content: "mail to 2 people, TLS" },
    ]);
    expect(JSON.stringify(shown)).not.toMatch(/secret|me@|you@/);
  });
});

describe("a mail server's address", () => {
  const serverOf = (smtp: string, requireTls?: boolean) =>
    channelsOf({
      email: { smtp, from: "a@b.org", to: ["c@d.org"], ...(requireTls === undefined ? {} : { requireTls }) },
    }).email!.server;
  it("says host, port, encryption and account, percent signs decoded", () => {
    expect(serverOf(everything.email!.smtp)).toEqual({
      host: "mail.example.org",
      port: 465,
      secure: true,
      requireTls: true,
      auth: { user: "me@example.org", pass: "secret word" },
    });
    expect(serverOf("smtp://[::1]:25")).toEqual({ host: "::1", port: 25, secure: false, requireTls: false });
  });
  it("sends no password over an open line, except within this machine or where somebody says so", () => {
    expect(serverOf("smtp://u:p@mail.example.org").requireTls).toBe(true);
    expect(serverOf("smtp://mail.example.org").requireTls).toBe(false);
    expect(serverOf("smtp://u:p@127.0.0.1:25").requireTls).toBe(false);
    expect(serverOf("smtp://u:p@127.0.0.1.example.org").requireTls).toBe(true);
    expect(serverOf("smtp://u:p@mail.example.org", false).requireTls).toBe(false);
  });
});

describe("options of which no channel can be made", () => {
  const mail = { smtp: "smtp://secret:secret@mail.example.org", from: "a@b.org", to: ["c@d.org"] };
  it.each<[string, AlertsOptions]>([
    ["webhook", { webhook: "secret" }],
    ["webhook", { webhook: "ftp://secret.example.org/secret" }],
    ["ntfy", { ntfy: "https://ntfy.sh" }],
    ["ntfyToken", { ntfy: "https://ntfy.sh/secret", ntfyToken: "secret\r\nX: y" }],
    ["email.smtp", { email: { ...mail, smtp: "https://secret" } }],
    ["email.smtp", { email: { ...mail, smtp: "smtp:secret" } }],
    ["email.from", { email: { ...mail, from: "" } }],
    ["email.from", { email: { ...mail, from: "a@b.org\r\nBcc: secret@b.org" } }],
    ["email.from", { email: { ...mail, from: "smtps://a:secret@b.org" } }],
    ["email.to", { email: { ...mail, to: [] } }],
    ["email.to", { email: { ...mail, to: ["a@b.org, secret@b.org"] } }],
    ["ping", { ping: "secret" }],
  ])("are refused by name, without their value: %s", (option, options) => {
    let thrown: unknown;
    try {
      channelsOf(options);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(AlertOptionsError);
    expect(thrown).toMatchObject({ code: "PF_ALERT_OPTIONS", option });
    expect(String(thrown) + JSON.stringify(thrown)).not.toContain("secret");
  });
});
