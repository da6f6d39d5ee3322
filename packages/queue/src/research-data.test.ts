import { alignPanel, dateOfDayNumber, sessionDate } from "@pf/market";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { study, panel as usual } from "../test/world.js";
import { packData, unpackData } from "./research-data.js";

const fields = ["open", "high", "low", "close", "volume"] as const;

/** Symbols with bars on some days of their own, of any finite prices. */
const panels = fc
  .array(
    fc.array(fc.option(fc.double({ min: 1e-9, max: 1e12, noNaN: true })), { minLength: 1, maxLength: 12 }),
    {
      minLength: 1,
      maxLength: 4,
    },
  )
  .map((symbols) =>
    alignPanel(
      symbols.map((prices, at) => {
        const days = prices.flatMap((price, day) => (price === null ? [] : [{ price, day }]));
        const column = Float64Array.from(days, ({ price }) => price);
        return {
          ticker: `S${at}`,
          sessions: days.map(({ day }) => dateOfDayNumber(20_000 + day)),
          ...{ open: column, high: column, low: column, close: column, volume: column },
        };
      }),
    ),
  );

describe("bars and a study", () => {
  it("come out as they went in, holes and late starts included", async () => {
    await fc.assert(
      fc.asyncProperty(panels, async (panel) => {
        const { hash, bytes } = await packData({ panel, study });
        const data = await unpackData(hash, bytes);
        expect([data?.sessions, data?.tickers, data?.study]).toEqual([panel.sessions, panel.tickers, study]);
        const values = new Float64Array(data!.bars);
        const rows = panel.sessions.length;
        for (const [at, ticker] of panel.tickers.entries())
          for (const [of, field] of fields.entries()) {
            const from = (at * fields.length + of) * rows;
            expect(values.slice(from, from + rows)).toEqual(Float64Array.from(panel.column(field, ticker)));
          }
      }),
      { numRuns: 40 },
    );
  });

  it("of hours keep when each ends", async () => {
    const day = Date.parse("2024-07-01T14:30:00Z");
    const endsUtcMs = Float64Array.from({ length: 6 }, (_, at) => day + at * 3_600_000);
    const sessions = Array.from(endsUtcMs, () => sessionDate("2024-07-01"));
    const column = Float64Array.from(endsUtcMs, (_, at) => 100 + at);
    const prices = { open: column, high: column, low: column, close: column, volume: column };
    const panelOf = (ends: Float64Array) =>
      alignPanel([{ ticker: "AA", sessions, endsUtcMs: ends, ...prices }]);
    const { hash, bytes } = await packData({ panel: panelOf(endsUtcMs), study });
    const data = await unpackData(hash, bytes);
    expect(data?.endsUtcMs).toEqual(endsUtcMs);
    expect(new Float64Array(data!.bars).subarray(0, 6)).toEqual(column);
    const later = panelOf(endsUtcMs.map((end) => end + 60_000));
    expect((await packData({ panel: later, study })).hash).not.toBe(hash);
  });

  it("go by their content: equal ones have one hash, a change of the last bit or of a rule has another", async () => {
    const { hash } = await packData({ panel: usual, study });
    expect((await packData({ panel: usual, study: structuredClone(study) })).hash).toBe(hash);
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    const other = await packData({ panel: usual, study: { ...study, lag: 2 } });
    const shorter = await packData({ panel: usual.between(1, usual.sessions.length), study });
    expect(new Set([hash, other.hash, shorter.hash]).size).toBe(3);
  });

  it("are refused when a byte of them is another, wherever it is", async () => {
    const { hash, bytes } = await packData({ panel: usual, study });
    expect(await unpackData(hash, bytes)).toMatchObject({ tickers: usual.tickers, sessions: usual.sessions });
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const damaged = Buffer.from(bytes);
        damaged[at] = damaged[at]! ^ change;
        // A few bits of the packing mean nothing; nothing that comes out is ever another content.
        const data = await unpackData(hash, damaged);
        if (data) expect(data).toEqual(await unpackData(hash, bytes));
        else refused++;
      }),
      { numRuns: 40 },
    );
    expect(refused).toBeGreaterThan(30);
    expect(await unpackData(hash, bytes.subarray(0, bytes.length >> 1))).toBeUndefined();
    expect(
      await unpackData(
        hash.replace(/^./, (digit) => (digit === "0" ? "1" : "0")),
        bytes,
      ),
    ).toBeUndefined();
  });
});
