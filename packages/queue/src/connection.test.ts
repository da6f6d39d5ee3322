import { describe, expect, it } from "vitest";
import { parseAddress } from "./address.js";
import { connect } from "./connection.js";

describe("connect", () => {
  it("to a port where nobody listens fails at once, and leaves no timer that a program would wait for", async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    const before = timers();
    await expect(connect(parseAddress("redis://127.0.0.1:1"), 60_000)).rejects.toMatchObject({
      code: "PF_QUEUE_UNREACHABLE",
    });
    expect(timers()).toBe(before);
  });
});
