import { AlertOptionsError } from "./errors.js";
import type { AlertTimers, RetryPolicy } from "./retry.js";

/** E-mail by SMTP. */
export interface EmailOptions {
  /** `smtps://user:password@host` (TLS from the beginning, port 465) or `smtp://host` (STARTTLS where offered, port 587). */
  readonly smtp: string;
  readonly from: string;
  readonly to: readonly string[];
  /**
   * Whether nothing is sent unless the connection is encrypted.
   *
   * @default true where there is a password and the server is not on this machine
   */
  readonly requireTls?: boolean;
}

/** The channels. What is left out or empty does not exist. */
export interface AlertsOptions {
  /** Address that takes the JSON of {@link Alert} by POST: Slack, Discord, Mattermost, or a program of one's own. */
  readonly webhook?: string;
  /** Address of a topic of ntfy. */
  readonly ntfy?: string;
  /** Access token of a protected topic. */
  readonly ntfyToken?: string;
  readonly email?: EmailOptions;
  /** Address of a dead-man switch: called while all is well, with `/fail` at its end where something is not. */
  readonly ping?: string;
  /** Who speaks, in subjects and in the JSON. Default `pf`. */
  readonly source?: string;
  readonly retry?: Partial<RetryPolicy>;
  /** Default: the machine's. */
  readonly timers?: AlertTimers;
}

/** A mail server as it was configured. */
export interface MailServer {
  readonly host: string;
  readonly port: number;
  /** TLS from the beginning. */
  readonly secure: boolean;
  /** Whether a connection that cannot be encrypted is given up. */
  readonly requireTls: boolean;
  readonly auth?: { readonly user: string; readonly pass: string };
}

/** The channels, understood. */
export interface Channels {
  readonly webhook?: URL;
  readonly ntfy?: { readonly topic: URL; readonly token?: string };
  readonly email?: { readonly server: MailServer; readonly from: string; readonly to: readonly string[] };
  readonly ping?: URL;
}

/**
 * Reads the options.
 *
 * @throws AlertOptionsError for what no channel can be made of
 */
export function channelsOf(options: AlertsOptions): Channels {
  const { webhook, ntfy, ntfyToken, email, ping } = options;
  return {
    ...(webhook ? { webhook: webAddress("webhook", webhook) } : {}),
    ...(ntfy ? { ntfy: topicOf(ntfy, ntfyToken ?? "") } : {}),
    ...(email?.smtp ? { email: mailboxOf(email) } : {}),
    ...(ping ? { ping: webAddress("ping", ping) } : {}),
  };
}

/** The parts of the options that nobody may see, as they could turn up in a text: whole, in pieces, and decoded. */
export function secretsIn({ webhook, ntfy, ntfyToken, email, ping }: AlertsOptions): readonly string[] {
  const addresses = [webhook, ntfy, ping, email?.smtp].flatMap((address) => (address ? [address] : []));
  return [...(ntfyToken ? [ntfyToken] : []), ...addresses.flatMap(secretPartsOf)];
}

function secretPartsOf(address: string): readonly string[] {
  if (!URL.canParse(address)) return [address];
  const { href, username, password, pathname, search, searchParams, hash } = new URL(address);
  const parts = [
    username,
    password,
    `${pathname}${search}`,
    ...pathname.split("/"),
    search.slice(1),
    hash.slice(1),
  ];
  return [address, href, ...parts, ...parts.map(decoded), ...searchParams.values()];
}

/** Percent signs that stand for nothing stay as they are. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function webAddress(option: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new AlertOptionsError(option, "an address that begins with http:// or https://");
  }
  return url;
}

function topicOf(text: string, token: string): NonNullable<Channels["ntfy"]> {
  const topic = webAddress("ntfy", text);
  if (topic.pathname === "/") throw new AlertOptionsError("ntfy", "the address of a topic, with its name");
  if (token === "") return { topic };
  if (!/^[\x21-\x7e]+$/.test(token)) throw new AlertOptionsError("ntfyToken", "one word of ASCII characters");
  return { topic, token };
}

function mailboxOf({ smtp, from, to, requireTls }: EmailOptions): NonNullable<Channels["email"]> {
  const url = URL.canParse(smtp) ? new URL(smtp) : undefined;
  if (!url || !/^smtps?:$/.test(url.protocol) || url.hostname === "") {
    throw new AlertOptionsError("email.smtp", "an address that begins with smtp:// or smtps://");
  }
  if (!isMailAddress(from)) throw new AlertOptionsError("email.from", "an e-mail address");
  if (to.length === 0 || !to.every(isMailAddress)) {
    throw new AlertOptionsError("email.to", "a list of e-mail addresses");
  }
  const secure = url.protocol === "smtps:";
  // An address of IPv6 stands in brackets in a URL, and without them everywhere else.
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const [user, pass] = [decoded(url.username), decoded(url.password)];
  const server = {
    host,
    port: url.port === "" ? (secure ? 465 : 587) : Number(url.port),
    secure,
    requireTls: requireTls ?? (pass !== "" && !isThisMachine(host)),
    ...(user === "" ? {} : { auth: { user, pass } }),
  };
  return { server, from, to };
}

/** Whether it is one address, perhaps with a name before it; nothing in it can end a header line. */
function isMailAddress(text: string): boolean {
  return /^[^\p{Cc}<>]*<[^\s<>@,;:]+@[^\s<>@,;:/]+>$|^[^\s<>@,;:]+@[^\s<>@,;:/]+$/u.test(text);
}

function isThisMachine(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}
