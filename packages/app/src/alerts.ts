import { type Alert, type Alerts, type AlertTimers, createAlerts } from "@pf/alerts";
import type { LoadedConfig } from "@pf/config";
import { AlertUndeliveredError, NoAlertsError } from "./errors.js";
import { describeFailure, type ErrorFields, errorFields } from "./failures.js";
import type { ProgressListener } from "./ports.js";

export interface AlertTestRequest {
  /** Only says what would be sent where. */
  readonly dryRun?: boolean;
}

/** What `pf alert test --json` prints. Nothing in it is secret. */
export interface AlertTestOutcome {
  readonly dryRun: boolean;
  /** What is sent where: the host, and the form. */
  readonly planned: readonly {
    readonly channel: string;
    readonly host: string;
    readonly content: string;
  }[];
  /** What became of it, one entry a channel; empty in a dry run. */
  readonly channels: readonly {
    readonly channel: string;
    /** Whether the other side took it. */
    readonly ok: boolean;
    readonly attempts: number;
    readonly detail: string;
  }[];
  readonly error?: ErrorFields;
}

/**
 * The ways to a person, as the section `alerts` of the configuration has them; there may be none.
 *
 * @param timers - default: the machine's
 */
export function alertsOf({ config }: Pick<LoadedConfig, "config">, timers?: AlertTimers): Alerts {
  const { webhook, ntfy, ntfyToken, email, ping } = config.alerts;
  return createAlerts({ webhook, ntfy, ntfyToken, email, ping, ...(timers ? { timers } : {}) });
}

/** Of the highest level, so that it shows whether a real one would be heard. */
const test: Alert = {
  key: "test",
  level: "alarm",
  title: "This is a test",
  text: "Whoever reads this will hear of real alarms. Nothing is wrong, and nothing needs to be done.",
};

/**
 * Sends a test alarm on every channel, and calls the dead-man switch; what does not arrive is part of the outcome.
 *
 * @throws NoAlertsError when no channel is configured
 */
export async function testAlerts(
  { dryRun = false }: AlertTestRequest,
  loaded: LoadedConfig,
  { onProgress, signal }: { readonly onProgress: ProgressListener; readonly signal?: AbortSignal },
): Promise<AlertTestOutcome> {
  const alerts = alertsOf(loaded);
  if (alerts.channels.length === 0) throw new NoAlertsError();
  const planned = alerts.plan(test);
  if (dryRun) return { dryRun, planned, channels: [] };
  onProgress({ step: `sending a test alarm: ${alerts.channels.join(", ")}` });
  const [deliveries, ping] = await Promise.all([alerts.send(test, signal), alerts.ping("ok", signal)]);
  const channels = ping ? [...deliveries, ping] : deliveries;
  const failed = channels.filter(({ ok }) => !ok).map(({ channel }) => channel);
  if (failed.length === 0) return { dryRun, planned, channels };
  const error = errorFields(describeFailure(new AlertUndeliveredError(failed, channels.length)));
  return { dryRun, planned, channels, error };
}
