import type { ConnectOutcome } from "@pf/app";
import { describe, expect, it } from "vitest";
import { plain } from "../terminal.js";
import { renderConnect } from "./connect.js";

const style = { painter: plain, width: 80, out: "reports" };

const healthy: ConnectOutcome = {
  mode: "paper",
  account: "DUK200445",
  accounts: ["DUK200445"],
  server: {
    host: "127.0.0.1",
    port: 7497,
    clientId: 17,
    version: 193,
    time: "2026-11-23T20:30:00.000Z",
    clockSkewMs: 400,
    simulator: null,
  },
  checks: [
    { name: "port", status: "ok", detail: "127.0.0.1:7497 is open", fix: null },
    { name: "handshake", status: "ok", detail: "TWS speaks version 193, client id 17", fix: null },
    { name: "account", status: "ok", detail: "DUK200445 is managed by this session", fix: null },
    {
      name: "history",
      status: "warning",
      detail: "bars of SPY came, but today's is not among them although the market is open since an hour",
      fix: "look at the data farms at the bottom right of TWS",
    },
    { name: "orders", status: "skipped", detail: "not asked: only an order could tell", fix: null },
  ],
  summary: {
    netLiquidation: 1_025_000.5,
    totalCash: 25_000,
    settledCash: -12.345,
    availableFunds: null,
    accountType: "INDIVIDUAL",
    currency: "USD",
  },
  positions: [{ symbol: "SPY", quantity: 12, averageCost: 601.2345 }],
  hours: [],
  contracts: [],
  marketData: null,
  notes: ["retail clients in the EU and the UK cannot buy US funds: orders for them are rejected (no KID)"],
};

describe("pf connect for people", () => {
  it("tells what was checked, what to do, the account and what is worth knowing", () => {
    expect(renderConnect(healthy, style)).toBe(`Connection to TWS at 127.0.0.1:7497, paper account DUK200445

  Check            Found
  port       ok    127.0.0.1:7497 is open
  handshake  ok    TWS speaks version 193, client id 17
  account    ok    DUK200445 is managed by this session
  history    look  bars of SPY came, but today's is not among them although the
                   market is open since an hour
  orders     -     not asked: only an order could tell

What to do
  - history: look at the data farms at the bottom right of TWS

Account
                            USD
  net liquidation  1,025,000.50
  cash                25,000.00
  settled cash           -12.35
  available funds             –

Positions
  Symbol  Shares  Average cost
  SPY         12        601.23

Worth knowing
  - retail clients in the EU and the UK cannot buy US funds: orders for them are
    rejected (no KID)
`);
  });

  it("calls a simulator a simulator", () => {
    const simulated = { ...healthy, server: { ...healthy.server!, simulator: "synthetic:42" } };
    expect(renderConnect(simulated, style)).toContain("A simulator, not the broker: market synthetic:42\n");
  });

  it("says of a closed port only what is known", () => {
    const closed: ConnectOutcome = {
      ...healthy,
      server: null,
      accounts: [],
      summary: null,
      positions: [],
      notes: [],
      checks: [
        {
          name: "port",
          status: "failed",
          detail: "cannot reach TWS at 127.0.0.1:7497: the port is closed",
          fix: 'start TWS and log in; then tick "Enable ActiveX and Socket Clients"',
        },
        { name: "handshake", status: "skipped", detail: "not reached", fix: null },
      ],
    };
    expect(renderConnect(closed, style)).toBe(`Connection to TWS, paper account DUK200445

  Check              Found
  port       failed  cannot reach TWS at 127.0.0.1:7497: the port is closed
  handshake  -       not reached

What to do
  - port: start TWS and log in; then tick "Enable ActiveX and Socket Clients"
`);
  });

  it("fits eighty columns", () => {
    for (const line of renderConnect(healthy, style).split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });
});
