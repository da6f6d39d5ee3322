import { describe, expect, it } from "vitest";
import { renderSim } from "./sim.js";

const document = {
  listening: { host: "127.0.0.1", port: 7497 },
  account: "DUK200445",
  clock: "2026-11-23T20:30:00.000Z",
  market: "synthetic:42",
  symbols: ["SPY", "QQQ", "VTI", "TLT", "IEF", "GLD", "XLE", "BND", "BITO"],
};

describe("what a person who started a simulator reads", () => {
  it("names the market, the account, the time and how to connect", () => {
    expect(renderSim({ document, remote: false })).toBe(
      `A simulator of TWS, not TWS: no money, no broker. Market synthetic:42, account
DUK200445.
It is 2026-11-23T20:30:00.000Z in there, and there are bars of SPY, QQQ, VTI,
TLT, IEF, GLD, XLE, BND, BITO.
Connect to 127.0.0.1:7497, for instance with
  pf connect --set ibkr.host=127.0.0.1 --set ibkr.port=7497
Ctrl-C ends it.
`,
    );
  });

  it("warns when others can connect", () => {
    expect(renderSim({ document, remote: true })).toContain("Other machines can connect");
  });
});
