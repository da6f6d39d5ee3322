import { MergeError, StoppedError } from "./errors.js";
import { type Research, type ResearchUnit, type ResultOf, runUnit } from "./units.js";

/** A unit's place in its plan, and its result. */
export interface UnitOutcome<U extends ResearchUnit> {
  readonly at: number;
  readonly result: ResultOf<U>;
}

/** What asks for an end; an AbortSignal is one. */
export interface StopSignal {
  readonly aborted: boolean;
}

/**
 * Runs units of work: in this thread, in others, on other machines. Outcomes may come in any order; each unit comes once.
 * An executor stops soon after the signal asks it to, and passes on the error of a unit that fails.
 */
export interface Executor {
  run<U extends ResearchUnit>(units: readonly U[], signal?: StopSignal): AsyncIterable<UnitOutcome<U>>;
}

/**
 * Runs units one after the other in this thread.
 *
 * @param pause - awaited between units, so that whoever owns the event loop can let timers and signals in
 */
export function inlineExecutor(research: Research, pause: () => Promise<void> = async () => {}): Executor {
  return {
    async *run(units, signal) {
      for (const [at, unit] of units.entries()) {
        if (signal?.aborted) return;
        yield { at, result: runUnit(unit, research) };
        await pause();
      }
    },
  };
}

export interface CollectOptions<U extends ResearchUnit> {
  readonly signal?: StopSignal;
  /** Results there are already, by place in the plan: they are not run again. */
  readonly known?: ReadonlyMap<number, ResultOf<U>>;
  /** Told of every new result; what a run is continued from is written here. */
  readonly onResult?: (outcome: UnitOutcome<U>, done: number, total: number) => void | Promise<void>;
}

/**
 * Runs a plan and gives its results in plan order, so that what is made of them is the same for every executor.
 *
 * @throws StoppedError when the signal ended it early; what was finished has been told to `onResult`
 * @throws UnitError when a unit failed
 * @throws MergeError when the executor left units out or ran one twice
 */
export async function collect<U extends ResearchUnit>(
  executor: Executor,
  units: readonly U[],
  { signal, known = new Map(), onResult }: CollectOptions<U> = {},
): Promise<readonly ResultOf<U>[]> {
  const results = new Map(known);
  const open = [...units.keys()].filter((at) => !results.has(at));
  for await (const { at: place, result } of executor.run(
    open.map((at) => units[at]!),
    signal,
  )) {
    const at = open[place];
    if (at === undefined || results.has(at))
      throw new MergeError(`unit ${place} came twice or was never planned`);
    results.set(at, result);
    await onResult?.({ at, result }, results.size, units.length);
  }
  if (results.size < units.length) {
    if (signal?.aborted) throw new StoppedError(results.size, units.length);
    throw new MergeError(`${units.length} units were planned and ${results.size} were run`);
  }
  return units.map((_, at) => results.get(at)!);
}
