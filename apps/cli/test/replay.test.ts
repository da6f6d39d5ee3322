import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { documentOf, filesIn, pf, smallMarket, temporaryFolder } from "./process.js";

let home: string;
const settings = smallMarket.filter((_, at) => at < 6);
const replay = (words: readonly string[], options: Parameters<typeof pf>[1] = {}) =>
  pf(["replay", ...settings, "--data-dir", join(home, "data"), ...words], options);
const fewSessions = ["--start", "2017-08-28", "--end", "2017-09-13"];

beforeAll(async () => {
  home = temporaryFolder();
  expect((await pf(["fetch", ...smallMarket], { cwd: home })).code).toBe(0);
});

describe("pf replay", () => {
  it("prints what both did, session by session, and exits 0 when it is the same", async () => {
    const folder = temporaryFolder();
    const finished = await replay([...fewSessions, "--json"], { cwd: folder });
    expect(finished.code).toBe(0);
    const { sessions, fills, equity, difference, start, end, intraday } = documentOf(finished);
    expect([start, end, intraday]).toEqual(["2017-08-28", "2017-09-13", "close"]);
    expect(sessions).toHaveLength(12);
    expect(equity).toHaveLength(12);
    expect(fills.length).toBeGreaterThan(0);
    expect(difference).toMatchObject({ equal: true, equalOrders: true, cents: 0, bps: 0, first: null });
    expect(finished.stderr).toContain("[12/12] trading 2017-09-13");
    // It has folders of its own for a while, and neither trades nor reports in those of the account.
    expect(filesIn(folder)).toEqual({});
  });

  it("tells people the same in plain words", async () => {
    const finished = await replay([...fewSessions, "--quiet"]);
    expect([finished.code, finished.stderr]).toEqual([0, ""]);
    expect(finished.stdout).toContain("equal to the cent");
    for (const line of finished.stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });

  it("along a path shows the difference and where it comes from, and exits 0", async () => {
    const finished = await replay([...fewSessions, "--intraday", "path", "--json"]);
    expect(finished.code).toBe(0);
    const { difference, equity } = documentOf(finished);
    expect(difference.equal).toBe(false);
    expect(difference.parts.map(({ name }: { name: string }) => name)).toEqual(["decision", "execution"]);
    const last = equity.at(-1);
    expect(difference.cents).toBe(Math.round((last.replay - last.account) * 100));
  });

  it("by Ctrl-C exits 130 within a second", async () => {
    let asked = 0;
    const finished = await replay(["--start", "2017-01-03", "--json"], {
      meanwhile: (child) =>
        child.stderr!.on("data", (text: string) => {
          if (asked > 0 || !text.includes("[ 10/")) return;
          asked = performance.now();
          child.kill("SIGINT");
        }),
    });
    // Its start and end lie outside; a busy machine gets a second more.
    expect(performance.now() - asked).toBeLessThan(2_000);
    expect(finished.code).toBe(130);
    expect(documentOf(finished).error.code).toBe("PF_INTERRUPTED");
  });

  it("refuses other ways for prices to move", async () => {
    const finished = await replay(["--intraday", "open", "--json"]);
    expect(finished.code).toBe(2);
    expect(documentOf(finished).error.next).toContain("close");
  });
});
