import type { Failure } from "@pf/app";
import type { Painter } from "../terminal.js";

/** Three lines: what happened, what it means, what to do. A list of issues stands between the first and the second. */
export function renderFailure(
  failure: Pick<Failure, "code" | "message" | "means" | "next">,
  painter: Painter,
): string {
  const [first, ...more] = failure.message.split("\n");
  const lines = [
    `${painter.red(painter.bold("Error:"))} ${first} ${painter.dim(`(${failure.code})`)}`,
    ...more.map((line) => `  ${line.trimStart()}`),
    `${painter.dim("What it means:")} ${failure.means}`,
    `${painter.dim("What to do:")}    ${failure.next}`,
  ];
  return `${lines.join("\n")}\n`;
}

/** The same for programs, as the contract has it. */
export function failureDocument(failure: Failure): { readonly error: FailureFields } {
  return { error: failureFields(failure) };
}

export interface FailureFields {
  readonly code: string;
  readonly message: string;
  readonly means: string;
  readonly next: string;
  readonly details: Readonly<Record<string, unknown>>;
}

function failureFields({ code, message, means, next, details }: Failure): FailureFields {
  return { code, message, means, next, details };
}
