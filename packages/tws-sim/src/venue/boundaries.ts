import {
  dateOfDayNumber,
  dayNumber,
  newYorkDateOf,
  newYorkToUtcMs,
  type SessionDate,
  type TradingCalendar,
} from "@pf/market";

/** What the calendar makes happen, whatever anybody does. */
export interface Boundary {
  readonly kind: "midnight" | "open" | "close";
  readonly atUtcMs: number;
  /** Of a midnight: the day that begins. */
  readonly day: SessionDate;
}

/** Midnights of New York, opens and closes, one after the other. */
export class Boundaries {
  private readonly sessions: readonly SessionDate[];
  private at = 0;
  private isOpen = false;
  private day: SessionDate;
  private current: Boundary;

  constructor(
    private readonly calendar: TradingCalendar,
    startUtcMs: number,
  ) {
    this.day = newYorkDateOf(startUtcMs);
    this.sessions = calendar.sessionsBetween(this.day, calendar.last);
    const first = this.sessions[0];
    if (first !== undefined && calendar.openUtcMs(first) <= startUtcMs) {
      this.isOpen = calendar.closeUtcMs(first) > startUtcMs;
      if (!this.isOpen) this.at = 1;
    }
    this.current = this.following();
  }

  /** The session that is being traded. */
  get session(): SessionDate | undefined {
    return this.isOpen ? this.sessions[this.at] : undefined;
  }

  /** The session that opens next; none beyond the calendar. */
  get nextSession(): SessionDate | undefined {
    return this.sessions[this.isOpen ? this.at + 1 : this.at];
  }

  get next(): Boundary {
    return this.current;
  }

  pass(): void {
    const { kind, day } = this.current;
    if (kind === "midnight") this.day = day;
    if (kind === "open") this.isOpen = true;
    if (kind === "close") {
      this.isOpen = false;
      this.at++;
    }
    this.current = this.following();
  }

  private following(): Boundary {
    const tomorrow = dateOfDayNumber(dayNumber(this.day) + 1);
    const midnight = newYorkToUtcMs(tomorrow, "00:00");
    const session = this.sessions[this.at];
    if (session !== undefined) {
      const kind = this.isOpen ? "close" : "open";
      const atUtcMs = this.isOpen ? this.calendar.closeUtcMs(session) : this.calendar.openUtcMs(session);
      if (atUtcMs < midnight) return { kind, atUtcMs, day: session };
    }
    return { kind: "midnight", atUtcMs: midnight, day: tomorrow };
  }
}
