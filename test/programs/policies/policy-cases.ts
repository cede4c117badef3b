import { evaluate, type PolicyFinding } from "../../../programs/policies/evaluate.ts";
import { policies } from "../../../programs/policies/index.ts";
import type { Policy } from "../../../programs/policies/policy.ts";
import { namesOf, type StackContext, type StackResource, stackOf } from "../../../programs/policies/stack.ts";
import { notYetKnown, type Properties } from "../../../programs/policies/values.ts";

/** A stack that breaks a policy, and the nearest one that keeps it. */
export interface PolicyCase {
  readonly broken: readonly StackResource[];
  readonly kept: readonly StackResource[];
  readonly context?: Partial<StackContext>;
}

export type PolicyCases = Readonly<Record<string, PolicyCase>>;

const ACCOUNT = "111122223333";

/** A resource of AWS as a program registers it, with the ids that it would get. */
export function one(type: string, name: string, given: object = {}): StackResource {
  const properties = given as Properties;
  const arn = `arn:aws:${type.split("/")[0]}:eu-west-1:${ACCOUNT}:${name}`;
  return {
    urn: `urn:pulumi:fraud.churn::test::aws:${type}::${name}`,
    type: `aws:${type}`,
    name,
    properties,
    names: namesOf(`${name}-id`, { arn }, properties),
  };
}

export const arnOf = (type: string, name: string) =>
  `arn:aws:${type.split("/")[0]}:eu-west-1:${ACCOUNT}:${name}`;

export const document = (...statements: readonly object[]): string =>
  JSON.stringify({ Version: "2012-10-17", Statement: statements });

const LEARNING: StackContext = { program: "pipeline", profile: "learning", adopted: [] };

export function policyOf(id: string): Policy {
  const policy = policies.find((candidate) => candidate.id === id);
  if (policy === undefined) throw new Error(`There is no policy ${id}`);
  return policy;
}

/** Breaches of one policy, enforced wherever it would be disabled. */
export function findingsOf(
  id: string,
  resources: readonly StackResource[],
  context: Partial<StackContext> = {},
): PolicyFinding[] {
  const policy = { ...policyOf(id), levels: { learning: "mandatory", production: "mandatory" } } as const;
  return evaluate([policy], stackOf(resources, { ...LEARNING, ...context }));
}

/** Every stack that comes of hiding one value of one resource, as a preview hides what only AWS will know. */
export function withOneUnknown(resources: readonly StackResource[]): (readonly StackResource[])[] {
  return resources.flatMap((resource, index) =>
    pathsIn(resource.properties).map((path) =>
      resources.with(index, {
        ...resource,
        properties: hidden(resource.properties, path) as Properties,
      }),
    ),
  );
}

function pathsIn(value: unknown): string[][] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [
    [key],
    ...pathsIn(item).map((path) => [key, ...path]),
  ]);
}

function hidden(value: unknown, [key, ...rest]: readonly string[]): unknown {
  if (key === undefined) return notYetKnown;
  if (Array.isArray(value)) return value.with(Number(key), hidden(value[Number(key)], rest));
  return { ...(value as Properties), [key]: hidden((value as Properties)[key], rest) };
}
