import { createServer } from "node:net";
import { newYorkToUtcMs, sessionDate } from "@pf/market";
import { describe, expect, it } from "vitest";
import { PortInUseError, type Simulator, SimulatorOptionsError, startSimulator } from "../src/index.js";
import {
  account,
  afternoon,
  type Client,
  client,
  order,
  rawClient,
  simulator,
  stock,
  symbols,
  unconnectedClient,
} from "./server-harness.js";

const problems = (ours: Client) => ours.all("error").map(([, code, id]) => [code, id]);

async function read(ours: Client): Promise<void> {
  const before = ours.all("currentTime").length;
  ours.api.reqCurrentTime();
  await expect.poll(() => ours.all("currentTime").length).toBeGreaterThan(before);
}

describe("startSimulator", () => {
  it("says which port is taken, and leaves nothing open", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as { port: number };
    const attempt = simulator({ port });
    await expect(attempt).rejects.toThrow(PortInUseError);
    await expect(attempt).rejects.toMatchObject({
      code: "PF_PORT_IN_USE",
      port,
      message: expect.stringContaining(`127.0.0.1:${port}`),
    });
    await new Promise((resolve) => other.close(resolve));
    expect((await simulator({ port })).port).toBe(port);
  });

  it.each([
    [{ host: "0.0.0.0" }, /host: .* without a password/],
    [{ host: "192.168.1.4" }, /host/],
    [{ port: 70_000 }, /port: 70000/],
    [
      { accounts: [{ id: "U1234567", cashCents: 1 }] },
      /account: "U1234567" does not look like a paper account/,
    ],
    [{ speed: 0 }, /speed/],
    [{ speed: Number.NaN }, /speed/],
    [{ maxClients: 0 }, /maxClients/],
    [{ serverVersion: 200 }, /serverVersion: 200/],
    [{ symbols: [] }, /symbols/],
    [{ cash: 100_000 } as object, /^cash: there is no such option$/],
    [{ marketData: "Live" as never }, /^marketData: "Live" is none of its values$/],
  ])("refuses %j", async (options, words) => {
    await expect(startSimulator(options)).rejects.toThrow(words);
    await expect(startSimulator(options)).rejects.toThrow(SimulatorOptionsError);
  });

  it("starts half an hour before the close of the last session with bars", async () => {
    const simulated = await startSimulator({ symbols: await symbols, speed: "frozen" });
    expect(simulated.now()).toBe(newYorkToUtcMs(sessionDate("2025-12-31"), "15:30"));
    expect(simulated.accounts).toEqual(["DUK200445"]);
    await simulated.close();
  });

  it("leaves another simulator of the same seed as it is, whatever happens in its own market", async () => {
    const [one, other] = await Promise.all([1, 2].map(() => startSimulator({ speed: "frozen" })));
    const seen = ({ venue }: Simulator) => {
      const any = { conId: 0, secType: "STK", exchange: "", primaryExchange: "", currency: "" };
      const { conId } = venue.contracts({ ...any, symbol: "SPY" })[0]!;
      const bars = { conId, endUtcMs: undefined, barSize: "1 day", regularHoursOnly: true };
      const history = (whatToShow: string) =>
        venue.history({ ...bars, duration: { count: 10, unit: "Y" }, whatToShow });
      return [venue.quote(conId, "live"), history("TRADES"), history("ADJUSTED_LAST")];
    };
    const before = seen(other!);
    expect(seen(one!)).toEqual(before);
    one!.trigger({ split: { symbol: "SPY", ratio: 2 } });
    expect(seen(one!)).not.toEqual(before);
    expect(seen(other!)).toEqual(before);
    const later = await startSimulator({ speed: "frozen" });
    expect(seen(later)).toEqual(before);
    for (const simulated of [one!, other!, later]) await simulated.close();
  });

  it("serves nine synthetic symbols over eleven years when told nothing", async () => {
    const simulated = await startSimulator();
    const ours = await client(simulated.port);
    ours.api.reqHistoricalData(
      1,
      stock("BND"),
      "",
      "10 Y",
      "1 day" as never,
      "ADJUSTED_LAST" as never,
      1,
      1,
      false,
    );
    await ours.heard("historicalData", (_id, date) => String(date).startsWith("finished"));
    expect(ours.all("historicalData").length).toBeGreaterThan(2500);
    await simulated.close();
  });
});

describe("the clock", () => {
  it("stands until it is told to go on, and never goes back", async () => {
    const simulated = await simulator();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(simulated.now()).toBe(afternoon);
    await simulated.advanceBy(1234);
    expect(simulated.now()).toBe(afternoon + 1234);
    await simulated.advanceTo(afternoon);
    expect(simulated.now()).toBe(afternoon + 1234);
  });

  it("runs at a multiple of real time without gathering error", async () => {
    const simulated = await simulator({ speed: 1000 });
    const began = [performance.now(), simulated.now()] as const;
    await new Promise((resolve) => setTimeout(resolve, 300));
    simulated.setSpeed("frozen");
    const real = performance.now() - began[0];
    // It can only be behind, by what passed since it was last looked at.
    const simulatedMs = simulated.now() - began[1];
    expect(simulatedMs).toBeGreaterThan(real * 1000 - 50_000);
    expect(simulatedMs).toBeLessThan(real * 1000 + 50_000);
  });

  it("runs as fast as it can while a client is there, serves it meanwhile, and stops at the end it was given", async () => {
    const endUtcMs = afternoon + 6 * 3_600_000;
    const simulated = await simulator({ speed: "max", endUtcMs });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(simulated.now()).toBe(afternoon);
    const ours = await client(simulated.port);
    const times: number[] = [];
    while (simulated.now() < endUtcMs) {
      await read(ours);
      times.push(ours.all("currentTime").at(-1)![0]);
    }
    expect(times.length).toBeGreaterThan(1);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(simulated.now()).toBe(endUtcMs);
  });

  it("gives the same messages at the same simulated times whatever its speed", async () => {
    const story = async (goOn: (simulated: Awaited<ReturnType<typeof simulator>>) => Promise<void>) => {
      const simulated = await simulator();
      const ours = await client(simulated.port);
      ours.api.placeOrder(1, stock("SPY"), order("BUY", 10));
      await expect.poll(() => simulated.venue.openOrders().length).toBe(1);
      await goOn(simulated);
      await ours.heard("commissionReport");
      const about = ["orderStatus", "execDetails", "commissionReport"];
      return JSON.stringify(ours.events.filter(([name]) => about.includes(name)));
    };
    const inSteps = await story(async (simulated) => {
      for (let n = 0; n < 50; n++) await simulated.advanceBy(97);
    });
    const atOnce = await story((simulated) => simulated.advanceBy(60_000));
    const atFullSpeed = await story(async (simulated) => simulated.setSpeed("max"));
    expect(atOnce).toBe(inSteps);
    expect(atFullSpeed).toBe(inSteps);
  });
});

describe("who hears what", () => {
  it("of an order: its own client everything, the master everything, others only when they ask", async () => {
    const simulated = await simulator({ masterClientId: 100 });
    const [ours, master, other] = [
      await client(simulated.port),
      await client(simulated.port, 100),
      await client(simulated.port, 3),
    ];
    ours.api.placeOrder(1, stock("SPY"), order("BUY", 10));
    await expect.poll(() => simulated.venue.openOrders().length).toBe(1);
    await simulated.advanceBy(5000);
    const story = ["openOrder", "orderStatus", "execDetails", "openOrder", "orderStatus", "commissionReport"];
    for (const one of [ours, master]) {
      await one.heard("commissionReport");
      expect(one.events.map(([name]) => name).filter((name) => story.includes(name))).toEqual(story);
    }
    other.api.reqExecutions(1, {});
    await other.heard("execDetailsEnd");
    expect(other.events.map(([name]) => name).filter((name) => story.includes(name))).toEqual([
      "execDetails",
    ]);
  });

  it("of a refusal: nobody but who asked for it", async () => {
    const simulated = await simulator({ masterClientId: 100 });
    const [ours, master] = [await client(simulated.port), await client(simulated.port, 100)];
    ours.api.placeOrder(1, stock("SPY"), order("BUY", 1.5));
    await read(ours);
    await simulated.advanceBy(5000);
    await ours.heard("error");
    await read(master);
    expect([problems(ours), problems(master)]).toEqual([[[10243, 1]], []]);
  });

  it("of positions and figures: everybody who follows them", async () => {
    const simulated = await simulator();
    const [ours, other] = [await client(simulated.port), await client(simulated.port, 3)];
    other.api.reqPositions();
    other.api.reqPositionsMulti(5, account, "");
    other.api.reqAccountUpdates(true, account);
    other.api.reqAccountSummary(6, "All", "TotalCashValue");
    await other.heard("accountSummaryEnd");
    ours.api.placeOrder(1, stock("SPY"), order("BUY", 10));
    await expect.poll(() => simulated.venue.openOrders().length).toBe(1);
    await simulated.advanceBy(5000);
    for (const [name, at] of [
      ["position", 2],
      ["positionMulti", 4],
      ["updatePortfolio", 1],
    ] as const) {
      const heard = await other.heard(name);
      expect(heard[at], name).toBe(10);
    }
    // Figures flow every three minutes, and only those that changed.
    expect(other.all("accountSummary").length).toBe(1);
    await simulated.advanceBy(180_000);
    await read(other);
    expect(other.all("accountSummary").length).toBe(2);
    await simulated.advanceBy(180_000);
    await read(other);
    expect(other.all("accountSummary").length).toBe(2);
    other.api.cancelAccountSummary(6);
    other.api.cancelPositions();
    other.api.reqAccountUpdates(false, account);
    expect([ours.complaints, other.complaints]).toEqual([[], []]);
  });
});

describe("market data", () => {
  const snapshot = async (marketData: "live" | "delayed" | "none", type: number) => {
    const simulated = await simulator({ marketData });
    const ours = await client(simulated.port);
    ours.api.reqMarketDataType(type as never);
    ours.api.reqMktData(1, stock("SPY"), "", true, false);
    await read(ours);
    return {
      codes: problems(ours).map(([code]) => code),
      type: ours.all("marketDataType")[0]?.[1],
      end: ours.all("tickSnapshotEnd").length,
    };
  };
  it.each([
    ["live", 1, { codes: [], type: 1, end: 1 }],
    ["live", 3, { codes: [], type: 1, end: 1 }],
    ["delayed", 1, { codes: [354], type: undefined, end: 0 }],
    ["delayed", 3, { codes: [10167], type: 3, end: 1 }],
    ["delayed", 4, { codes: [10167], type: 4, end: 1 }],
    ["none", 1, { codes: [354], type: undefined, end: 0 }],
    ["none", 3, { codes: [10168], type: undefined, end: 0 }],
  ] as const)("for a user with %s data who asks for type %i", async (marketData, type, expected) => {
    expect(await snapshot(marketData, type)).toEqual(expected);
  });

  it("flows until it is cancelled, and says only what changed", async () => {
    const simulated = await simulator();
    const ours = await client(simulated.port);
    ours.api.reqMktData(1, stock("SPY"), "", false, false);
    await ours.heard("tickPrice", (_id, type) => type === 14);
    const opens = ours.all("tickPrice").filter(([, type]) => type === 14).length;
    await simulated.advanceBy(600_000);
    await read(ours);
    const bids = ours.all("tickPrice").filter(([, type]) => type === 1);
    expect(bids.length).toBeGreaterThan(5);
    expect(new Set(bids.map(([, , price]) => price)).size).toBeGreaterThan(5);
    expect(ours.all("tickPrice").filter(([, type]) => type === 14).length).toBe(opens);
    ours.api.cancelMktData(1);
    await read(ours);
    const before = ours.all("tickPrice").length;
    await simulated.advanceBy(600_000);
    ours.api.cancelMktData(1);
    await ours.heard("error", (_error, code) => code === 300);
    expect(ours.all("tickPrice").length).toBe(before);
  });

  it("of a user without any has no history either", async () => {
    const { port } = await simulator({ marketData: "none" });
    const ours = await client(port);
    ours.api.reqHistoricalData(1, stock("SPY"), "", "1 M", "1 day" as never, "TRADES" as never, 1, 1, false);
    const [problem, code] = await ours.heard("error");
    expect(code).toBe(162);
    expect(problem.message).toBe(
      "Historical Market Data Service error message:No market data permissions for ARCA STK",
    );
  });
});

describe("historical requests that TWS refuses are refused", () => {
  const refusal = async (
    end: string,
    duration: string,
    barSize: string,
    what: string,
    keepUpToDate = false,
  ) => {
    const { port } = await simulator();
    const ours = await client(port);
    ours.api.reqHistoricalData(
      1,
      stock("SPY"),
      end,
      duration,
      barSize as never,
      what as never,
      1,
      1,
      keepUpToDate,
    );
    const [problem, code] = await ours.heard("error");
    return [code, problem.message];
  };
  it.each([
    [
      "20251201 16:00:00 US/Eastern",
      "1 M",
      "1 day",
      "ADJUSTED_LAST",
      321,
      /End date not supported with adjusted last/,
    ],
    ["", "400 D", "1 day", "TRADES", 321, /longer than 365 days must be made in years/],
    ["", "1 year", "1 day", "TRADES", 321, /duration is invalid/],
    ["", "1 Y", "1 fortnight", "TRADES", 321, /bar size setting is invalid/],
    ["", "1 Y", "1 day", "GOSSIP", 321, /Invalid whatToShow/],
    ["tomorrow", "1 Y", "1 day", "TRADES", 10314, /The correct format is/],
    ["20140101 16:00:00", "1 M", "1 day", "TRADES", 162, /HMDS query returned no data/],
  ] as const)("end %j, %s of %s bars of %s", async (end, duration, barSize, what, code, words) => {
    expect(await refusal(end, duration, barSize, what)).toEqual([code, expect.stringMatching(words)]);
  });
  it("bars that keep up to date, in words", async () => {
    expect(await refusal("", "1 M", "1 day", "TRADES", true)).toEqual([
      321,
      expect.stringMatching(/keep up to date are not served/),
    ]);
  });
});

describe("hourly bars", () => {
  it("carry New York's time with the zone, or seconds when asked for", async () => {
    const { port } = await simulator();
    const ours = await client(port);
    ours.api.reqHistoricalData(1, stock("SPY"), "", "2 D", "1 hour" as never, "TRADES" as never, 1, 1, false);
    ours.api.reqHistoricalData(2, stock("SPY"), "", "2 D", "1 hour" as never, "TRADES" as never, 1, 2, false);
    await ours.heard("historicalData", (id, date) => id === 2 && String(date).startsWith("finished"));
    const dates = (id: number) =>
      ours
        .all("historicalData")
        .filter(([own, , open]) => own === id && open > 0)
        .map(([, date]) => String(date));
    expect(dates(1)[0]).toMatch(/^\d{8} 09:30:00 US\/Eastern$/);
    expect(dates(1).length).toBe(dates(2).length);
    expect(Number(dates(2).at(-1)) * 1000).toBe(newYorkToUtcMs(sessionDate("2025-12-29"), "15:00"));
  });
});

describe("limits", () => {
  it("two account summaries at a time, then 322", async () => {
    const { port } = await simulator();
    const ours = await client(port);
    for (const id of [1, 2, 3]) ours.api.reqAccountSummary(id, "All", "NetLiquidation");
    await ours.heard("error");
    expect(problems(ours)).toEqual([[322, 3]]);
    ours.api.cancelAccountSummary(1);
    ours.api.reqAccountSummary(4, "All", "NetLiquidation");
    await ours.heard("accountSummaryEnd", (id) => id === 4);
  });

  it("as many clients as it was told, and one more when one has gone", async () => {
    const { port } = await simulator({ maxClients: 2 });
    const [first] = [await client(port, 1), await client(port, 2)];
    const third = unconnectedClient(port);
    third.api.connect(3);
    const [words] = await third.heard("info", (_text, code) => code === 321);
    expect(words).toMatch(/2 clients are connected already/);
    await third.heard("disconnected");
    first!.api.disconnect();
    await expect
      .poll(async () => {
        const again = unconnectedClient(port);
        again.api.connect(3);
        return again
          .heard("nextValidId", () => true)
          .then(
            () => true,
            () => false,
          );
      })
      .toBe(true);
  });

  it("strict pacing: 100 beyond fifty messages a second, and the third time the end", async () => {
    const simulated = await simulator({ pacing: "strict" });
    const raw = await rawClient(simulated.port, 193, 5);
    const time = () => raw.send(49, 1);
    for (let n = 0; n < 49; n++) time();
    await expect.poll(() => raw.frames.filter(([id]) => id === "49").length).toBe(49);
    time();
    await raw.frame((fields) => fields[0] === "4" && fields[3] === "100");
    await simulated.advanceBy(1000);
    time();
    await expect.poll(() => raw.frames.filter(([id]) => id === "49").length).toBe(50);
    for (let n = 0; n < 51; n++) time();
    await raw.closed;
    expect(raw.frames.filter((fields) => fields[3] === "100").length).toBe(3);
  });

  it("strict pacing: the same small bars within fifteen seconds bring 162", async () => {
    const simulated = await simulator({ pacing: "strict" });
    const ours = await client(simulated.port);
    const ask = (id: number) =>
      ours.api.reqHistoricalData(
        id,
        stock("SPY"),
        "",
        "1800 S",
        "30 secs" as never,
        "TRADES" as never,
        1,
        1,
        false,
      );
    ask(1);
    ask(2);
    const [problem, code, id] = await ours.heard("error", (_error, _code, own) => own === 2);
    expect([code, id, problem.message]).toEqual([162, 2, expect.stringContaining("pacing violation")]);
    await simulated.advanceBy(15_000);
    ask(3);
    await read(ours);
    expect(ours.all("error").some(([error, , own]) => own === 3 && /pacing/.test(error.message))).toBe(false);
  });

  it("soft pacing lets messages wait, in order, and loses none", async () => {
    const simulated = await simulator({ speed: 20 });
    const ours = await client(simulated.port);
    const began = simulated.now();
    for (let id = 1; id <= 200; id++) ours.api.reqContractDetails(id, stock("SPY"));
    await ours.heard("contractDetailsEnd", (id) => id === 200);
    expect(ours.all("contractDetailsEnd").map(([id]) => id)).toEqual(
      Array.from({ length: 200 }, (_, at) => at + 1),
    );
    expect(simulated.now() - began).toBeGreaterThanOrEqual(3000);
  });
});

describe("orders that cannot be", () => {
  const refusal = async (
    contract: Parameters<Client["api"]["placeOrder"]>[1],
    sent: ReturnType<typeof order>,
    options = {},
  ) => {
    const simulated = await simulator(options);
    const ours = await client(simulated.port);
    ours.api.placeOrder(1, contract, sent);
    const [problem, code, id] = await ours.heard("error");
    expect(simulated.venue.openOrders()).toEqual([]);
    return [code, id, problem.message];
  };
  it.each([
    ["an unknown symbol", stock("NOSUCH"), order("BUY", 1), 200, /No security definition/],
    [
      "an option",
      { ...stock("SPY"), secType: "OPT" as never },
      order("BUY", 1),
      200,
      /No security definition/,
    ],
    [
      "an unknown account",
      stock("SPY"),
      order("BUY", 1, { account: "DU999" }),
      321,
      /Invalid account code 'DU999'/,
    ],
    ["no quantity", stock("SPY"), order("BUY", 0), 434, /size cannot be zero/],
    ["another side", stock("SPY"), order("SSHORT" as "BUY", 1), 321, /BUY or SELL/],
    [
      "an algorithm",
      stock("SPY"),
      order("BUY", 1, { algoStrategy: "Twap", algoParams: [] }),
      321,
      /does not know orders with an algorithm/,
    ],
  ] as const)("are refused: %s", async (_what, contract, sent, code, words) => {
    expect(await refusal(contract, sent)).toEqual([code, 1, expect.stringMatching(words)]);
  });
  it("are refused without an account where there are two: 435", async () => {
    const accounts = [account, "DU2"].map((id) => ({ id, cashCents: 1_000_000 }));
    expect(await refusal(stock("SPY"), order("BUY", 1, { account: "" }), { accounts })).toEqual([
      435,
      1,
      expect.any(String),
    ]);
  });
  it("are refused in read-only mode, what-ifs too", async () => {
    const simulated = await simulator({ readOnly: true });
    const ours = await client(simulated.port);
    ours.api.placeOrder(1, stock("SPY"), order("BUY", 1));
    ours.api.placeOrder(2, stock("SPY"), order("BUY", 1, { whatIf: true }));
    ours.api.cancelOrder(1);
    await ours.heard("error", (_error, _code, id) => id === 2);
    await read(ours);
    expect(problems(ours)).toEqual([
      [321, 1],
      [321, 2],
      [321, 1],
    ]);
  });
  it("are shown, not placed, when they ask what if", async () => {
    const simulated = await simulator();
    const ours = await client(simulated.port);
    ours.api.placeOrder(1, stock("SPY"), order("BUY", 10, { whatIf: true }));
    const [, , shown, state] = await ours.heard("openOrder");
    expect([shown.whatIf, state.commission > 0, state.initMarginAfter > 0]).toEqual([true, true, true]);
    expect(simulated.venue.openOrders()).toEqual([]);
    expect(ours.complaints).toEqual([]);
  });
});

describe("a restart by hand", () => {
  it("keeps the port, orders, permIds and order ids", async () => {
    const simulated = await simulator();
    const ours = await client(simulated.port);
    ours.api.placeOrder(1, stock("SPY"), order("BUY", 2, { orderType: "LMT" as never, lmtPrice: 1 }));
    await expect.poll(() => simulated.venue.openOrders().length).toBe(1);
    await simulated.advanceBy(1000);
    const { port } = simulated;
    await simulated.restart();
    await ours.heard("disconnected");
    expect(simulated.port).toBe(port);
    const again = await client(port);
    again.api.reqOpenOrders();
    const [id, , seen] = await again.heard("openOrder");
    expect([id, String(seen.permId)]).toEqual([1, simulated.venue.openOrders()[0]!.permId]);
    expect(again.all("nextValidId")[0]![0]).toBe(2);
  });
});
