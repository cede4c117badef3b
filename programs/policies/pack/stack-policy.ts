import type { PolicyResource, StackValidationPolicy } from "@pulumi/policy";
import { TAG } from "../../tags.ts";
import { evaluate } from "../evaluate.ts";
import type { Policy } from "../policy.ts";
import { namesOf, type StackContext, type StackResource, stackOf } from "../stack.ts";
import { json, notYetKnown, type Properties, properties } from "../values.ts";

/** What the SDK's `ReportViolation` takes besides a text, though its type says nothing of it: only here can the level depend on the stack. */
export interface Violation {
  readonly message: string;
  readonly enforcementLevel: "mandatory" | "advisory";
  readonly urn?: string;
}

/** One of our policies as the engine takes it. It judges the whole stack at the end of a preview, before an update begins. */
export function stackPolicy(policy: Policy): StackValidationPolicy {
  const { id, title, text, severity, remedy } = policy;
  return {
    name: id,
    displayName: title,
    description: `${title}. ${text}`,
    severity,
    enforcementLevel: "advisory",
    remediationSteps: remedy,
    tags: [policy.phase],
    validateStack: ({ resources }, report) => {
      for (const violation of violationsOf(policy, resources))
        (report as unknown as (violation: Violation) => void)(violation);
    },
  };
}

function violationsOf(policy: Policy, given: readonly PolicyResource[]): Violation[] {
  const resources = given.map(known);
  const stack = stackOf(resources, contextOf(resources));
  return evaluate([policy], stack).map(({ enforcement, detail, resource, remedy }) => ({
    message: `${detail === undefined ? policy.title : `${policy.title}: ${detail}`}. ${remedy}`,
    enforcementLevel: enforcement,
    ...(resource === undefined ? {} : { urn: resource.urn }),
  }));
}

function known({ urn, type, name, props }: PolicyResource): StackResource {
  const bag = copied(props) as Properties;
  return { urn, type, name, properties: bag, names: namesOf(bag.id, bag) };
}

/** A plain copy. The engine's own objects throw where a value isn't known yet, and for nothing else. */
function copied(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const copy = Object.keys(value).map((key) => [key, read(value as Properties, key)] as const);
  return Array.isArray(value) ? copy.map(([, item]) => item) : Object.fromEntries(copy);
}

function read(from: Properties, key: string): unknown {
  let value: unknown;
  try {
    value = from[key];
  } catch {
    return notYetKnown;
  }
  return copied(value);
}

/** The service knows what a stack is for; here the provider's tags say it. */
function contextOf(resources: readonly StackResource[]): StackContext {
  const provider = resources.find(({ type }) => type === "pulumi:providers:aws");
  const { tags } = properties(json(provider?.properties.defaultTags));
  const { [TAG.profile]: profile, [TAG.foundation]: foundation } = properties(tags);
  return {
    program: foundation === undefined ? "pipeline" : "foundation",
    profile: profile === "production" ? "production" : "learning",
    adopted: [],
  };
}
