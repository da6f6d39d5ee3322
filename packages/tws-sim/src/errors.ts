/** Another program listens where the simulator should. */
export class PortInUseError extends Error {
  override readonly name = "PortInUseError";
  readonly code = "PF_PORT_IN_USE";
  readonly next = "end that program, or choose another port; 0 lets the system choose one";
  constructor(
    readonly host: string,
    readonly port: number,
    options?: ErrorOptions,
  ) {
    super(`another program already listens on ${host}:${port}`, options);
  }
}

/** The simulator cannot be started as told. */
export class SimulatorOptionsError extends Error {
  override readonly name = "SimulatorOptionsError";
  readonly code = "PF_SIMULATOR_OPTIONS";
  constructor(
    readonly option: string,
    what: string,
    readonly next = "correct the option",
    options?: ErrorOptions,
  ) {
    super(`${option}: ${what}`, options);
  }
}

/** Something wrong with one place of a scenario. */
export interface ScenarioIssue {
  readonly file: string;
  /** From 1; `null` where there are no lines. */
  readonly line: number | null;
  readonly column: number | null;
  /** Dotted, `rules[0].on.message`; empty for the whole file. */
  readonly key: string;
  readonly message: string;
}

/** A scenario cannot be used. `issues` holds everything that is wrong with it. */
export class ScenarioError extends Error {
  override readonly name = "ScenarioError";
  readonly code = "PF_SCENARIO";
  readonly next = "correct what is listed; SCENARIOS.md of @pf/tws-sim has every key";
  constructor(
    readonly issues: readonly ScenarioIssue[],
    options?: ErrorOptions,
  ) {
    super(issues.map(issueText).join("\n"), options);
  }
}

function issueText({ file, line, column, key, message }: ScenarioIssue): string {
  const place = line === null ? file : `${file}:${line}:${column}`;
  return `${place}${key === "" ? "" : ` ${key}`}: ${message}`;
}

/** The wire log cannot be written or read. */
export class WireLogError extends Error {
  override readonly name = "WireLogError";
  readonly code = "PF_WIRE_LOG";
  readonly next = "choose another file, in a folder that exists and that you may write to";
  constructor(
    readonly file: string,
    readonly why: string,
    options?: ErrorOptions,
  ) {
    super(`the wire log ${file} cannot be used: ${why}`, options);
  }
}
