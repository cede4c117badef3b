import type pg from "pg";
import type { AuditTrail } from "../audit/trail.ts";
import type { OperationError } from "../engine/protocol.ts";
import { appendServiceEvent } from "../operations/events.ts";
import { findOperation, lockOperation } from "../operations/store.ts";
import { inTransaction } from "../postgres/pool.ts";
import { countedVotes } from "./store.ts";
import { auditEnd, endUnapproved, recordGiven } from "./transitions.ts";

const expired: OperationError = {
  code: "approval_expired",
  message: "Nobody approved of the plan in time",
  remedy: "Nothing was changed: ask for the operation again, and tell those who may approve",
};

/**
 * Looks after the operations that wait for approval: calls off those whose time is over, and counts anew for the others, since who lost a
 * role, or a key, no longer counts. Idempotent.
 */
export async function reviewApprovals(pool: pg.Pool, audit: AuditTrail, now: Date): Promise<void> {
  const found = await pool.query<{ id: string }>(
    "select id from operations where state = 'awaiting_approval' order by created_at",
  );
  for (const { id } of found.rows) await review(pool, audit, id, now);
}

async function review(pool: pg.Pool, audit: AuditTrail, id: string, now: Date): Promise<void> {
  await inTransaction(pool, async (client) => {
    await lockOperation(client, id);
    const operation = await findOperation(client, id);
    const approval = operation?.approval;
    if (operation?.state !== "awaiting_approval" || !approval) return;
    if (new Date(approval.expiresAt) > now) {
      const { given } = await countedVotes(client, operation, approval);
      if (given !== approval.given) await recordGiven(client, operation, { ...approval, given });
      return;
    }
    await endUnapproved(client, operation, expired);
    await appendServiceEvent(client, id, "approval", { status: "expired", digest: approval.digest });
    await auditEnd(audit, client, operation, expired);
  });
}
