import { Buffer } from "node:buffer";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../src/index.js";
import { frame, greeting, RawClient, stock } from "./rawClient.js";

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator({ speed: "frozen", pacing: "off" });
});
afterAll(async () => {
  await simulator.close();
});

/** After whatever came before, another client is served as if nothing had been. */
async function servesOthers(clientId: number): Promise<void> {
  const other = await RawClient.connect(simulator.port, clientId);
  const mark = other.mark;
  other.send("49", "1");
  expect(await other.until((f) => f[0] === "49", mark)).toHaveLength(3);
  other.close();
}

describe("the greeting", () => {
  it.each([
    ["the newest vendor client", 100, 225, 193],
    ["a client that knows as much as we do", 100, 193, 193],
    ["clients of the year 2023", 157, 178, 178],
    ["a client that knows one version only", 176, 176, 176],
    ["the oldest that is served", 100, 157, 157],
  ])("agrees with %s (v%i..%i) on %i", async (_, min, max, version) => {
    const client = await RawClient.open(simulator.port);
    client.write(greeting(min, max));
    const answer = await client.until(() => true);
    expect(answer).toEqual([String(version), expect.stringMatching(/^\d{8} \d\d:\d\d:\d\d \S/)]);
    client.close();
  });

  it("takes connect options in its stride", async () => {
    const client = await RawClient.open(simulator.port);
    client.write(greeting(100, 178, "+PACEAPI"));
    expect((await client.until(() => true))[0]).toBe("178");
    client.close();
  });

  it.each([
    ["one that needs the newer encoding", 213, 225],
    ["one that needs the version after ours", 194, 225],
    ["one that is too old", 100, 150],
    ["one that confuses its bounds", 193, 100],
  ])("closes on %s (v%i..%i) without agreeing to anything", async (_, min, max) => {
    const client = await RawClient.open(simulator.port);
    client.write(greeting(min, max));
    expect(await client.ended()).toBe(true);
    // Two fields are how clients recognise agreement: whatever is said here must not look like it.
    expect(client.frames.filter((f) => f.length === 2)).toEqual([]);
    await servesOthers(901);
  });

  it.each([
    ["a browser", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"],
    ["TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
    ["a client from before the year 2013", "63\0"],
    ["a greeting without versions", "API\0\0\0\0\x04oops"],
    ["a greeting that claims a gigabyte", "API\0\x40\0\0\0v100..193"],
    ["a greeting of no length", "API\0\0\0\0\0"],
    ["versions that are no numbers", "API\0\0\0\0\x09v1e2..1e3"],
  ])("closes on %s", async (_, text) => {
    const client = await RawClient.open(simulator.port);
    client.write(Buffer.from(text, "latin1"));
    expect(await client.ended()).toBe(true);
    expect(client.frames).toEqual([]);
    await servesOthers(902);
  });

  it("closes on random bytes and goes on serving", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 8, maxLength: 300 }), async (bytes) => {
        fc.pre(Buffer.from(bytes.subarray(0, 4)).toString("latin1") !== "API\0");
        const client = await RawClient.open(simulator.port);
        client.write(Buffer.from(bytes));
        expect(await client.ended()).toBe(true);
        expect(client.frames).toEqual([]);
      }),
      { numRuns: 60 },
    );
    await servesOthers(903);
  });
});

const conversation = [frame("71", "2", "910", ""), frame("49", "1"), frame("17", "1"), frame("8", "1", "1")];

describe("frames", () => {
  const expected = ["15", "9", "49", "15", "9"];
  async function talk(pieces: readonly Buffer[], pauseEvery = 1): Promise<string[]> {
    const client = await RawClient.open(simulator.port);
    for (const [n, piece] of pieces.entries()) {
      client.write(piece);
      if (n % pauseEvery === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await client.until(() => client.frames.filter((f) => f[0] === "9").length === 2);
    const kinds = client.frames.slice(1).map((f) => f[0]!);
    client.close();
    await new Promise<void>((resolve) => {
      const look = () => (simulator.clients().includes(910) ? setTimeout(look, 1) : resolve());
      look();
    });
    return kinds.filter((kind) => kind !== "4");
  }

  it("may come one byte at a time", async () => {
    const bytes = Buffer.concat([greeting(100, 193), ...conversation]);
    expect(await talk(Array.from(bytes, (byte) => Buffer.of(byte)))).toEqual(expected);
  });

  it("may come all in one piece, the greeting too", async () => {
    expect(await talk([Buffer.concat([greeting(100, 193), ...conversation])])).toEqual(expected);
  });

  it("may be cut anywhere", async () => {
    const bytes = Buffer.concat([greeting(100, 193), ...conversation]);
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 12 }),
        async (cuts) => {
          const edges = [0, ...cuts.sort((a, b) => a - b), bytes.length];
          const pieces = edges.slice(1).map((edge, n) => bytes.subarray(edges[n]!, edge));
          expect(await talk(pieces)).toEqual(expected);
        },
      ),
      { numRuns: 40 },
    );
  });

  it.each([
    ["a gigabyte", 0x40000000],
    ["more than any signed number", 0xffffffff],
    ["nothing", 0],
  ])("that claim to have %s end the connection", async (_, length) => {
    const client = await RawClient.connect(simulator.port, 911);
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(length, 0);
    client.write(bytes);
    expect(await client.ended()).toBe(true);
    await servesOthers(912);
  });

  it("without a NUL at the end, of unknown kinds or with senseless fields do not hurt others", async () => {
    const id = fc.constantFrom(
      "1",
      "3",
      "4",
      "5",
      "7",
      "9",
      "20",
      "59",
      "62",
      "76",
      "99",
      "12345",
      "-1",
      "x",
      "",
    );
    const text = fc.oneof(
      fc.constantFrom(
        "",
        "1",
        "-1",
        "1e308",
        "1.7976931348623157E308",
        "NaN",
        "9".repeat(400),
        "é",
        "\u{1f600}",
      ),
      fc.string({ maxLength: 40 }).map((s) => s.replaceAll("\0", "")),
    );
    await fc.assert(
      fc.asyncProperty(id, fc.array(text, { maxLength: 130 }), fc.boolean(), async (kind, fields, ended) => {
        const client = await RawClient.connect(simulator.port, 913);
        const mark = client.mark;
        const whole = frame(kind, ...fields);
        if (ended) client.write(whole);
        else {
          whole.writeUInt32BE(whole.length - 5, 0);
          client.write(whole.subarray(0, -1));
        }
        client.send("49", "1");
        // Either it is answered with an error and the talk goes on, or the connection ends; it never hangs.
        await Promise.race([client.until((f) => f[0] === "49", mark), client.ended()]);
        expect(client.closed !== undefined || client.frames.slice(mark).some((f) => f[0] === "49")).toBe(
          true,
        );
        for (const seen of client.frames) expect(seen).not.toContain("<unended>");
        client.close();
        await freed(913);
      }),
      { numRuns: 150 },
    );
    await servesOthers(914);
  });

  it("before the client has named its id are not answered", async () => {
    const client = await RawClient.open(simulator.port);
    client.write(greeting(100, 193));
    client.send("49", "1");
    await client.until(() => true);
    client.send("71", "2", "915", "");
    await client.until((f) => f[0] === "9");
    expect(client.frames.filter((f) => f[0] === "49")).toEqual([]);
    client.close();
  });
});

async function freed(clientId: number): Promise<void> {
  while (simulator.clients().includes(clientId)) await new Promise((resolve) => setTimeout(resolve, 1));
}

describe("a client id", () => {
  it("that is taken brings 326 with id -1 and the end of the connection, and the first client stays", async () => {
    const first = await RawClient.connect(simulator.port, 920);
    const second = await RawClient.open(simulator.port);
    second.write(greeting(100, 193));
    second.send("71", "2", "920", "");
    const refusal = await second.until((f) => f[0] === "4");
    expect(refusal.slice(0, 4)).toEqual(["4", "2", "-1", "326"]);
    expect(await second.ended()).toBe(true);
    expect(second.frames.filter((f) => f[0] === "9" || f[0] === "15")).toEqual([]);
    const mark = first.mark;
    first.send("49", "1");
    await first.until((f) => f[0] === "49", mark);
    first.close();
  });

  it("is free again as soon as its client has gone", async () => {
    for (let n = 0; n < 20; n++) {
      const client = await RawClient.connect(simulator.port, 921);
      client.close();
      await freed(921);
    }
  });
});

describe("many clients", () => {
  it("fifty at once are each told their accounts and the time", async () => {
    const clients = await Promise.all(
      Array.from({ length: 50 }, (_, n) => RawClient.connect(simulator.port, 1000 + n)),
    );
    expect(simulator.clients().filter((id) => id >= 1000)).toHaveLength(50);
    await Promise.all(
      clients.map(async (client, n) => {
        const mark = client.mark;
        client.send("9", "8", String(n), ...stock("SPY"), "0", "", "", "");
        await client.until((f) => f[0] === "52" && f[2] === String(n), mark);
      }),
    );
    for (const client of clients) client.close();
    for (let n = 0; n < 50; n++) await freed(1000 + n);
  });

  it("that come and go a thousand times leave nothing behind", async () => {
    for (let round = 0; round < 20; round++) {
      const clients = await Promise.all(
        Array.from({ length: 50 }, async (_, n) => {
          const client = await RawClient.open(simulator.port);
          // A third vanishes at once, a third in the middle of the greeting, a third in the middle of a request.
          if (n % 3 > 0) client.write(greeting(100, 193).subarray(0, n % 3 === 1 ? 7 : undefined));
          if (n % 3 === 2) {
            client.send("71", "2", String(2000 + n), "");
            client.write(
              frame(
                "20",
                "1",
                ...stock("SPY"),
                "0",
                "",
                "1 day",
                "1 Y",
                "1",
                "TRADES",
                "1",
                "0",
                "",
              ).subarray(0, -9),
            );
          }
          return client;
        }),
      );
      for (const [n, client] of clients.entries())
        n % 2 === 0 ? client.close() : client.socket.resetAndDestroy();
    }
    const deadline = Date.now() + 5000;
    while (simulator.clients().length > 0 && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 5));
    expect(simulator.clients()).toEqual([]);
    await servesOthers(2100);
  });
});

describe("a schedule", () => {
  async function sessionsOf(duration: string, end: string): Promise<string[]> {
    const client = await RawClient.connect(simulator.port, 930);
    const mark = client.mark;
    client.send("20", "1", ...stock("SPY"), "0", end, "1 day", duration, "1", "SCHEDULE", "1", "0", "");
    const answer = await client.until((f) => f[0] === "106" && f[1] === "1", mark);
    client.close();
    await freed(930);
    expect(Number(answer[5])).toBe((answer.length - 6) / 3);
    return answer.filter((_, at) => at >= 6 && at % 3 === 2);
  }

  it("counts days as sessions, up to the end that was asked for", async () => {
    expect(await sessionsOf("5 D", "20240105-21:00:00")).toEqual([
      "20231229",
      "20240102",
      "20240103",
      "20240104",
      "20240105",
    ]);
    expect(await sessionsOf("1 D", "20240106-21:00:00")).toEqual(["20240105"]);
    // A week with New Year's Day in it.
    expect(await sessionsOf("1 W", "20240105-21:00:00")).toHaveLength(4);
    expect(await sessionsOf("5 D", "")).toHaveLength(5);
  });

  it("is no longer than the calendar", async () => {
    expect(await sessionsOf("68 Y", "20240105-21:00:00")).toContain("20240105");
    expect((await sessionsOf("5 D", "19500101-21:00:00")).length).toBeLessThanOrEqual(1);
  });
});
