import { maxAttempts } from "../../../src/recovery/verdict.ts";
import type { Facts, OperationFact } from "../facts/facts.ts";
import { type Violation, violation } from "./violation.ts";

const ends = ["succeeded", "failed", "cancelled", "superseded", "needs_repair"];

/** Every operation came to an end. */
export function operationsEnded({ operations }: Facts): Violation[] {
  return operations
    .filter(({ state }) => !ends.includes(state))
    .map((operation) =>
      violation("stuck", `${describe(operation)} is still ${operation.state}`, [operation.id]),
    );
}

/** What was answered with 202 is on record. */
export function operationsAreKept({ operations, acknowledged }: Facts): Violation[] {
  const ids = new Set(operations.map(({ id }) => id));
  return acknowledged
    .filter((id) => !ids.has(id))
    .map((id) => violation("lost", `Operation ${id} was accepted and is on no record`, [id]));
}

/** No operation was tried more often than it may be; after that its stack may be repaired, as often as it takes, to end it. */
export function attemptsAreLimited({ operations }: Facts): Violation[] {
  return operations
    .filter(({ attempt, state }) => attempt > maxAttempts && state === "succeeded")
    .map((operation) =>
      violation("stuck", `${describe(operation)} was tried ${operation.attempt} times`, [operation.id]),
    );
}

/** No stack is left waiting for a person: its repair was asked for, and did what there was to do. */
export function nothingNeedsRepair({ operations }: Facts): Violation[] {
  return lastChanges(operations)
    .filter(({ state }) => state === "needs_repair")
    .map((operation) =>
      violation(
        "stuck",
        `${operation.stack} needs repair since its ${describe(operation)}: ${operation.errorCode}: ${operation.errorMessage}`,
        [operation.id],
      ),
    );
}

/** Each operation's events are numbered from 1 without a gap. */
export function eventsHaveNoGaps({ operations }: Facts): Violation[] {
  return operations
    .filter(({ events: { count, lowest, highest } }) => count > 0 && (lowest !== 1 || highest !== count))
    .map((operation) => {
      const { count, lowest, highest } = operation.events;
      return violation(
        "lost",
        `${describe(operation)} has ${count} events, numbered ${lowest} to ${highest}`,
        [operation.id],
      );
    });
}

/** The last change of each stack that got to run, or would have. */
export function lastChanges(operations: readonly OperationFact[]): readonly OperationFact[] {
  const last = new Map<string, OperationFact>();
  for (const operation of operations) {
    if (operation.changesStack && operation.wasStarted) last.set(operation.stack, operation);
  }
  return [...last.values()];
}

export function describe({ kind, id, stack, attempt }: OperationFact): string {
  return `${kind} ${id} on ${stack}${attempt > 1 ? ` (attempt ${attempt})` : ""}`;
}
