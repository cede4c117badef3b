import { totalmem } from "node:os";
import { type Lane, lanes } from "../operations/states.ts";

/** What this node may use, in MiB: what its container may, or the machine has. */
export function nodeMemoryMib(): number {
  const constrained = process.constrainedMemory();
  const bytes = constrained > 0 && constrained < totalmem() ? constrained : totalmem();
  return Math.floor(bytes / 2 ** 20);
}

/**
 * How many operations of each lane a node runs at once: as many as it is asked to, and no more than have room in the memory that
 * operations may take. Each lane has places of its own, so that no flood of changes keeps a check waiting. Undefined when there is
 * no room for one of each.
 */
export function placesIn(memory: {
  readonly limitMib: number;
  /** What one operation takes. */
  readonly operationMib: number;
  readonly concurrency: number;
}): Readonly<Record<Lane, number>> | undefined {
  const each = Math.min(memory.concurrency, Math.floor(memory.limitMib / memory.operationMib / lanes.length));
  return each < 1 ? undefined : { changes: each, checks: each };
}
