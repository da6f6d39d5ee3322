import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { csvSource } from "@pf/bars";
import { describe, expect, it } from "vitest";
import type { VenueBar } from "../src/venue/venue.js";
import { barsOf, calendar, day, request, world } from "./venue-world.js";

const folder = fileURLToPath(new URL("../../../../shared/data/etf-daily", import.meta.url));

// Eleven years of a vendor's floats: off the tick, with holes and half days.
describe.runIf(existsSync(folder))("real bars (run where ../shared holds them)", () => {
  it.each(["SPY", "TLT", "BND", "BITO"])(
    "the hours of %s make up its days, to the last digit",
    async (symbol) => {
      const { adjusted } = await csvSource(folder, calendar).fetch(
        symbol,
        day("2015-01-02"),
        day("2026-05-01"),
      );
      const { venue, contract } = world({
        instruments: [{ adjusted }],
        startUtcMs: calendar.closeUtcMs(day("2026-05-01")),
      });
      const { conId } = contract(symbol);
      const duration = { count: 12, unit: "Y" } as const;
      const days = barsOf(venue, request(conId, { duration }));
      expect(days.length).toBe(adjusted.sessions.length);
      const hours = new Map<string, VenueBar[]>();
      for (const bar of barsOf(venue, request(conId, { duration, barSize: "1 hour" }))) {
        const of = hours.get(bar.session);
        if (of) of.push(bar);
        else hours.set(bar.session, [bar]);
      }
      days.forEach((bar, row) => {
        expect([bar.session, bar.close]).toEqual([adjusted.sessions[row], adjusted.close[row]]);
        const parts = hours.get(bar.session)!;
        expect(parts[0]!.open).toBe(bar.open);
        expect(parts.at(-1)!.close).toBe(bar.close);
        expect(Math.max(...parts.map(({ high }) => high))).toBe(bar.high);
        expect(Math.min(...parts.map(({ low }) => low))).toBe(bar.low);
        expect(parts.reduce((sum, { volume }) => sum + volume, 0)).toBe(bar.volume);
      });
    },
  );
});
