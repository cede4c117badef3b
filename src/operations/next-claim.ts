import type pg from "pg";
import { inTransaction } from "../postgres/pool.ts";
import { type Claim, claimOperation } from "./claims.ts";
import type { Lane } from "./states.ts";

export interface ClaimRequest {
  readonly lane: Lane;
  readonly node: string;
  readonly leaseMs: number;
}

// Any constant will do, as long as every node of the service uses the same one.
const advisoryLock = 4_723_002;

/**
 * Takes the operation whose turn it is in a lane, if any may run now. Of a stack only the oldest change that waits has a turn, and
 * none while another one runs. Of the teams that have one, and room under their cap and their account's, the one with the fewest
 * running comes first, then the one that was served longest ago, then the oldest operation.
 *
 * One node at a time looks and takes, so that what it counts still holds when it takes. Throws when it had to wait too long for the
 * others.
 */
export async function claimNext(pool: pg.Pool, request: ClaimRequest): Promise<Claim | undefined> {
  const { lane, node, leaseMs } = request;
  return inTransaction(pool, async (client) => {
    // All nodes wait for the one that holds the lock: a process that stands still must not keep it.
    await client.query(
      "set local idle_in_transaction_session_timeout = '5s'; set local lock_timeout = '5s'; set local statement_timeout = '10s'",
    );
    await client.query("select pg_advisory_xact_lock($1)", [advisoryLock]);
    const found = await client.query<{ id: string; team: string }>(nextOperation[lane], [lane]);
    const next = found.rows[0];
    if (next === undefined) return undefined;
    await client.query(
      `insert into queue_turns (lane, team, served_at) values ($1, $2, clock_timestamp())
       on conflict (lane, team) do update set served_at = excluded.served_at`,
      [lane, next.team],
    );
    return claimOperation(client, next.id, { node, leaseMs });
  });
}

// What a request is just cancelling or superseding is skipped: it will not be queued in a moment, and nobody waits for the request.
const nextOperation = {
  changes: nextOf(
    "distinct on (stack_id)",
    "order by stack_id, created_at, id",
    "not exists (select from running r where r.stack_id = o.stack_id)",
  ),
  checks: nextOf("", "", "true"),
} satisfies Record<Lane, string>;

function nextOf(first: string, order: string, free: string): string {
  return `
    with running as materialized (
      select stack_id, team, aws_account_id from operations where lane = $1 and state = 'running'),
    heads as (
      select ${first} id, team, aws_account_id from operations where lane = $1 and state = 'queued' ${order}),
    teams as (select team, count(*) as running from running group by team),
    accounts as (select aws_account_id, count(*) as running from running group by aws_account_id)
    select o.id, o.team from heads h
      join operations o on o.id = h.id
      left join teams t on t.team = h.team
      left join accounts a on a.aws_account_id = h.aws_account_id
      left join queue_turns q on q.lane = $1 and q.team = h.team
      left join team_quotas own on own.team = h.team
      cross join quota_defaults caps
    where o.state = 'queued' and ${free}
      and coalesce(t.running, 0) < coalesce(own.operations_at_once, caps.operations_at_once)
      and coalesce(a.running, 0) < caps.account_operations_at_once
    order by coalesce(t.running, 0), q.served_at nulls first, o.created_at, o.id
    limit 1 for update of o skip locked`;
}
