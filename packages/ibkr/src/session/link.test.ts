import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { type HalfTws, halfTws, type RawServer, rawServer } from "../../test/rawServer.js";
import { systemTimers } from "./clock.js";
import { frameOf } from "./frames.js";
import { type BrokerMessage, type Link, type LinkOptions, type LinkRequest, openLink } from "./link.js";

const links: Link[] = [];
afterEach(() => {
  for (const link of links.splice(0)) link.close(new Error("the test is over"));
});

async function connect(at: { host: string; port: number }, more: Partial<LinkOptions> = {}): Promise<Link> {
  const link = await openLink({
    host: at.host,
    port: at.port,
    clientId: 17,
    timers: systemTimers,
    connectMs: 2000,
    handshakeMs: 300,
    onMessage: () => {},
    ...more,
  });
  links.push(link);
  return link;
}

const code = (name: string, facts: object = {}) => expect.objectContaining({ code: name, ...facts });

describe("a handshake that fails says how far it came", () => {
  it("a closed port", async () => {
    const server = await rawServer(() => {});
    await server[Symbol.asyncDispose]();
    await expect(connect(server)).rejects.toThrowError(
      code("PF_IBKR_UNREACHABLE", { why: "the port is closed" }),
    );
  });

  it("a host that does not exist", async () => {
    await expect(connect({ host: "no-such-host.invalid", port: 7497 })).rejects.toThrowError(
      code("PF_IBKR_UNREACHABLE"),
    );
  });

  it("a port that accepts and says nothing", async () => {
    await using server = await rawServer(() => {});
    await expect(connect(server)).rejects.toThrowError(code("PF_IBKR_SILENT", { waitedMs: 300 }));
  });

  it("a web server", async () => {
    const web = createHttpServer((_, response) => response.end("hello"));
    await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
    const { port } = web.address() as AddressInfo;
    await expect(connect({ host: "127.0.0.1", port })).rejects.toThrowError(
      code("PF_IBKR_NOT_TWS", { speaks: expect.stringContaining("HTTP/1.1 400") }),
    );
    web.close();
  });

  it.each([
    ["a mail server", Buffer.from("220 mail.example.org ESMTP\r\n"), 'begins with "220 mail'],
    ["a TLS server", Buffer.from([0x15, 3, 3, 0, 2, 2, 40]), "speaks TLS"],
    ["a frame that is no greeting", frameOf(["1", "2", "3"]), 'begins with "1 2 3"'],
    ["a frame with no version", frameOf(["soon", "now"]), 'begins with "soon now"'],
    ["a length of minus four", Buffer.from([0xff, 0xff, 0xff, 0xfc]), "begins with"],
  ])("%s", async (_, bytes, speaks) => {
    await using server = await rawServer((socket) => socket.write(bytes));
    await expect(connect(server)).rejects.toThrowError(
      code("PF_IBKR_NOT_TWS", { speaks: expect.stringContaining(speaks) }),
    );
  });

  it.each([
    [50, "update TWS"],
    [150, "update TWS"],
    [201, "update this program"],
  ])("a server that speaks version %i only, with what to do: %s", async (version, what) => {
    await using server = await rawServer(halfTws({ version }));
    const next = expect.stringContaining(what);
    await expect(connect(server)).rejects.toThrowError(code("PF_IBKR_VERSION", { version, next }));
  });

  it("a client id that is in use", async () => {
    await using server = await rawServer(
      halfTws({
        accounts: null,
        nextId: null,
        answer(_, send, socket) {
          send(4, 2, -1, 326, "Unable to connect as the client id is already in use.", "");
          socket.end();
        },
      }),
    );
    await expect(connect(server)).rejects.toThrowError(code("PF_IBKR_CLIENT_ID", { clientId: 17 }));
  });

  it.each<[string, HalfTws, string]>([
    ["no next order id", { nextId: null }, "did not give a next order id"],
    ["no accounts", { accounts: null }, "did not name its accounts"],
    [
      "a connection closed after the greeting",
      { accounts: null, nextId: null, answer: (_, __, socket) => socket.destroy() },
      "closed the connection",
    ],
  ])("%s", async (_, how, words) => {
    await using server = await rawServer(halfTws(how));
    await expect(connect(server)).rejects.toThrowError(
      code("PF_IBKR_HANDSHAKE", { message: expect.stringContaining(words) }),
    );
  });

  it("an abort, with the reason it was given", async () => {
    await using server = await rawServer(() => {});
    const stop = new AbortController();
    const connecting = connect(server, { signal: stop.signal, handshakeMs: 60_000 });
    stop.abort(new Error("enough"));
    await expect(connecting).rejects.toThrowError("enough");
  });
});

const askTime: LinkRequest<number> = {
  what: "the time",
  lane: { name: "time", limit: 1 },
  send: (api) => api.reqCurrentTime(),
  receive: (answer) => ({ currentTime: (seconds) => answer.resolve(seconds) }),
  timeoutMs: 200,
};

const askDetails = (more: Partial<LinkRequest<string[]>> = {}): LinkRequest<string[]> => ({
  what: "details of SPY",
  send: (api, reqId) => api.reqContractDetails(reqId, { symbol: "SPY" }),
  receive: (answer) => {
    const found: string[] = [];
    return {
      contractDetailsEnd: () => answer.resolve(found),
      execDetails: () => found.push("execution"),
      tickPrice: (_, type, price) => found.push(`${type}=${price}`),
    };
  },
  timeoutMs: 300,
  ...more,
});

describe("a request", () => {
  it("is answered by the messages with its number, and by no others", async () => {
    await using server = await rawServer(
      halfTws({
        answer([kind, , reqId], send) {
          if (kind !== "9") return;
          send(1, 6, Number(reqId) + 1, 1, 99, 1, 0);
          send(1, 6, reqId!, 1, 500.25, 1, 0);
          send(52, 1, Number(reqId) + 1);
          send(52, 1, reqId!);
        },
      }),
    );
    const link = await connect(server);
    expect(await link.request(askDetails())).toEqual(["1=500.25"]);
  });

  it("fails with the broker's words when its number comes with an error", async () => {
    await using server = await rawServer(
      halfTws({
        answer([kind, , reqId], send) {
          if (kind === "9") send(4, 2, reqId!, 200, "No security definition has been found", "{not json");
        },
      }),
    );
    const link = await connect(server);
    await expect(link.request(askDetails())).rejects.toThrowError(
      code("PF_IBKR_REFUSED", { brokerCode: 200, kind: "permanent" }),
    );
    expect(link.open).toBe(true);
  });

  it("goes on after a notice with its number, which everybody hears", async () => {
    await using server = await rawServer(
      halfTws({
        answer([kind, , reqId], send) {
          if (kind !== "9") return;
          send(4, 2, reqId!, 10167, "Displaying delayed market data.", "");
          send(52, 1, reqId!);
        },
      }),
    );
    const messages: BrokerMessage[] = [];
    const link = await connect(server, { onMessage: (message) => messages.push(message) });
    expect(await link.request(askDetails())).toEqual([]);
    expect(messages).toEqual([expect.objectContaining({ code: 10167, kind: "notice" })]);
  });

  it("that is never answered ends after its time, is cancelled once, and says so", async () => {
    const cancelled: string[] = [];
    await using server = await rawServer(
      halfTws({ answer: ([kind, , reqId]) => void (kind === "2" && cancelled.push(reqId!)) }),
    );
    const link = await connect(server);
    const asking = link.request(askDetails({ cancel: (api, reqId) => api.cancelMktData(reqId) }));
    await expect(asking).rejects.toThrowError(code("PF_IBKR_TIMEOUT", { what: "details of SPY" }));
    await expect.poll(() => cancelled).toHaveLength(1);
  });

  it("that is aborted is cancelled at TWS and fails with the reason", async () => {
    const seen: string[] = [];
    await using server = await rawServer(halfTws({ answer: ([kind]) => void seen.push(kind!) }));
    const link = await connect(server);
    const stop = new AbortController();
    const asking = link.request(
      askDetails({
        signal: stop.signal,
        cancel: (api, reqId) => api.cancelMktData(reqId),
        timeoutMs: 60_000,
      }),
    );
    await expect.poll(() => seen).toContain("9");
    stop.abort(new Error("interrupted"));
    await expect(asking).rejects.toThrowError("interrupted");
    await expect.poll(() => seen).toEqual(["71", "9", "2"]);
  });

  it("fails at once when the connection ends, and says whether it had been sent", async () => {
    await using server = await rawServer(halfTws({}));
    const link = await connect(server, { messagesPerSecond: 1 });
    const sent = link.request(askDetails({ timeoutMs: 60_000 }));
    const waiting = link.request(askDetails({ timeoutMs: 60_000 }));
    await expect.poll(() => server.sockets.length).toBe(1);
    server.sockets[0]!.destroy();
    await expect(sent).rejects.toThrowError(code("PF_IBKR_NOT_CONNECTED", { sent: true }));
    await expect(waiting).rejects.toThrowError(code("PF_IBKR_NOT_CONNECTED", { sent: false }));
    await expect(link.request(askDetails())).rejects.toThrowError(
      code("PF_IBKR_NOT_CONNECTED", { sent: false }),
    );
    await expect(link.send("an order", () => expect.unreachable())).rejects.toThrowError(
      code("PF_IBKR_NOT_CONNECTED", { sent: false }),
    );
  });

  it("waits for its turn in a lane", async () => {
    let open = 0;
    let most = 0;
    await using server = await rawServer(
      halfTws({
        answer([kind, , reqId], send) {
          if (kind !== "9") return;
          most = Math.max(most, ++open);
          setTimeout(() => {
            open--;
            send(52, 1, reqId!);
          }, 20);
        },
      }),
    );
    const link = await connect(server, { messagesPerSecond: 1e6 });
    const lane = { name: "few", limit: 3 };
    await Promise.all(Array.from({ length: 12 }, () => link.request(askDetails({ lane, timeoutMs: 5000 }))));
    expect(most).toBe(3);
  });

  it("does not take the late answer to an earlier request for its own", async () => {
    let asked = 0;
    await using server = await rawServer(
      halfTws({
        answer([kind], send) {
          if (kind !== "49") return;
          // The first answer comes after the first request was given up, just when the second waits for its own.
          if (++asked === 1) setTimeout(() => send(49, 1, 1111), 250);
          else setTimeout(() => send(49, 1, 2222), 150);
        },
      }),
    );
    const link = await connect(server);
    await expect(link.request(askTime)).rejects.toThrowError(code("PF_IBKR_TIMEOUT"));
    expect(await link.request({ ...askTime, timeoutMs: 5000 })).toBe(2222);
  });

  it("takes an answer for its own after a while when the earlier one is never answered", async () => {
    let asked = 0;
    await using server = await rawServer(
      halfTws({ answer: ([kind], send) => void (kind === "49" && ++asked === 2 && send(49, 1, 2222)) }),
    );
    const link = await connect(server);
    await expect(link.request(askTime)).rejects.toThrowError(code("PF_IBKR_TIMEOUT"));
    expect(await link.request({ ...askTime, timeoutMs: 5000 })).toBe(2222);
  });
});

describe("what the server may send", () => {
  const connected = async (server: RawServer, more: Partial<LinkOptions> = {}) => {
    let ended: Error | undefined;
    const link = await connect(server, { ...more, onEnd: (reason) => (ended = reason) });
    return { link, ended: () => ended, socket: server.sockets.at(-1)! };
  };

  it("nothing throws outside: a length of minus four ends the connection", async () => {
    await using server = await rawServer(halfTws({}));
    const { ended, socket } = await connected(server);
    socket.write(Buffer.from([0xff, 0xff, 0xff, 0xfc, 0, 0, 0, 0]));
    await expect.poll(ended).toMatchObject({ code: "PF_IBKR_PROTOCOL" });
  });

  it("a message of an unknown kind is said to be one, and the connection lives", async () => {
    await using server = await rawServer(halfTws({}));
    const messages: BrokerMessage[] = [];
    const { link, socket } = await connected(server, { onMessage: (message) => messages.push(message) });
    socket.write(frameOf(["777", "x"]));
    await expect.poll(() => messages[0]).toMatchObject({ code: 505, kind: "protocol" });
    expect(link.open).toBe(true);
  });

  it("any fields in well-cut frames: no crash, and it answers or has ended", async () => {
    const text = fc.oneof(
      fc.constantFrom(
        "",
        "0",
        "1",
        "-1",
        "9",
        "NaN",
        "2147483647",
        "1.7976931348623157E308",
        "1e400",
        "\\u0000",
        "\\u",
      ),
      fc.integer({ min: 0, max: 110 }).map(String),
      fc.string({ maxLength: 12 }).map((value) => value.replaceAll("\0", "")),
    );
    const kinds = fc.oneof(fc.integer({ min: 1, max: 110 }), fc.constantFrom(3, 4, 5, 10, 11, 17, 59, 101));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(kinds, fc.array(text, { maxLength: 160 })), { minLength: 1, maxLength: 12 }),
        async (frames) => {
          await using server = await rawServer(
            halfTws({ answer: ([kind], send) => void (kind === "49" && send(49, 1, 4242)) }),
          );
          const { link, ended, socket } = await connected(server, { handshakeMs: 5000 });
          socket.write(Buffer.concat(frames.map(([kind, fields]) => frameOf([String(kind), ...fields]))));
          const answer = await link.request({ ...askTime, timeoutMs: 5000 }).catch((error: Error) => error);
          const before = ended();
          const done = new Error("done");
          link.close(done);
          if (answer instanceof Error) {
            expect(answer).toMatchObject({ code: "PF_IBKR_NOT_CONNECTED" });
            expect(before).toMatchObject({ code: "PF_IBKR_PROTOCOL" });
          } else expect(answer).toBeTypeOf("number");
          expect(ended()).toBe(before ?? done);
        },
      ),
      { numRuns: 150 },
    );
  });

  it("random bytes at any moment: the connection ends or waits, and nothing hangs", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.boolean(),
        async (bytes, early) => {
          await using server = await rawServer((socket) => {
            if (early) socket.end(bytes);
            else halfTws({})(socket);
          });
          const opened = await connect(server, { handshakeMs: 5000 }).catch((error: Error) => error);
          if (opened instanceof Error) {
            expect(opened).toMatchObject({
              code: expect.stringMatching(/^PF_IBKR_(NOT_TWS|HANDSHAKE|SILENT)$/),
            });
            return;
          }
          server.sockets[0]!.end(bytes);
          await expect.poll(() => opened.open, { timeout: 5000 }).toBe(false);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("a frame that never ends keeps no more than it may hold", async () => {
    await using server = await rawServer(halfTws({}));
    const { link, socket } = await connected(server);
    const before = process.memoryUsage().arrayBuffers;
    const head = Buffer.alloc(4);
    head.writeUInt32BE(0xff_ffff);
    socket.write(head);
    const chunk = Buffer.alloc(65_536, 0x31);
    for (let sent = 0; sent < 15_000_000; sent += chunk.length)
      await new Promise<void>((resolve) => socket.write(chunk, () => resolve()));
    expect(link.open).toBe(true);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100e6);
  });
});

describe("the library that is installed", () => {
  it("has the insides that this package stands before", async () => {
    const { IBApi } = await import("@stoqey/ib");
    const api = new IBApi({ host: "127.0.0.1", port: 1, clientId: 1 }) as unknown as Record<string, unknown>;
    expect(api).toMatchObject({ controller: { socket: { onData: expect.any(Function) } } });
  });
});
