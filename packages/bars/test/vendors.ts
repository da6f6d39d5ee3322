import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { SessionDate } from "@pf/market";
import fc from "fast-check";
import { sessionsFrom } from "./world.js";

/** What really happened to a share: prices of the day, what it paid, and into how many it was split that morning. */
export interface History {
  readonly sessions: readonly SessionDate[];
  readonly close: readonly number[];
  readonly dividends: readonly number[];
  readonly splits: readonly number[];
}

/** Histories with dividends and splits on random days. */
export function histories(from = "2024-01-02", { min = 12, max = 60 } = {}): fc.Arbitrary<History> {
  const daily = fc.record({
    move: fc.double({ min: -0.04, max: 0.04, noNaN: true }),
    dividend: fc.oneof({ weight: 7, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 300 })),
    split: fc.oneof({ weight: 15, arbitrary: fc.constant(1) }, fc.constantFrom(2, 3, 1.5, 0.1)),
  });
  return fc.array(daily, { minLength: min, maxLength: max }).map((days) => {
    let price = 100;
    const close = days.map(({ move, split }) => {
      price = Math.max(1, Math.round(((price * (1 + move)) / split) * 100) / 100);
      return price;
    });
    return {
      sessions: sessionsFrom(from, days.length),
      close,
      // A hundredth of the price at most, in cents; nothing is paid on the first day, before which nobody held.
      dividends: days.map(({ dividend }, row) =>
        row === 0 ? 0 : Math.round(dividend * close[row]! * 0.03) / 1000,
      ),
      splits: days.map(({ split }, row) => (row === 0 ? 1 : split)),
    };
  });
}

/** A plain history: no dividend, no split. */
export function plainHistory(from: string, count: number, price = 100): History {
  const sessions = sessionsFrom(from, count);
  return {
    sessions,
    close: sessions.map((_, row) => price + ((row * 7) % 11) / 8),
    dividends: sessions.map(() => 0),
    splits: sessions.map(() => 1),
  };
}

export interface Asked {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingMessage["headers"];
}

/** Answers one request in place of the service; `false` leaves it to the service after all. */
export type Trick = (response: ServerResponse, asked: Asked) => unknown;

/** Both services at one address of this machine, speaking as their documentation says. */
export interface VendorServer {
  readonly url: string;
  readonly asked: Asked[];
  readonly histories: Record<string, History>;
  /** The last session the service knows of; adjusted prices are as of it. */
  asOf: SessionDate | undefined;
  /** Alpaca's bars on a page, where a request does not want fewer. */
  pageSize: number;
  /** Served first, in order, one a request. */
  readonly tricks: Trick[];
  /** Served to all requests after these. */
  trick: Trick | undefined;
  close(): Promise<void>;
}

export const keys = {
  tiingo: "tk-4f1c9e0SECRET",
  alpacaId: "PKID77SECRET",
  alpacaSecret: "as-a81bSECRET",
} as const;

export async function vendorServer(histories: Record<string, History> = {}): Promise<VendorServer> {
  const world: VendorServer = {
    url: "",
    asked: [],
    histories,
    asOf: undefined,
    pageSize: 10_000,
    tricks: [],
    trick: undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  const server: Server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    const asked = {
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: request.headers,
    };
    world.asked.push(asked);
    const trick = world.tricks.shift() ?? world.trick;
    if (trick && trick(response, asked) !== false) return;
    if (asked.path.startsWith("/tiingo/")) tiingo(world, response, asked);
    else alpaca(world, response, asked);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(world, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

/** A trick that answers with a status, a body (an object as JSON) and headers. */
export function answering(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Trick {
  return (response) => send(response, status, body, headers);
}

function send(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { "Content-Type": "application/json", ...headers });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
}

function tiingo(
  { histories, asOf }: VendorServer,
  response: ServerResponse,
  { path, query, headers }: Asked,
): void {
  if (headers.authorization !== `Token ${keys.tiingo}`) {
    send(response, 401, { detail: "Invalid token." });
    return;
  }
  const ticker = /^\/tiingo\/daily\/([^/]+)\/prices$/.exec(path)?.[1] ?? "";
  const history = histories[ticker];
  if (!history) {
    send(response, 404, { detail: "Not found." });
    return;
  }
  send(response, 200, tiingoRows(history, asOf, query.startDate, query.endDate));
}

export function tiingoRows(history: History, asOf?: SessionDate, from = "", to = "9999") {
  const { sessions, close, dividends, splits } = history;
  const { totals, shares } = adjustments(history, asOf);
  return sessions.flatMap((session, row) => {
    if (session < from || session > to || session > (asOf ?? "9999")) return [];
    const price = close[row]!;
    const factor = totals[row]!;
    const [open, high, low] = [price - 0.1, price + 0.4, price - 0.5];
    return {
      date: `${session}T00:00:00.000Z`,
      close: price,
      high,
      low,
      open,
      volume: 1000 + row,
      adjClose: price * factor,
      adjHigh: high * factor,
      adjLow: low * factor,
      adjOpen: open * factor,
      adjVolume: (1000 + row) * shares[row]!,
      divCash: dividends[row]!,
      splitFactor: splits[row]!,
    };
  });
}

function alpaca(world: VendorServer, response: ServerResponse, { path, query, headers }: Asked): void {
  if (path !== "/v2/stocks/bars") {
    send(response, 404, { message: "Not Found" });
    return;
  }
  if (headers["apca-api-key-id"] !== keys.alpacaId || headers["apca-api-secret-key"] !== keys.alpacaSecret) {
    send(response, 403, { message: "forbidden." });
    return;
  }
  const symbol = query.symbols ?? "";
  const history = world.histories[symbol];
  if (!history) {
    send(response, 200, { bars: {}, next_page_token: null });
    return;
  }
  const bars = alpacaBars(history, query.adjustment, world.asOf).filter(
    ({ t }) => t >= (query.start ?? "") && t <= (query.end ?? "9999"),
  );
  const first =
    query.page_token === undefined ? 0 : Number(Buffer.from(query.page_token, "base64").toString());
  const last = first + Math.min(world.pageSize, Number(query.limit ?? 1000));
  send(response, 200, {
    bars: bars.length === 0 ? {} : { [symbol]: bars.slice(first, last) },
    next_page_token: last < bars.length ? Buffer.from(String(last)).toString("base64") : null,
  });
}

export function alpacaBars(history: History, adjustment = "raw", asOf?: SessionDate) {
  const { totals, shares } = adjustments(history, asOf);
  return history.sessions.flatMap((session, row) => {
    if (session > (asOf ?? "9999")) return [];
    const split = shares[row]!;
    const factor = adjustment === "all" ? totals[row]! : adjustment === "split" ? 1 / split : 1;
    const price = history.close[row]!;
    return {
      // Midnight in New York, in the winter of these histories and in the summer.
      t: `${session}T0${isSummer(session) ? 4 : 5}:00:00Z`,
      o: (price - 0.1) * factor,
      h: (price + 0.4) * factor,
      l: (price - 0.5) * factor,
      c: price * factor,
      v: (1000 + row) * split,
      n: 10,
      vw: price * factor,
    };
  });
}

function isSummer(session: string): boolean {
  return /^2024/.test(session) && session >= "2024-03-10" && session < "2024-11-03";
}

/** What prices of a day are multiplied by for dividends and splits after it, and how many shares one has become. */
function adjustments({ sessions, close, dividends, splits }: History, asOf = "9999") {
  const totals: number[] = [];
  const shares: number[] = [];
  let [total, held] = [1, 1];
  for (let row = sessions.length - 1; row >= 0; row--) {
    if (sessions[row]! > asOf) continue;
    totals[row] = total;
    shares[row] = held;
    total *= close[row]! / ((close[row]! + dividends[row]!) * splits[row]!);
    held *= splits[row]!;
  }
  return { totals, shares };
}
