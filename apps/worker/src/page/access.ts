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

type Admission =
  | { readonly admitted: true; readonly reader: Reader }
  /** `waitSeconds` above 0: too many wrong tokens came from there, nothing was looked at. */
  | { readonly admitted: false; readonly waitSeconds: number };

type Login =
  | { readonly admitted: true; readonly id: string; readonly lastsSeconds: number }
  | { readonly admitted: false; readonly waitSeconds: number };

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
const longestWaitMs = 60_000;
const mostAddresses = 1000;

/**
 * Keeps the door: tokens, sessions of those who gave one, and how often an address may guess. All of it in memory.
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
  const guesses = guessLimit(nowMs);
  const nameOf = (id: string) => digest(id).toString("base64url");

  function guess(text: string, address: string): { readonly right: boolean; readonly waitSeconds: number } {
    const waitSeconds = guesses.waitSeconds(address);
    if (waitSeconds > 0) return { right: false, waitSeconds };
    const right = token !== "" && same(text, token);
    guesses.note(address, right);
    return { right, waitSeconds: 0 };
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
        const { right, waitSeconds } = guess(bearer, address);
        return right ? { admitted: true, reader: { kind: "bearer" } } : { admitted: false, waitSeconds };
      }
      const reader = session === undefined ? undefined : sessionOf(session);
      return reader ? { admitted: true, reader } : { admitted: false, waitSeconds: 0 };
    },
    login(text, address) {
      const { right, waitSeconds } = guess(text, address);
      if (!right) return { admitted: false, waitSeconds };
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

/** After a few wrong tokens an address waits, twice as long each time; what comes meanwhile is not even looked at. */
function guessLimit(nowMs: () => number): {
  waitSeconds(address: string): number;
  note(address: string, right: boolean): void;
} {
  const failed = new Map<string, { readonly times: number; readonly untilMs: number }>();
  return {
    waitSeconds(address) {
      const untilMs = failed.get(networkOf(address))?.untilMs ?? 0;
      return Math.max(0, Math.ceil((untilMs - nowMs()) / 1000));
    },
    note(address, right) {
      const network = networkOf(address);
      const times = right ? 0 : (failed.get(network)?.times ?? 0) + 1;
      failed.delete(network);
      if (times === 0) return;
      const [oldest] = failed.keys();
      if (failed.size >= mostAddresses && oldest !== undefined) failed.delete(oldest);
      const waitMs = times < freeFailures ? 0 : Math.min(longestWaitMs, 1000 * 2 ** (times - freeFailures));
      failed.set(network, { times, untilMs: nowMs() + waitMs });
    },
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
