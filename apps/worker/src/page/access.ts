import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";

export const leastTokenLength = 16;

/** What of a request decides who asks. */
interface Visitor {
  /** Where the request comes from. */
  readonly address: string;
  /** The `Authorization` header. */
  readonly authorization: string | undefined;
  /** The session's id as the cookie has it. */
  readonly session: string | undefined;
}

/** Who asks. `open` is anybody who reaches a page without token: they may read and nothing else. */
export type Reader =
  | { readonly kind: "open" }
  | { readonly kind: "bearer" }
  | { readonly kind: "session"; readonly id: string; readonly csrf: string };

/** Who is not let in hears so after `lateMs`: above 0 where many wrong tokens came from. */
interface Refusal {
  readonly admitted: false;
  readonly lateMs: number;
}

type Admission = { readonly admitted: true; readonly reader: Reader } | Refusal;

type Login = { readonly admitted: true; readonly id: string; readonly lastsSeconds: number } | Refusal;

export interface Access {
  /** Whether there is a token at all; without one everybody may read and nobody may act. */
  readonly hasToken: boolean;
  admit(visitor: Visitor): Admission;
  login(token: string, address: string): Login;
  logout(id: string): void;
  /** Whether a form was made for this session. */
  isOwnForm(reader: Reader, csrf: string): boolean;
}

const sessionSeconds = 12 * 3600;
const mostSessions = 50;
const freeFailures = 5;
const firstLateMs = 250;
const mostLateMs = 8000;
const forgetMs = 15 * 60_000;
const mostNetworks = 1000;
/** Answers that are late at a time: whoever guesses shall not take all connections from who knows. */
const mostLate = 32;

/**
 * Keeps the door: tokens, sessions of those who gave one, and how late a wrong token is answered. All of it in memory.
 *
 * The right token is let in always and at once, whatever came before it from the same address: behind a proxy that is
 * everybody's. What keeps guesses hopeless is the token's length; that wrong ones are answered late keeps them few.
 *
 * @param token - empty means none
 * @param nowMs - any clock that does not go backwards
 */
export function createAccess(token: string, nowMs: () => number): Access {
  // Under a key of this process, digests of equal length are compared: the time tells neither content nor length.
  const key = randomBytes(32);
  const digest = (text: string) => createHmac("sha256", key).update(text).digest();
  const same = (a: string, b: string) => timingSafeEqual(digest(a), digest(b));
  const sessions = new Map<string, { readonly csrf: string; readonly untilMs: number }>();
  const guesses = guessesBy(nowMs);
  const nameOf = (id: string) => digest(id).toString("base64url");

  /** Undefined for the right one. */
  function refusalOf(text: string, address: string): Refusal | undefined {
    const isRight = same(text, token) && token !== "";
    return isRight ? undefined : { admitted: false, lateMs: guesses.note(address) };
  }

  function sessionOf(id: string): Reader | undefined {
    const name = nameOf(id);
    const session = sessions.get(name);
    if (!session) return undefined;
    if (session.untilMs <= nowMs()) {
      sessions.delete(name);
      return undefined;
    }
    return { kind: "session", id, csrf: session.csrf };
  }

  return {
    hasToken: token !== "",
    admit({ address, authorization, session }) {
      if (token === "") return { admitted: true, reader: { kind: "open" } };
      const bearer = authorization === undefined ? undefined : /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
      if (bearer !== undefined) {
        return refusalOf(bearer, address) ?? { admitted: true, reader: { kind: "bearer" } };
      }
      const reader = session === undefined ? undefined : sessionOf(session);
      return reader ? { admitted: true, reader } : { admitted: false, lateMs: 0 };
    },
    login(text, address) {
      const refusal = refusalOf(text, address);
      if (refusal) return refusal;
      const id = randomBytes(32).toString("base64url");
      const [oldest] = sessions.keys();
      if (sessions.size >= mostSessions && oldest !== undefined) sessions.delete(oldest);
      sessions.set(nameOf(id), {
        csrf: randomBytes(32).toString("base64url"),
        untilMs: nowMs() + sessionSeconds * 1000,
      });
      return { admitted: true, id, lastsSeconds: sessionSeconds };
    },
    logout(id) {
      sessions.delete(nameOf(id));
    },
    isOwnForm(reader, csrf) {
      // No browser adds an Authorization header by itself, so no other site can make it send one.
      if (reader.kind === "bearer") return true;
      return reader.kind === "session" && same(csrf, reader.csrf);
    },
  };
}

/** How late a network's wrong tokens are answered: the first few at once, then later each time. */
function guessesBy(nowMs: () => number): { note(address: string): number } {
  // The network whose last wrong token is the oldest comes first.
  const failed = new Map<string, { readonly times: number; readonly atMs: number }>();
  return {
    note(address) {
      const network = networkOf(address);
      const before = failed.get(network);
      const isForgotten = before === undefined || nowMs() - before.atMs > forgetMs;
      const times = isForgotten ? 1 : before.times + 1;
      failed.delete(network);
      const [oldest] = failed.keys();
      if (failed.size >= mostNetworks && oldest !== undefined) failed.delete(oldest);
      failed.set(network, { times, atMs: nowMs() });
      return times <= freeFailures ? 0 : Math.min(mostLateMs, firstLateMs * 2 ** (times - freeFailures - 1));
    },
  };
}

/** Waits before a wrong token is answered; not at all where so many wait already. */
export function lateAnswers(): (ms: number) => Promise<void> {
  let waiting = 0;
  return async (ms) => {
    if (ms === 0 || waiting >= mostLate) return;
    waiting++;
    await new Promise((resolve) => setTimeout(resolve, ms).unref());
    waiting--;
  };
}

/** One household or machine has a whole /64 of IPv6 addresses to guess from. */
function networkOf(address: string): string {
  if (isIP(address) !== 6 || address.startsWith("::ffff:")) return address;
  const [head = "", tail] = address.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail ? tail.split(":") : [];
  const middle = tail === undefined ? [] : Array<string>(8 - before.length - after.length).fill("0");
  return [...before, ...middle, ...after].slice(0, 4).join(":");
}

/** Whether only this machine can reach an address. A name other than `localhost` may mean any machine. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  return bare === "localhost" || bare === "::1" || (isIP(bare) === 4 && bare.startsWith("127."));
}

/**
 * Whether a request may name this host. Another site whose name was made to point here (DNS rebinding) names itself: only
 * names that are surely ours are answered.
 *
 * @param header - the `Host` header
 * @param listens - the host of the setting
 * @param machine - the machine's name
 */
export function isOurHost(header: string | undefined, listens: string, machine: string): boolean {
  const host = header === undefined ? undefined : hostIn(header);
  if (host === undefined) return false;
  if (isLoopback(host) || host === listens.toLowerCase()) return true;
  // Listening everywhere: by number nobody is deceived about where a name points.
  const isEverywhere = listens === "0.0.0.0" || listens === "::";
  return isEverywhere && (isIP(host) !== 0 || host === machine.toLowerCase());
}

/** The host of a `Host` header without its port and brackets; `undefined` for what is none. */
function hostIn(header: string): string | undefined {
  const [, bracketed, plain] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+))(?::\d{1,5})?$/i.exec(header) ?? [];
  return (bracketed ?? plain)?.toLowerCase();
}

/** What a browser says about where a request comes from. */
export interface Origins {
  readonly method: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** `Sec-Fetch-Site`. */
  readonly site: string | undefined;
  /** `Sec-Fetch-Mode`. */
  readonly mode: string | undefined;
}

/** Whether another site had this sent. Following a link from there to read is all that other sites can do. */
export function isFromElsewhere({ method, host, origin, site, mode }: Origins): boolean {
  const reads = method === "GET" || method === "HEAD";
  if (site !== undefined && site !== "same-origin" && site !== "none") return !(reads && mode === "navigate");
  if (origin === undefined) return false;
  return origin !== `http://${host}` && origin !== `https://${host}`;
}
