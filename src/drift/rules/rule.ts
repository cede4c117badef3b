import type { Severity } from "../../../programs/policies/policy.ts";
import type { PropertyChange } from "../../engine/protocol.ts";
import type { DriftClass, Verdict } from "../classes.ts";

/** What is said of a changed property: a verdict, or one that depends on the values. */
export type Judgement = Verdict | ((change: PropertyChange) => Verdict);

/** How drift of one type of resource is judged. */
export interface TypeRules {
  /** What goes with the resource and no program brings back; absent where nothing does. */
  readonly holds?: string;
  /** The first whose pattern fits the property's path counts. */
  readonly properties: readonly (readonly [path: RegExp, judgement: Judgement])[];
  /** What no pattern fits. */
  readonly otherwise: Verdict;
  /** Of a resource that is gone and held nothing; grave, and of the class of what no pattern fits, unless said here. */
  readonly gone?: Verdict;
}

const verdicts =
  (name: DriftClass) =>
  (severity: Severity, reason: string): Verdict => ({ class: name, severity, reason });

export const security = verdicts("security");
export const cost = verdicts("cost");
export const data = verdicts("data");
export const unknown = verdicts("unknown");
export const promotion = (reason: string): Verdict => verdicts("ml_promotion")("low", reason);
export const benign = (reason: string): Verdict => verdicts("benign")("low", reason);

/** Data that is gone: no program brings it back. */
export const lost = (reason: string): Verdict => ({ ...data("critical", reason), dataLoss: true });

/** A type whose properties all matter for the same reason. */
export const wholly = (otherwise: Verdict): TypeRules => ({ properties: [], otherwise });

/** One verdict for a number that went down, another for everything else. */
export const ifLess =
  (less: Verdict, otherwise: Verdict) =>
  ({ before, after }: PropertyChange): Verdict =>
    Number(after ?? 0) < Number(before ?? 0) ? less : otherwise;
