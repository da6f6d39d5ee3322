import { createHash } from "node:crypto";
import type { ResearchUnit } from "@pf/research";
import { pack, unpack } from "./plain.js";

/** Raised with every change of what travels: a worker that speaks another number listens elsewhere. */
export const protocol = 1;

/** What a queue's message holds. Bars are fetched by their hash. */
export interface UnitMessage {
  readonly run: string;
  /** The version of the code that the results depend on. */
  readonly code: string;
  /** Content hash of bars and study. */
  readonly data: string;
  /** Units, packed, base 64. */
  readonly units: string;
}

/** What workers tell a run's submitter. It only wakes somebody who looks: what counts is written before it is told. */
export type News =
  /** Units of a message have results; with the time they took when it was the last of them. */
  | { readonly kind: "results"; readonly job: string; readonly units?: number; readonly ms?: number }
  /** The bars are not there, or are not those of their hash: the message was given up. */
  | { readonly kind: "data"; readonly job: string; readonly problem: "missing" | "damaged" }
  /** The run was cancelled, or a unit of it failed. */
  | { readonly kind: "end" };

export function packUnits(units: readonly ResearchUnit[]): string {
  return pack(units).toString("base64");
}

export function unpackUnits(packed: string): readonly ResearchUnit[] {
  return unpack(Buffer.from(packed, "base64")) as readonly ResearchUnit[];
}

/** A unit by its content: equal units on equal data and code have equal results. */
export function digestOf(unit: ResearchUnit): string {
  return createHash("sha256").update(JSON.stringify(unit)).digest("base64url").slice(0, 22);
}
