import { isAlive } from "../nodes/store.ts";
import type { Queryable } from "../postgres/pool.ts";
import type { Lane } from "./states.ts";

export const waitingReasons = [
  "next",
  "stack_busy",
  "team_cap",
  "account_cap",
  "node_full",
  "no_worker",
] as const;
export type WaitingReason = (typeof waitingReasons)[number];

/** Why an operation is queued and how many begin before it, as things stand. */
export interface QueuePosition {
  readonly reason: WaitingReason;
  /** 1: no other begins before it. Where its stack is busy, among the operations of that stack; otherwise among all of its lane. */
  readonly position: number;
  /** The operation of its stack that has to end first, and its team's name. */
  readonly behind: { readonly id: string; readonly team: string } | null;
}

export interface QueueLoad {
  readonly lane: Lane;
  readonly reason: WaitingReason;
  readonly count: number;
  readonly oldestSeconds: number;
}

/** Positions of those of the operations that are queued, in one reading of the queue: none for what isn't. */
export async function queuePositions(
  db: Queryable,
  ids: readonly string[],
): Promise<ReadonlyMap<string, QueuePosition>> {
  if (ids.length === 0) return new Map();
  const found = await db.query<{
    id: string;
    reason: WaitingReason;
    position: number;
    behind: string | null;
    behind_team: string | null;
  }>(`${positions} select id, reason, position, behind, behind_team from reasons where id = any ($1)`, [ids]);
  return new Map(
    found.rows.map(({ id, reason, position, behind, behind_team: team }) => [
      id,
      { reason, position, behind: behind === null || team === null ? null : { id: behind, team } },
    ]),
  );
}

/** How many operations wait, and for how long the oldest of them has, by lane and reason. */
export async function queueLoad(db: Queryable): Promise<QueueLoad[]> {
  const found = await db.query<QueueLoad>(
    `${positions} select lane, reason, count(*) as count,
       extract(epoch from clock_timestamp() - min(created_at))::float8 as "oldestSeconds"
     from reasons group by lane, reason order by lane, reason`,
  );
  return found.rows;
}

// The order of turns is what `claimNext` would take if nothing ended and nothing came: an operation's turn is how many of its team
// run or begin before it. Those that a cap holds back come after all others.
const positions = `
  with running as materialized (
    select id, lane, stack_id, team, aws_account_id from operations where state = 'running'),
  queued as (
    select id, lane, stack_id, team, aws_account_id, created_at,
      case when lane = 'changes' then row_number() over (partition by lane, stack_id order by created_at, id) else 1
        end as on_stack,
      first_value(id) over stacks as head, first_value(team) over stacks as head_team
    from operations where state = 'queued'
    window stacks as (partition by lane, stack_id order by created_at, id)),
  placed as (
    select q.*, r.id as runs, r.team as runs_team, q.on_stack > 1 or r.id is not null as stack_busy
    from queued q left join running r on r.lane = 'changes' and q.lane = 'changes' and r.stack_id = q.stack_id),
  teams as (select lane, team, count(*) as running from running group by lane, team),
  accounts as (select lane, aws_account_id, count(*) as running from running group by lane, aws_account_id),
  ready as (
    select p.id, p.lane, p.created_at, served.served_at,
      coalesce(t.running, 0) + row_number() over (partition by p.lane, p.team order by p.created_at, p.id) - 1 as turn,
      coalesce(own.operations_at_once, caps.operations_at_once) as team_cap,
      p.aws_account_id is not null and
        coalesce(a.running, 0) + row_number() over (partition by p.lane, p.aws_account_id order by p.created_at, p.id)
          > caps.account_operations_at_once as account_full
    from placed p
      left join teams t on t.lane = p.lane and t.team = p.team
      left join accounts a on a.lane = p.lane and a.aws_account_id = p.aws_account_id
      left join team_quotas own on own.team = p.team
      left join queue_turns served on served.lane = p.lane and served.team = p.team
      cross join quota_defaults caps
    where not p.stack_busy),
  ranked as (
    select id, lane, turn >= team_cap as team_full, account_full,
      row_number() over (partition by lane order by turn >= team_cap or account_full, turn, served_at nulls first,
        created_at, id) as position
    from ready),
  places as (
    select lane, sum(case lane when 'changes' then changes else checks end) as places,
      (select count(*) from running r where r.lane = lanes.lane) as taken
    from (values ('changes'), ('checks')) lanes (lane) left join nodes on ${isAlive} group by lane),
  reasons as (
    select p.id, p.lane, p.created_at, coalesce(k.position, p.on_stack) as position,
      case when p.stack_busy then coalesce(p.runs, p.head) end as behind,
      case when p.stack_busy then coalesce(p.runs_team, p.head_team) end as behind_team,
      case
        when p.stack_busy then 'stack_busy'
        when k.team_full then 'team_cap'
        when k.account_full then 'account_cap'
        when coalesce(l.places, 0) = 0 then 'no_worker'
        when k.position > l.places - l.taken then 'node_full'
        else 'next'
      end as reason
    from placed p left join ranked k on k.id = p.id join places l on l.lane = p.lane)`;
