type Environment = Readonly<Record<string, string | undefined>>;

/** How long an operation may take, be silent, and be without a sign of life of its worker. */
export interface OperationLimits {
  readonly wallClockMs: number;
  readonly silenceMs: number;
  /** Of each rung of the ladder by which an operation is stopped. */
  readonly cancelMs: number;
  readonly leaseMs: number;
}

/** The part of the configuration that limits operations in time; problems are added to `problems`. */
export function parseLimits(environment: Environment, problems: string[]): OperationLimits {
  const read = (
    name: string,
    unit: "SECONDS" | "MINUTES",
    [least, fallback, most]: readonly [number, number, number],
  ) => {
    const variable = `${name}_${unit}`;
    const text = environment[variable] || String(fallback);
    const value = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value * (unit === "SECONDS" ? 1_000 : 60_000);
    problems.push(`${variable}="${text}": a whole number of ${unit.toLowerCase()} from ${least} to ${most}`);
    return fallback;
  };
  return {
    wallClockMs: read("AIDLC_OPERATION_LIMIT", "MINUTES", [1, 120, 1_440]),
    // AWS can take 40 minutes for one resource, but something else of the same stack usually tells of itself meanwhile.
    silenceMs: read("AIDLC_SILENCE_LIMIT", "MINUTES", [1, 30, 1_440]),
    cancelMs: read("AIDLC_CANCEL", "SECONDS", [1, 60, 3_600]),
    // It outlives a few missed renewals, so that a slow database doesn't end a healthy operation.
    leaseMs: read("AIDLC_LEASE", "SECONDS", [3, 30, 600]),
  };
}
