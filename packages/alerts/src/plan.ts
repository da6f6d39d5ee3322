import { createHash } from "node:crypto";
import type { Alert, AlertLevel, ChannelName } from "./alert.js";
import type { Channels, MailServer } from "./options.js";

/** A request that will be made. Address, headers and body may hold secrets. */
export interface PlannedRequest {
  readonly channel: "webhook" | "ntfy" | "ping";
  readonly method: "GET" | "POST";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A mail that will be sent. The server's address holds a secret, the message none. */
export interface PlannedMail {
  readonly channel: "email";
  readonly server: MailServer;
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

export type PlannedDelivery = PlannedRequest | PlannedMail;

/** What will be sent where, as far as anybody may see it. */
export interface DeliveryPlan {
  readonly channel: ChannelName;
  /** Host, with the port where it is an unusual one. */
  readonly host: string;
  /** `POST, 214 bytes of JSON`. */
  readonly content: string;
}

/** Discord takes 2,000 characters, and counts some twice. */
const webhookCharacters = 1_900;
/** ntfy turns what is longer than 4,096 bytes into an attachment. */
const ntfyBytes = 4_000;
const titleCharacters = 200;
const mailCharacters = 20_000;

/** Says what an alert will be on each channel that is configured; nothing is sent, and nothing is looked up. */
export function planDeliveries(alert: Alert, channels: Channels, source: string): readonly PlannedDelivery[] {
  const { webhook, ntfy, email } = channels;
  const tidy = tidied(alert);
  return [
    ...(webhook ? [webhookRequest(tidy, webhook, source)] : []),
    ...(ntfy ? [ntfyRequest(tidy, ntfy)] : []),
    ...(email ? [mailOf(tidy, email, source)] : []),
  ];
}

/** The call of a dead-man switch, as healthchecks.io and those like it have it: the address, or `/fail` at its end. */
export function planPing(address: URL, state: "ok" | "fail"): PlannedRequest {
  const url = new URL(address);
  if (state === "fail") url.pathname = `${url.pathname.replace(/\/$/, "")}/fail`;
  return { channel: "ping", method: "GET", url, headers: {}, body: "" };
}

/** The part of a plan that may be printed. */
export function describeDelivery(planned: PlannedDelivery): DeliveryPlan {
  if (planned.channel === "email") {
    const { to, server } = planned;
    const protection = server.secure ? "TLS" : server.requireTls ? "STARTTLS" : "STARTTLS if offered";
    return {
      channel: "email",
      host: hostOf(planned),
      content: `mail to ${to.length === 1 ? "1 person" : `${to.length} people`}, ${protection}`,
    };
  }
  const { channel, method, body } = planned;
  const kind = channel === "webhook" ? "JSON" : "text";
  const content = body === "" ? method : `${method}, ${Buffer.byteLength(body)} bytes of ${kind}`;
  return { channel, host: hostOf(planned), content };
}

/** The host a delivery goes to, with the port where the address names one. */
export function hostOf(planned: PlannedDelivery): string {
  if (planned.channel !== "email") return planned.url.host;
  const { host, port, secure } = planned.server;
  return port === (secure ? 465 : 587) ? host : `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** `text` is what Slack and Mattermost show, `content` what Discord shows; the rest is for programs. */
function webhookRequest(alert: Alert, url: URL, source: string): PlannedRequest {
  const { key, level, title, text, url: link } = alert;
  const lines = [`${level.toUpperCase()}: ${title}`, text, ...(link ? [link] : [])].filter((l) => l !== "");
  const shown = cut(withoutMentions(lines.join("\n")), webhookCharacters);
  const body = JSON.stringify({
    text: shown,
    content: shown,
    // Discord: nobody is called by what a text happens to say.
    allowed_mentions: { parse: [] },
    source,
    key,
    level,
    title,
    message: text,
    ...(link ? { url: link } : {}),
  });
  const headers = { "content-type": "application/json; charset=utf-8" };
  return { channel: "webhook", method: "POST", url, headers, body };
}

const ntfyPriority: Readonly<Record<AlertLevel, string>> = { info: "3", warning: "4", alarm: "5" };
const ntfyTag: Readonly<Record<AlertLevel, string>> = {
  info: "information_source",
  warning: "warning",
  alarm: "rotating_light",
};

/** The headers and priorities are those of https://docs.ntfy.sh/publish/. */
function ntfyRequest(alert: Alert, { topic, token }: NonNullable<Channels["ntfy"]>): PlannedRequest {
  const { level, title, text, url: link } = alert;
  return {
    channel: "ntfy",
    method: "POST",
    url: topic,
    headers: {
      "content-type": "text/plain; charset=utf-8",
      title: asciiHeader(title),
      priority: ntfyPriority[level],
      tags: ntfyTag[level],
      ...(link ? { click: link } : {}),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    // A message without text would read "triggered".
    body: cutBytes(text === "" ? title : text, ntfyBytes),
  };
}

function mailOf(
  alert: Alert,
  { server, from, to }: NonNullable<Channels["email"]>,
  source: string,
): PlannedMail {
  const { key, level, title, text, url: link } = alert;
  const lines = [cut(text, mailCharacters), ...(link ? [link] : []), `-- \n${oneLine(source)}, ${level}`];
  const thread = createHash("sha256").update(key).digest("hex").slice(0, 32);
  return {
    channel: "email",
    server,
    from,
    to,
    subject: `[${oneLine(source)} ${level}] ${title}`,
    text: `${lines.filter((line) => line !== "").join("\n\n")}\n`,
    headers: {
      // Mail programs put messages about the same trouble together, and answering machines stay silent.
      References: `<${thread}@alerts.invalid>`,
      "Auto-Submitted": "auto-generated",
      ...(level === "alarm" ? { "X-Priority": "1", Importance: "high" } : {}),
    },
  };
}

/** The alert in a form that fits every channel: one line of title, no control characters, and a link only if it is one. */
function tidied({ key, level, title, text, url }: Alert): Alert {
  const link = url !== undefined && URL.canParse(url) ? new URL(url) : undefined;
  return {
    key,
    level,
    title: oneLine(title),
    text: plainText(text),
    ...(link && /^https?:$/.test(link.protocol) ? { url: link.href } : {}),
  };
}

function oneLine(text: string): string {
  return cut(text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ").trim(), titleCharacters);
}

/** Control characters but tabs and line ends go. */
function plainText(text: string): string {
  return text
    .replace(/\r\n?/g, "\n")
    .replace(/[^\P{Cc}\n\t]/gu, "")
    .trim();
}

function cut(text: string, characters: number): string {
  const points = [...text];
  return points.length <= characters ? text : `${points.slice(0, characters - 1).join("")}…`;
}

function cutBytes(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  let size = Buffer.byteLength("…");
  let kept = "";
  for (const point of text) {
    size += Buffer.byteLength(point);
    if (size > bytes) break;
    kept += point;
  }
  return `${kept}…`;
}

/** `<!channel>` of Slack and `@here` of Mattermost call everybody: with a space of no width between, they do not. */
function withoutMentions(text: string): string {
  return text.replace(/<(?=[!@#])/g, "<\u200b").replace(/@(?=(?:channel|here|everyone|all)\b)/gi, "@\u200b");
}

/** A header as ASCII: as it is where it is that, else as encoded words of RFC 2047, which ntfy reads in any header. */
function asciiHeader(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text) && !text.includes("=?")) return text;
  const words: string[] = [];
  let word = "";
  // An encoded word has at most 75 characters and never ends within a character.
  for (const point of text) {
    if (Buffer.byteLength(word + point) > 45) {
      words.push(word);
      word = "";
    }
    word += point;
  }
  return [...words, word].map((part) => `=?UTF-8?B?${Buffer.from(part).toString("base64")}?=`).join(" ");
}
