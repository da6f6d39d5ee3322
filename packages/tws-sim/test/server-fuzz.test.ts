import { newYorkToUtcMs, sessionDate } from "@pf/market";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  account,
  encode,
  greeting,
  type RawClient,
  rawClient,
  rawSocket,
  simulator,
} from "./server-harness.js";

const contract = ["0", "SPY", "STK", "", "0", "", "", "SMART", "", "USD", "", ""];
/** One good message of every kind that does something, as version 193 has it. */
const good: readonly (readonly string[])[] = [
  ["59", "1", "3"],
  ["62", "1", "1", "All", "NetLiquidation,$LEDGER:ALL"],
  ["63", "1", "1"],
  ["61", "1"],
  ["64", "1"],
  ["9", "8", "2", ...contract, "0", "", "", ""],
  ["20", "3", ...contract, "0", "", "1 day", "1 M", "1", "TRADES", "1", "0", ""],
  ["20", "4", ...contract, "0", "20251201-10:00:00", "1 hour", "5 D", "1", "TRADES", "2", "0", ""],
  ["25", "1", "3"],
  ["1", "11", "5", ...contract, "0", "", "0", "0", ""],
  ["1", "11", "6", ...contract, "0", "", "1", "0", ""],
  ["2", "2", "5"],
  ["4", "7", "", "", "2147483647"],
  ["58", "", "2147483647"],
  ["5", "1"],
  ["16", "1"],
  ["15", "1", "1"],
  ["99", "0"],
  ["8", "1", "1"],
  ["17", "1"],
  ["49", "1"],
  ["7", "3", "8", "", "", "", "", "", "", ""],
  ["6", "2", "1", account],
  ["76", "1", "9", account, "", "1"],
  ["74", "1", "10", account, ""],
  ["92", "11", account, ""],
  ["94", "12", account, "", "1"],
  ["87", "13", ...contract, "0", "1", "TRADES", "1"],
  ["81", "14", "SPY"],
  ["91", "26"],
  ["78", "15", "SPY", "", "STK", "1"],
  placeOrder("20", "1", "LMT", "1"),
  placeOrder("21", "2", "MKT", ""),
  placeOrder("22", "1.5", "MKT", ""),
];

function placeOrder(id: string, quantity: string, type: string, limit: string): readonly string[] {
  const before = [
    "3",
    id,
    ...contract,
    "",
    "",
    "BUY",
    quantity,
    type,
    limit,
    "",
    "DAY",
    "",
    account,
    "",
    "0",
    "ref",
    "1",
  ];
  const zeros = (count: number) => Array.from({ length: count }, () => "0");
  const blanks = (count: number) => Array.from({ length: count }, () => "");
  return [
    ...before,
    ...["0", ...zeros(4), "0", "0"], // parent, four more, outside, hidden
    ...blanks(7), // allocation, discretion, times, advisors
    ...[
      "",
      "0",
      "",
      "-1",
      "0",
      "",
      "",
      "0",
      "",
      "",
      "0",
      "0",
      "",
      "0",
      "",
      "",
      "",
      "",
      "",
      "0",
      "",
      "",
      "",
      "",
    ],
    ...[
      "0",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "0",
      "",
      "",
      "0",
      "0",
      "",
      "",
      "0",
      "",
      "0",
      "0",
      "0",
      "0",
    ],
    ...["", "", "", "", "", "", "0", "", "", "", "", "", "", "", "", "0", "0", "0", "0"],
    ...["", "", "0", "", "", "", "0", "0", ""],
  ];
}

const strange = fc.oneof(
  fc.constantFrom(
    "",
    "-1",
    "0",
    "1",
    "2147483647",
    "1.7976931348623157E308",
    "NaN",
    "Infinity",
    "-0",
    "1e400",
    "9".repeat(40),
  ),
  fc.constantFrom(
    "SPY",
    "BAG",
    "ADJUSTED_LAST",
    "68 Y",
    "86400 S",
    "1 secs",
    "20251301 99:99:99",
    "BUY",
    "GTC",
    account,
  ),
  fc.string({ maxLength: 60 }),
  fc.string({ unit: "binary", maxLength: 20 }),
);

/** A good message with some fields made strange, some lost, some more. */
const damaged = fc
  .record({
    message: fc.constantFrom(...good),
    changes: fc.array(fc.tuple(fc.nat(150), strange), { maxLength: 4 }),
    cut: fc.option(fc.nat(150), { nil: undefined }),
    more: fc.array(strange, { maxLength: 3 }),
  })
  .map(({ message, changes, cut, more }) => {
    const fields = [...message];
    // The number of the message stays, so that damage goes deep.
    for (const [place, value] of changes)
      if (fields.length > 1) fields[1 + (place % (fields.length - 1))] = value;
    return [...fields.slice(0, cut === undefined ? fields.length : 1 + (cut % fields.length)), ...more].map(
      (field) => field.replaceAll("\0", ""),
    );
  });

/** Resolves when everything sent before has been read. */
async function isAlive(raw: RawClient): Promise<void> {
  const before = raw.frames.filter(([id]) => id === "49").length;
  raw.send(49, 1);
  await expect
    .poll(() => raw.frames.filter(([id]) => id === "49").length, { timeout: 20_000 })
    .toBeGreaterThan(before);
}

describe("whatever a client sends", () => {
  it("is answered or refused, and the client and everybody else go on", async () => {
    const simulated = await simulator({ pacing: "off" });
    const witness = await rawClient(simulated.port, 193, 999);
    let clientId = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(damaged, { maxLength: 40 }),
        fc.constantFrom(157, 163, 169, 176, 178, 188, 193),
        async (messages, version) => {
          const raw = await rawClient(simulated.port, version, ++clientId);
          for (const message of messages) raw.socket.write(encode(message));
          await isAlive(raw);
          await simulated.advanceBy(1000);
          raw.close();
          await raw.closed;
        },
      ),
      { numRuns: 60 },
    );
    await isAlive(witness);
    expect(simulated.clients()).toContain(999);
  });

  it("understands every one of the good messages", async () => {
    const simulated = await simulator({ pacing: "off" });
    const raw = await rawClient(simulated.port, 193, 0);
    for (const message of good) raw.socket.write(encode(message));
    await isAlive(raw);
    const errors = raw.frames
      .filter(([id, , about]) => id === "4" && about !== "-1")
      .map((fields) => [fields[2], fields[3]]);
    await simulated.advanceBy(1000);
    await isAlive(raw);
    // A cancel of an order that is not there yet, bars that were answered already, and a position that is not held.
    expect(errors).toEqual([
      ["3", "366"],
      ["7", expect.stringMatching(/^(135|10147)$/)],
      ["12", "321"],
    ]);
    expect(simulated.venue.executions({}).length).toBe(1);
  });
});

describe("who does not read", () => {
  it("is spared ticks, so that nothing piles up, and goes on where it is when it reads again", async () => {
    const morning = newYorkToUtcMs(sessionDate("2025-12-29"), "09:31");
    const simulated = await simulator({ pacing: "off", startUtcMs: morning });
    const raw = await rawSocket(simulated.port);
    raw.socket.write(greeting("v100..193"));
    await raw.frame((fields) => fields[0] === "193");
    raw.send(71, 2, 1, "");
    for (let id = 1; id <= 100; id++) raw.send(1, 11, id, ...contract, "0", "", "0", "0", "");
    await isAlive(raw);
    raw.socket.pause();
    const before = process.memoryUsage().rss;
    await simulated.advanceBy(6.4 * 3_600_000);
    // A session has more than fifteen hundred changes for each of a hundred streams: tens of megabytes.
    expect(process.memoryUsage().rss - before).toBeLessThan(120e6);
    const read = raw.socket.bytesRead;
    raw.socket.resume();
    await isAlive(raw);
    expect(raw.socket.bytesRead - read).toBeLessThan(16e6);
    expect(simulated.clients()).toEqual([1]);
  });
});
