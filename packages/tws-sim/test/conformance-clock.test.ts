import { describe, expect, it } from "vitest";
import { startSimulator } from "../src/index.js";

describe("a running clock that is moved on by hand", () => {
  it("moves on from where it stands", async () => {
    const simulator = await startSimulator({ speed: 1 });
    const began = simulator.now();
    await new Promise((resolve) => setTimeout(resolve, 400));
    await simulator.advanceBy(60_000);
    expect(simulator.now() - began).toBeGreaterThanOrEqual(60_390);
    await simulator.close();
  });
});
