import { newYorkToUtcMs, sessionDate, xnys } from "@pf/market";
import { describe, expect, it } from "vitest";
import { openAt, parseLiquidHours } from "./hours.js";

const day = sessionDate("2026-11-27");

describe("parseLiquidHours", () => {
  it("reads normal days, half days and closed days", () => {
    const text =
      "20261125:0930-20261125:1600;20261126:CLOSED;20261127:0930-20261127:1300;20261128:CLOSED;20261130:0930-20261130:1600";
    const hours = parseLiquidHours(text, "US/Eastern");
    expect(hours.map((one) => [one.session, one.open && one.closesUtcMs])).toEqual([
      ["2026-11-25", xnys.closeUtcMs(sessionDate("2026-11-25"))],
      ["2026-11-26", false],
      ["2026-11-27", xnys.closeUtcMs(day)],
      ["2026-11-28", false],
      ["2026-11-30", xnys.closeUtcMs(sessionDate("2026-11-30"))],
    ]);
  });

  it("reads what older TWS write: the second date missing, spans behind commas", () => {
    expect(parseLiquidHours("20261127:0930-1300", "America/New_York")).toEqual(
      parseLiquidHours("20261127:0930-20261127:1300", "US/Eastern"),
    );
    expect(parseLiquidHours("20261127:0930-1100,1130-1300", "EST5EDT")).toEqual(
      parseLiquidHours("20261127:0930-20261127:1300", "US/Eastern"),
    );
  });

  it("knows nothing of an empty text", () => {
    expect(parseLiquidHours("", "US/Eastern")).toEqual([]);
  });

  it.each([
    ["20261127:0930", "US/Eastern"],
    ["20261327:0930-1300", "US/Eastern"],
    ["20261127:0930-2500", "US/Eastern"],
    ["20261127:1300-0930", "US/Eastern"],
    ["20261127:0930-1300", "Asia/Tokyo"],
    ["open all day", "US/Eastern"],
  ])("refuses %j in %s", (text, zone) => {
    expect(() => parseLiquidHours(text, zone)).toThrowError(
      expect.objectContaining({ code: "PF_IBKR_PROTOCOL" }),
    );
  });
});

describe("openAt", () => {
  const hours = parseLiquidHours("20261126:CLOSED;20261127:0930-20261127:1300", "US/Eastern");
  it.each([
    ["09:29", undefined],
    ["09:30", day],
    ["12:59", day],
    ["13:00", undefined],
    ["15:55", undefined],
  ])("at %s of a half day is %s", (time, session) => {
    expect(openAt(hours, newYorkToUtcMs(day, time))?.session).toBe(session);
  });
});
