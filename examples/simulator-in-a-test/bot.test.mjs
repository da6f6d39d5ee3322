import assert from "node:assert/strict";
import { test } from "node:test";
import { parseScenario, startSimulator } from "@pf/tws-sim";
import { buy } from "./bot.mjs";

/** Five minutes before the close in New York. The market is made of a seed, so that it is the same on every machine. */
const options = { startUtcMs: Date.UTC(2026, 5, 30, 19, 55), seed: 42 };

async function withSimulator(more, body) {
  const simulator = await startSimulator({ ...options, ...more });
  try {
    return await body(simulator);
  } finally {
    await simulator.close();
  }
}

test("buys what it was told to", () =>
  withSimulator({}, async (simulator) => {
    const { filled, price } = await buy(simulator, "SPY", 10);
    assert.equal(filled, 10);
    assert.ok(price > 0);
  }));

test("counts an execution that is told twice once", () => {
  const scenario = parseScenario(`
    rules:
      - { on: { message: execDetails }, do: [duplicate] }`);
  return withSimulator({ scenario }, async (simulator) => {
    const { filled } = await buy(simulator, "SPY", 10);
    assert.equal(filled, 10);
  });
});

test("says why the broker refuses", () =>
  withSimulator({ readOnly: true }, async (simulator) => {
    await assert.rejects(buy(simulator, "SPY", 10), /^Error: 321: /);
  }));
