import type { Deadline } from "./protocol.ts";

/** A clock that never goes back, and is the same for all processes of a machine. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

export function deadlineIn(ms: number): Deadline {
  return { monotonicMs: monotonicMs() + ms, wallMs: Date.now() + ms };
}

/** Milliseconds until the earlier of its two moments; negative when that has passed. */
export function remainingMs(deadline: Deadline): number {
  return Math.min(deadline.monotonicMs - monotonicMs(), deadline.wallMs - Date.now());
}
