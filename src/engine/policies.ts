import type { PulumiFn } from "@pulumi/pulumi/automation/index.js";
import { evaluate, type PolicyFinding, refuses } from "../../programs/policies/evaluate.ts";
import { policies } from "../../programs/policies/index.ts";
import { enforced } from "../../programs/policies/policy.ts";
import { namesOf, type StackContext, type StackResource, stackOf } from "../../programs/policies/stack.ts";
import { notYetKnown, type Properties } from "../../programs/policies/values.ts";
import { redactText, redactValue } from "../redaction.ts";
import type { Action, OperationError, ProgramRequest, RunRequest, TimedEvent } from "./protocol.ts";
import { rehearse } from "./rehearsal.ts";

type Request = Pick<RunRequest, "program" | "stack" | "policies">;

/** Actions that bring a stack to what its program says, and so may only do what the policies allow. */
export function isGoverned(action: Action): boolean {
  return action === "preview" || action === "update" || action === "reconcile";
}

/** What the policies say of all that a program would register, before the engine has begun. */
export async function findingsOfProgram(request: Request, program: PulumiFn): Promise<PolicyFinding[]> {
  const { account } = request.program.input;
  const { project, name } = request.stack;
  return findings(request, await rehearse(program, { project, name, account }));
}

/** What they say of the deployment as it is in the state, where nothing is unknown any more; `known` is left out. */
export function findingsOfState(
  request: Request,
  deployment: unknown,
  known: readonly PolicyFinding[],
): PolicyFinding[] {
  const told = new Set(known.map(identity));
  return findings(request, appliedResources(deployment)).filter((finding) => !told.has(identity(finding)));
}

function findings({ program, policies: rules }: Request, resources: readonly StackResource[]) {
  const effective = enforced(policies, rules.enforced);
  const { exceptions } = rules;
  const found = evaluate(effective, stackOf(resources, contextOf(program)), { exceptions, now: new Date() });
  return redactValue(found, redactText) as PolicyFinding[];
}

function contextOf(program: ProgramRequest): StackContext {
  return program.name === "foundation"
    ? {
        program: "foundation",
        profile: program.input.profile ?? "learning",
        adopted: Object.keys(program.input.existing ?? {}),
      }
    : { program: "pipeline", profile: program.input.spec.profile, adopted: [] };
}

function identity({ policy, resource, detail }: PolicyFinding): string {
  return JSON.stringify([policy, resource?.urn, detail]);
}

interface AppliedResource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly custom?: boolean;
  readonly delete?: boolean;
  readonly inputs?: Properties;
  readonly outputs?: Properties;
}

function appliedResources(deployment: unknown): StackResource[] {
  const { resources = [] } = (deployment ?? {}) as { readonly resources?: readonly AppliedResource[] };
  return resources
    .filter((resource) => resource.custom && !resource.delete)
    .map(({ urn, type, id, inputs = {}, outputs = {} }) => ({
      urn,
      type,
      name: urn.split("::").slice(3).join("::"),
      properties: concealed(inputs) as Properties,
      names: namesOf(id, outputs, inputs),
    }));
}

// An exported state has its secrets encrypted: nobody can say what such a value holds.
function concealed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(concealed);
  if (typeof value !== "object" || value === null) return value;
  if ("ciphertext" in value) return notYetKnown;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, concealed(item)]));
}

export function isRefused(found: readonly PolicyFinding[]): boolean {
  return found.some(refuses);
}

/** Why an operation was refused; every further breach is in its findings. */
export function refusal(found: readonly PolicyFinding[], done: string): OperationError {
  const [first, ...others] = found.filter(refuses);
  if (first === undefined) throw new Error("Nothing refuses it");
  return {
    code: "policy_refused",
    message: `${told(first)}. ${done}`,
    remedy: `${first.remedy}; or have an exception approved for policy ${first.policy}`,
    ...(first.resource === undefined ? {} : { resource: first.resource }),
    ...(others.length > 0 ? { others: others.map(told) } : {}),
  };
}

function told({ policy, title, detail, resource }: PolicyFinding): string {
  const where = resource === undefined ? "" : ` ${resource.name}:`;
  return `${policy}:${where} ${title}${detail === undefined ? "" : ` (${detail})`}`;
}

export function policyEvents(found: readonly PolicyFinding[]): TimedEvent[] {
  const at = new Date();
  return found.map((finding) => ({ at, phase: finding.phase, event: { type: "policy", finding } }));
}
