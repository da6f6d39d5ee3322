import type { SessionDate, Ticker, Weights } from "@pf/market";

/** One fill; shares, dollars a share, dollars. */
export interface ReplayFill {
  readonly session: SessionDate;
  readonly symbol: Ticker;
  readonly side: "buy" | "sell";
  readonly quantity: number;
  readonly price: number;
  readonly fee: number;
}

/** What an account did in a session and how it stands at the close, whoever traded it. Cash and equity in whole cents. */
export interface SessionRecord {
  readonly session: SessionDate;
  readonly fills: readonly ReplayFill[];
  /** What waits for another session, and why. */
  readonly waiting: Readonly<Record<Ticker, string>>;
  /** The checks that forbade the plan. */
  readonly blocked: readonly string[];
  readonly settled: number;
  readonly equity: number;
}

/** The same of the live path, with what it says about itself. */
export interface LiveRecord extends SessionRecord {
  /** As `pf trade` has it; `failed` where it ended with an error. */
  readonly outcome: string;
  readonly detail: string;
  /** The last bar that was decided on; `null` where nothing was decided. */
  readonly asOf: SessionDate | null;
  readonly weights: Weights | null;
  readonly halted: boolean;
}

/** In what two records of a session can differ. */
export type Aspect = "orders" | "prices" | "fees" | "waiting" | "checks" | "settledCash" | "equity";

/** In what two accounts differ in a session; nothing where they are the same to the cent. */
export function differences(a: SessionRecord, b: SessionRecord): readonly Aspect[] {
  const orders = (one: SessionRecord) =>
    one.fills.map(({ symbol, side, quantity }) => [symbol, side, quantity]);
  const found: Aspect[] = [];
  const compare = (aspect: Aspect, of: (one: SessionRecord) => unknown) => {
    if (JSON.stringify(of(a)) !== JSON.stringify(of(b))) found.push(aspect);
  };
  compare("orders", orders);
  compare("prices", (one) => one.fills.map(({ price }) => price));
  compare("fees", (one) => one.fills.map(({ fee }) => fee));
  compare("waiting", (one) => Object.entries(one.waiting).sort());
  compare("checks", (one) => [...one.blocked].sort());
  compare("settledCash", ({ settled }) => settled);
  compare("equity", ({ equity }) => equity);
  return found;
}
