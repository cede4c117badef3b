import { parseUrn } from "./phase.ts";
import type { ResourceRecord, Snapshot } from "./protocol.ts";
import { type Redact, redactValue } from "./redaction.ts";

/** The parts of a deployment that we read; the state format is https://www.pulumi.com/docs/iac/concepts/state-and-backends/ */
interface DeploymentResource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly parent?: string;
  readonly delete?: boolean;
  readonly dependencies?: readonly string[];
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

interface Deployment {
  readonly resources?: readonly DeploymentResource[];
}

/** What an exported deployment holds: the stack's outputs and its resources but for the engine's own, secrets masked. */
export function snapshotOf(deployment: unknown, redact: Redact): Snapshot {
  const all = (deployment as Deployment).resources ?? [];
  const stack = all.find((resource) => resource.type === "pulumi:pulumi:Stack");
  const resources = all
    // A replaced resource waits under the same URN for its deletion.
    .filter((resource) => !resource.type.startsWith("pulumi:") && !resource.delete)
    .map((resource): ResourceRecord => {
      const { type, name, phase } = parseUrn(resource.urn);
      return {
        urn: resource.urn,
        type,
        name,
        awsId: resource.id ?? null,
        phase: phase ?? null,
        parent: resource.parent === stack?.urn ? null : (resource.parent ?? null),
        dependencies: resource.dependencies ?? [],
        inputs: redactValue(resource.inputs ?? {}, redact),
        outputs: redactValue(resource.outputs ?? {}, redact),
      };
    });
  return { resources, outputs: redactValue(stack?.outputs ?? {}, redact) as Record<string, unknown> };
}
