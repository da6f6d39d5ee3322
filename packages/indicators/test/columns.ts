import fc from "fast-check";

/** A column written out. */
export const column = (...values: number[]): Float64Array => Float64Array.of(...values);

/** The parts random prices are made of. */
export const walk = {
  price: fc.double({ min: 0.01, max: 5000, noNaN: true }),
  move: fc.oneof(
    fc.double({ min: 0.7, max: 1.4, noNaN: true }),
    // A price that stands still is what a naive variance gets wrong.
    fc.constant(1),
  ),
};

/** Prices of 0 to 50 bars: a random walk that sometimes stands still. */
export const prices: fc.Arbitrary<Float64Array> = fc
  .tuple(walk.price, fc.array(walk.move, { maxLength: 50 }))
  .map(([first, moves]) => {
    let price = first;
    return Float64Array.from(moves, (move) => {
      price *= move;
      return price;
    });
  });

/** Bars of 0 to 50 rows around such a walk. */
export const bars: fc.Arbitrary<{ high: Float64Array; low: Float64Array; close: Float64Array }> = fc
  .tuple(prices, fc.infiniteStream(fc.double({ min: 0, max: 0.1, noNaN: true })))
  .map(([close, spread]) => {
    const draw = () => spread.next().value as number;
    return {
      high: close.map((price) => price * (1 + draw())),
      low: close.map((price) => price * (1 - draw())),
      close,
    };
  });
