import { describe, expect, it } from "vitest";
import { provenanceOf, simulatedMarketOf } from "./provenance.js";

describe("the origin of bars", () => {
  it("is the broker, whatever the zone is called", () => {
    for (const time of [
      "20260405 23:49:26 Central European Standard Time",
      "20260405 23:49:26 (UTC+01:00) Berlin",
      "20260405  23:49:26",
      "",
    ]) {
      expect([provenanceOf(time), simulatedMarketOf(time)]).toEqual(["ibkr", undefined]);
    }
  });

  it("is the market of a simulator that says so", () => {
    const time = "20251231 16:00:00 US/Eastern (tws-sim synthetic:42)";
    expect([provenanceOf(time), simulatedMarketOf(time)]).toEqual(["tws-sim:synthetic:42", "synthetic:42"]);
  });
});
