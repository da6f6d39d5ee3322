import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { newYorkDateOf, newYorkTimeOf, sessionDate } from "@pf/market";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { WorkerLog } from "../src/worker/log.js";
import { type NewYork, WorkerWorld } from "./workerWorld.js";

// What a worker tells when nobody hears it, and what is told of one that was ended.

const newYork = (utcMs: number) => `${newYorkDateOf(utcMs)} ${newYorkTimeOf(utcMs)}`;
const session = sessionDate("2025-07-08");

/** A worker that is killed in the middle of a step. */
function killedIn(world: WorkerWorld, step: string): void {
  const log = world.workerLog();
  log.note({ kind: "started", version: "0.0.0-test" });
  log.note({ kind: "step", step: `the preflight of ${session}`, session, isOver: false });
  log.note({ kind: "step", step: `the preflight of ${session}`, session, isOver: true });
  if (step !== "") log.note({ kind: "step", step, session, isOver: false });
  log.close();
}

const hangFile = (world: WorkerWorld) => join(world.folder, "state", "worker", "paper-DUK200445.hung");
const ofLife = (world: WorkerWorld) => world.told.filter(({ key }) => key === "life");

describe("a worker whose channels are all out of order", () => {
  it("trades as ever, and says what it had to say within a quarter of an hour of their return", async () => {
    await using world = await WorkerWorld.open(["2025-07-11", "16:30"]);
    world.shut(["2025-07-13", "01:00"], ["2025-07-14", "10:00"]);
    world.deafen(["2025-07-13", "12:00"], ["2025-07-14", "15:56"]);
    expect(await world.live(["2025-07-14", "20:00"])).toBeUndefined();
    expect(world.ended()).toEqual([["2025-07-14", "traded", expect.anything()]]);
    for (const utcMs of world.orderTimes) expect(newYork(utcMs)).toBe("2025-07-14 15:55");
    const titles = world.told.map(({ title }) => title);
    expect(titles).toEqual([
      "paper account DUK200445 on 2025-07-14",
      "Not ready for 2025-07-14",
      "Ready again",
    ]);
    const alarm = world.told[1]!;
    expect(alarm.level).toBe("alarm");
    expect(alarm.text).toMatch(/^told first on 2025-07-13 at 18:00 New York time, when it reached nobody\n/);
    expect(alarm.text).toContain("orders go out at 15:55 New York time");
    expect(newYork(alarm.atUtcMs)).toBe("2025-07-14 16:03");
  });

  it("says it without any news as well, and asks for help at the dead-man's switch meanwhile", async () => {
    await using world = await WorkerWorld.open(["2025-07-08", "17:00"]);
    killedIn(world, `the rebalance of ${session}`);
    writeFileSync(hangFile(world), "");
    world.isDeaf = true;
    world.deafen(["2025-07-08", "17:00"], ["2025-07-08", "17:50"]);
    await world.live(["2025-07-08", "20:00"], { longestSleepMs: 60_000 });
    expect(world.told.map(({ title, atUtcMs }) => [title, newYork(atUtcMs)])).toContainEqual([
      "The worker hung, and was ended",
      "2025-07-08 18:00",
    ]);
    expect(world.pings[0]).toBe("fail");
  });

  it("and whose log cannot be written tells that all the same, and ends", async () => {
    await using world = await WorkerWorld.open(["2025-07-08", "17:00"]);
    killedIn(world, "");
    const { note } = WorkerLog.prototype;
    const full = vi.spyOn(WorkerLog.prototype, "note").mockImplementation(function (this: WorkerLog, event) {
      if (event.kind === "told") throw new Error("no space left on the device");
      note.call(this, event);
    });
    onTestFinished(() => full.mockRestore());
    expect(String(await world.live(["2025-07-08", "18:00"]))).toContain("no space left");
    expect(world.told.map(({ title }) => title)).toEqual(["The worker was ended from outside"]);
  });

  it("is heard by the next process where it ends before that, and nothing is said a third time", async () => {
    await using world = await WorkerWorld.open(["2025-07-08", "17:00"]);
    killedIn(world, "");
    world.isDeaf = true;
    let seen = 0;
    await world.live(["2025-07-08", "18:00"], { onEvent: () => seen++ });
    expect(world.told).toEqual([]);
    world.isDeaf = false;
    await world.live(["2025-07-08", "18:30"]);
    await world.live(["2025-07-08", "19:00"]);
    const [word] = ofLife(world);
    expect(word!.text).toMatch(/^told first on 2025-07-08 at 17:00 New York time/);
    expect(ofLife(world)).toHaveLength(1);
    expect(seen).toBeGreaterThan(1);
  });
});

describe("a worker that comes after one that was", () => {
  const told = async (arrange: (world: WorkerWorld) => void, until: NewYork = ["2025-07-08", "18:00"]) => {
    const world = await WorkerWorld.open(["2025-07-08", "17:00"]);
    arrange(world);
    await world.goTo(["2025-07-08", "17:30"]);
    await world.live(until);
    return world;
  };

  it("killed in a step warns once, with the step, when it began, and what to do", async () => {
    await using world = await told((one) => killedIn(one, `the rebalance of ${session}`));
    const [word, ...more] = ofLife(world);
    expect(more).toEqual([]);
    expect(word).toMatchObject({ level: "warning", title: "The worker was ended from outside" });
    expect(word!.text).toContain("the rebalance of 2025-07-08 was under way, since 2025-07-08 17:00");
    expect(word!.text).toContain("asked about at the broker before anything else; see `pf status`");
    // The next one has nothing to say of it: this one ended in order.
    await world.live(["2025-07-08", "18:30"]);
    expect(ofLife(world)).toHaveLength(1);
  });

  it("killed while it waited says that nothing was under way", async () => {
    await using world = await told((one) => killedIn(one, ""));
    expect(ofLife(world)[0]!.text).toContain(
      "no step was under way; it had been started at 2025-07-08 17:00",
    );
  });

  it("killed again and again in one session is told of once, and of the next session's step anew", async () => {
    await using world = await told((one) => killedIn(one, `the rebalance of ${session}`));
    killedIn(world, `the rebalance of ${session}`);
    await world.live(["2025-07-08", "18:30"]);
    expect(ofLife(world)).toHaveLength(1);
    const log = world.workerLog();
    log.note({ kind: "started", version: "0.0.0-test" });
    const next = sessionDate("2025-07-09");
    log.note({ kind: "step", step: `the preflight of ${next}`, session: next, isOver: false });
    log.close();
    await world.live(["2025-07-08", "19:00"]);
    expect(ofLife(world).map(({ text }) => text.split(" was under way")[0])).toEqual([
      "the rebalance of 2025-07-08",
      "the preflight of 2025-07-09",
    ]);
  });

  it("ended by the watchdog raises an alarm until a session is traded", async () => {
    await using world = await told(
      (one) => {
        killedIn(one, `the reconciliation of ${session}`);
        writeFileSync(hangFile(one), "");
      },
      ["2025-07-09", "20:00"],
    );
    expect(existsSync(hangFile(world))).toBe(false);
    const [word, over, ...more] = ofLife(world);
    expect(word).toMatchObject({ level: "alarm", title: "The worker hung, and was ended" });
    expect(word!.text).toContain("the reconciliation of 2025-07-08 was under way, since 2025-07-08 17:00");
    expect(over).toMatchObject({ level: "info", title: "Traded since it was started again" });
    expect(newYork(over!.atUtcMs)).toBe("2025-07-09 15:55");
    expect(more).toEqual([]);
    expect([world.pings[0], world.pings.at(-1)]).toEqual(["fail", "ok"]);
    // What is over is over for the next process too.
    await world.live(["2025-07-09", "21:00"]);
    expect(world.pings.at(-1)).toBe("ok");
  });

  it("stopped in order says nothing", async () => {
    await using world = await told(() => {});
    await world.live(["2025-07-08", "19:00"]);
    expect(ofLife(world)).toEqual([]);
  });
});
