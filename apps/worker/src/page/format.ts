/** How numbers, dates and times read on the page. What is not known reads `n/a`, never 0. */

const minus = "\u2212";
const unknown = "n/a";

const formats = new Map<number, Intl.NumberFormat>();

/** `1234.5` as `1,234.50`, with a real minus sign. */
export function decimal(value: number | null | undefined, digits = 2): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return unknown;
  let format = formats.get(digits);
  if (!format) {
    format = new Intl.NumberFormat("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
    formats.set(digits, format);
  }
  const text = format.format(Math.abs(value));
  return value < 0 && /[1-9]/.test(text) ? minus + text : text;
}

/** `-1234.5` as `−$1,234.50`. */
export function dollars(value: number | null | undefined, digits = 2): string {
  const text = decimal(value, digits);
  if (text === unknown) return text;
  return text.startsWith(minus) ? `${minus}$${text.slice(1)}` : `$${text}`;
}

/** `0.0921` as `9.2%`. */
export function percent(fraction: number | null | undefined, digits = 1): string {
  const text = decimal(fraction === null || fraction === undefined ? null : fraction * 100, digits);
  return text === unknown ? text : `${text}%`;
}

/** `0.0921` as `+9.2%`: a change says its direction also where it grew. */
export function change(fraction: number | null | undefined, digits = 1): string {
  const text = percent(fraction, digits);
  return text === unknown || text.startsWith(minus) || !/[1-9]/.test(text) ? text : `+${text}`;
}

/** Shares: whole ones without decimals, fractions with at most four. */
export function shares(quantity: number): string {
  return quantity.toLocaleString("en-US", { maximumFractionDigits: 4 }).replace("-", minus);
}

const newYork = (options: Intl.DateTimeFormatOptions) =>
  new Intl.DateTimeFormat("en-GB", { timeZone: "America/New_York", ...options });
const timeFormat = newYork({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const dayFormat = newYork({ weekday: "short", day: "numeric", month: "short" });
const instantFormat = newYork({
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

const utcFormat = new Intl.DateTimeFormat("en-GB", {
  timeZone: "UTC",
  weekday: "short",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

/** `15:55`, in New York. */
export function newYorkTime(utcMs: number): string {
  return timeFormat.format(utcMs);
}

/** `Mon 23 Nov`, in New York. */
export function newYorkDay(utcMs: number): string {
  return dayFormat.format(utcMs).replace(",", "");
}

/** `Mon 20:55`, in UTC. */
export function utcTime(utcMs: number): string {
  return utcFormat.format(utcMs).replace(",", "");
}

/** `23 Nov 2026, 15:55`, in New York. */
export function newYorkInstant(utcMs: number): string {
  return instantFormat.format(utcMs);
}

const sessionFormat = new Intl.DateTimeFormat("en-GB", {
  timeZone: "UTC",
  weekday: "short",
  day: "numeric",
  month: "short",
  year: "numeric",
});

/** A session's date, `2026-11-23` as `Mon 23 Nov 2026`; what is no date stays as it is. */
export function sessionText(session: string): string {
  const utcMs = Date.parse(`${session}T00:00:00Z`);
  return Number.isNaN(utcMs) ? session : sessionFormat.format(utcMs).replace(",", "");
}

/** How long until something: `1 d 3 h`, `2 h 05 min`, `4:09`; `now` when it is past. */
export function countdown(ms: number): string {
  if (ms <= 0) return "now";
  const seconds = Math.floor(ms / 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${two(minutes)} min`;
  return `${minutes}:${two(seconds % 60)}`;
}

/** `settled_cash` as `Settled cash`: codes are for programs. */
export function words(code: string): string {
  const text = code.replaceAll("_", " ").replaceAll("-", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
