import { positionsOf, totalCash } from "@pf/compliance";
import { amendCalendar, newYorkDateOf, newYorkTimeOf, sessionDate, xnys } from "@pf/market";
import { describe, expect, it } from "vitest";
import { WorkerWorld } from "./workerWorld.js";

const newYork = (utcMs: number) => `${newYorkDateOf(utcMs)} ${newYorkTimeOf(utcMs)}`;

describe("a worker left alone", () => {
  it("trades every session once, five minutes before its close, and says what it did", async () => {
    await using world = await WorkerWorld.open(["2025-07-01", "12:00"]);
    expect(await world.live(["2025-07-08", "20:00"])).toBeUndefined();
    expect(world.ended().map(([session, result]) => [session, result])).toEqual([
      ["2025-07-01", "traded"],
      ["2025-07-02", "traded"],
      ["2025-07-03", "traded"],
      ["2025-07-07", "traded"],
      ["2025-07-08", "traded"],
    ]);
    const { account } = world.state();
    expect(positionsOf(account)).toEqual(world.broker().positions);
    expect(totalCash(account)).toBe(world.broker().cash);
  });
});

describe("a worker whose broker is not there", () => {
  it("says so on Sunday evening, and trades on Monday once somebody has logged in", async () => {
    await using world = await WorkerWorld.open(["2025-07-11", "16:30"]);
    world.shut(["2025-07-13", "01:00"], ["2025-07-14", "10:00"]);
    expect(await world.live(["2025-07-14", "20:00"])).toBeUndefined();
    expect(world.ended()).toEqual([["2025-07-14", "traded", expect.anything()]]);
    const alarm = world.told.find(({ level }) => level === "alarm")!;
    expect(alarm).toMatchObject({ key: "preflight", title: "Not ready for 2025-07-14" });
    expect(alarm.text).toContain("orders go out at 15:55 New York time");
    expect(newYork(alarm.atUtcMs)).toBe("2025-07-13 18:00");
    const over = world.told.find(({ title }) => title === "Ready again")!;
    expect(newYork(over.atUtcMs)).toBe("2025-07-14 14:55");
    // The look in the morning found the same trouble, and nobody was told of it twice.
    expect(world.told.filter(({ key }) => key === "preflight")).toHaveLength(2);
  });

  it("skips the session with the reason, and trades the next one", async () => {
    await using world = await WorkerWorld.open(["2025-07-10", "12:00"]);
    world.shut(["2025-07-10", "15:50"], ["2025-07-10", "18:00"]);
    expect(await world.live(["2025-07-11", "20:00"])).toBeUndefined();
    expect(world.ended()).toEqual([
      ["2025-07-10", "skipped", null],
      ["2025-07-11", "traded", "filled"],
    ]);
    const [skipped] = world.told.filter(({ key }) => key === "skipped");
    expect(skipped).toMatchObject({ level: "alarm", title: "2025-07-10 was skipped" });
    expect(skipped!.text).toMatch(/127\.0\.0\.1/);
    expect(newYork(skipped!.atUtcMs) <= "2025-07-10 16:00").toBe(true);
    expect(world.told.map(({ title }) => title)).toContain("Traded again");
  });

  it("trades as soon as it is back while the window is open", async () => {
    await using world = await WorkerWorld.open(["2025-07-08", "12:00"]);
    world.shut(["2025-07-08", "15:50"], ["2025-07-08", "15:57"]);
    expect(await world.live(["2025-07-08", "20:00"])).toBeUndefined();
    expect(world.ended()).toEqual([["2025-07-08", "traded", "filled"]]);
    expect(world.taken.size).toBeGreaterThan(0);
  });
});

describe("a worker whose broker says no prices", () => {
  const silence = "{ on: { message: tickPrice, times: all }, do: [drop] }";

  it("trades as soon as it does, while the window is open", async () => {
    await using world = await WorkerWorld.open(["2025-07-08", "15:50"]);
    world.underRule(silence, ["2025-07-08", "15:54"], ["2025-07-08", "15:57"]);
    expect(await world.live(["2025-07-08", "20:00"])).toBeUndefined();
    expect(world.ended()).toEqual([["2025-07-08", "traded", "filled"]]);
    for (const utcMs of world.orderTimes) expect(newYork(utcMs)).toMatch(/^2025-07-08 15:5[7-9]$/);
    expect(world.told.find(({ key }) => key === "trade")!.text).toContain("no price of SPY, QQQ");
  });

  it("skips the session with that reason when it never does", async () => {
    await using world = await WorkerWorld.open(["2025-07-08", "15:50"]);
    world.underRule(silence, ["2025-07-08", "15:54"], ["2025-07-08", "16:30"]);
    expect(await world.live(["2025-07-08", "20:00"])).toBeUndefined();
    expect(world.taken.size).toBe(0);
    const [ended] = world.ended();
    expect(ended!.slice(0, 2)).toEqual(["2025-07-08", "skipped"]);
    expect(world.told.find(({ key }) => key === "skipped")!.text).toContain("no price of SPY, QQQ");
  });
});

describe("a worker that was not there", () => {
  it("skips what it missed, one by one, with the reason", async () => {
    await using world = await WorkerWorld.open(["2025-07-01", "12:00"]);
    await world.live(["2025-07-01", "17:00"]);
    await world.goTo(["2025-07-08", "16:30"]);
    await world.live(["2025-07-09", "17:00"]);
    expect(world.ended().map(([session, result]) => [session, result])).toEqual([
      ["2025-07-01", "traded"],
      ["2025-07-02", "skipped"],
      ["2025-07-03", "skipped"],
      ["2025-07-07", "skipped"],
      ["2025-07-08", "skipped"],
      ["2025-07-09", "traded"],
    ]);
    for (const event of world.events) {
      if (event.kind === "ended" && event.result === "skipped")
        expect(event.detail).toBe("no worker was running when it was time to trade");
    }
  });

  it("trades at once when it starts within the window", async () => {
    await using world = await WorkerWorld.open(["2025-07-08", "15:56"]);
    await world.live(["2025-07-08", "17:00"]);
    expect(world.ended()).toEqual([["2025-07-08", "traded", "filled"]]);
  });

  it("does not trade when it starts too late, and has nothing to excuse on its first day", async () => {
    await using world = await WorkerWorld.open(["2025-07-08", "15:59:45"]);
    await world.live(["2025-07-08", "17:00"]);
    expect(world.taken.size).toBe(0);
    expect(world.ended().map(([session, result]) => [session, result])).toEqual([["2025-07-08", "skipped"]]);
  });

  it("skips a session that the machine slept through", async () => {
    await using world = await WorkerWorld.open(["2025-07-08", "12:00"]);
    await world.live(["2025-07-09", "17:00"], {
      timers: world.sleepy(["2025-07-08", "14:00"], ["2025-07-09", "09:00"]),
    });
    expect(world.ended().map(([session, result]) => [session, result])).toEqual([
      ["2025-07-08", "skipped"],
      ["2025-07-09", "traded"],
    ]);
  });
});

describe("a worker that a person stops or halts", () => {
  it("ends when it is asked to, and says so", async () => {
    await using world = await WorkerWorld.open(["2025-07-01", "12:00"]);
    expect(await world.live(["2025-07-01", "13:00"])).toBeUndefined();
    expect(world.events.at(-1)).toEqual({ kind: "stopped", reason: "asked to stop" });
    // Nothing of it stays: another one can start.
    expect(await world.live(["2025-07-01", "14:00"])).toBeUndefined();
  });

  it("lets nobody else be the worker of its account", async () => {
    await using world = await WorkerWorld.open(["2025-07-01", "12:00"]);
    const first = world.live(["2025-07-01", "13:00"], {
      onEvent: () => {},
      teller: {
        isHeard: true,
        send: async () => true,
        ping: async () => {
          expect(await world.startedBeside()).toMatchObject({ code: "PF_STATE_LOCKED" });
        },
      },
    });
    expect(await first).toBeUndefined();
    expect.assertions(2);
  });

  it("sends nothing while trading is halted, tells it once, and goes on after a resume", async () => {
    await using world = await WorkerWorld.open(["2025-07-09", "12:00"]);
    await world.live(["2025-07-09", "17:00"]);
    await world.services().halt({ reason: "looking at it" });
    await world.live(["2025-07-10", "17:00"]);
    expect(world.taken.size).toBe(0);
    expect(world.ended().at(-1)).toEqual(["2025-07-10", "halted", "halted_before"]);
    const alarms = world.told.filter(({ level }) => level === "alarm");
    expect(alarms.map(({ key }) => key).sort()).toEqual(["halted", "preflight"]);
    expect(alarms.every(({ text }) => text.includes("looking at it"))).toBe(true);
    await world.services().resume({ reason: "looked" });
    await world.live(["2025-07-11", "17:00"]);
    expect(world.ended().at(-1)).toEqual(["2025-07-11", "traded", "filled"]);
  });
});

describe("hours that the calendar does not know", () => {
  it("closes a day that the broker closes, and says so days before", async () => {
    const calendar = amendCalendar(xnys, [
      { day: sessionDate("2025-07-09"), closes: null, reason: "a day of mourning" },
    ]);
    await using world = await WorkerWorld.open(["2025-07-07", "12:00"], { calendar });
    expect(await world.live(["2025-07-10", "17:00"])).toBeUndefined();
    expect(world.ended().map(([session, result]) => [session, result])).toEqual([
      ["2025-07-07", "traded"],
      ["2025-07-08", "traded"],
      ["2025-07-10", "traded"],
    ]);
    expect(world.told.find(({ key }) => key === "hours 2025-07-09")).toMatchObject({
      level: "warning",
      title: "The exchange is closed on 2025-07-09",
    });
    expect(world.told.filter(({ level }) => level === "alarm")).toEqual([]);
  });

  it("trades before an early close that it learned of, five minutes before it", async () => {
    const calendar = amendCalendar(xnys, [
      { day: sessionDate("2025-07-08"), closes: "13:00", reason: "a storm" },
    ]);
    await using world = await WorkerWorld.open(["2025-07-07", "12:00"], { calendar });
    expect(await world.live(["2025-07-08", "17:00"])).toBeUndefined();
    expect(world.ended().at(-1)).toEqual(["2025-07-08", "traded", "filled"]);
    expect(world.orderTimes.length).toBeGreaterThan(0);
    for (const utcMs of world.orderTimes) expect(newYork(utcMs)).toMatch(/^2025-07-08 12:5[5-9]$/);
  });
});

describe("a rebalance that fails at something nobody foresaw", () => {
  it("is told, and tried again while the window is open", async () => {
    await using world = await WorkerWorld.open(["2025-07-08", "12:00"]);
    let asked = 0;
    const stall = (step: string) => {
      if (step === "submit" && ++asked === 1) throw new Error("a fault that nobody foresaw");
    };
    expect(await world.live(["2025-07-08", "17:00"], {}, stall)).toBeUndefined();
    expect(world.ended()).toEqual([["2025-07-08", "traded", "filled"]]);
    expect(world.told.find(({ key }) => key === "trade")).toMatchObject({ level: "warning" });
  });
});

describe("alarms", () => {
  it("tells of every session that was skipped, also on a half day after another", async () => {
    await using world = await WorkerWorld.open(["2025-07-02", "15:30"]);
    world.shut(["2025-07-02", "15:52"], ["2025-07-03", "20:00"]);
    await world.live(["2025-07-03", "19:00"]);
    const titles = world.told.filter(({ key }) => key === "skipped").map(({ title }) => title);
    expect(titles).toEqual(["2025-07-02 was skipped", "2025-07-03 was skipped"]);
  }, 60_000);
  it("tells of a halt that follows a resume within a day", async () => {
    await using world = await WorkerWorld.open(["2025-07-02", "12:00"]);
    await world.services().halt({ reason: "one" });
    await world.live(["2025-07-02", "17:00"]);
    await world.services().resume({ reason: "looked" });
    await world.live(["2025-07-03", "12:50"]);
    await world.services().halt({ reason: "two" });
    await world.live(["2025-07-03", "19:00"]);
    const halts = world.told.filter(({ key }) => key === "halted").map(({ text }) => text.split("\n")[0]);
    expect(halts).toEqual(["one", "two"]);
  }, 60_000);
});
