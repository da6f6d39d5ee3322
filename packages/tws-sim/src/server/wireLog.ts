import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { WireLogError } from "../errors.js";

/** One line of a wire log. */
export type WireLogEntry = {
  /** Simulated time, ISO 8601 in UTC. */
  readonly at: string;
  /** Counts connections from 1. */
  readonly connection: number;
} & (
  | { readonly event: "open" | "close" }
  /** The versions a client offers. */
  | { readonly event: "greeting"; readonly versions: string }
  | ({ readonly event: "in" } & LoggedMessage)
  | ({ readonly event: "out" } & LoggedMessage)
);

interface LoggedMessage {
  /** The client id, once it is known. */
  readonly client?: number;
  readonly message: string;
  readonly fields: readonly string[];
}

type Unstamped = WireLogEntry extends infer Entry
  ? Entry extends unknown
    ? Omit<Entry, "at">
    : never
  : never;

/** A file that gets every frame of both directions. */
export class WireLog {
  readonly #file: number;
  #isOpen = true;

  /** What is in the file stays until {@link begin}. @throws WireLogError when the file cannot be written */
  constructor(
    readonly path: string,
    private readonly now: () => number,
  ) {
    this.#file = attempt(path, () => openSync(path, "a"));
  }

  /** Empties the file: not before the port is ours, because who holds it may be writing the same log. */
  begin(): void {
    attempt(this.path, () => {
      if (fstatSync(this.#file).isFile()) ftruncateSync(this.#file);
    });
  }

  write(entry: Unstamped): void {
    if (!this.#isOpen) return;
    const line = `${JSON.stringify({ at: new Date(this.now()).toISOString(), ...entry })}\n`;
    attempt(this.path, () => writeSync(this.#file, line));
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    closeSync(this.#file);
  }
}

function attempt<Result>(path: string, act: () => Result): Result {
  try {
    return act();
  } catch (cause) {
    throw new WireLogError(path, (cause as NodeJS.ErrnoException).code ?? String(cause), { cause });
  }
}
