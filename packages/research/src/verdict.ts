import type { Objective } from "./study.js";

/** What was found out about a strategy; what was not tested is left out, what is undefined is null. */
export interface Evidence {
  readonly objective: Objective;
  /** The permutation test of the train windows: the mean over windows. */
  readonly windows?: PermutationEvidence & { readonly windows: number };
  /** The walk-forward permutation: the procedure as a whole. */
  readonly procedure?: PermutationEvidence;
  /** Probability of the deflated Sharpe ratio, and the trials it was deflated for. */
  readonly deflatedSharpe?: { readonly probability: number | null; readonly trials: number };
  /** Probability of backtest overfitting. */
  readonly overfitting?: number | null;
  /** Growth out of sample over growth in training. */
  readonly efficiency?: number | null;
  /** Objective of the walk-forward less that of the fixed parameters, positive is better. */
  readonly gainOverFixed?: number | null;
}

export interface PermutationEvidence {
  readonly pPlusOne: number | null;
  readonly runs: number;
  readonly undefinedRuns: number;
}

/** One test and what came of it. */
export interface Finding {
  readonly test:
    | "windows"
    | "procedure"
    | "deflated_sharpe"
    | "overfitting"
    | "efficiency"
    | "fixed_parameters";
  /** Null where the test could not be computed. */
  readonly passed: boolean | null;
  /** One sentence with its number. */
  readonly line: string;
}

/**
 * `supported`: every test that was made passed, and one of them looked at data that nothing was chosen on. `in_sample`:
 * all passed, but none did that. `mixed`: some passed. `unsupported`: none did. `untested`: none could be computed.
 */
export type VerdictCode = "supported" | "in_sample" | "mixed" | "unsupported" | "untested";

/** Tests that look at rows on which the parameters were not chosen. */
const outOfSample: ReadonlySet<Finding["test"]> = new Set<Finding["test"]>([
  "procedure",
  "overfitting",
  "efficiency",
  "fixed_parameters",
]);

export interface Verdict {
  readonly code: VerdictCode;
  readonly headline: string;
  readonly findings: readonly Finding[];
  /** What none of this shows. */
  readonly limits: readonly string[];
  /** All of it in reading order. */
  readonly lines: readonly string[];
}

/** The usual level: one chance in twenty of being fooled by a market without order. */
const significant = 0.05;
/** Share of runs without a score above which a p-value is no longer told as one. */
const tolerableUndefined = 0.05;
/** Pardo's rule of thumb: half of what training promised should be kept. */
const keptAtLeast = 0.5;

/** Says in words what the tests show and what they do not. It weighs nothing: a test passes at its usual threshold. */
export function judge(evidence: Evidence): Verdict {
  const findings = [
    ...(evidence.windows ? [windowsFinding(evidence.windows, evidence.objective)] : []),
    ...(evidence.procedure ? [procedureFinding(evidence.procedure, evidence.objective)] : []),
    ...(evidence.deflatedSharpe ? [deflatedFinding(evidence.deflatedSharpe)] : []),
    ...(evidence.overfitting !== undefined ? [overfittingFinding(evidence.overfitting)] : []),
    ...(evidence.efficiency !== undefined ? [efficiencyFinding(evidence.efficiency)] : []),
    ...(evidence.gainOverFixed !== undefined
      ? [fixedFinding(evidence.gainOverFixed, evidence.objective)]
      : []),
  ];
  const code = codeOf(findings);
  const headline = headlines[code];
  const limits = limitsOf(evidence);
  return {
    code,
    headline,
    findings,
    limits,
    lines: [headline, ...findings.map((one) => one.line), ...limits],
  };
}

const headlines: Readonly<Record<VerdictCode, string>> = {
  supported: "Every test made speaks for the strategy, within what such tests can see.",
  in_sample:
    "The tests made speak for the strategy, but all of them look at the data its parameters were chosen on.",
  mixed: "The tests disagree: part of the result is more than luck would explain, part is not.",
  unsupported: "No test made can tell the strategy from luck.",
  untested: "Nothing could be tested: there is no evidence either way.",
};

function codeOf(findings: readonly Finding[]): VerdictCode {
  const decided = findings.filter((one) => one.passed !== null);
  if (decided.length === 0) return "untested";
  if (decided.every((one) => one.passed)) {
    return decided.some((one) => outOfSample.has(one.test)) ? "supported" : "in_sample";
  }
  return decided.some((one) => one.passed) ? "mixed" : "unsupported";
}

function windowsFinding(
  test: PermutationEvidence & { readonly windows: number },
  objective: Objective,
): Finding {
  return permutationFinding("windows", test, {
    name: `Permutation of the train windows (${counted(test.windows, "window")}, ${counted(test.runs, "run")})`,
    what: `that shuffled days give the grid as good a mean ${objective}`,
    yes: "the order of days in training holds something the grid can find",
    no: "the grid finds as much where there is nothing to find, so a good train result means little",
  });
}

function procedureFinding(test: PermutationEvidence, objective: Objective): Finding {
  return permutationFinding("procedure", test, {
    name: `Permutation of the procedure (${counted(test.runs, "run")})`,
    what: `that walking forward over shuffled days gives as good a ${objective}`,
    yes: "choosing on the past and applying it to what follows made use of the order of days",
    no: "choosing and applying did no better than it does on shuffled days",
  });
}

function permutationFinding(
  test: "windows" | "procedure",
  { pPlusOne, runs, undefinedRuns }: PermutationEvidence,
  { name, what, yes, no }: Readonly<Record<"name" | "what" | "yes" | "no", string>>,
): Finding {
  if (pPlusOne === null) return { test, passed: null, line: `${name}: there is no real score to compare.` };
  if (undefinedRuns > tolerableUndefined * runs) {
    return {
      test,
      passed: null,
      line: `${name}: ${undefinedRuns} of them have no score, too many for a p-value.`,
    };
  }
  const finest = 1 / (runs + 1);
  if (finest > significant) {
    return {
      test,
      passed: null,
      line: `${name}: p = ${shown(pPlusOne)}, but so few runs cannot show less than ${shown(finest)}; make at least 19.`,
    };
  }
  const passed = pPlusOne <= significant;
  return { test, passed, line: `${name}: p = ${shown(pPlusOne)} ${what}; ${passed ? yes : no}.` };
}

function deflatedFinding({ probability, trials }: { probability: number | null; trials: number }): Finding {
  const test = "deflated_sharpe";
  if (probability === null) return { test, passed: null, line: "Deflated Sharpe ratio: undefined." };
  const passed = probability >= 1 - significant;
  return {
    test,
    passed,
    line: `Deflated Sharpe ratio: ${shown(probability)} probability that the best of ${counted(trials, "trial")} is better than luck makes the best of so many look; ${
      passed ? "enough at the usual 0.95" : "0.95 is the usual demand"
    }.`,
  };
}

function overfittingFinding(probability: number | null): Finding {
  const test = "overfitting";
  if (probability === null)
    return { test, passed: null, line: "Probability of backtest overfitting: undefined." };
  const passed = probability < 0.5;
  return {
    test,
    passed,
    line: `Probability of backtest overfitting: ${shown(probability)}; the best on one half of the data is ${
      passed ? "more often above than below" : "no more often above than below"
    } the middle of the grid on the other.`,
  };
}

function efficiencyFinding(efficiency: number | null): Finding {
  const test = "efficiency";
  if (efficiency === null) {
    return { test, passed: null, line: "Walk-forward efficiency: undefined, training promised no growth." };
  }
  const passed = efficiency >= keptAtLeast;
  return {
    test,
    passed,
    line: `Walk-forward efficiency: ${shown(efficiency)} of the growth seen in training was kept out of sample; ${
      passed
        ? "half or more is usual for a procedure that carries over"
        : "less than half points to fitting the past"
    }.`,
  };
}

function fixedFinding(gain: number | null, objective: Objective): Finding {
  const test = "fixed_parameters";
  if (gain === null) return { test, passed: null, line: "Against fixed parameters: undefined." };
  return {
    test,
    passed: gain > 0,
    line:
      gain > 0
        ? `Against fixed parameters: re-optimising improved ${objective} by ${shown(gain)} out of sample.`
        : `Against fixed parameters: re-optimising did not improve ${objective} out of sample (${shown(gain)}); the configured values would have done.`,
  };
}

function limitsOf(evidence: Evidence): readonly string[] {
  return [
    ...(evidence.windows || evidence.procedure
      ? [
          "Shuffling keeps each day's moves and the drift of every symbol: a low p speaks of timing, not of the return that comes from holding.",
        ]
      : []),
    ...(evidence.windows && !evidence.procedure
      ? [
          "The windows overlap and share days, so they are one test and not many; the walk-forward permutation tests the procedure itself.",
        ]
      : []),
    ...(evidence.deflatedSharpe
      ? [
          "The number of trials counts what was recorded; what was tried elsewhere, or chosen before (the universe), is in no number here.",
        ]
      : []),
    "All of it is about these bars at these costs; none of it says that the future resembles them.",
  ];
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Three digits, without the noise of a float. */
function shown(value: number): string {
  return Number(value.toPrecision(3)).toString();
}
