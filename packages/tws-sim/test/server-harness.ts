import { connect, type Socket } from "node:net";
import { syntheticSource } from "@pf/bars";
import { newYorkToUtcMs, sessionDate, xnys } from "@pf/market";
import { type Contract as ClientContract, EventName, IBApi, type Order } from "@stoqey/ib";
import { onTestFinished } from "vitest";
import { type SimulatedSymbol, type Simulator, type SimulatorOptions, startSimulator } from "../src/index.js";

/** Three symbols over two years: enough for everything but endurance. */
export const symbols: Promise<readonly SimulatedSymbol[]> = (async () => {
  const source = syntheticSource({ seed: 7, calendar: xnys, complete: true });
  return Promise.all(
    ["SPY", "QQQ", "TLT"].map(async (ticker) => {
      const { adjusted, trades } = await source.fetch(
        ticker,
        sessionDate("2024-01-02"),
        sessionDate("2025-12-31"),
      );
      return { adjusted, trades: trades! };
    }),
  );
})();

/** 15:30 in New York on a normal session that is not the last one. */
export const afternoon = newYorkToUtcMs(sessionDate("2025-12-29"), "15:30");
export const account = "DUK200445";

/** A simulator whose clock stands until it is told to go on. */
export async function simulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const started = await startSimulator({
    symbols: await symbols,
    startUtcMs: afternoon,
    speed: "frozen",
    accounts: [{ id: account, cashCents: 10_000_000 }],
    ...options,
  });
  onTestFinished(() => started.close());
  return started;
}

/** What an event carries; which kinds of values is the matter of each event and of who expects it. */
type Values = ReturnType<typeof JSON.parse>[];

/** A client of another make, and everything it heard. */
export interface Client {
  readonly api: IBApi;
  readonly events: (readonly [name: string, ...values: unknown[]])[];
  /** What the client complains about by itself: fields too many, too few, or of no known message. */
  readonly complaints: string[];
  /** Resolves with the first event of the name, heard already or to come, that fits. */
  heard(name: string, fits?: (...values: Values) => boolean): Promise<Values>;
  all(name: string): readonly Values[];
  close(): void;
}

export async function client(port: number, clientId = 17): Promise<Client> {
  const made = unconnectedClient(port);
  made.api.connect(clientId);
  await made.heard("nextValidId");
  return made;
}

export function unconnectedClient(port: number): Client {
  const api = new IBApi({ host: "127.0.0.1", port, maxReqPerSec: 100_000 });
  const events: (readonly [string, ...unknown[]])[] = [];
  const complaints: string[] = [];
  const waiting = new Set<() => void>();
  api.on(EventName.all, (name, values) => {
    if (name === EventName.received || name === EventName.sent) return;
    events.push([name, ...(values as unknown[])]);
    if (name === EventName.error) {
      const [error, code, id] = values as unknown as [Error, number, number];
      if (/unprocessed|nderrun|No parser|overflow/.test(error.message)) complaints.push(error.message);
      void code;
      void id;
    }
    for (const look of [...waiting]) look();
  });
  const all = (name: string) => events.filter(([own]) => own === name).map(([, ...values]) => values);
  const made: Client = {
    api,
    events,
    complaints,
    all,
    heard(name, fits = () => true) {
      return new Promise((resolve, reject) => {
        const look = (): void => {
          const found = all(name).find((values) => fits(...values));
          if (!found) return;
          waiting.delete(look);
          clearTimeout(limit);
          resolve(found);
        };
        const limit = setTimeout(() => {
          waiting.delete(look);
          reject(new Error(`no ${name} was heard; heard ${JSON.stringify(events.slice(-30), shortError)}`));
        }, 5000);
        waiting.add(look);
        look();
      });
    },
    close: () => {
      api.disconnect();
    },
  };
  onTestFinished(() => made.close());
  return made;
}

function shortError(_key: string, value: unknown): unknown {
  return value instanceof Error ? value.message : value;
}

export const stock = (symbol: string): ClientContract => ({
  symbol,
  secType: "STK" as never,
  exchange: "SMART",
  currency: "USD",
});

export const order = (action: "BUY" | "SELL", totalQuantity: number, more: Partial<Order> = {}): Order => ({
  action: action as never,
  totalQuantity,
  orderType: "MKT" as never,
  tif: "DAY" as never,
  account,
  orderRef: "ref-1",
  transmit: true,
  outsideRth: false,
  ...more,
});

/** A socket without a client. */
export interface RawClient {
  readonly socket: Socket;
  readonly frames: string[][];
  send(...fields: readonly (string | number)[]): void;
  /** Resolves when a frame fits, heard already or to come. */
  frame(fits: (fields: readonly string[]) => boolean): Promise<readonly string[]>;
  closed: Promise<void>;
  close(): void;
}

export function encode(fields: readonly (string | number)[]): Buffer {
  const body = Buffer.from(`${fields.join("\0")}\0`);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
}

export function greeting(text: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  return Buffer.concat([Buffer.from("API\0"), length, Buffer.from(text)]);
}

export async function rawSocket(port: number): Promise<RawClient> {
  const socket = connect({ host: "127.0.0.1", port });
  const frames: string[][] = [];
  const waiting = new Set<() => void>();
  let pending = Buffer.alloc(0);
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  socket.on("error", () => undefined);
  socket.on("data", (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 4 && pending.length >= 4 + pending.readUInt32BE(0)) {
      const end = 4 + pending.readUInt32BE(0);
      frames.push(
        pending
          .subarray(4, end - 1)
          .toString("utf8")
          .split("\0"),
      );
      pending = pending.subarray(end);
    }
    for (const look of [...waiting]) look();
  });
  await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
  const made: RawClient = {
    socket,
    frames,
    closed,
    send: (...fields) => {
      socket.write(encode(fields));
    },
    frame: (fits) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = frames.find(fits);
          if (!found) return;
          waiting.delete(look);
          clearTimeout(limit);
          resolve(found);
        };
        const limit = setTimeout(
          () => reject(new Error(`no such frame among ${JSON.stringify(frames)}`)),
          5000,
        );
        waiting.add(look);
        look();
      }),
    close: () => socket.destroy(),
  };
  onTestFinished(() => made.close());
  return made;
}

/** A raw connection that has started the API at a version. */
export async function rawClient(port: number, version: number, clientId: number): Promise<RawClient> {
  const raw = await rawSocket(port);
  raw.socket.write(greeting(`v100..${version}`));
  await raw.frame((fields) => fields[0] === String(version));
  raw.send(71, 2, clientId, "");
  await raw.frame((fields) => fields[0] === "9");
  return raw;
}
