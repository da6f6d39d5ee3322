import type { BarSeries, TradingCalendar } from "@pf/market";
import type { Scenario } from "./scenario/scenario.js";
import type { WrittenAction } from "./scenario/schema.js";
import type { VenueHolding, VenueOptions } from "./venue/options.js";
import type { NewOrder, Venue } from "./venue/venue.js";

/** An account of the simulated broker. */
export interface SimulatedAccount {
  /** `DU`, perhaps one letter, then digits: what paper accounts look like, so that nobody takes it for real money. */
  readonly id: string;
  /** Settled cash at the start, whole cents. */
  readonly cashCents: number;
  /** Fully paid and settled shares at the start. */
  readonly positions?: readonly VenueHolding[];
}

/** What the simulated exchange knows of one symbol. */
export interface SimulatedSymbol {
  /** Served as `ADJUSTED_LAST`. */
  readonly adjusted: BarSeries;
  /** Served as `TRADES`, and what orders are filled at; the adjusted ones where there are none. */
  readonly trades?: BarSeries;
}

/** `frozen`: time stands until it is told to go on. `max`: as fast as possible. A number: so many times real time. */
export type SimulatorSpeed = "frozen" | "max" | number;

export interface SimulatorOptions {
  /**
   * The address to listen on. Anything but loopback takes `allowRemote`.
   * @default "127.0.0.1"
   */
  readonly host?: string;
  /**
   * 0 lets the system choose one.
   * @default 0
   */
  readonly port?: number;
  /**
   * Whether other machines may connect. Nothing is encrypted and nobody is asked for a password.
   * @default false
   */
  readonly allowRemote?: boolean;

  /** @default one account, `DUK200445`, with 25,000 dollars */
  readonly accounts?: readonly SimulatedAccount[];
  /** @default the nine symbols of the synthetic market of `seed`, 2015-01-02 to 2026-12-31 */
  readonly symbols?: readonly SimulatedSymbol[];
  /**
   * Names the synthetic market and everything else that is drawn: ids, paths between open and close.
   * @default 42
   */
  readonly seed?: number | string;
  /**
   * Names the market in the time text of the handshake, `20251231 17:00:00 US/Eastern (tws-sim NAME)`: what a client
   * keeps of it can then never pass for the broker's. Equal names promise equal bars.
   * @default `synthetic:<seed>`, or `own` where `symbols` or `venue` are given
   */
  readonly market?: string;
  /** @default the calendar of the New York Stock Exchange */
  readonly calendar?: TradingCalendar;

  /**
   * Simulated time at the start, milliseconds since 1970 UTC.
   * @default half an hour before the close of the last session with bars
   */
  readonly startUtcMs?: number;
  /**
   * How simulated time passes. With `max` it stands while no client is connected.
   * @default 1
   */
  readonly speed?: SimulatorSpeed;
  /**
   * Where time stops, milliseconds since 1970 UTC; it must not go beyond the calendar.
   * @default the end of the calendar's last day
   */
  readonly endUtcMs?: number;

  /**
   * Whether orders for parts of a share are refused with error 10243, as TWS does, or filled.
   * @default "reject"
   */
  readonly fractional?: "reject" | "accept";
  /**
   * How prices move within a session: along a path that respects open, high, low and close, or at the close throughout.
   * @default "path"
   */
  readonly intraday?: "path" | "close";
  /** What else makes the exchange and the broker: commissions, latencies, splits, what happens to unsettled money. */
  readonly exchange?: Pick<
    VenueOptions,
    "closedMarket" | "commission" | "latency" | "marketOrderCushion" | "splits" | "unsettledProceeds"
  >;
  /**
   * What the user is subscribed to: live quotes; delayed ones (error 354 for those who ask for live, notice 10167 and
   * delayed ticks for those who ask for delayed); or nothing (354 or 10168, and 162 for history).
   * @default "live"
   */
  readonly marketData?: "live" | "delayed" | "none";
  /**
   * Whether the API is in read-only mode: orders are answered with error 321.
   * @default false
   */
  readonly readOnly?: boolean;
  /**
   * What happens to more than 50 messages a second: they wait (`soft`; with a frozen clock nothing waits), they are
   * refused with error 100 and the third refusal disconnects (`strict`, which also refuses small historical bars asked
   * for too often with 162), or nothing (`off`). Seconds are simulated ones.
   * @default "soft"
   */
  readonly pacing?: "soft" | "strict" | "off";
  /**
   * Clients at once; TWS itself takes 32.
   * @default 64
   */
  readonly maxClients?: number;
  /** The client that hears of everybody's orders, executions and commissions. */
  readonly masterClientId?: number;
  /**
   * The highest server version to speak, 157 to 193.
   * @default 193
   */
  readonly serverVersion?: number;

  /** What goes wrong, and when: see {@link parseScenario} and {@link loadScenario}. */
  readonly scenario?: Scenario;
  /** A file that gets every frame of both directions, one JSON line each. Replaced if it exists. */
  readonly wireLog?: string;
  /**
   * Another market than the built-in one; then `symbols`, `accounts`, `fractional`, `intraday` and `exchange` have no
   * effect.
   */
  readonly venue?: Venue;
}

/** A running simulator. Every method may be called at any time before `close`. */
export interface Simulator {
  readonly host: string;
  readonly port: number;
  /** Ids, the first of which is meant where a client names none. */
  readonly accounts: readonly string[];
  /** Simulated time, milliseconds since 1970 UTC. */
  now(): number;
  /** When something happens next by itself, in the market or on the wire; undefined when nothing will. */
  nextDueUtcMs(): number | undefined;
  /** Lets everything happen up to an instant and resolves when it has been sent. Earlier instants change nothing. */
  advanceTo(utcMs: number): Promise<void>;
  /** {@link advanceTo}, counted from now. */
  advanceBy(milliseconds: number): Promise<void>;
  /** Changes how time passes from now on. */
  setSpeed(speed: SimulatorSpeed): void;

  /** The client ids that are connected, ascending. */
  clients(): readonly number[];
  /** Does at once what a scenario could do at a time; SCENARIOS.md has the list. */
  trigger(...actions: readonly WrittenAction[]): void;
  /** Adds the rules of a scenario to those in force; what is returned takes them back. */
  addScenario(scenario: Scenario): () => void;
  /** The link from the terminal to the exchanges: down is notice 1100, up is 1102, or 1101 when data was lost. */
  setMarketLink(up: boolean, data?: "kept" | "lost"): void;
  /** Cuts connections, of all clients or of one; their ids stay taken for a while if so told. */
  cut(options?: { readonly client?: number; readonly idsHeldMs?: number }): void;
  /** Closes all connections and the port, and opens it again. Orders, ids and accounts live on. */
  restart(): Promise<void>;
  /** An order of somebody else: another client, or a person at the terminal (client 0). Gives its id. */
  placeAs(clientId: number, order: Omit<NewOrder, "clientId" | "orderId">): number;

  readonly venue: Venue;
  /** Closes everything. The wire log is complete when this resolves. */
  close(): Promise<void>;
}
