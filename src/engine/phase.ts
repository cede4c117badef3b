export const phases = ["architecture", "infrastructure", "deployment", "learning", "compliance"] as const;
export type Phase = (typeof phases)[number];

/** What a URN says about a resource: `urn:pulumi:STACK::PROJECT::PARENT$TYPES$TYPE::NAME`. */
export interface UrnParts {
  readonly type: string;
  readonly name: string;
  /** Undefined for what stands outside the five phases: the stack itself, its providers. */
  readonly phase: Phase | undefined;
}

export function parseUrn(urn: string): UrnParts {
  const parts = urn.split("::");
  const types = (parts[2] ?? "").split("$");
  const component = types.find((type) => type.startsWith("aidlc:phase:"));
  const name = component?.slice("aidlc:phase:".length).toLowerCase();
  return {
    type: types.at(-1) ?? "",
    name: parts.slice(3).join("::"),
    phase: phases.find((phase) => phase === name),
  };
}

/** Whether resources of a type stand for something on AWS: the others are components, or the engine's own. */
export function isAwsType(type: string): boolean {
  return type.startsWith("aws:");
}
