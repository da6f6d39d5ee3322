import type { Socket } from "node:net";
import type { IBApi } from "@stoqey/ib";
import { ProtocolError } from "../errors.js";
import type { LinkEventName, LinkEvents } from "./events.js";
import { FrameReader, fieldsOf, frameOf } from "./frames.js";

/** What one connection of the library tells, each at most once but the messages. */
export interface LibraryListener {
  /** The socket is open; nothing was said yet. */
  opened(): void;
  /** The server named its version and the time. */
  greeted(serverVersion: number, time: string): void;
  /** The server's list of accounts, and the first order id that is free for this client. */
  managedAccounts(list: string): void;
  nextValidId(orderId: number): void;
  message<E extends LinkEventName>(event: E, args: LinkEvents[E]): void;
  /** An error or a notice; `id` is -1 when it belongs to no request and no order. */
  error(id: number, code: number, message: string): void;
  /** The connection is over, for this reason where there is one. Nothing follows. */
  ended(reason: Error | undefined): void;
}

/** One connection, from its first byte to its last. It never connects again. */
export interface Library {
  readonly api: IBApi;
  /** The fields of the message being delivered, as they are on the wire. */
  readonly fields: readonly string[];
  destroy(): void;
}

/** What is below the library's doors. Its exact version is pinned, and a test holds it to this shape. */
interface Insides {
  readonly controller: {
    readonly socket: { readonly client?: Socket; onData(data: Buffer): void };
  };
}

interface Emitter {
  on(event: string, listener: (...args: never[]) => void): void;
}

/** The library answers every problem of its own with one of these. */
const libraryCodes = new Set([501, 502, 503, 504, 505, 506]);

const heard: readonly LinkEventName[] = [
  "accountSummary",
  "accountSummaryEnd",
  "commissionReport",
  "completedOrder",
  "completedOrdersEnd",
  "contractDetails",
  "contractDetailsEnd",
  "currentTime",
  "execDetails",
  "execDetailsEnd",
  "historicalData",
  "marketDataType",
  "openOrder",
  "openOrderEnd",
  "orderStatus",
  "position",
  "positionEnd",
  "tickPrice",
  "tickSize",
  "tickSnapshotEnd",
  "tickString",
];

/**
 * Opens one connection with a library object of its own.
 *
 * Three habits of the library are kept from doing harm. It keeps calls made while not connected and sends them after a
 * reconnect: here an object is used for one connection only, so that what it might keep dies with it. It believes any
 * length and any text that arrives: here bytes are cut and looked at before it sees them, and what it throws ends the
 * connection instead of the process. It delays what goes beyond its own rate: here its rate is out of reach, and
 * {@link Pacing} decides.
 */
export async function openLibrary(
  address: { readonly host: string; readonly port: number; readonly clientId: number },
  listener: LibraryListener,
): Promise<Library> {
  // The library takes 0.1 s to load: nobody who only plans should wait for it.
  const { IBApi: Api } = await import("@stoqey/ib");
  const api = new Api({ ...address, maxReqPerSec: 1e9 });
  const events = api as unknown as Emitter;
  let fields: readonly string[] = [];
  let over = false;

  const end = (reason: Error | undefined): void => {
    if (over) return;
    over = true;
    client.destroy();
    listener.ended(reason);
  };
  /** Whatever happens inside a callback of the socket ends the connection, never the process. */
  const contained = <A extends unknown[]>(act: (...args: A) => void) => {
    return (...args: A): void => {
      if (over) return;
      try {
        act(...args);
      } catch (cause) {
        end(cause instanceof ProtocolError ? cause : new ProtocolError(inShort(cause), { cause }));
      }
    };
  };

  events.on(
    "managedAccounts",
    contained((list: string) => listener.managedAccounts(list)),
  );
  events.on(
    "nextValidId",
    contained((id: number) => listener.nextValidId(id)),
  );
  events.on(
    "info",
    contained((message: string, code: number) => listener.error(-1, code, clip(message))),
  );
  events.on(
    "error",
    contained((error: Error, code: number, id: number) => {
      // Refused connections and the like are heard from the socket itself, with their own codes.
      if (id === -1 && libraryCodes.has(code) && code !== 505) return;
      listener.error(id, code, clip(error.message));
    }),
  );
  for (const event of heard) {
    events.on(
      event,
      contained((...args: unknown[]) => listener.message(event, args as LinkEvents[typeof event])),
    );
  }

  api.connect(address.clientId);
  const { socket } = (api as unknown as Insides).controller;
  if (socket.client === undefined || typeof socket.onData !== "function")
    throw new ProtocolError("an unknown version of @stoqey/ib is installed");
  const client = socket.client;

  const reader = new FrameReader();
  let greeted = false;
  let head = Buffer.alloc(0);
  client.removeAllListeners("data");
  client.setNoDelay(true);
  client.setKeepAlive(true, 30_000);
  client.on(
    "connect",
    contained(() => listener.opened()),
  );
  client.on("error", (reason) => end(reason));
  client.on("close", () => end(undefined));
  client.on("end", () => end(undefined));
  client.on(
    "data",
    contained((chunk: Buffer) => {
      if (!greeted && head.length < 60) head = Buffer.concat([head, chunk.subarray(0, 60)]);
      for (const frame of greeted ? reader.push(chunk) : readGreeting(reader, chunk, head)) {
        if (over) return;
        fields = fieldsOf(frame);
        const first = !greeted;
        if (first) checkGreeting(fields);
        greeted = true;
        socket.onData(withReadableReason(frame, fields));
        if (first) listener.greeted(Number(fields[0]), fields[1]!);
      }
    }),
  );

  return {
    api,
    get fields() {
      return fields;
    },
    destroy: () => end(undefined),
  };
}

/** The first bytes say whether this is TWS at all; the error carries them. */
function readGreeting(reader: FrameReader, chunk: Buffer, head: Buffer): Buffer[] {
  try {
    return reader.push(chunk);
  } catch (cause) {
    throw new ProtocolError(speech(head), { cause });
  }
}

function checkGreeting(fields: readonly string[]): void {
  if (fields.length !== 2 || !/^\d{1,9}$/.test(fields[0]!))
    throw new ProtocolError(`begins with ${JSON.stringify(clip(fields.join(" "), 60))}`);
}

function speech(head: Buffer): string {
  const text = head.toString("latin1", 0, 60);
  if (text.startsWith("HTTP/")) return `speaks HTTP (${JSON.stringify(text.split("\r")[0])})`;
  if (head[0] === 0x15 || head[0] === 0x16) return "speaks TLS";
  return `begins with ${JSON.stringify(text)}`;
}

/** An error's machine-readable reason that cannot be read is left out: the error itself must arrive. */
function withReadableReason(frame: Buffer, fields: readonly string[]): Buffer {
  const reason = fields[0] === "4" ? fields[5] : undefined;
  if (!reason) return frame;
  try {
    JSON.parse(reason);
    return frame;
  } catch {
    return frameOf(fields.map((field, at) => (at === 5 ? "" : field)));
  }
}

function inShort(cause: unknown): string {
  return clip(cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause));
}

/** Texts are for people; a server may send megabytes. */
function clip(text: string, length = 500): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
