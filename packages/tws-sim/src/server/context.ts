import type { TradingCalendar } from "@pf/market";
import type { Timeline } from "../timeline.js";
import type { Contract, OrderState, Venue } from "../venue/venue.js";
import type { Reply } from "../wire/replies.js";
import type { Connection } from "./connection.js";

/** What can change about the terminal while it runs. */
export interface TerminalState {
  marketData: "live" | "delayed" | "none";
  isReadOnly: boolean;
  /** The link to the exchanges. */
  isLinked: boolean;
  readonly farms: { market: boolean; history: boolean; secdef: boolean };
}

/** What the answers to requests are made from. */
export interface Context {
  readonly venue: Venue;
  readonly calendar: TradingCalendar;
  readonly timeline: Timeline;
  readonly state: TerminalState;
  readonly pacing: "soft" | "strict" | "off";
  readonly masterClientId: number | undefined;
  /** Simulated time. */
  now(): number;
  /** Those that have started the API. */
  started(): Iterable<Connection>;
  /** Sends, subject to the scenario. */
  send(connection: Connection, reply: Reply): void;
  sendError(connection: Connection, id: number, code: number, text: string): void;
  contractOf(conId: number): Contract;
  /** The id under which a client knows an order; 0 for one typed into the terminal. */
  orderIdFor(connection: Connection, state: OrderState): number;
}
