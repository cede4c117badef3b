import type { Severity } from "../../programs/policies/policy.ts";

/** What a drift is about, the gravest first. */
export const driftClasses = ["data", "security", "ml_promotion", "cost", "unknown", "benign"] as const;
export type DriftClass = (typeof driftClasses)[number];

/** Open and held drifts are live; the others are over, until a check finds them again. */
export const driftStates = ["open", "ignored", "accepted", "adopted", "reverted", "resolved"] as const;
export type DriftState = (typeof driftStates)[number];

/** What a rule says of a difference. */
export interface Verdict {
  readonly class: DriftClass;
  readonly severity: Severity;
  /** One line: why it matters, or why it doesn't. */
  readonly reason: string;
  /** What was lost can't be made again: nothing is mended there without somebody's approval. */
  readonly dataLoss?: true;
}
