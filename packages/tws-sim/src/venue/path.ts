/** How long a price stays where it is. */
export const stepMs = 15_000;

/** A session from its open to its close, in any unit. */
export interface PathShape {
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  /** How many steps the session has. */
  readonly steps: number;
  /** From which step on the price is the close; `steps` for the very end. */
  readonly settled: number;
  /** What prices are rounded to; the four of the bar stand as they are. */
  readonly tick: number;
}

/**
 * The price at the beginning of every step and at the close: starts at the open, touches the high and the low on its
 * way, ends at the close and never leaves the range. A random walk tied down at these four.
 *
 * @param draw - uniform numbers from 0 to 1; the same numbers make the same path
 * @returns `steps + 1` prices
 */
export function intradayPath(shape: PathShape, draw: () => number): Float64Array {
  const { open, high, low, close, steps, settled, tick } = shape;
  const path = new Float64Array(steps + 1);
  const inner = settled - 1;
  const one = 1 + Math.floor(draw() * inner);
  // Any other step: a distance from the first that does not come around to it.
  const other = 1 + ((one - 1 + 1 + Math.floor(draw() * (inner - 1))) % inner);
  const highFirst = draw() < 0.5;
  const [first, second] = one < other ? [one, other] : [other, one];
  // Wide enough to look like trading, narrow enough to seldom run along the borders.
  const volatility = (0.5 * (high - low)) / Math.sqrt(settled);

  const walk = (from: number, start: number, to: number, end: number) => {
    path[from] = start;
    let price = start;
    for (let at = from + 1; at < to; at++) {
      const left = to - at + 1;
      const noise = (draw() + draw() + draw() - 1.5) * 2;
      price += (end - price) / left + volatility * Math.sqrt((left - 1) / left) * noise;
      if (price > high) price = high;
      else if (price < low) price = low;
      const rounded = Math.round(Math.round(price / tick) * tick * 1e6) / 1e6;
      path[at] = rounded > high ? high : rounded < low ? low : rounded;
    }
  };
  const [near, far] = highFirst ? [high, low] : [low, high];
  walk(0, open, first, near);
  walk(first, near, second, far);
  walk(second, far, settled, close);
  path.fill(close, settled);
  return path;
}

/**
 * The part of a session's volume that is traded before a step ends: heavy at both ends, the opening auction included.
 *
 * @param progress - from 0 at the open to 1 where everything is traded
 */
export function volumeShare(progress: number): number {
  const u = Math.min(1, Math.max(0, progress));
  const v = u - 0.5;
  // The integral of 0.6 + 4.8 (u - 1/2)^2, whose value over the session is 1.
  return 0.04 + 0.96 * (0.6 * u + 1.6 * (v * v * v + 0.125));
}
