import { newYorkDateOf, newYorkToUtcMs, sessionDate } from "@pf/market";
import { ScenarioError } from "../errors.js";
import type { Scenario } from "./scenario.js";
import type { Action, Rule } from "./schema.js";

/** What a message shows to the rules. */
export interface Seen {
  readonly message: string;
  readonly client: number;
  readonly symbol?: string | undefined;
  readonly status?: string | undefined;
  readonly code?: number | undefined;
}

/** What becomes of one message. */
export interface Fate {
  /** How often it is sent, or read: 0 is never. */
  copies: number;
  delayMs: number;
  /** What a request is answered with instead. */
  answer: { readonly code: number; readonly message: string } | undefined;
  /** Half of it is sent, then the connection is cut. */
  isCutInHalf: boolean;
  /** What else happens, before a request is read. */
  readonly before: Action[];
  /** What else happens, after the message was sent or read. */
  readonly after: Action[];
}

export interface Stage {
  now(): number;
  /** Does something at a simulated instant, unless it is called off with what is returned. */
  at(utcMs: number, run: () => void): () => void;
  /** Does what needs no message. */
  act(action: Action): void;
}

/** What must happen before a request is read to be about it; everything else happens after. */
const arrangements = new Set<string>([
  "reject",
  "partial_fills",
  "market_data",
  "read_only",
  "link",
  "farm",
  "split",
  "cash",
  "order",
]);

/**
 * The rules of scenarios at work. A rule is a moment and what to do then; a moment is an instant or a message. Everything
 * a scenario can do to traffic is in the fate of single messages.
 */
export class Rules {
  readonly #onMessages: { readonly rule: Rule & { on: NonNullable<Rule["on"]> }; seen: number }[] = [];

  constructor(private readonly stage: Stage) {}

  /**
   * @returns takes the rules back
   * @throws ScenarioError when a rule's time is over already
   */
  add(scenario: Scenario): () => void {
    const now = this.stage.now();
    const past = scenario.rules.flatMap((rule, index) => {
      if (rule.at === undefined || instantOf(rule.at) >= now) return [];
      const message = `${rule.at} in New York is before the simulated time, ${new Date(now).toISOString()}`;
      return [{ file: scenario.name, line: null, column: null, key: `rules[${index}].at`, message }];
    });
    if (past.length > 0) throw new ScenarioError(past);
    const takeBack = scenario.rules.map((rule) => this.#addRule(rule));
    return () => {
      for (const one of takeBack) one();
    };
  }

  #addRule(rule: Rule): () => void {
    const { stage } = this;
    const doAll = (): void => {
      for (const action of rule.do) stage.act(action);
    };
    const { on } = rule;
    if (on) {
      const entry = { rule: { ...rule, on }, seen: 0 };
      this.#onMessages.push(entry);
      return () => {
        const at = this.#onMessages.indexOf(entry);
        if (at >= 0) this.#onMessages.splice(at, 1);
      };
    }
    if (rule.at !== undefined) return stage.at(instantOf(rule.at), doAll);
    if (rule.after !== undefined) return stage.at(stage.now() + rule.after, doAll);
    const time = rule.daily!;
    let callOff = () => {};
    const again = (afterUtcMs: number): void => {
      const next = nextTimeOfDay(time, afterUtcMs);
      callOff = stage.at(next, () => {
        doAll();
        again(next);
      });
    };
    again(stage.now());
    return () => callOff();
  }

  /** What the rules make of a message. Each rule counts the messages that fit it. */
  fateOf(seen: Seen): Fate | undefined {
    let fate: Fate | undefined;
    for (const entry of this.#onMessages) {
      const { on, do: actions } = entry.rule;
      if (!fits(on, seen)) continue;
      entry.seen++;
      const isMeant = entry.seen >= on.nth && (on.times === "all" || entry.seen < on.nth + on.times);
      if (!isMeant) continue;
      fate ??= { copies: 1, delayMs: 0, answer: undefined, isCutInHalf: false, before: [], after: [] };
      for (const action of actions) apply(action, fate);
    }
    return fate;
  }
}

function fits(on: NonNullable<Rule["on"]>, seen: Seen): boolean {
  return (
    on.message === seen.message &&
    (on.client === undefined || on.client === seen.client) &&
    (on.symbol === undefined || on.symbol === seen.symbol) &&
    (on.status === undefined || on.status === seen.status) &&
    (on.code === undefined || on.code === seen.code)
  );
}

function apply(action: Action, fate: Fate): void {
  if (action.drop) fate.copies = 0;
  else if (action.duplicate !== undefined) fate.copies += action.duplicate;
  else if (action.delay !== undefined) fate.delayMs += action.delay;
  else if (action.answer) fate.answer = action.answer;
  else if (action.cut?.mid_frame) {
    fate.isCutInHalf = true;
    fate.after.push(action);
  } else if (Object.keys(action).some((key) => arrangements.has(key))) fate.before.push(action);
  else fate.after.push(action);
}

function instantOf(text: string): number {
  const [date, time] = text.split(" ") as [string, string];
  const seconds = time.length > 5 ? Number(time.slice(6)) : 0;
  return newYorkToUtcMs(sessionDate(date), time.slice(0, 5)) + seconds * 1000;
}

function nextTimeOfDay(time: string, afterUtcMs: number): number {
  const today = newYorkToUtcMs(newYorkDateOf(afterUtcMs), time);
  if (today > afterUtcMs) return today;
  const noonTomorrow = newYorkToUtcMs(newYorkDateOf(afterUtcMs), "12:00") + 86_400_000;
  return newYorkToUtcMs(newYorkDateOf(noonTomorrow), time);
}
