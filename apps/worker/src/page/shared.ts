/** A question that is expensive to answer and often asked. */
export interface Shared<T> {
  (): Promise<T>;
  /** Who asks from now on gets an answer to a question that was put after now. */
  forget(): void;
}

/**
 * Lets everybody who asks within a moment share one answer; never puts the question twice at once. A failure is told to
 * who waited for it and not kept.
 *
 * @param forMs - how long an answer is good for
 * @param nowMs - any clock that does not go backwards
 */
export function shared<T>(ask: () => Promise<T>, forMs: number, nowMs: () => number): Shared<T> {
  let generation = 0;
  let answer: { readonly value: Promise<T>; readonly generation: number; atMs: number } | undefined;
  let last: Promise<unknown> = Promise.resolve();

  function read(): Promise<T> {
    if (answer && answer.generation === generation && nowMs() - answer.atMs < forMs) return answer.value;
    const asked = generation;
    const value = last.then(ask);
    const mine = { value, generation: asked, atMs: Number.POSITIVE_INFINITY };
    answer = mine;
    last = value.then(
      () => {
        mine.atMs = nowMs();
      },
      () => {
        if (answer === mine) answer = undefined;
      },
    );
    return value;
  }

  return Object.assign(read, {
    forget() {
      generation++;
    },
  });
}
