import { describe, expect, it } from "vitest";
import { verdictOn } from "./verdict.js";

const prefix = "Historical Market Data Service error message:";

describe("the broker's errors about history", () => {
  it.each([
    [200, "No security definition has been found for the request", "unknownContract"],
    [162, `${prefix}HMDS query returned no data: XYZ@SMART Trades`, "noData"],
    [162, `${prefix}No market data permissions for ARCA STK`, "noPermission"],
    [162, `${prefix}Trading TWS session is connected from a different IP address`, "noPermission"],
    [162, `${prefix}Historical data request pacing violation`, "pacing"],
    [420, "Invalid Real-time Query: pacing violation", "pacing"],
    [162, `${prefix}API historical data query cancelled: 4`, "cancelled"],
    [162, `${prefix}HMDS server disconnect occurred.  Attempting reconnection...`, "interrupted"],
    [366, "No historical data query found for ticker id:4", "cancelled"],
    [354, "Requested market data is not subscribed.", "noPermission"],
    [10197, "No market data during competing live session", "noPermission"],
    [321, "Error validating request: End date not supported with adjusted last", "refused"],
    [162, `${prefix}Abfrage fehlgeschlagen`, "refused"],
    [99999, "never seen", "refused"],
    [10167, "Displaying delayed market data", "notice"],
    [2106, "HMDS data farm connection is OK:ushmds", "notice"],
  ] as const)("%i %s means %s", (code, message, verdict) => {
    expect(verdictOn({ code, message })).toBe(verdict);
  });
});
