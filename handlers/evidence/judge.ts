import type { Control } from "../../programs/frameworks.ts";
import type { Phase } from "../../programs/tags.ts";
import type { Facts } from "./facts.ts";
import type { Reading } from "./reading.ts";

export type State = "effective" | "partial" | "missing" | "unknown";

/** How one resource stands to a control, and what AWS said of it. */
export interface Finding {
  readonly id: string;
  readonly state: State;
  readonly evidence: string;
  /** It isn't in effect because the spec asks for no more: nobody is told each day of what they chose. */
  readonly isSpecified?: true;
}

export interface ControlRule {
  readonly phase: Phase;
  readonly implementation: string;
  readonly judge: (facts: Facts) => Finding[];
}

export type ControlRules = Readonly<Record<Control, ControlRule>>;

/** Of what isn't there: `missing` unless it need not be. */
export function judged<T>(
  id: string,
  read: Reading<T>,
  judge: (value: T) => readonly [State, string],
  absent: readonly [State, string] = ["missing", "There is none"],
): Finding {
  if (read.is === "unreadable")
    return { id, state: "unknown", evidence: `It could not be read: ${read.why}` };
  const [state, evidence] = read.is === "absent" ? absent : judge(read.value);
  return { id, state, evidence };
}

/** The same where the answer is yes or no. */
export const yes = <T>(
  id: string,
  read: Reading<T>,
  is: (value: T) => boolean,
  [effective, otherwise]: readonly [string, string],
  state: State = "missing",
): Finding =>
  judged(id, read, (value) => (is(value) ? ["effective", effective] : [state, otherwise]), [
    state,
    otherwise,
  ]);

/** Of a list that was read at once, such as all alarms. */
export const listed = <T>(
  id: string,
  read: Reading<readonly T[]>,
  judge: (items: readonly T[]) => Finding[],
): Finding[] => (read.is === "there" ? judge(read.value) : [judged(id, read, () => ["effective", ""])]);

/** A control is as good as its resources: one that is not in place makes it partial, and one that nobody could read unknown. */
export function stateOf(findings: readonly Finding[]): State {
  const is = (state: State) => findings.some((finding) => finding.state === state);
  if (findings.length === 0) return "missing";
  if (findings.every(({ state }) => state === "missing")) return "missing";
  if (is("missing") || is("partial")) return "partial";
  return is("unknown") ? "unknown" : "effective";
}
