import type { Facts } from "../facts/facts.ts";
import { lastChanges } from "./operations.ts";
import { type Violation, violation } from "./violation.ts";

const listedNames = 5;

/** What the service's tables say of a stack is what its state says. */
export function tablesMatchStates({ states, stackRows, operations }: Facts): Violation[] {
  const rows = new Map(stackRows.map((row) => [row.stack, row]));
  const byStack = new Map(states.map((state) => [state.stack, state]));
  return [...new Set([...rows.keys(), ...byStack.keys()])].flatMap((stack) => {
    const row = rows.get(stack);
    const state = byStack.get(stack);
    const ids = operations.filter((operation) => operation.stack === stack).map(({ id }) => id);
    if (state === undefined && row?.initialized === true)
      return [violation("lost", `${stack} has no state, and the tables say that it has`, ids)];
    if (state !== undefined && row?.initialized !== true)
      return [violation("orphans", `${stack} has a state, and the tables say that it has none`, ids)];
    const inState = (state?.resources ?? []).filter(({ isLeaving }) => !isLeaving).map(named);
    const inTable = (row?.resources ?? []).map(named);
    const missing = inState.filter((name) => !inTable.includes(name));
    const surplus = inTable.filter((name) => !inState.includes(name));
    return [
      ...(missing.length > 0
        ? [violation("lost", `The tables lack ${listed(missing)} of ${stack}`, ids)]
        : []),
      ...(surplus.length > 0
        ? [violation("orphans", `The tables still have ${listed(surplus)} of ${stack}`, ids)]
        : []),
    ];
  });
}

/** What the last change of a pipeline said of its end is so. */
export function endsAreTrue({ operations, pipelines, states }: Facts): Violation[] {
  const changes = new Map(lastChanges(operations).map((operation) => [operation.stack, operation]));
  return pipelines.flatMap(({ pipeline, stack, isDeleted, appliedRevision }) => {
    const last = changes.get(stack);
    if (last?.state !== "succeeded" || isDeleted) return [];
    if (last.kind === "destroy")
      return [violation("lost", `${pipeline} was destroyed and is still listed`, [last.id])];
    if (!states.some((state) => state.stack === stack))
      return [violation("lost", `${pipeline} was changed and has no state`, [last.id])];
    if (last.kind !== "update" || appliedRevision === last.revision) return [];
    const text = `${pipeline} was updated to revision ${last.revision}, and ${appliedRevision} is told as applied`;
    return [violation("lost", text, [last.id])];
  });
}

function named({ urn, awsId }: { readonly urn: string; readonly awsId: string | null }): string {
  return `${urn.split("::").slice(2).join("::")} (${awsId})`;
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, listedNames).join(", ");
  return names.length > listedNames ? `${names.length} resources (${shown}, …)` : shown;
}
