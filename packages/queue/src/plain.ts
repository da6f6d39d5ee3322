import { deflateRawSync, inflateRawSync } from "node:zlib";

// JSON writes -0 as 0 and what is no number as null. Results must come back to the last bit, so that these four travel
// under names; a text that begins like such a name gets a mark of its own.
const mark = "\u0000";
const named = new Map<string, number>([
  [`${mark}-0`, -0],
  [`${mark}NaN`, Number.NaN],
  [`${mark}+`, Number.POSITIVE_INFINITY],
  [`${mark}-`, Number.NEGATIVE_INFINITY],
]);

/** Shorter texts are sent as they are: packing them would save nothing. */
const worthPacking = 300;

/** Plain data (objects, arrays, texts, numbers, booleans, null) as bytes that {@link unpack} gives back to the last bit. */
export function pack(value: unknown): Buffer {
  const text = Buffer.from(JSON.stringify(value, (_, one: unknown) => toJson(one)));
  if (text.length < worthPacking) return Buffer.concat([Buffer.of(0), text]);
  return Buffer.concat([Buffer.of(1), deflateRawSync(text, { level: 1 })]);
}

/** What was packed. */
export function unpack(bytes: Buffer): unknown {
  const body = bytes.subarray(1);
  const text = bytes[0] === 0 ? body : inflateRawSync(body);
  return JSON.parse(text.toString("utf8"), (_, one: unknown) => fromJson(one));
}

function toJson(value: unknown): unknown {
  if (typeof value === "string") return value.startsWith(mark) ? `${mark}${value}` : value;
  if (typeof value !== "number" || (Number.isFinite(value) && !Object.is(value, -0))) return value;
  for (const [name, number] of named) if (Object.is(number, value)) return name;
  return value;
}

function fromJson(value: unknown): unknown {
  if (typeof value !== "string" || !value.startsWith(mark)) return value;
  return value.startsWith(mark + mark) ? value.slice(1) : (named.get(value) ?? value);
}
