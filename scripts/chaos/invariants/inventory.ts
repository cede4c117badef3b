import type { Facts, InventoryItem, StateResource } from "../facts/facts.ts";
import { differences } from "./differences.ts";
import { type Violation, violation } from "./violation.ts";

interface Known extends StateResource {
  readonly stack: string;
}

/** No resource without a stack, none twice, and what a stack's state says is what exists. */
export function inventoryMatchesStates({ inventory, states, operations }: Facts): Violation[] {
  const known = states.flatMap(({ stack, resources }) =>
    resources.map((resource) => ({ ...resource, stack })),
  );
  const unclaimed = groupBy(inventory, keyOf);
  const violations: Violation[] = [];
  const onStack = (stack: string) =>
    operations.filter((operation) => operation.stack === stack).map(({ id }) => id);
  for (const resource of known) {
    const candidates = unclaimed.get(keyOf(resource)) ?? [];
    const found = closest(candidates, resource);
    if (found === undefined) {
      const text = `${describe(resource)} is in the state of ${resource.stack}, and nowhere else`;
      violations.push(violation("lost", text, onStack(resource.stack)));
      continue;
    }
    candidates.splice(candidates.indexOf(found), 1);
    if (resource.isLeaving) continue;
    const differing = differences(resource.inputs, found.inputs);
    if (differing.length === 0) continue;
    const text = `${describe(resource)} of ${resource.stack} is not as its state says: ${differing.join("; ")}`;
    violations.push(violation("lost", text, onStack(resource.stack)));
  }
  for (const item of [...unclaimed.values()].flat()) {
    const twin = known.find((resource) => isTwin(item, resource));
    const stack = twin?.stack ?? stackOf(item);
    const text =
      twin === undefined
        ? `${describe(item)} in account ${item.account} is in no stack's state`
        : `${describe(item)} in account ${item.account} was made besides ${twin.awsId}, which ${twin.stack} knows`;
    violations.push(
      violation(
        twin === undefined ? "orphans" : "duplicates",
        text,
        stack === undefined ? [] : onStack(stack),
      ),
    );
  }
  return violations;
}

/** No state has a resource twice. */
export function statesHaveNothingTwice({ states }: Facts): Violation[] {
  return states.flatMap(({ stack, resources }) => {
    const staying = resources.filter(({ isLeaving }) => !isLeaving);
    // Ids such as a statement's of a function's policy are unique in their whole only, which the inputs name.
    const keys = [
      ({ urn }: StateResource) => urn,
      (one: StateResource) => `${keyOf(one)} ${JSON.stringify(one.inputs)}`,
    ];
    return keys
      .flatMap((key) => [...groupBy(staying, key).values()])
      .filter((same) => same.length > 1)
      .map(([one]) =>
        violation("duplicates", `${stack} has ${describe(one as StateResource)} twice in its state`),
      );
  });
}

/** Once every pipeline is deleted with its data, only what belongs to the accounts is left. */
export function nothingIsLeftOfPipelines({ inventory, states, operations }: Facts): Violation[] {
  const ofPipelines = states.filter(({ stack }) => stack.startsWith("aidlc-pipeline/"));
  return [
    ...ofPipelines.map(({ stack, resources }) =>
      violation(
        "orphans",
        `${stack} was destroyed and still has a state with ${resources.length} resources`,
        operations.filter((operation) => operation.stack === stack).map(({ id }) => id),
      ),
    ),
    ...inventory
      .filter(({ owner }) => owner?.includes("/"))
      .map((item) => violation("orphans", `${describe(item)} outlived its pipeline ${item.owner}`)),
  ];
}

function keyOf({ type, awsId }: { readonly type: string; readonly awsId: string }): string {
  return `${type} ${awsId}`;
}

/** Two accounts may each have one of the same id: the one whose properties are nearer is meant. */
function closest(candidates: readonly InventoryItem[], { inputs }: Known): InventoryItem | undefined {
  return candidates.toSorted(
    (a, b) => differences(inputs, a.inputs).length - differences(inputs, b.inputs).length,
  )[0];
}

/** The same resource made a second time differs in its id, and in nothing that the program gave it. */
function isTwin(item: InventoryItem, resource: Known): boolean {
  return item.type === resource.type && differences(resource.inputs, item.inputs).length === 0;
}

function stackOf({ owner }: InventoryItem): string | undefined {
  return owner === undefined ? undefined : `aidlc-pipeline/${owner.replace("/", ".")}`;
}

function describe(resource: {
  readonly type: string;
  readonly awsId: string;
  readonly owner?: string | undefined;
}) {
  return `${resource.type} ${resource.awsId}${resource.owner === undefined ? "" : ` (${resource.owner})`}`;
}

function groupBy<Item>(items: readonly Item[], key: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}
