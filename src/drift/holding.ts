import type { DriftState } from "./classes.ts";

/** What drift checks tell nobody about, and reconciliations leave alone, until a date. */
export interface IgnoreRule {
  readonly id: string;
  /** Pattern of the resource's name in the program or, with `::`, of its type and name; `*` stands for any text. */
  readonly resource: string;
  /** Pattern of the property's path. */
  readonly path: string;
  readonly expiresAt: Date;
}

/** What of a drift decides whether a rule holds it. */
export interface Place {
  readonly type: string;
  readonly name: string;
  readonly path: string;
  readonly dataLoss: boolean;
}

/**
 * The rule that holds a drift the longest; undefined where none does. A loss of data is never ignored: somebody has to decide about it.
 */
export function holdingRule<Rule extends IgnoreRule>(
  drift: Place,
  rules: readonly Rule[],
  now: Date,
): Rule | undefined {
  if (drift.dataLoss) return undefined;
  return rules
    .filter((rule) => rule.expiresAt > now && matchesRule(rule, drift))
    .sort((a, b) => b.expiresAt.getTime() - a.expiresAt.getTime())[0];
}

/** Whether a rule is about a drift, whatever its date. */
export function matchesRule(
  { resource, path }: Pick<IgnoreRule, "resource" | "path">,
  drift: Omit<Place, "dataLoss">,
): boolean {
  const name = resource.includes("::") ? `${drift.type}::${drift.name}` : drift.name;
  return matchesPattern(resource, name) && matchesPattern(path, drift.path);
}

/** In linear time, whatever the pattern: the parts between the stars are looked for one after another. */
export function matchesPattern(pattern: string, text: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  if (rest.length === 0) return pattern === text;
  const last = rest.pop() ?? "";
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length)
    return false;
  const end = text.length - last.length;
  let from = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, from);
    if (found < 0 || found + part.length > end) return false;
    from = found + part.length;
  }
  return true;
}

/** What is on record of a drift that a check sees again. */
export interface KnownDrift {
  readonly state: DriftState;
  readonly heldUntil: Date | null;
  /** Whether what was decided about it is still to be done, or was not done yet when the check began. */
  readonly pending: boolean;
}

export type Hold =
  | { readonly state: "open" | "adopted"; readonly heldUntil: null; readonly rule: null }
  | { readonly state: "accepted"; readonly heldUntil: Date; readonly rule: null }
  | { readonly state: "ignored"; readonly heldUntil: Date; readonly rule: string };

/** How a drift that a check sees stands from now on. What somebody accepted counts before any rule. */
export function holdOf(
  drift: Place,
  {
    known,
    rules,
    now,
  }: {
    readonly known: KnownDrift | undefined;
    readonly rules: readonly IgnoreRule[];
    readonly now: Date;
  },
): Hold {
  if (known?.state === "accepted" && known.heldUntil !== null && known.heldUntil > now)
    return { state: "accepted", heldUntil: known.heldUntil, rule: null };
  if (known?.state === "adopted" && known.pending) return { state: "adopted", heldUntil: null, rule: null };
  const rule = holdingRule(drift, rules, now);
  return rule === undefined
    ? { state: "open", heldUntil: null, rule: null }
    : { state: "ignored", heldUntil: rule.expiresAt, rule: rule.id };
}
