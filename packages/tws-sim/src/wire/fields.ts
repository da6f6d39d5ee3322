/** A message whose fields cannot be read: too few, or not of their kind. */
export class UnreadableMessageError extends Error {
  override readonly name = "UnreadableMessageError";
  constructor(
    message: string,
    /** Of the request, as far as it could be read; -1 otherwise. */
    readonly id: number = -1,
  ) {
    super(message);
  }
}

const unsetInteger = 2_147_483_647;

/** Reads the fields of one message in order. */
export class FieldReader {
  #at = 0;
  constructor(private readonly fields: readonly string[]) {}

  get left(): number {
    return this.fields.length - this.#at;
  }

  text(): string {
    const field = this.fields[this.#at];
    if (field === undefined) throw new UnreadableMessageError(`field ${this.#at} is missing`);
    this.#at++;
    return field;
  }

  skip(count = 1): void {
    for (let n = 0; n < count; n++) this.text();
  }

  /** A whole number; 0 where the field is empty. */
  integer(): number {
    return this.integerOrUnset() ?? 0;
  }

  /** Undefined where the field is empty or holds the number that means unset. */
  integerOrUnset(): number | undefined {
    const at = this.#at;
    const text = this.text();
    if (text === "") return undefined;
    const value = Number(text);
    if (!/^-?\d{1,19}(\.0+)?$/.test(text) || !Number.isFinite(value))
      throw new UnreadableMessageError(`Unable to parse field: ${at} value: ${shortened(text)}`);
    return value === unsetInteger ? undefined : value;
  }

  /** Undefined where the field is empty or holds the number that means unset. */
  numberOrUnset(): number | undefined {
    const at = this.#at;
    const text = this.text();
    if (text === "") return undefined;
    // Clients write infinity in two ways.
    const value = text === "Infinite" ? Number.POSITIVE_INFINITY : Number(text);
    if (text.trim() !== text || Number.isNaN(value))
      throw new UnreadableMessageError(`Unable to parse field: ${at} value: ${shortened(text)}`);
    return value === Number.MAX_VALUE ? undefined : value;
  }

  /** A decimal as it was written, without signs of unset; empty where there is none. */
  decimal(): string {
    const before = this.#at;
    if (this.numberOrUnset() === undefined) return "";
    return this.fields[before]!;
  }

  flag(): boolean {
    const text = this.text().toLowerCase();
    return text === "1" || text === "true";
  }
}

/** Text from outside, cut to what fits into a message about it. */
function shortened(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 39)}…`;
}
