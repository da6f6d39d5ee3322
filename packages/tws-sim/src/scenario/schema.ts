import { isCivilDate } from "@pf/market";
import * as z from "zod";
import { ScenarioError } from "../errors.js";

const durationWords = "must be a duration such as 500ms, 5s, 2m, 1h, or a number of seconds";

/** `"500ms"`, `"5s"`, `"2m"`, `"1h"`, or a number of seconds; milliseconds when read. Time is simulated time. */
const duration = z
  .union([z.number().min(0), z.string().regex(/^\d+(\.\d+)?(ms|s|m|h)$/, durationWords)], {
    error: durationWords,
  })
  .transform((written) => {
    if (typeof written === "number") return Math.round(written * 1000);
    const [, count, unit] = /^([\d.]+)(\D+)$/.exec(written)!;
    return Math.round(
      Number(count) * { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[unit as "ms" | "s" | "m" | "h"],
    );
  });

const decimal = z
  .union([z.number(), z.string().regex(/^\d+(\.\d+)?$/)], { error: "must be a number" })
  .transform(String);
const symbol = z.string().regex(/^[A-Z0-9][A-Z0-9.\- ]{0,15}$/, "must be a symbol in capitals");
const clientId = z.int().min(0);
const notice = z.strictObject({ code: z.int().min(1), message: z.string() });

/** The actions that act on the message which a rule waits for; the others can also happen at a time. */
const messageActions = ["drop", "duplicate", "delay", "answer", "claim", "cancel"] as const;

export const actionKeys = {
  drop: z.literal(true).describe("the message is never sent; a request is never answered"),
  duplicate: z.int().min(1).max(100).describe("sent so many times more"),
  delay: duration.describe("sent, or for a request read, so much later"),
  answer: notice.describe("a request is answered with this error and does nothing else"),
  claim: z
    .enum([
      "PendingSubmit",
      "PreSubmitted",
      "Submitted",
      "PendingCancel",
      "Cancelled",
      "ApiCancelled",
      "Filled",
      "Inactive",
    ])
    .describe("an orderStatus that is not true, for the order of the message"),
  cancel: z
    .strictObject({ after: duration.default(0) })
    .describe("the broker cancels the order of the message: 202"),
  say: notice.describe("an error or notice: about the message's id, else to everybody with id -1"),
  cut: z
    .strictObject({
      client: clientId.optional().describe("default: in a rule on a message its client, else all"),
      mid_frame: z.boolean().default(false).describe("half of the message goes out first"),
      ids_held: duration.default(0).describe("how long the client ids stay taken (326)"),
    })
    .describe("connections are cut"),
  restart: z
    .strictObject({ down: duration.default(0).describe("how long nobody can connect") })
    .describe("the terminal restarts: orders, ids and accounts live on"),
  link: z
    .enum(["down", "up", "up_data_lost"])
    .describe("the link to the exchanges: 1100, 1102 or 1101; nothing fills while it is down"),
  farm: z
    .strictObject({ name: z.enum(["market", "history", "secdef"]), up: z.boolean() })
    .describe("notices 2103, 2105, 2157 and 2104, 2106, 2158"),
  reject: z
    .strictObject({
      symbol: symbol.optional(),
      code: z.int().min(1).default(201),
      message: z.string().default("Order rejected - reason:"),
    })
    .describe("the next order is refused"),
  partial_fills: z
    .strictObject({
      symbol: symbol.optional(),
      parts: z.int().min(2).max(1000),
      every: duration.default(1000),
      stop_after: z.int().min(1).optional(),
    })
    .describe("the next order that fills does so in parts"),
  order: z
    .strictObject({
      client: clientId.default(0).describe("0: a person at the terminal"),
      account: z.string().optional(),
      symbol,
      side: z.enum(["BUY", "SELL"]),
      quantity: decimal,
      type: z.enum(["MKT", "LMT"]).default("MKT"),
      limit: z.number().positive().optional(),
    })
    .refine(({ type, limit }) => type === "MKT" || limit !== undefined, {
      error: "needs a limit, as a LMT order does",
    })
    .refine(({ quantity }) => Number(quantity) > 0, { error: "needs a quantity above 0" })
    .describe("somebody else trades in the account"),
  split: z.strictObject({ symbol, ratio: z.number().positive() }).describe("each share becomes so many"),
  cash: z
    .strictObject({
      amount: z.number().refine((amount) => amount !== 0 && Number.isSafeInteger(Math.round(amount * 100)), {
        error: "must be dollars, and not 0",
      }),
      account: z.string().optional(),
    })
    .describe("money comes in, or with a minus goes out as far as it has settled"),
  market_data: z.enum(["live", "delayed", "none"]).describe("the subscription changes"),
  read_only: z.boolean().describe("the API becomes read-only, or no longer is"),
} as const;

/** One thing to do: an object with exactly one of these keys, or the bare key where it needs nothing more. */
const action = z.preprocess(
  (written) => (typeof written === "string" ? bare(written) : written),
  z
    .strictObject(actionKeys)
    .partial()
    .refine((value) => Object.keys(value).length === 1, {
      error: `must have exactly one of ${Object.keys(actionKeys).join(", ")}`,
    }),
);

function bare(name: string): unknown {
  if (name === "drop") return { drop: true };
  if (name === "duplicate") return { duplicate: 1 };
  return { [name]: {} };
}

const time = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?$/, "must be a time in New York such as 2026-11-23 15:56:00")
  .refine((text) => isCivilDate(text.slice(0, 10)) && /^.{11}([01]\d|2[0-3])(:[0-5]\d)+$/.test(text), {
    error: "is no time that there is",
  })
  .transform((text) => text.replace("T", " "));

const on = z.strictObject({
  message: z
    .string()
    .min(1)
    .describe("the name of a request or of an answer, as in placeOrder or orderStatus"),
  client: clientId.optional(),
  symbol: symbol.optional(),
  status: z.string().optional().describe("of an openOrder or orderStatus"),
  code: z.int().optional().describe("of an error"),
  nth: z.int().min(1).default(1).describe("the first message meant, counted among those that fit"),
  times: z
    .union([z.int().min(1), z.literal("all")], { error: 'must be a whole number of at least 1, or "all"' })
    .default(1),
});

const rule = z
  .strictObject({
    name: z.string().optional(),
    at: time.optional().describe("once, at a time in New York"),
    after: duration.optional().describe("once, so long after the scenario begins"),
    daily: z
      .string()
      .regex(/^([01]\d|2[0-3]):[0-5]\d$/, "must be a time of day in New York such as 23:45, in quotes")
      .optional(),
    on: on.optional().describe("on a message"),
    do: z.array(action).min(1),
  })
  .superRefine((value, context) => {
    const triggers = (["at", "after", "daily", "on"] as const).filter((key) => value[key] !== undefined);
    if (triggers.length !== 1)
      context.addIssue({ code: "custom", message: "must have exactly one of at, after, daily, on" });
    if (value.on) return;
    value.do.forEach((one, index) => {
      const name = messageActions.find((key) => one[key] !== undefined);
      if (name)
        context.addIssue({
          code: "custom",
          path: ["do", index],
          message: `${name} acts on a message, so the rule needs \`on\``,
        });
    });
  });

export const scenarioFile = z.strictObject({
  name: z.string().optional(),
  rules: z.array(rule),
});

export type Action = z.output<typeof action>;
/** An action as a scenario file has it, for instance `{ link: "down" }` or `{ split: { symbol: "SPY", ratio: 2 } }`. */
export type WrittenAction =
  | z.input<ReturnType<typeof partialAction>>
  | "drop"
  | "duplicate"
  | "cut"
  | "restart"
  | "cancel";
export type Rule = z.output<typeof rule>;

function partialAction() {
  return z.strictObject(actionKeys).partial();
}

/**
 * Understands one action.
 *
 * @throws ScenarioError when it is none
 */
export function parseAction(written: WrittenAction): Action {
  const parsed = action.safeParse(written);
  if (parsed.success) return parsed.data;
  throw new ScenarioError(
    parsed.error.issues.map(({ path, message }) => ({
      file: "action",
      line: null,
      column: null,
      key: path.join("."),
      message,
    })),
  );
}
