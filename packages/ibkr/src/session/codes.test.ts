import { describe, expect, it } from "vitest";
import { classifyCode, isAboutCancelling, refusalOf } from "./codes.js";

const hmds = "Historical Market Data Service error message:";

describe("classifyCode", () => {
  it.each([
    [10167, "", "notice"],
    [10349, "", "notice"],
    [399, "", "notice"],
    [2104, "", "notice"],
    [2157, "", "notice"],
    [2109, "", "notice"],
    [2110, "", "connection"],
    [1100, "", "connection"],
    [1102, "", "connection"],
    [326, "", "connection"],
    [162, `${hmds}pacing violation`, "transient"],
    [162, `${hmds}API historical data query cancelled: 3`, "transient"],
    [162, `${hmds}HMDS query returned no data`, "permanent"],
    [162, `${hmds}No market data permissions for ARCA STK`, "permanent"],
    [100, "", "transient"],
    [200, "", "permanent"],
    [354, "", "permanent"],
    [201, "", "order"],
    [202, "", "order"],
    [10243, "", "order"],
    [505, "", "protocol"],
    [98765, "", "unknown"],
  ])("sorts %i %j under %s", (code, message, kind) => {
    expect(classifyCode(code, message)).toBe(kind);
  });
});

describe("refusalOf", () => {
  it.each([
    [
      321,
      "Error validating request.-'bY' : cause - The API interface is currently in Read-Only mode.",
      "readOnly",
    ],
    [321, "Error validating request.-'bH' : cause - Invalid order type", "rejected"],
    [10243, "Fractional-sized order cannot be placed via API.", "fractional"],
    [10252, "", "fractional"],
    [10318, "", "fractional"],
    [203, "The security is not available or allowed for this account.", "permission"],
    [201, "Order rejected - reason:No Trading Permission", "permission"],
    [201, "Order rejected - reason:KID not available", "permission"],
    [201, "Order rejected - reason:Available Funds are insufficient", "rejected"],
    [383, "Size value exceeds the Size Limit", "precaution"],
  ])("of %i %j is %s", (code, message, refusal) => {
    expect(refusalOf(code, message)).toBe(refusal);
  });
});

describe("isAboutCancelling", () => {
  it("is so for the codes that answer a cancellation, and not for 202", () => {
    expect([135, 161, 202, 10147, 10148].filter(isAboutCancelling)).toEqual([135, 161, 10147, 10148]);
  });
});
