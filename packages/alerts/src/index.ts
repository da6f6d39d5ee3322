export type { Alert, AlertLevel, ChannelName, Delivery } from "./alert.js";
export { type Alerts, createAlerts } from "./alerts.js";
export { AlertOptionsError } from "./errors.js";
export type { AlertsOptions, EmailOptions } from "./options.js";
export type { DeliveryPlan } from "./plan.js";
export type { AlertTimers, RetryPolicy } from "./retry.js";
