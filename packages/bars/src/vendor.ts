import { setTimeout as sleep } from "node:timers/promises";
import { type BarSeries, dayNumber, type SessionDate, type Ticker } from "@pf/market";
import {
  SourceAnswerError,
  SourceFaultError,
  SourceKeyError,
  SourceLimitError,
  SourceRefusedError,
  SourceUnavailableError,
} from "./errors.js";
import type { SourceNote } from "./source.js";

/** How a vendor of bars is reached, and how long we are patient with it. */
export interface VendorOptions {
  /** Where its service is, instead of the address it publishes. HTTPS, or a loopback address for tests. */
  readonly baseUrl?: string;
  /** How long one answer may take, to its last byte. @default 30_000 */
  readonly timeoutMs?: number;
  /** The first wait before asking again after a fault of the service; it doubles from time to time. @default 1_000 */
  readonly firstPauseMs?: number;
  /** The longest wait that a limit of the service may impose; a longer one is an error. @default 120_000 */
  readonly longestPauseMs?: number;
  /** Told before every wait, with its length in milliseconds and the reason in words. */
  readonly onPause?: (ms: number, reason: string) => void;
  /** The time, against which limits count. Default: the machine's clock. */
  readonly nowUtcMs?: () => number;
}

/** What is particular about one vendor. */
export interface VendorTraits {
  /** As in `data.source`, and in the cache. */
  readonly name: string;
  readonly baseUrl: string;
  /** The keys by the environment variable they come from. They go into headers only, never into an address or a text. */
  readonly keys: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  /** Whether a status means that the keys are wrong, given what the vendor says with it. */
  isKeyRefused(status: number, said: string): boolean;
  /** Whether a refusal means that there is no such symbol. */
  isSymbolUnknown(status: number, said: string): boolean;
  /** Whether a limit was met that a minute's wait will not lift: hourly, daily or monthly allowances. */
  isAllowanceSpent(said: string): boolean;
}

interface Question {
  readonly ticker: Ticker;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** A vendor's answer: JSON nobody has looked into yet; `undefined` where it says that there is no such thing. */
export interface Vendor {
  ask(question: Question): Promise<unknown>;
}

/** How often a question is put before it counts as failed. */
const attempts = 4;
/** After so many symbols in a row that failed for the service's faults, it is the service and not the symbols. */
const faultsInARow = 3;

/**
 * A service that answers questions about bars as JSON over HTTPS.
 *
 * Faults of the service and of the line (5xx, time-outs, cut connections) are asked again with growing waits, limits
 * (429) after as long as the service says. Redirects are not followed: the keys are for this address alone.
 *
 * `ask` rejects with `SourceKeyError` (the keys are refused), `SourceLimitError` (an allowance is used up),
 * `SourceRefusedError` (this question will never be answered), `SourceFaultError` (it failed again and again),
 * `SourceAnswerError` (what was sent is no JSON) or `SourceUnavailableError` (nobody is there).
 *
 * @throws SourceKeyError for a key that can be none, so that none of its characters gets into a message of others
 */
export function openVendor(traits: VendorTraits, options: VendorOptions = {}): Vendor {
  const { name } = traits;
  const { timeoutMs = 30_000, firstPauseMs = 1_000, longestPauseMs = 120_000, onPause } = options;
  const now = options.nowUtcMs ?? Date.now;
  for (const [variable, key] of Object.entries(traits.keys)) {
    if (!/^[\x21-\x7e]+$/.test(key))
      throw new SourceKeyError(name, [variable], `${variable} is empty or holds characters that no key has`);
  }
  const base = checkedBase(name, options.baseUrl ?? traits.baseUrl);
  const secrets = Object.values(traits.keys);
  let notBeforeUtcMs = 0;
  let faults = 0;

  const pause = async (ms: number, reason: string, signal: AbortSignal | undefined) => {
    onPause?.(ms, reason);
    await sleep(ms, undefined, signal ? { signal } : {});
  };
  const spent = (said: string, waitMs?: number) => new SourceLimitError(name, said, waitMs);

  /** One answer for good or bad; a reason to ask again is returned as one. */
  const once = async (url: URL, { ticker, signal }: Question): Promise<Outcome> => {
    const timeout = AbortSignal.timeout(timeoutMs);
    let response: Response;
    let text: string;
    try {
      response = await fetch(url, {
        headers: { Accept: "application/json", ...traits.headers },
        redirect: "manual",
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
      // A key that is repeated in an answer goes no further than here.
      text = withoutSecrets(await response.text(), secrets);
    } catch (error) {
      if (signal?.aborted) throw error;
      if (timeout.aborted) return { again: `no answer within ${seconds(timeoutMs)}` };
      const why = lineFault(error);
      if (why.isFinal) {
        const next = `check the network, and that ${base.host} can be reached from here`;
        throw new SourceUnavailableError(name, base.origin, why.text, next, { cause: error });
      }
      return { again: why.text };
    }
    const { status, headers } = response;
    const reset = Number(headers.get("x-ratelimit-reset")) * 1000;
    if (headers.get("x-ratelimit-remaining")?.trim() === "0" && reset > now()) notBeforeUtcMs = reset;

    const body = readBody(text);
    const { said } = body;
    if (status === 429 || (status < 500 && traits.isAllowanceSpent(said))) {
      const waitMs =
        retryAfterMs(headers.get("retry-after"), now()) ?? (reset > now() ? reset - now() : undefined);
      const isTooLong = waitMs === undefined ? traits.isAllowanceSpent(said) : waitMs > longestPauseMs;
      if (isTooLong) throw spent(said, waitMs);
      const again = said || "too many requests";
      return { again, isLimit: true, ...(waitMs === undefined ? {} : { waitMs }) };
    }
    if (status >= 200 && status < 300) {
      if (body.isJson) return { json: body.json };
      // The parser's own message would quote what was sent, which is not ours to repeat unseen.
      const start = JSON.stringify(shortened(plainText(text), 60));
      const fault = text === "" ? "it is empty" : `it is not JSON, it begins with ${start}`;
      throw new SourceAnswerError(name, ticker, [fault]);
    }
    if (traits.isSymbolUnknown(status, said)) return { json: undefined };
    const told =
      withoutSecrets(`${status} ${response.statusText}`, secrets).trim() + (said === "" ? "" : `: ${said}`);
    if (status >= 500 || status === 408) return { again: told };
    if (traits.isKeyRefused(status, said)) {
      const variables = Object.keys(traits.keys);
      throw new SourceKeyError(
        name,
        variables,
        `${name} refuses the key of ${variables.join(" and ")} (${told})`,
        true,
      );
    }
    if (status >= 300 && status < 400) {
      throw new SourceRefusedError(
        name,
        ticker,
        status,
        "it points to another address, where the keys must not go",
      );
    }
    throw new SourceRefusedError(name, ticker, status, said);
  };

  const persist = async (question: Question): Promise<unknown> => {
    const { path, query, signal, ticker } = question;
    const url = new URL(base.href.replace(/\/$/, "") + path);
    for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
    for (let attempt = 1; ; attempt++) {
      const waitMs = notBeforeUtcMs - now();
      if (waitMs > longestPauseMs) throw spent("the requests of this span are used up", waitMs);
      if (waitMs > 0) await pause(waitMs, `${name}: the requests of this span are used up`, signal);
      const outcome = await once(url, question);
      if (!("again" in outcome)) return outcome.json;
      if (attempt === attempts) {
        if (outcome.isLimit) throw spent(outcome.again, outcome.waitMs);
        throw new SourceFaultError(name, ticker, attempts, outcome.again);
      }
      const ms = Math.min(outcome.waitMs ?? firstPauseMs * 2 ** (attempt - 1), longestPauseMs);
      await pause(ms, `${name}: ${outcome.again}`, signal);
    }
  };

  return {
    async ask(question) {
      try {
        const json = await persist(question);
        faults = 0;
        return json;
      } catch (error) {
        if (!(error instanceof SourceFaultError)) throw error;
        faults++;
        if (faults < faultsInARow) throw error;
        const why = `failed for ${faults} symbols in a row: ${error.last}`;
        const next = "wait until the service works again, and run it again";
        throw new SourceUnavailableError(name, base.origin, why, next, { cause: error });
      }
    },
  };
}

type Outcome =
  | { readonly json: unknown }
  /** Why to ask again, and how long to wait before, where the service says so. */
  | { readonly again: string; readonly isLimit?: boolean; readonly waitMs?: number };

/** Faults in a vendor's answer, gathered so that the first few are told together. */
export function answerFaults(source: string, ticker: Ticker) {
  const faults: string[] = [];
  return {
    add: (fault: string) => faults.push(fault),
    /** A number that a row must have; `NaN` where it is none, which is a fault. */
    number(row: Readonly<Record<string, unknown>>, field: string, place: string): number {
      const value = row[field];
      if (typeof value === "number" && Number.isFinite(value)) return value;
      faults.push(
        `${field} of ${place} ${field in row ? `is ${inWords(value)}` : "is missing"}, not a number`,
      );
      return Number.NaN;
    },
    /** @throws SourceAnswerError if there is any */
    check(): void {
      if (faults.length > 0) throw new SourceAnswerError(source, ticker, faults);
    },
  };
}

/** A history that begins later than asked for is the vendor's last word on it, and worth a line. */
export function lateStart(source: string, { sessions }: BarSeries, from: SessionDate): readonly SourceNote[] {
  const [first] = sessions;
  // Within a week there may be no session at all.
  if (first === undefined || dayNumber(first) - dayNumber(from) <= 7) return [];
  return [{ text: `${source}'s history begins on ${first}; bars were asked for from ${from} on` }];
}

export function isRow(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value out of a vendor's answer as a message may show it. */
export function inWords(value: unknown): string {
  if (value === undefined) return "missing";
  if (typeof value === "string") return `the text ${JSON.stringify(shortened(plainText(value), 40))}`;
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

interface Body {
  readonly isJson: boolean;
  readonly json?: unknown;
  /** What the vendor says in words: the usual fields of an error in JSON, or a short plain text. */
  readonly said: string;
}

function readBody(text: string): Body {
  const words = (value: unknown) =>
    typeof value === "string" ? shortened(plainText(value).replace(/^error: /i, ""), 200) : "";
  try {
    const json: unknown = JSON.parse(text);
    return {
      isJson: true,
      json,
      said: words(isRow(json) ? (json.detail ?? json.message ?? json.error) : json),
    };
  } catch {
    // Limits are told in plain text, too; a page in HTML is for browsers.
    return { isJson: false, said: /^\s*</.test(text) ? "" : words(text) };
  }
}

function checkedBase(source: string, text: string): URL {
  const next = "use the published address";
  if (!URL.canParse(text)) throw new SourceUnavailableError(source, text, "is not an address", next);
  const url = new URL(text);
  const isLoopback = /^(127(\.\d+){3}|\[::1\]|localhost)$/.test(url.hostname);
  if (url.protocol === "https:" || (url.protocol === "http:" && isLoopback)) return url;
  throw new SourceUnavailableError(
    source,
    url.origin,
    "is not HTTPS, so that keys could be read on the way",
    next,
  );
}

/** Seconds or a date, as HTTP has it. */
function retryAfterMs(header: string | null, nowUtcMs: number): number | undefined {
  if (header === null || header.trim() === "") return undefined;
  const ms = /^\s*\d+\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - nowUtcMs;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

const unreachable: Readonly<Record<string, string>> = {
  ECONNREFUSED: "refuses the connection",
  ENOTFOUND: "cannot be found",
  EHOSTUNREACH: "cannot be reached",
  ENETUNREACH: "cannot be reached",
  UND_ERR_INVALID_ARG: "cannot be asked",
};

/** What happened on the line; final where asking again in a few seconds would be no use. */
function lineFault(error: unknown): { readonly text: string; readonly isFinal: boolean } {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const words = unreachable[code];
  if (words !== undefined) return { text: `${words} (${code})`, isFinal: true };
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS/.test(code)) {
    return { text: `has a certificate that cannot be trusted (${code})`, isFinal: true };
  }
  return { text: `the connection broke${code === "" ? "" : ` (${code})`}`, isFinal: false };
}

function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets.reduce((safe, secret) => safe.replaceAll(secret, "…"), text);
}

function plainText(text: string): string {
  return text.replaceAll(/[\p{Cc}\s]+/gu, " ").trim();
}

function shortened(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}
