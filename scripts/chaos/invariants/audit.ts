import type { Facts } from "../facts/facts.ts";
import { describe } from "./operations.ts";
import { type Violation, violation } from "./violation.ts";

const endsOfRuns = ["succeeded", "failed", "cancelled", "needs_repair"];

/** The chain holds, and tells once who asked for each operation and once how each change ended. */
export function auditIsComplete({ audit, operations }: Facts): Violation[] {
  const broken =
    audit.brokenAt === undefined ? [] : [violation("lost", `The audit trail is broken at ${audit.brokenAt}`)];
  const requests = counted(audit.entries.map(({ operation }) => operation));
  const ends = counted(
    audit.entries
      .filter(({ action }) => action === "operation.end")
      .map(({ target }) => target.split("/").at(-1)),
  );
  return [
    ...broken,
    ...operations.flatMap((operation) => {
      const { id, state, wasStarted, changesStack } = operation;
      const hasEnd = changesStack && wasStarted && endsOfRuns.includes(state);
      return [
        ...once(requests.get(id) ?? 0, `who asked for ${describe(operation)}`, id),
        ...(hasEnd ? once(ends.get(id) ?? 0, `the end of ${describe(operation)} as ${state}`, id) : []),
      ];
    }),
  ];
}

function once(entries: number, what: string, operation: string): Violation[] {
  if (entries === 1) return [];
  const kind = entries === 0 ? "lost" : "duplicates";
  return [violation(kind, `The audit trail has ${entries} entries that tell ${what}`, [operation])];
}

function counted(names: readonly (string | null | undefined)[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) if (name) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
