import type { OverlayOptions, StrategyOptions } from "../options.js";
import type { OverlayFactory, OverlayProblem, RegimeOverlay } from "./overlay.js";

/** What a parameter may be. */
export interface Parameter<Value> {
  /** Goes on from "must be ": "a whole number of at least 2, such as 200". */
  readonly expected: string;
  accepts(value: unknown): value is Value;
  /** Whether it names a symbol, which has to be one of the universe: nothing else has bars. */
  readonly namesSymbol?: true;
}

type Parameters<Values> = { readonly [Name in keyof Values]: Parameter<Values[Name]> };

/**
 * An overlay that looks at the market alone, not at targets, and whose parameters are checked before it runs. All of them
 * have to be given: what a result depends on stands in the configuration, and so in its manifest.
 */
export function overlayWith<Values extends object>(
  parameters: Parameters<Values>,
  make: (values: Values, options: Pick<StrategyOptions, "periodsPerYear">) => RegimeOverlay,
): OverlayFactory {
  const known = Object.entries<Parameter<unknown>>(parameters);
  return Object.assign(
    // `problems` has found nothing: these are the values.
    (given: OverlayOptions, options: StrategyOptions) => make(given as unknown as Values, options),
    {
      ofMarketAlone: true,
      problems(given: OverlayOptions, universe?: readonly string[]): readonly OverlayProblem[] {
        const unknown = Object.keys(given)
          .filter((name) => name !== "name" && !known.some(([own]) => own === name))
          .map((parameter) => ({
            parameter,
            problem: `is no parameter of ${given.name}, which has ${known.map(([own]) => own).join(", ")}`,
          }));
        const wrong = known.flatMap(([parameter, { expected, accepts, namesSymbol }]) => {
          const value = given[parameter];
          if (value === undefined) return [{ parameter, problem: `is missing: it must be ${expected}` }];
          if (!accepts(value)) return [{ parameter, problem: `must be ${expected}` }];
          if (!namesSymbol || !universe || value === wholeUniverse || universe.includes(String(value)))
            return [];
          return [{ parameter, problem: "must be a symbol of the universe, for others have no bars" }];
        });
        return [...unknown, ...wrong];
      },
    },
  );
}

/** Stands for all symbols together where a symbol could stand; symbols have capital letters. */
export const wholeUniverse = "universe";

export const symbol: Parameter<string> = {
  expected: "a symbol of the universe, such as SPY",
  accepts: (value): value is string => typeof value === "string" && value !== "" && value !== wholeUniverse,
  namesSymbol: true,
};

export const symbolOrUniverse: Parameter<string> = {
  expected: "a symbol such as SPY, or universe for all of them together",
  accepts: (value): value is string => typeof value === "string" && value !== "",
  namesSymbol: true,
};

/** @param usual - an example for the message */
export function bars(least: number, usual: number): Parameter<number> {
  return {
    expected: `a whole number of bars from ${least} to 5000, such as ${usual}`,
    accepts: (value): value is number =>
      Number.isInteger(value) && (value as number) >= least && (value as number) <= 5000,
  };
}

export const exposure: Parameter<number> = {
  expected: "a factor from 0, all cash, to 1, such as 0.5",
  accepts: (value): value is number => typeof value === "number" && value >= 0 && value <= 1,
};

export const annualVolatility: Parameter<number> = {
  expected: "a volatility a year above 0, such as 0.25",
  accepts: (value): value is number => typeof value === "number" && value > 0 && Number.isFinite(value),
};

export const share: Parameter<number> = {
  expected: "a fraction of the symbols above 0 and at most 1, such as 0.5",
  accepts: (value): value is number => typeof value === "number" && value > 0 && value <= 1,
};
