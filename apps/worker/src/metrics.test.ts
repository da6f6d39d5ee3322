import { describe, expect, it } from "vitest";
import { halted, healthy } from "../test/views.js";
import { createMetrics } from "./metrics.js";

/** Samples as Prometheus would read them: name with labels to value. */
function samples(text: string): Map<string, number> {
  return new Map(
    text
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]),
  );
}

describe("/metrics", () => {
  it("says of the account what the view says", async () => {
    const view = healthy(5);
    const found = samples(await createMetrics(async () => view).text());
    expect(Object.fromEntries(found)).toMatchObject({
      'pf_worker_info{version="0.4.0",mode="paper",account="DUK200445",venue="ibkr"}': 1,
      pf_view_ok: 1,
      pf_halted: 0,
      pf_trouble: 0,
      pf_last_session_timestamp_seconds: Date.UTC(2026, 10, 20) / 1000,
      pf_next_session_timestamp_seconds: Date.UTC(2026, 10, 23, 20, 55) / 1000,
      pf_settled_cash_dollars: 1312.44,
      pf_equity_dollars: view.history!.curve.equity.at(-1),
      'pf_position_value_dollars{symbol="QQQ"}': 11_024,
      'pf_target_weight{symbol="GLD"}': 0.344,
      pf_preflight_ok: 1,
      pf_alerts_waiting: 0,
    });
    expect(found.get("pf_pending_cash_dollars")).toBeCloseTo(3066.02, 6);
    expect(found.get("process_start_time_seconds")).toBeGreaterThan(0);
  });

  it("counts what the worker did", async () => {
    const metrics = createMetrics(async () => healthy(5));
    metrics.sessionEnded("filled");
    metrics.sessionEnded("filled");
    metrics.sessionEnded("skipped");
    metrics.alertSent("ntfy");
    metrics.alertFailed("email");
    metrics.stepTook("fetch", 0.7);
    expect(Object.fromEntries(samples(await metrics.text()))).toMatchObject({
      'pf_sessions_total{outcome="filled"}': 2,
      'pf_sessions_total{outcome="skipped"}': 1,
      'pf_alerts_sent_total{channel="ntfy"}': 1,
      'pf_alerts_failed_total{channel="email"}': 1,
      'pf_step_duration_seconds_bucket{le="0.5",step="fetch"}': 0,
      'pf_step_duration_seconds_bucket{le="1",step="fetch"}': 1,
      'pf_step_duration_seconds_sum{step="fetch"}': 0.7,
    });
  });

  it("does not go on saying what is no longer known", async () => {
    let view: typeof healthy | (() => never) = healthy;
    const metrics = createMetrics(async () => view(5));
    expect(samples(await metrics.text()).has("pf_equity_dollars")).toBe(true);
    view = () => {
      throw new Error("the journal is gone");
    };
    const found = samples(await metrics.text());
    expect(found.get("pf_view_ok")).toBe(0);
    expect(
      [...found.keys()].filter((name) => /^pf_(equity|halted|position|target|next|settled)/.test(name)),
    ).toEqual([]);
  });

  it("tells a halt", async () => {
    const found = samples(await createMetrics(async () => halted()).text());
    expect(found.get("pf_halted")).toBe(1);
    expect(found.get("pf_preflight_ok")).toBe(0);
  });

  it("tells how many alarms reached nobody yet", async () => {
    const view = { ...healthy(5), undelivered: { count: 3, sinceUtcMs: 0, dropped: 2 } };
    expect(samples(await createMetrics(async () => view).text()).get("pf_alerts_waiting")).toBe(3);
  });

  it("of two workers in one process is not mixed", async () => {
    const [one, other] = [createMetrics(async () => healthy(5)), createMetrics(async () => healthy(5))];
    one.sessionEnded("filled");
    expect(samples(await other.text()).has('pf_sessions_total{outcome="filled"}')).toBe(false);
  });
});
