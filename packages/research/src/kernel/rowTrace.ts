/** Receives what every lane holds, row by row: a holding, then the lanes that have it. */
export interface RowTrace {
  /**
   * @param row - the row that decided
   * @param place - where the holding is kept; the next row often finds the same one there
   * @param names - the symbols selected, from `from` to `end`, in no particular order; only valid during the call
   * @param weights - their targets, 0 for one that rounding has lost
   */
  holding(
    row: number,
    place: number,
    names: Int32Array,
    weights: Float64Array,
    from: number,
    end: number,
  ): void;
  /** @param members - the lanes of the word that have the holding told last, at least one */
  lanes(word: number, members: number): void;
}
