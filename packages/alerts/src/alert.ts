/** How much it matters: `info` is worth knowing, `warning` wants a look today, `alarm` wants a person now. */
export type AlertLevel = "info" | "warning" | "alarm";

/** Something a person shall know. */
export interface Alert {
  /** The same key means the same trouble, so that receivers can put messages about it together. */
  readonly key: string;
  readonly level: AlertLevel;
  /** One line; line breaks and control characters become spaces, and what is over 200 characters is cut. */
  readonly title: string;
  /** Plain text, lines allowed; each channel cuts it to what it takes. */
  readonly text: string;
  /** Where to look, http or https. */
  readonly url?: string;
}

/** The ways to a person, and the ping that tells a watcher that all is well. */
export type ChannelName = "webhook" | "ntfy" | "email" | "ping";

/** What became of a message on one channel. */
export interface Delivery {
  readonly channel: ChannelName;
  /** Whether the other side took it. */
  readonly ok: boolean;
  /** How often it was tried; 0 where it was stopped before the first time. */
  readonly attempts: number;
  /** In words, with the host and never a secret: `hooks.example.org answered 200`. */
  readonly detail: string;
}
