import type { PendingOperation } from "../engine/pending.ts";
import type { Phase } from "../engine/phase.ts";
import type { ResourceRecord, Snapshot } from "../engine/protocol.ts";
import { toJsonb } from "../postgres/json.ts";
import type { Queryable } from "../postgres/pool.ts";

export interface StackRow {
  readonly id: string;
  readonly project: string;
  readonly name: string;
  readonly initialized: boolean;
  /** Whether an engine may have left a lock, or something on AWS that the state doesn't know. */
  readonly unsettled: boolean;
  /** What engines had begun on it, besides what its state says. */
  readonly pending: readonly PendingOperation[];
  readonly outputs: Readonly<Record<string, unknown>> | null;
  readonly outputsRecordedAt: Date | null;
}

interface Row {
  id: string;
  project: string;
  name: string;
  initialized: boolean;
  unsettled: boolean;
  pending: PendingOperation[] | null;
  outputs: Record<string, unknown> | null;
  outputs_recorded_at: Date | null;
}

/** The row of a stack, made when there is none. Takes no lock on one that is there: its lock comes after its owner's. */
export async function ensureStack(db: Queryable, project: string, name: string): Promise<string> {
  const inserted = await db.query<{ id: string }>(
    "insert into stacks (project, name) values ($1, $2) on conflict (project, name) do nothing returning id",
    [project, name],
  );
  const row =
    inserted.rows[0] ??
    (
      await db.query<{ id: string }>("select id from stacks where project = $1 and name = $2", [
        project,
        name,
      ])
    ).rows[0];
  return (row as { id: string }).id;
}

export async function findStack(db: Queryable, id: string): Promise<StackRow> {
  const found = await db.query<Row>(
    "select id, project, name, initialized, unsettled, pending, outputs, outputs_recorded_at from stacks where id = $1",
    [id],
  );
  const row = found.rows[0];
  if (!row) throw new Error(`No stack ${id}`);
  return {
    id: row.id,
    project: row.project,
    name: row.name,
    initialized: row.initialized,
    unsettled: row.unsettled,
    pending: row.pending ?? [],
    outputs: row.outputs,
    outputsRecordedAt: row.outputs_recorded_at,
  };
}

/** Records that the stack is whole, with nothing left to look for; nothing is written when a newer operation holds it. */
export async function setSettled(db: Queryable, stackId: string, fencingToken: number): Promise<void> {
  await db.query("update stacks set unsettled = false, pending = null where id = $1 and fencing_token = $2", [
    stackId,
    fencingToken,
  ]);
}

/**
 * Keeps what engines had begun on a stack until a repair has settled it, in place of what was kept before; false, and nothing is
 * written, when a newer operation holds it.
 */
export async function keepPending(
  db: Queryable,
  stackId: string,
  fencingToken: number,
  entries: readonly PendingOperation[],
): Promise<boolean> {
  const kept = await db.query("update stacks set pending = $3 where id = $1 and fencing_token = $2", [
    stackId,
    fencingToken,
    toJsonb(entries),
  ]);
  return kept.rowCount === 1;
}

/**
 * Records what an operation left in a stack's state: outputs and resources replace those of the operation before. False, and
 * nothing is written, when a newer operation holds the stack.
 */
export async function recordSnapshot(
  db: Queryable,
  stackId: string,
  fencingToken: number,
  state: { readonly exists: boolean; readonly snapshot: Snapshot | undefined },
): Promise<boolean> {
  const empty: Snapshot = { resources: [], outputs: {} };
  const snapshot = state.exists ? state.snapshot : empty;
  if (snapshot === undefined) return true;
  const updated = await db.query(
    `update stacks set initialized = $3, outputs = $4, outputs_recorded_at = clock_timestamp()
     where id = $1 and fencing_token = $2`,
    [stackId, fencingToken, state.exists, state.exists ? toJsonb(snapshot.outputs) : null],
  );
  if (updated.rowCount !== 1) return false;
  await db.query("delete from resources where stack_id = $1", [stackId]);
  const rows = snapshot.resources.map((resource, position) => ({
    ...resource,
    position,
    aws_id: resource.awsId,
  }));
  await db.query(
    `insert into resources (stack_id, urn, position, type, name, aws_id, phase, parent, dependencies, inputs, outputs)
     select $1, r.urn, r.position, r.type, r.name, r.aws_id, r.phase, r.parent, r.dependencies, r.inputs, r.outputs
     from jsonb_to_recordset($2::jsonb) as r(urn text, position integer, type text, name text, aws_id text, phase text,
       parent text, dependencies text[], inputs jsonb, outputs jsonb)`,
    [stackId, toJsonb(rows)],
  );
  return true;
}

export interface ResourceFilter {
  readonly phase?: Phase | undefined;
  readonly type?: string | undefined;
  readonly afterPosition: number;
  readonly limit: number;
}

/** Resources in the order of the state, parents first; one more than `limit` when there is a further page. */
export async function listResources(
  db: Queryable,
  stackId: string,
  filter: ResourceFilter,
): Promise<(ResourceRecord & { readonly position: number })[]> {
  const found = await db.query<{
    urn: string;
    position: number;
    type: string;
    name: string;
    aws_id: string | null;
    phase: Phase | null;
    parent: string | null;
    dependencies: string[];
    inputs: unknown;
    outputs: unknown;
  }>(
    `select urn, position, type, name, aws_id, phase, parent, dependencies, inputs, outputs from resources
     where stack_id = $1 and position > $2 and ($3::text is null or phase = $3) and ($4::text is null or type = $4)
     order by position limit $5`,
    [stackId, filter.afterPosition, filter.phase ?? null, filter.type ?? null, filter.limit + 1],
  );
  return found.rows.map(({ aws_id: awsId, ...row }) => ({ ...row, awsId }));
}

/** How many resources of AWS each phase of a stack has. */
export async function countByPhase(db: Queryable, stackId: string): Promise<ReadonlyMap<Phase, number>> {
  const found = await db.query<{ phase: Phase; count: number }>(
    `select phase, count(*) as count from resources
     where stack_id = $1 and phase is not null and type like 'aws:%' group by phase`,
    [stackId],
  );
  return new Map(found.rows.map((row) => [row.phase, row.count]));
}
