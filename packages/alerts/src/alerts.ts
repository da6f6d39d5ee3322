import type { Alert, ChannelName, Delivery } from "./alert.js";
import { attemptRequest } from "./http.js";
import { attemptMail } from "./mail.js";
import { type AlertsOptions, channelsOf, secretsIn } from "./options.js";
import {
  type DeliveryPlan,
  describeDelivery,
  hostOf,
  type PlannedDelivery,
  planDeliveries,
  planPing,
} from "./plan.js";
import { redactionOf } from "./redact.js";
import { retried, systemTimers, usualRetry } from "./retry.js";

/** The ways to a person that are configured. */
export interface Alerts {
  /** Which there are, in the order in which deliveries are listed. */
  readonly channels: readonly ChannelName[];
  /** What an alert, and the ping, would be on each channel; nothing is sent, and nothing in it is secret. */
  plan(alert: Alert): readonly DeliveryPlan[];
  /**
   * Sends an alert on every channel but the ping, at the same time, and waits until each has taken it or was given up.
   * What goes wrong on the way is part of the result; it never throws for that.
   *
   * @param onDelivery - told of each channel as soon as its end is known, which may be long before that of the last
   */
  send(
    alert: Alert,
    signal?: AbortSignal,
    onDelivery?: (delivery: Delivery) => void,
  ): Promise<readonly Delivery[]>;
  /**
   * Tells the dead-man switch that all is well, or that something is not. It never throws for what goes wrong.
   *
   * @returns `null` where none is configured
   */
  ping(state?: "ok" | "fail", signal?: AbortSignal): Promise<Delivery | null>;
}

/**
 * Joins the configured channels.
 *
 * @throws AlertOptionsError for what no channel can be made of; its message shows no value
 */
export function createAlerts(options: AlertsOptions): Alerts {
  const channels = channelsOf(options);
  const { source = "pf", timers = systemTimers } = options;
  const policy = { ...usualRetry, ...options.retry };
  const redact = redactionOf(secretsIn(options));

  const deliver = async (planned: PlannedDelivery, signal?: AbortSignal): Promise<Delivery> => {
    const { channel } = planned;
    const { ok, attempts, detail } = await retried(
      (limit) =>
        planned.channel === "email"
          ? attemptMail(planned, policy.attemptTimeoutMs, limit)
          : attemptRequest(planned, limit),
      policy,
      timers,
      signal,
    );
    return { channel, ok, attempts, detail: `${hostOf(planned)} ${redact(detail)}` };
  };

  return {
    channels: (["webhook", "ntfy", "email", "ping"] as const).filter((name) => channels[name] !== undefined),
    plan: (alert) =>
      [
        ...planDeliveries(alert, channels, source),
        ...(channels.ping ? [planPing(channels.ping, "ok")] : []),
      ].map(describeDelivery),
    send: (alert, signal, onDelivery) =>
      Promise.all(
        planDeliveries(alert, channels, source).map(async (planned) => {
          const delivery = await deliver(planned, signal);
          onDelivery?.(delivery);
          return delivery;
        }),
      ),
    ping: async (state = "ok", signal) =>
      channels.ping ? deliver(planPing(channels.ping, state), signal) : null,
  };
}
