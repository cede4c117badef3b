import { isAwsType } from "./phase.ts";
import type { PendingCreate, Whereabouts } from "./protocol.ts";

/** A resource as a deployment has it; what isn't named here is passed on as it is. */
interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly custom?: boolean;
  readonly id?: string;
  readonly delete?: boolean;
  readonly parent?: string;
  readonly provider?: string;
  readonly protect?: boolean;
  readonly retainOnDelete?: boolean;
  readonly dependencies?: readonly string[];
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

/** What an engine had begun, as a state has it. */
export interface PendingOperation {
  readonly type: string;
  readonly resource: StateResource;
}

/** The part of a deployment that says what an engine had begun and not ended. */
export interface PendingDeployment {
  readonly resources?: readonly StateResource[];
  readonly pending_operations?: readonly PendingOperation[];
}

/** A step of an engine's, as its events tell of it. */
export interface UnansweredStep {
  readonly op: string;
  readonly urn: string;
  readonly new?: Pick<
    StateResource,
    "type" | "parent" | "provider" | "protect" | "retainOnDelete" | "inputs"
  >;
}

/** URNs of resources that engines may have begun to change or to delete, or all of them. */
export type BegunChanges = readonly string[] | "all";

/** What an engine had asked for when it disappeared. */
export interface PendingWork {
  /** Each may exist on AWS, unknown to the state. */
  readonly creates: readonly PendingCreate[];
  /** URNs of resources of the state that were being changed or deleted: AWS knows how far that came. */
  readonly others: readonly string[];
  /** Ids and ARNs of what the state knows: none of these is what is looked for. */
  readonly known: readonly string[];
  readonly isNone: boolean;
}

/**
 * Of an exported deployment, whatever it is. `begun` is what is known besides: the engine (3.257) notes creations and updates in the state
 * before it asks for them, and deletions never.
 */
export function pendingWork(exported: unknown, begun: BegunChanges = []): PendingWork {
  const deployment = (exported ?? {}) as PendingDeployment;
  const operations = deployment.pending_operations ?? [];
  const resources = deployment.resources ?? [];
  const urns = new Set(resources.map(({ urn }) => urn));
  const creates = operations.filter(isCreate).map(({ resource }) => resource);
  const changes = operations.filter((one) => !isCreate(one)).map(({ resource }) => resource.urn);
  const unread = resources.filter(isUnread).map(({ urn }) => urn);
  const onAws = resources.filter(({ custom, type }) => custom === true && isAwsType(type));
  const touched = onAws.filter(({ urn }) => begun === "all" || begun.includes(urn)).map(({ urn }) => urn);
  return {
    creates: creates.map(({ urn, type, inputs = {} }) => ({ urn, type, inputs })),
    others: [...new Set([...changes, ...unread, ...touched])].filter((urn) => urns.has(urn)),
    // What an earlier repair took over before it was interrupted itself is still to be proved, and so looked for.
    known: resources.filter((one) => !isUnproved(one, operations)).flatMap(namesOf),
    isNone: operations.length === 0 && unread.length === 0 && touched.length === 0,
  };
}

/**
 * The deployment with each pending create of which AWS may have something as a resource, by the id that was found. The entries stay:
 * a repair that is interrupted now is to begin anew. `whereabouts` are those of `pendingWork(deployment).creates`.
 */
export function withCandidates(
  deployment: PendingDeployment,
  whereabouts: readonly Whereabouts[],
): PendingDeployment {
  const creates = (deployment.pending_operations ?? []).filter(isCreate);
  const resources = [...(deployment.resources ?? [])];
  const found = creates.flatMap(({ resource }, index) => {
    const where = whereabouts[index];
    if (where?.state !== "candidate") return [];
    // Without outputs the provider reads it as for an import, from nothing but its id.
    return [{ ...resource, id: where.id, outputs: where.outputs ?? {} }];
  });
  for (const resource of afterWhatTheyNeed(found)) {
    if (resources.some(({ urn, id }) => urn === resource.urn && id === resource.id)) continue;
    // A replacement: what it was to replace waits for its deletion, as it does when the engine is not interrupted.
    const old = resources.findIndex((one) => one.urn === resource.urn && one.delete !== true);
    if (old >= 0) resources[old] = { ...(resources[old] as StateResource), delete: true };
    // The engine takes no state in which a resource comes before what it needs, or needs what isn't there.
    const there = new Set(resources.map(({ urn }) => urn));
    const dependencies = (resource.dependencies ?? []).filter((urn) => there.has(urn));
    resources.push({ ...resource, dependencies });
  }
  return { ...deployment, resources };
}

/** The same resources, each after those of them that it depends on. */
function afterWhatTheyNeed<Resource extends StateResource>(resources: readonly Resource[]): Resource[] {
  const waiting = new Set(resources);
  const ordered: Resource[] = [];
  const place = (resource: Resource) => {
    if (!waiting.delete(resource)) return;
    const needed = new Set(resource.dependencies);
    for (const other of resources) if (needed.has(other.urn)) place(other);
    ordered.push(resource);
  };
  for (const resource of resources) place(resource);
  return ordered;
}

/**
 * The deployment without resources that wait for their deletion and are, by their ids, the very ones that stay: imported once more, under
 * a name, what the state had under its ARN already.
 */
export function withoutTwins(deployment: PendingDeployment): PendingDeployment {
  const resources = deployment.resources ?? [];
  const staying = new Set(resources.filter((one) => one.delete !== true).map(keyOf));
  return {
    ...deployment,
    resources: resources.filter((one) => one.delete !== true || !staying.has(keyOf(one))),
  };
}

function keyOf({ urn, id }: StateResource): string {
  return `${urn} ${id ?? ""}`;
}

/**
 * An entry for each step that a provider never answered. The engine removes its own entries for them: it takes the end of a provider
 * for an answer.
 */
export function entriesOf(
  steps: readonly UnansweredStep[],
  deployment: PendingDeployment,
): PendingOperation[] {
  const resources = deployment.resources ?? [];
  return steps.flatMap(({ op, urn, new: asked }): PendingOperation[] => {
    if (asked !== undefined && isAwsType(asked.type) && (op === "create" || op === "create-replacement"))
      return [{ type: "creating", resource: asCreated(urn, asked, resources) }];
    // What was asked for hardly matters: it is read as it is now.
    const resource = resources.find((one) => one.urn === urn && one.delete !== true);
    return resource === undefined ? [] : [{ type: "updating", resource }];
  });
}

/** The deployment with entries that it had, or should have had, before. */
export function withEntries(
  deployment: PendingDeployment,
  kept: readonly PendingOperation[],
): PendingDeployment {
  const own = deployment.pending_operations ?? [];
  const resources = deployment.resources ?? [];
  const lost = kept
    .filter(
      ({ type, resource }) => !own.some((one) => one.type === type && one.resource.urn === resource.urn),
    )
    .map((entry) => (isCreate(entry) ? withReferences(entry, resources) : entry));
  return { ...deployment, pending_operations: [...own, ...lost] };
}

/** What was kept in a hurry names nothing that it depends on. */
function withReferences(entry: PendingOperation, resources: readonly StateResource[]): PendingOperation {
  const { dependencies = [], inputs = {} } = entry.resource;
  const referred = referredTo(inputs, resources).filter((urn) => urn !== entry.resource.urn);
  const all = [...new Set([...dependencies, ...referred])];
  return { ...entry, resource: { ...entry.resource, dependencies: all } };
}

// No id of AWS's has blanks.
const unansweredId = "was asked for";

/**
 * The deployment with each creation of `entries` as a resource that waits for its deletion, under an id that none has: of entries of its
 * own the CLI writes none.
 */
export function withUnanswered(
  deployment: PendingDeployment,
  entries: readonly PendingOperation[],
): PendingDeployment {
  const asked = entries
    .filter(isCreate)
    .map(({ resource }) => ({ ...resource, id: unansweredId, outputs: {}, delete: true }));
  return { ...deployment, resources: [...(deployment.resources ?? []), ...asked] };
}

/** The deployment with an entry for each resource that `withUnanswered` put into it. */
export function withUnansweredAsEntries(deployment: PendingDeployment): PendingDeployment {
  const resources = deployment.resources ?? [];
  const entries = resources
    .filter(({ id }) => id === unansweredId)
    .map(({ id: _, outputs: __, delete: ___, ...resource }) => ({ type: "creating", resource }));
  return withEntries(
    { ...deployment, resources: resources.filter(({ id }) => id !== unansweredId) },
    entries,
  );
}

function asCreated(
  urn: string,
  { type, parent, provider, protect, retainOnDelete, inputs = {} }: NonNullable<UnansweredStep["new"]>,
  resources: readonly StateResource[],
): StateResource {
  return {
    urn,
    type,
    custom: true,
    inputs,
    dependencies: referredTo(inputs, resources).filter((one) => one !== urn),
    ...(parent ? { parent } : {}),
    ...(provider ? { provider } : {}),
    ...(protect ? { protect } : {}),
    ...(retainOnDelete ? { retainOnDelete } : {}),
  };
}

/**
 * URNs of the resources whose ids or ARNs occur in a resource's inputs: they are needed as long as it exists. Settings of a bucket have the
 * bucket's name for an id: of all that have a name the first is what bears it, since a state holds each resource after what it needs.
 */
function referredTo(inputs: unknown, resources: readonly StateResource[]): string[] {
  const text = JSON.stringify(inputs);
  const bearers = new Map<string, string>();
  for (const one of resources) {
    if (one.custom !== true || !isAwsType(one.type)) continue;
    for (const name of namesOf(one)) if (!bearers.has(name)) bearers.set(name, one.urn);
  }
  return [...new Set([...bearers].flatMap(([name, urn]) => (text.includes(name) ? [urn] : [])))];
}

/** The entries of those creations that are named. */
export function entriesOfCreates(
  deployment: PendingDeployment,
  urns: ReadonlySet<string>,
): readonly PendingOperation[] {
  const operations = deployment.pending_operations ?? [];
  return operations.filter((one) => isCreate(one) && urns.has(one.resource.urn));
}

/** Ids by URN of what a deployment holds on AWS and doesn't want deleted. */
export function idsByUrn(deployment: PendingDeployment): ReadonlyMap<string, string> {
  const resources = (deployment.resources ?? []).filter((one) => one.delete !== true);
  return new Map(resources.flatMap(({ urn, id }) => (id === undefined ? [] : [[urn, id]])));
}

/** Components and providers are made without AWS: nothing of them can be left over. */
function isCreate({ type, resource }: PendingOperation): boolean {
  return (
    (type === "creating" || type === "importing") && resource.custom === true && isAwsType(resource.type)
  );
}

/**
 * Taken over by a repair that ended before the provider had told what it is: the engine drops a pending entry whose URN the state has, also
 * when its refresh fails. A provider that is given no outputs can't find the resource again to delete it.
 */
function isUnread({ type, custom, id, outputs }: StateResource): boolean {
  return custom === true && isAwsType(type) && id !== undefined && Object.keys(outputs ?? {}).length === 0;
}

function isUnproved(resource: StateResource, operations: readonly PendingOperation[]): boolean {
  return (
    Object.keys(resource.outputs ?? {}).length === 0 &&
    operations.some((one) => isCreate(one) && one.resource.urn === resource.urn)
  );
}

function namesOf({ id, outputs }: StateResource): string[] {
  const arn = outputs?.arn;
  return [...(id === undefined ? [] : [id]), ...(typeof arn === "string" ? [arn] : [])];
}
