/** The part of a resource in the engine's state that its graph is read from. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly custom?: boolean;
  readonly id?: string;
  readonly parent?: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
  /** Everything that the engine waited for. */
  readonly dependencies?: readonly string[];
  /** By input, what its value was made from. */
  readonly propertyDependencies?: Readonly<Record<string, readonly string[]>>;
}

export interface CriticalPath {
  readonly seconds: number;
  /** URNs in the order of creation. */
  readonly urns: readonly string[];
}

/** An order that the engine keeps although no input's value asks for it. */
export interface BareOrder {
  readonly from: string;
  readonly to: string;
  /** The input through which it came; none for `dependsOn`. */
  readonly input: string | undefined;
}

/**
 * The longest chain of creations in which each needs something from the one before: what no order of work and no number of
 * workers can make shorter. `dependsOn` never counts, so that a needless one shows as lost time.
 */
export function criticalPath(
  resources: readonly StateResource[],
  secondsOf: (type: string) => number,
): CriticalPath {
  const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
  const paths = new Map<string, CriticalPath>();
  const pathTo = (resource: StateResource): CriticalPath => {
    const known = paths.get(resource.urn);
    if (known) return known;
    const before = dataSources(resource).flatMap((urn) => {
      const source = byUrn.get(urn);
      return source === undefined ? [] : [pathTo(source)];
    });
    const longest = longestOf(before);
    const path = {
      seconds: longest.seconds + (isOnAws(resource) ? secondsOf(resource.type) : 0),
      urns: [...longest.urns, resource.urn],
    };
    paths.set(resource.urn, path);
    return path;
  };
  return longestOf(resources.map(pathTo));
}

function longestOf(paths: readonly CriticalPath[]): CriticalPath {
  return paths.reduce((longest, path) => (path.seconds > longest.seconds ? path : longest), {
    seconds: 0,
    urns: [],
  });
}

/** Orders that no value carries: by `dependsOn`, or through an input in whose value nothing of the other resource is found. */
export function bareOrders(resources: readonly StateResource[]): readonly BareOrder[] {
  const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
  const reached = reachability(byUrn);
  return resources.filter(isOnAws).flatMap((resource) => {
    const carried = dataSources(resource);
    // What comes with another dependency anyway costs nothing.
    const implied = (urn: string) => carried.some((source) => source !== urn && reached(source).has(urn));
    const depended = (resource.dependencies ?? [])
      .filter((urn) => !carried.includes(urn) && !implied(urn) && isKnownOnAws(byUrn, urn))
      .map((to): BareOrder => ({ from: resource.urn, to, input: undefined }));
    const valueless = Object.entries(resource.propertyDependencies ?? {}).flatMap(([input, urns]) =>
      urns
        .filter(
          (urn) =>
            !implied(urn) && isKnownOnAws(byUrn, urn) && !isUsed(resource.inputs?.[input], byUrn.get(urn)),
        )
        .filter((urn) => !isUsed(resource.inputs, byUrn.get(urn)))
        .map((to): BareOrder => ({ from: resource.urn, to, input })),
    );
    return [...depended, ...valueless];
  });
}

function dataSources({ propertyDependencies = {} }: StateResource): readonly string[] {
  return [...new Set(Object.values(propertyDependencies).flat())];
}

function reachability(byUrn: ReadonlyMap<string, StateResource>): (urn: string) => ReadonlySet<string> {
  const known = new Map<string, ReadonlySet<string>>();
  const reached = (urn: string): ReadonlySet<string> => {
    const found = known.get(urn);
    if (found) return found;
    const direct = byUrn.get(urn)?.dependencies ?? [];
    const all = new Set(direct.flatMap((next) => [next, ...reached(next)]));
    known.set(urn, all);
    return all;
  };
  return reached;
}

const isOnAws = ({ type }: StateResource): boolean => type.startsWith("aws:");

function isKnownOnAws(byUrn: ReadonlyMap<string, StateResource>, urn: string): boolean {
  const resource = byUrn.get(urn);
  return resource !== undefined && isOnAws(resource);
}

// Shorter ones, such as "1" or "true", are found anywhere.
const tellingLength = 4;

/** Whether a value holds the id or any text of another resource's outputs. */
function isUsed(value: unknown, source: StateResource | undefined): boolean {
  const text = JSON.stringify(value ?? null);
  const telling = [source?.id, ...Object.values(source?.outputs ?? {})].filter(
    (output) => typeof output === "string" && output.length >= tellingLength,
  );
  return telling.some((output) => text.includes(JSON.stringify(output).slice(1, -1)));
}
