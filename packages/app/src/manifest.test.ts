import { resolveConfig } from "@pf/config";
import { describe, expect, it } from "vitest";
import { decidingConfig, hashOf } from "./manifest.js";

const hashWith = (...overrides: string[]) => hashOf(decidingConfig(resolveConfig({ overrides })));

describe("the hash of the configuration", () => {
  const plain = hashWith();

  it("is a SHA-256 that does not depend on the order of keys", () => {
    expect(plain).toMatch(/^[0-9a-f]{64}$/);
    expect(hashOf({ a: 1, b: { c: [1, { d: 2, e: 3 }] } })).toBe(
      hashOf({ b: { c: [1, { e: 3, d: 2 }] }, a: 1 }),
    );
    expect(hashOf({ a: [1, 2] })).not.toBe(hashOf({ a: [2, 1] }));
  });

  it.each([
    "universe=[SPY]",
    "selection.top_n=1",
    "selection.incumbents=rank",
    "features.ema_fast=10",
    "weights.cash_buffer=0.1",
    "rebalance.decision_bar=last_complete",
    "rebalance.min_weight_change=0",
    "costs.slippage_bps=2",
    "backtest.seed=7",
  ])("changes with %s, which decides results", (override) => expect(hashWith(override)).not.toBe(plain));

  it.each([
    "ibkr.host=example",
    "ibkr.port=4002",
    "ibkr.account_paper=DU1",
    "data.csv_dir=/somewhere",
    "data.source=csv",
    "execution.max_orders_per_day=9",
  ])("does not change with %s, which decides none", (override) => expect(hashWith(override)).toBe(plain));

  it("takes in the rules of orders where an account is traded, and never the lock of live trading", () => {
    const traded = (...overrides: string[]) => hashOf(decidingConfig(resolveConfig({ overrides }), true));
    expect(traded("execution.max_orders_per_day=9")).not.toBe(traded());
    expect(traded("compliance.broker_end_of_day=false")).not.toBe(traded());
    expect(traded("risk.max_drawdown=0.2")).not.toBe(traded());
    expect(traded("execution.live=true", "ibkr.account_live=U1234567")).toBe(traded());
  });
});
