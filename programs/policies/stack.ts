import type { Profile } from "../profiles.ts";
import { holdsUnknown, json, notYetKnown, observed, type Properties, properties } from "./values.ts";

export interface StackResource {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  /** As the program gave them, secrets in plain text; whoever reports a breach must not repeat values. */
  readonly properties: Properties;
  /** What other resources may call it by: id, ARN, name. */
  readonly names: readonly unknown[];
}

/** What a stack is for, which its resources don't say. */
export interface StackContext {
  readonly program: "pipeline" | "foundation";
  readonly profile: Profile;
  /** Account-wide singletons that the foundation found and uses as they are, so that they aren't in its stack. */
  readonly adopted: readonly string[];
}

/** All resources of a program at once, as policies look at them. */
export interface Stack extends StackContext {
  readonly resources: readonly StackResource[];
  ofType(type: string): readonly StackResource[];
  /** Resources of a type of which a property refers to the resource: the companions of a bucket, the rules of a group. */
  referring(type: string, property: string, to: StackResource): readonly StackResource[];
  /** Whether the value names the resource. */
  refersTo(value: unknown, resource: StackResource): boolean;
  /** What the rule answers, or undefined when it had to read something that isn't known. */
  decided<Answer>(rule: () => Answer): Answer | undefined;
  /** Tags of a resource, with those that the provider adds to all. */
  tagsOf(resource: StackResource): Properties;
}

const NAMING = ["bucket", "name", "url", "repositoryUrl", "keyId", "topicArn"] as const;

/** What others may refer to a resource by, from its id, its ARN and its own properties. */
export function namesOf(id: unknown, ...bags: readonly Properties[]): readonly unknown[] {
  const values = bags.flatMap((bag) => [bag.arn, ...NAMING.map((name) => bag[name])]);
  return [...new Set([id, ...values])].filter((value) => value !== undefined && value !== "");
}

export function stackOf(all: readonly StackResource[], context: StackContext): Stack {
  let unknownsRead = 0;
  const onUnknown = () => {
    unknownsRead += 1;
  };
  // The guard costs time, and most resources of a program are known completely.
  const resources = all.map((resource) =>
    holdsUnknown(resource.properties)
      ? { ...resource, properties: observed(resource.properties, onUnknown) as Properties }
      : resource,
  );
  const byType = Map.groupBy(resources, ({ type }) => type);
  const ofType = (type: string) => byType.get(type) ?? [];
  const refersTo = (value: unknown, { names }: StackResource) => {
    if (names.includes(notYetKnown)) onUnknown();
    return names.includes(value);
  };
  const defaultTags = () =>
    ofType("pulumi:providers:aws").map((provider) =>
      properties(properties(json(provider.properties.defaultTags)).tags),
    );
  return {
    ...context,
    resources,
    ofType,
    refersTo,
    decided: (rule) => {
      const before = unknownsRead;
      const answer = rule();
      return unknownsRead === before ? answer : undefined;
    },
    referring: (type, property, to) =>
      ofType(type).filter((resource) => refersTo(resource.properties[property], to)),
    tagsOf: (resource) => Object.assign({}, ...defaultTags(), properties(resource.properties.tags)),
  };
}
