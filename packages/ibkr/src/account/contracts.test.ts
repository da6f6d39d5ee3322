import { afterEach, describe, expect, it } from "vitest";
import { halfTws, rawServer } from "../../test/rawServer.js";
import { systemTimers } from "../session/clock.js";
import { type Link, type LinkRequest, openLink } from "../session/link.js";
import { contractRequest } from "./contracts.js";
import { positionsRequest } from "./positions.js";
import { accountSummaryRequest } from "./summary.js";

const links: Link[] = [];
afterEach(() => {
  for (const link of links.splice(0)) link.close(new Error("the test is over"));
});

type Message = readonly (string | number)[];

/** What becomes of these messages as the answer to a request; `ID` stands for its number. */
async function answered<T>(
  request: LinkRequest<T>,
  messages: readonly Message[],
  asked?: string[][],
): Promise<T> {
  await using server = await rawServer(
    halfTws({
      answer(fields, send) {
        asked?.push([...fields]);
        if (!["9", "61", "62"].includes(fields[0]!)) return;
        const id = fields[0] === "9" ? fields[2]! : fields[2]!;
        for (const message of messages) send(...message.map((field) => (field === "ID" ? id : field)));
      },
    }),
  );
  const link = await openLink({
    host: server.host,
    port: server.port,
    clientId: 1,
    timers: systemTimers,
    requestMs: 300,
    onMessage: () => {},
  });
  links.push(link);
  return await link.request(request);
}

interface Details {
  readonly symbol?: string;
  readonly conId?: number;
  readonly exchange?: string;
  readonly sizes?: readonly [string, string, string];
  readonly tick?: string;
  readonly zone?: string;
  readonly hours?: string;
}

function details({
  symbol = "SPY",
  conId = 756733,
  exchange = "ARCA",
  sizes = ["0.0001", "0.0001", "100"],
  tick = "0.01",
  zone = "US/Eastern",
  hours = "20261123:0930-20261123:1600;20261126:CLOSED",
}: Details = {}): Message {
  const names = [symbol, "STK", "", "", "0", "", "SMART", "USD", symbol, symbol, symbol, conId, tick, ""];
  const more = ["ACTIVETIM,WHATIF", "SMART,ARCA", 1, 0, "SPDR S&P 500 ETF TRUST", exchange, "", "", "", ""];
  const rest = [zone, hours, hours, "", "", 0, 1, "", "", "26,26", "", "ETF", ...sizes, 0];
  return [10, "ID", ...names, ...more, ...rest];
}
const end: Message = [52, 1, "ID"];

describe("a contract", () => {
  it("is read with its sizes, tick and hours", async () => {
    expect(await answered(contractRequest("SPY"), [details(), end])).toEqual({
      symbol: "SPY",
      conId: 756733,
      longName: "SPDR S&P 500 ETF TRUST",
      primaryExchange: "ARCA",
      stockType: "ETF",
      minTick: 0.01,
      minSize: 1,
      sizeIncrement: 1,
      liquidHours: [
        expect.objectContaining({ session: "2026-11-23", open: true }),
        { session: "2026-11-26", open: false },
      ],
      orderTypes: ["ACTIVETIM", "WHATIF"],
    });
  });

  it("with a dot in its symbol is asked for with a blank", async () => {
    const asked: string[][] = [];
    const info = await answered(contractRequest("BRK.B"), [details({ symbol: "BRK B" }), end], asked);
    expect(info.symbol).toBe("BRK.B");
    expect(asked.find(([kind]) => kind === "9")).toContain("BRK B");
  });

  it("that nobody knows, or several are, is said to be so", async () => {
    const refused = (words: string) => ({
      code: "PF_IBKR_UNKNOWN_SYMBOL",
      message: expect.stringContaining(words),
    });
    await expect(
      answered(contractRequest("SPY"), [[4, 2, "ID", 200, "No security definition has been found", ""]]),
    ).rejects.toMatchObject(refused("No security definition"));
    await expect(answered(contractRequest("SPY"), [end])).rejects.toMatchObject(
      refused("no US share or fund"),
    );
    await expect(answered(contractRequest("SPY"), [details({ symbol: "SPYG" }), end])).rejects.toMatchObject(
      refused("no US share or fund"),
    );
    const two = [details(), details({ conId: 2, exchange: "LSE" }), end];
    await expect(answered(contractRequest("SPY"), two)).rejects.toMatchObject(refused("2 (LSE)"));
    expect(await answered(contractRequest("SPY"), [details(), details(), end])).toMatchObject({
      conId: 756733,
    });
  });

  it.each<Details>([
    { tick: "0" },
    { conId: 0 },
    { sizes: ["0", "0", "0"] },
    { zone: "Mars/Base" },
    { hours: "soon" },
  ])("that cannot be read spoils its own answer only: %j", async (wrong) => {
    await expect(answered(contractRequest("SPY"), [details(wrong), end])).rejects.toMatchObject({
      code: "PF_IBKR_PROTOCOL",
    });
  });
});

describe("an account summary", () => {
  const value = (tag: string, amount: string, currency = "USD", account = "DU1"): Message => [
    63,
    1,
    "ID",
    account,
    tag,
    amount,
    currency,
  ];
  const sums = ["NetLiquidation", "TotalCashValue", "SettledCash", "AvailableFunds"];
  const all = [value("AccountType", "INDIVIDUAL", ""), ...sums.map((tag, at) => value(tag, `25000.${at}5`))];
  const done: Message = [64, 1, "ID"];

  it("is exact to the cent, of the one account", async () => {
    const others = sums.map((tag) => value(tag, "1.00", "USD", "DU2"));
    expect(await answered(accountSummaryRequest("DU1"), [...all, ...others, done])).toMatchObject({
      accountType: "INDIVIDUAL",
      netLiquidation: 2_500_005,
      totalCash: 2_500_015,
      settledCash: 2_500_025,
      availableFunds: 2_500_035,
      buyingPower: undefined,
    });
  });

  it("in another currency is refused in words", async () => {
    const euros = sums.map((tag) => value(tag, "25000.00", "EUR"));
    await expect(answered(accountSummaryRequest("DU1"), [...euros, done])).rejects.toMatchObject({
      code: "PF_IBKR_CURRENCY",
      message: "the base currency of DU1 is EUR, not USD",
    });
  });

  it.each(sums)("without %s is no summary", async (missing) => {
    const rest = all.filter((message) => message[4] !== missing);
    await expect(answered(accountSummaryRequest("DU1"), [...rest, done])).rejects.toMatchObject({
      code: "PF_IBKR_PROTOCOL",
      message: expect.stringContaining(missing),
    });
  });
});

describe("positions", () => {
  const held = (symbol: string, conId: number, shares: string, account = "DU1"): Message => {
    const contract = [conId, symbol, "STK", "", "0.0", "", "", "ARCA", "USD", symbol, symbol];
    return [61, 3, account, ...contract, shares, "499.35"];
  };
  const done: Message = [62, 1];

  it("are those of the one account that are not closed, by symbol, exact", async () => {
    const messages = [
      held("TLT", 2, "-3"),
      held("SPY", 1, "12.0642"),
      held("GLD", 3, "0"),
      held("SPY", 1, "99", "DU2"),
      held("BRK B", 4, "1"),
      done,
    ];
    const found = await answered(positionsRequest("DU1"), messages);
    expect(found.map(({ symbol, quantity }) => [symbol, quantity])).toEqual([
      ["BRK.B", 10_000],
      ["SPY", 120_642],
      ["TLT", -30_000],
    ]);
  });
});
