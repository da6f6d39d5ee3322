/** The universe where nobody names one. */
export const defaultUniverse = ["SPY", "QQQ", "VTI", "TLT", "IEF", "GLD", "XLE", "BND", "BITO"];

/**
 * Lists of large US exchange-traded funds that may stand in place of a universe, by name. Ties go to the one that stands
 * first, so the order is part of a list; a list never changes, for results depend on it.
 */
export const symbolLists: Readonly<Record<string, readonly string[]>> = {
  default: defaultUniverse,
  // The eleven sectors of the S&P 500, one Select Sector SPDR each; the two youngest began in 2015 and 2018.
  us_sectors: ["XLB", "XLC", "XLE", "XLF", "XLI", "XLK", "XLP", "XLRE", "XLU", "XLV", "XLY"],
  us_broad: ["SPY", "QQQ", "DIA", "MDY", "IWM", "VTI", "RSP", "VTV", "VUG"],
  bonds: ["SHY", "IEI", "IEF", "TLT", "TIP", "LQD", "HYG", "MBB", "AGG", "EMB"],
  world: [
    ...["SPY", "EFA", "EEM", "VGK", "EWJ", "EWU", "EWG", "EWC", "EWA"],
    ...["EWZ", "FXI", "INDA", "EWT", "EWY"],
  ],
};
