import type { Phase } from "../tags.ts";
import type { Policy, Severity } from "./policy.ts";
import type { Stack, StackResource } from "./stack.ts";

/** Lets a pipeline break a policy for a while: for a reason, answered for by somebody, until a date. */
export interface PolicyException {
  readonly policy: string;
  /** The resource's name in the program; absent: every resource. */
  readonly resource?: string;
  readonly reason: string;
  readonly approvedBy: string;
  /** ISO 8601. */
  readonly expiresAt: string;
}

/** One breach of one policy. Plain JSON: it is stored with the operation that found it. */
export interface PolicyFinding {
  readonly policy: string;
  readonly title: string;
  readonly phase: Phase;
  readonly severity: Severity;
  readonly enforcement: "mandatory" | "advisory";
  readonly detail?: string;
  /** Absent when the stack as a whole lacks something. */
  readonly resource?: { readonly urn: string; readonly type: string; readonly name: string };
  readonly remedy: string;
  /** The exception that lets it pass. */
  readonly exception?: Pick<PolicyException, "reason" | "approvedBy" | "expiresAt">;
}

export interface Exceptions {
  readonly exceptions: readonly PolicyException[];
  readonly now: Date;
}

/** Every breach of a policy that the stack's profile enforces, what refuses first. Pure. */
export function evaluate(
  policies: readonly Policy[],
  stack: Stack,
  { exceptions, now }: Exceptions = { exceptions: [], now: new Date(0) },
): PolicyFinding[] {
  const valid = exceptions.filter(({ expiresAt }) => new Date(expiresAt) > now);
  const findings = policies.flatMap((policy) => {
    const enforcement = policy.levels[stack.profile];
    if (enforcement === "disabled") return [];
    return policy.check(stack).map(({ resource, detail }): PolicyFinding => {
      const exception = valid.find((candidate) => covers(candidate, policy, resource));
      return {
        policy: policy.id,
        title: policy.title,
        phase: policy.phase,
        severity: policy.severity,
        enforcement,
        ...(detail === undefined ? {} : { detail }),
        ...(resource === undefined
          ? {}
          : { resource: { urn: resource.urn, type: resource.type, name: resource.name } }),
        remedy: policy.remedy,
        ...(exception === undefined ? {} : { exception: inShort(exception) }),
      };
    });
  });
  return findings.sort((a, b) => rank(a) - rank(b));
}

/** Whether a finding refuses what was asked for. */
export function refuses({ enforcement, exception }: PolicyFinding): boolean {
  return enforcement === "mandatory" && exception === undefined;
}

function covers(exception: PolicyException, policy: Policy, resource: StackResource | undefined): boolean {
  if (exception.policy !== policy.id) return false;
  return exception.resource === undefined || exception.resource === resource?.name;
}

function inShort({
  reason,
  approvedBy,
  expiresAt,
}: PolicyException): NonNullable<PolicyFinding["exception"]> {
  return { reason, approvedBy, expiresAt };
}

function rank(finding: PolicyFinding): number {
  return refuses(finding) ? 0 : finding.enforcement === "mandatory" ? 1 : 2;
}
