import type { Facts } from "../facts/facts.ts";
import { type Violation, violation } from "./violation.ts";

/** No stack is locked while nothing runs. */
export function noLockIsLeft({ locks }: Facts): Violation[] {
  return locks.map((lock) => violation("leaks", `The lock ${lock} is left in the backend`));
}

/** No state has an unfinished operation of a killed engine in it. */
export function nothingIsPending({ states, operations }: Facts): Violation[] {
  return states.flatMap(({ stack, pending }) =>
    pending.map((what) =>
      violation(
        "stuck",
        `The state of ${stack} still has a pending operation: ${what}`,
        operations.filter((operation) => operation.stack === stack).map(({ id }) => id),
      ),
    ),
  );
}

/** A killed engine's half-written files are gone. */
export function noStrayStateFile({ strayStateFiles }: Facts): Violation[] {
  return strayStateFiles.map((file) => violation("leaks", `The file ${file} is left in the backend`));
}
