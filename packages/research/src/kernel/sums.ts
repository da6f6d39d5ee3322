/** The sums behind the metrics that final equity and drawdown do not tell. */
export const sumFields = {
  net: 0,
  squares: 1,
  gains: 2,
  losses: 3,
  downside: 4,
  turnover: 5,
  days: 6,
} as const;
export const sumSize = 8;

/** Turnover of rounding alone is no rebalance. */
const tradedAtLeast = 1e-9;

/** Adds a row's return after costs, and its turnover, to the sums at `at`. */
export function addRow(sums: Float64Array, at: number, net: number, turnover: number): void {
  sums[at]! += net;
  sums[at + 1]! += net * net;
  if (net > 0) sums[at + 2]! += net;
  else if (net < 0) {
    sums[at + 3]! -= net;
    sums[at + 4]! += net * net;
  }
  sums[at + 5]! += turnover;
  if (turnover > tradedAtLeast) sums[at + 6]! += 1;
}

export function addSums(into: Float64Array, at: number, sums: Float64Array, from: number): void {
  for (let k = 0; k < sumSize; k++) into[at + k]! += sums[from + k]!;
}
