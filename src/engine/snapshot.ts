import { type Redact, redactValue } from "../redaction.ts";
import { parseUrn } from "./phase.ts";
import type { ResourceRecord, Snapshot } from "./protocol.ts";

/** The parts of a deployment that we read; the state format is https://www.pulumi.com/docs/iac/concepts/state-and-backends/ */
interface DeploymentResource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly parent?: string;
  readonly delete?: boolean;
  /** Deleted already, so that another can take its place, which an engine did not come to make. */
  readonly pendingReplacement?: boolean;
  readonly retainOnDelete?: boolean;
  /** URN of the provider, `::`, and its id. */
  readonly provider?: string;
  readonly dependencies?: readonly string[];
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

interface Deployment {
  readonly resources?: readonly DeploymentResource[];
}

function resourcesOf(deployment: unknown): readonly DeploymentResource[] {
  return (deployment as Deployment | undefined)?.resources ?? [];
}

/** What a destroy must leave alone to keep the data: every resource that the program marked so, and all that these need. */
export function retainedUrns(deployment: unknown): string[] {
  const resources = resourcesOf(deployment);
  const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
  const kept = new Set<string>();
  const rest = resources.filter((resource) => resource.retainOnDelete).map((resource) => resource.urn);
  for (let urn = rest.pop(); urn !== undefined; urn = rest.pop()) {
    const resource = byUrn.get(urn);
    if (kept.has(urn) || resource === undefined) continue;
    kept.add(urn);
    rest.push(...(resource.dependencies ?? []));
    if (resource.parent !== undefined) rest.push(resource.parent);
    if (resource.provider !== undefined)
      rest.push(resource.provider.slice(0, resource.provider.lastIndexOf("::")));
  }
  return [...kept];
}

const starters: ReadonlySet<string> = new Set([
  "aws:appautoscaling/policy:Policy",
  "aws:appautoscaling/scheduledAction:ScheduledAction",
  "aws:appautoscaling/target:Target",
  "aws:cloudwatch/eventRule:EventRule",
  // A queue's messages start functions, and these start jobs.
  "aws:lambda/eventSourceMapping:EventSourceMapping",
  "aws:sagemaker/monitoringSchedule:MonitoringSchedule",
  "aws:scheduler/schedule:Schedule",
]);

/** What begins something by itself, on time, by an event, by a message or by load. */
export function starterUrns(deployment: unknown): string[] {
  return resourcesOf(deployment)
    .filter(({ type }) => starters.has(type))
    .map((resource) => resource.urn);
}

/**
 * What AWS would not delete while it holds something, because its state doesn't say "by force" (yet), and secrets, whose
 * names would stay taken for as long as they can be recovered.
 */
export function unforcedUrns(deployment: unknown): string[] {
  return resourcesOf(deployment)
    .filter(
      ({ inputs }) =>
        inputs?.forceDestroy === false ||
        inputs?.forceDelete === false ||
        Number(inputs?.recoveryWindowInDays ?? 0) > 0,
    )
    .map((resource) => resource.urn);
}

/** What an exported deployment holds: the stack's outputs and its resources but for the engine's own, secrets masked. */
export function snapshotOf(deployment: unknown, redact: Redact): Snapshot {
  const all = resourcesOf(deployment);
  const stack = all.find((resource) => resource.type === "pulumi:pulumi:Stack");
  const resources = all
    // A replaced resource waits under the same URN for its deletion.
    .filter(
      (resource) => !resource.type.startsWith("pulumi:") && !resource.delete && !resource.pendingReplacement,
    )
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
