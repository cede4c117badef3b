import type { Profile } from "../profiles.ts";
import type { Phase } from "../tags.ts";
import type { Stack, StackResource } from "./stack.ts";

export const ENFORCEMENT_LEVELS = ["mandatory", "advisory", "disabled"] as const;
export type EnforcementLevel = (typeof ENFORCEMENT_LEVELS)[number];

export const SEVERITIES = ["low", "medium", "high", "critical"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Published control sets that the policies are mapped to. */
export const CONTROL_SETS = {
  config: "AWS Config",
  fsbp: "AWS Foundational Security Best Practices",
  cis: "CIS AWS Foundations 3.0.0",
  nist: "NIST SP 800-53 Rev. 5",
} as const;
export type ControlSet = keyof typeof CONTROL_SETS;

/** Which controls of each set a policy serves, by their own ids. */
export type Controls = Partial<Readonly<Record<ControlSet, readonly string[]>>>;

/** A breach without a resource is one of the stack as a whole: something is missing. */
export interface Breach {
  readonly resource?: StackResource;
  /** What exactly is wrong; never a value that could be a secret. */
  readonly detail?: string;
}

export interface Policy {
  /** Stable; what reports, exceptions and reviewers cite. */
  readonly id: string;
  /** What holds when the policy is kept. */
  readonly title: string;
  /** Why it must hold. */
  readonly text: string;
  readonly phase: Phase;
  readonly severity: Severity;
  readonly levels: Readonly<Record<Profile, EnforcementLevel>>;
  readonly controls: Controls;
  readonly remedy: string;
  /** Pure. What isn't known yet is no breach: the check on the applied stack decides it. */
  readonly check: (stack: Stack) => readonly Breach[];
}

/** Where a breach exposes data or the account, and wherever both profiles have the setting. */
export const ALWAYS = { learning: "mandatory", production: "mandatory" } as const;
/** Hardening that `learning` goes without, for its price. */
export const IN_PRODUCTION = { learning: "advisory", production: "mandatory" } as const;
export const RECOMMENDED = { learning: "advisory", production: "advisory" } as const;
/** Of the account's production foundation; a learning one has nothing to say about it. */
export const PRODUCTION_ONLY = { learning: "disabled", production: "mandatory" } as const;

/** The policies with these mandatory wherever they are advisory: what an organisation asks beyond its profile. */
export function enforced(policies: readonly Policy[], ids: readonly string[]): readonly Policy[] {
  const raised = (level: EnforcementLevel) => (level === "advisory" ? "mandatory" : level);
  return policies.map((policy) =>
    ids.includes(policy.id)
      ? {
          ...policy,
          levels: {
            learning: raised(policy.levels.learning),
            production: raised(policy.levels.production),
          },
        }
      : policy,
  );
}

type Problem = string | boolean | undefined;
type Rule = (resource: StackResource, stack: Stack) => Problem | readonly Problem[];

/**
 * A check of every resource of these types, one by one. The rule answers what is wrong: a text, `true` where the policy's
 * title says it all, or nothing.
 */
export function each(types: readonly string[], rule: Rule): Policy["check"] {
  return (stack) =>
    types
      .flatMap((type) => stack.ofType(type))
      .flatMap((resource) =>
        breachesOf(
          resource,
          stack.decided(() => rule(resource, stack)),
        ),
      );
}

/** Like `each`, for a rule that finds something in single values, whatever the others may turn out to be. */
export function eachKnown(types: readonly string[], rule: Rule): Policy["check"] {
  return (stack) =>
    types
      .flatMap((type) => stack.ofType(type))
      .flatMap((resource) => breachesOf(resource, rule(resource, stack)));
}

function breachesOf(resource: StackResource, answer: ReturnType<Rule>): Breach[] {
  const problems: readonly Problem[] = Array.isArray(answer) ? answer : [answer as Problem];
  return problems
    .filter((problem) => problem !== undefined && problem !== false && problem !== "")
    .map((problem) => ({ resource, ...(typeof problem === "string" ? { detail: problem } : {}) }));
}

/** A check whose breaches only the whole stack shows. */
export function throughout(rule: (stack: Stack) => readonly Breach[]): Policy["check"] {
  return (stack) => stack.decided(() => rule(stack)) ?? [];
}

/** A check that a whole stack has something; it applies only where the stack is about that. */
export function lacks(rule: (stack: Stack) => string | undefined): Policy["check"] {
  return (stack) => {
    const detail = stack.decided(() => rule(stack));
    return detail === undefined ? [] : [{ detail }];
  };
}
