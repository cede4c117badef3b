import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { json } from "../service/client.ts";
import type { Requests } from "./requests.ts";

const lookMs = 300;

/** Approves of whatever waits for somebody's approval, with the key of the team's approver, until the signal aborts. */
export async function approveAll(
  pool: pg.Pool,
  approvers: ReadonlyMap<string, Requests>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const { rows } = await pool
      .query<{ id: string; team: string; digest: string }>(
        "select id, team, approval->>'digest' as digest from operations where state = 'awaiting_approval'",
      )
      // The database may be away for a moment.
      .catch(() => ({ rows: [] }));
    // What was called off meanwhile refuses the vote, which is as well.
    for (const { id, team, digest } of rows)
      await approvers
        .get(team)
        ?.send("POST", `/v1/operations/${id}/approve`, json({ digest }))
        .catch(() => {});
    await sleep(lookMs, undefined, { signal }).catch(() => {});
  }
}
