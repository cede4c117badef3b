import type { Severity } from "../../programs/policies/policy.ts";
import type { Phase } from "../engine/phase.ts";
import { AppError } from "../errors.ts";
import { toJsonb } from "../postgres/json.ts";
import type { Queryable } from "../postgres/pool.ts";
import type { DriftClass, DriftState } from "./classes.ts";
import type { FoundDrift } from "./classify.ts";
import type { Hold } from "./holding.ts";

/** Who changed it, as far as that could be found out. */
export interface ChangedBy {
  /** Where that is known from. */
  readonly source: "cloudtrail" | "sandbox";
  readonly principal: string;
  readonly event: string;
  readonly at: string;
  readonly sourceAddress?: string;
}

/** A drift on record. */
export interface Drift {
  readonly id: string;
  readonly urn: string;
  readonly path: string;
  readonly type: string;
  readonly name: string;
  readonly phase: Phase | null;
  readonly awsId: string | null;
  readonly before: unknown;
  readonly after: unknown;
  readonly class: DriftClass;
  readonly severity: Severity;
  readonly reason: string;
  readonly dataLoss: boolean;
  /** As it is now: what was held until a moment that has passed is open. */
  readonly state: DriftState;
  readonly heldUntil: Date | null;
  readonly rule: string | null;
  readonly decidedBy: string | null;
  readonly decidedAt: Date | null;
  readonly decisionReason: string | null;
  readonly decisionOperationId: string | null;
  readonly changedBy: ChangedBy | null;
  readonly firstSeenAt: Date;
  readonly lastSeenAt: Date;
}

/** The state as it is now, of a row `d` of the drifts. */
export const stateNow =
  "case when d.state in ('ignored', 'accepted') and d.held_until <= statement_timestamp() then 'open' else d.state end";

const columns = `d.id, d.urn, d.path, d.type, d.name, d.phase, d.aws_id as "awsId", d.before, d.after, d.class, d.severity, d.reason,
  d.data_loss as "dataLoss", ${stateNow} as state, d.held_until as "heldUntil", d.rule, d.decided_by as "decidedBy",
  d.decided_at as "decidedAt", d.decision_reason as "decisionReason", d.decision_operation_id as "decisionOperationId",
  d.changed_by as "changedBy", d.first_seen_at as "firstSeenAt", d.last_seen_at as "lastSeenAt"`;

const gravestFirst = `array_position(array['critical', 'high', 'medium', 'low'], d.severity),
  array_position(array['data', 'security', 'ml_promotion', 'cost', 'unknown', 'benign'], d.class), d.urn, d.path`;

export interface DriftFilter {
  readonly class?: DriftClass | undefined;
  /** Undefined: those that last, open or held. */
  readonly state?: DriftState | undefined;
  readonly limit: number;
}

/** Drifts of a pipeline, the gravest first. */
export async function listDrifts(db: Queryable, pipelineId: string, filter: DriftFilter): Promise<Drift[]> {
  const found = await db.query<Drift>(
    `select ${columns} from drifts d where d.pipeline_id = $1 and ($2::text is null or d.class = $2)
       and case when $3::text is null then d.state in ('open', 'ignored', 'accepted') else ${stateNow} = $3 end
     order by ${gravestFirst} limit $4`,
    [pipelineId, filter.class ?? null, filter.state ?? null, filter.limit],
  );
  return found.rows;
}

/** How many drifts of a pipeline are open, by class. */
export async function countOpen(
  db: Queryable,
  pipelineId: string,
): Promise<Partial<Record<DriftClass, number>>> {
  const found = await db.query<{ class: DriftClass; count: number }>(
    `select d.class, count(*) as count from drifts d
     where d.pipeline_id = $1 and d.state in ('open', 'ignored', 'accepted') and ${stateNow} = 'open' group by d.class`,
    [pipelineId],
  );
  return Object.fromEntries(found.rows.map((row) => [row.class, row.count]));
}

/** How many drifts of all pipelines are open, by class. */
export async function countAllOpen(db: Queryable): Promise<Partial<Record<DriftClass, number>>> {
  const found = await db.query<{ class: DriftClass; count: number }>(
    `select d.class, count(*) as count from drifts d
     where d.state in ('open', 'ignored', 'accepted') and ${stateNow} = 'open' group by d.class`,
  );
  return Object.fromEntries(found.rows.map((row) => [row.class, row.count]));
}

/** Resources of a pipeline that drifted in a way that matters and that nobody holds, with their phases. */
export async function openResources(
  db: Queryable,
  pipelineId: string,
): Promise<{ readonly urn: string; readonly phase: Phase | null }[]> {
  const found = await db.query<{ urn: string; phase: Phase | null }>(
    `select distinct d.urn, d.phase from drifts d
     where d.pipeline_id = $1 and d.state in ('open', 'ignored', 'accepted') and ${stateNow} = 'open'
       and d.class <> 'benign'`,
    [pipelineId],
  );
  return found.rows;
}

export interface LockedDrift extends Drift {
  /** Whether the operation that was decided about it has not ended. */
  readonly pending: boolean;
}

const locked = `select ${columns}, coalesce(o.state in ('queued', 'running', 'awaiting_approval'), false) as pending
  from drifts d left join operations o on o.id = d.decision_operation_id`;

/** Every drift of a pipeline that was ever seen, kept from other changes until the transaction has ended. */
export async function lockDrifts(db: Queryable, pipelineId: string): Promise<LockedDrift[]> {
  const found = await db.query<LockedDrift>(
    `${locked} where d.pipeline_id = $1 order by d.id for update of d`,
    [pipelineId],
  );
  return found.rows;
}

/** Throws `drift_not_found`. */
export async function lockDrift(db: Queryable, pipelineId: string, id: string): Promise<LockedDrift> {
  const found = await db.query<LockedDrift>(
    `${locked} where d.pipeline_id = $1 and d.id = $2 for update of d`,
    [pipelineId, id],
  );
  const [drift] = found.rows;
  if (drift) return drift;
  throw new AppError("drift_not_found", `The pipeline has no drift ${id}: see GET …/drift`);
}

/** Records what a check found; a drift that was over is open again, and first seen now. */
export async function putDrifts(
  db: Queryable,
  pipelineId: string,
  operationId: string,
  found: readonly (FoundDrift & { readonly hold: Hold })[],
): Promise<void> {
  if (found.length === 0) return;
  const rows = found.map(({ verdict, hold, awsId, ...drift }) => ({
    ...drift,
    aws_id: awsId,
    class: verdict.class,
    severity: verdict.severity,
    reason: verdict.reason,
    data_loss: verdict.dataLoss === true,
    state: hold.state,
    held_until: hold.heldUntil?.toISOString() ?? null,
    rule: hold.rule,
  }));
  await db.query(
    `insert into drifts as d (pipeline_id, urn, path, type, name, phase, aws_id, before, after, class, severity, reason, data_loss,
       state, held_until, rule, first_seen_at, last_seen_at, last_operation_id)
     select $1, r.urn, r.path, r.type, r.name, r.phase, r.aws_id, r.before, r.after, r.class, r.severity, r.reason, r.data_loss,
       r.state, r.held_until, r.rule, statement_timestamp(), statement_timestamp(), $2
     from jsonb_to_recordset($3::jsonb) as r(urn text, path text, type text, name text, phase text, aws_id text, before jsonb,
       after jsonb, class text, severity text, reason text, data_loss boolean, state text, held_until timestamptz, rule text)
     on conflict (pipeline_id, urn, path) do update set
       type = excluded.type, name = excluded.name, phase = excluded.phase, aws_id = excluded.aws_id,
       before = excluded.before, after = excluded.after, class = excluded.class, severity = excluded.severity,
       reason = excluded.reason, data_loss = excluded.data_loss, state = excluded.state, held_until = excluded.held_until,
       rule = excluded.rule, last_seen_at = excluded.last_seen_at, last_operation_id = excluded.last_operation_id,
       first_seen_at = case when d.state in ('reverted', 'resolved', 'adopted') and excluded.state <> 'adopted'
         then excluded.first_seen_at else d.first_seen_at end,
       -- Another value was set by somebody else, maybe.
       changed_by = case when d.after is not distinct from excluded.after and d.state not in ('reverted', 'resolved')
         then d.changed_by end,
       looked_up_at = case when d.after is not distinct from excluded.after and d.state not in ('reverted', 'resolved')
         then d.looked_up_at end`,
    [pipelineId, operationId, toJsonb(rows)],
  );
}

/**
 * Ends the open and held drifts that aren't named: a check didn't see them any more, or a reconciliation mended them. Those that
 * the stack's state has taken over can't be seen, and stay.
 */
export async function endDrifts(
  db: Queryable,
  pipelineId: string,
  state: "resolved" | "reverted",
  except: readonly string[],
): Promise<void> {
  await db.query(
    `update drifts set state = $2, held_until = null, rule = null
     where pipeline_id = $1 and state in ('open', 'ignored', 'accepted') and not carried
       and urn || '|' || path <> all ($3)`,
    [pipelineId, state, except],
  );
}

/** Marks drifts of which the stack's state holds what was found, because the rest of their resource was mended. */
export async function carryDrifts(db: Queryable, pipelineId: string, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  await db.query(
    "update drifts set carried = true where pipeline_id = $1 and urn || '|' || path = any ($2)",
    [pipelineId, keys],
  );
}

/** From now on the state again holds what the program says: the next check tells what is left. */
export async function settleCarried(db: Queryable, pipelineId: string): Promise<void> {
  await db.query("update drifts set carried = false where pipeline_id = $1 and carried", [pipelineId]);
}

/** By which a drift is named in `endDrifts`. */
export function keyOf({ urn, path }: { readonly urn: string; readonly path: string }): string {
  return `${urn}|${path}`;
}

/** How drifts stand now that the rules have changed. */
export async function setHolds(
  db: Queryable,
  holds: readonly { readonly id: string; readonly hold: Hold }[],
): Promise<void> {
  if (holds.length === 0) return;
  await db.query(
    `update drifts set state = r.state, held_until = r.held_until, rule = r.rule
     from jsonb_to_recordset($1::jsonb) as r(id uuid, state text, held_until timestamptz, rule text)
     where drifts.id = r.id`,
    [
      toJsonb(
        holds.map(({ id, hold }) => ({
          id,
          state: hold.state,
          held_until: hold.heldUntil?.toISOString() ?? null,
          rule: hold.rule,
        })),
      ),
    ],
  );
}

export interface Decision {
  readonly state: "open" | "accepted" | "adopted";
  readonly until: Date | null;
  readonly by: string;
  readonly reason: string;
  readonly operationId: string | null;
}

export async function setDecision(db: Queryable, id: string, decision: Decision): Promise<void> {
  await db.query(
    `update drifts set state = $2, held_until = $3, rule = null, decided_by = $4, decided_at = statement_timestamp(),
       decision_reason = $5, decision_operation_id = $6
     where id = $1`,
    [id, decision.state, decision.until, decision.by, decision.reason, decision.operationId],
  );
}
