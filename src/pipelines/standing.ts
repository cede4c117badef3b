import type { PipelineOutputs } from "../../programs/outputs.ts";
import type { Phase } from "../engine/phase.ts";
import type { Queryable } from "../postgres/pool.ts";
import { getTeam } from "../teams/store.ts";
import {
  type PipelineSummary,
  pipelineNotFound,
  type SummaryRow,
  summaryColumns,
  summaryFromRow,
  summarySource,
} from "./store.ts";

/** What the database knows about where a pipeline stands. */
export interface Standing {
  readonly pipeline: PipelineSummary;
  /** Resources of AWS that each phase has. */
  readonly counts: ReadonlyMap<Phase, number>;
  /** Phases of resources that failed in the last change. */
  readonly failed: ReadonlySet<Phase>;
  /** When the last drift check ended; undefined when a change of the stack ended after it began. */
  readonly checkedAt: Date | undefined;
  /** The names of what there is on SageMaker, once the stack has it. */
  readonly training: PipelineOutputs["training"] | undefined;
}

type StandingRow = SummaryRow & {
  readonly counts: Readonly<Partial<Record<Phase, number>>> | null;
  readonly failed: readonly Phase[] | null;
  readonly checked_at: Date | null;
  readonly training: PipelineOutputs["training"] | null;
};

// One statement: people and portals ask again and again, for many pipelines.
const text = `select ${summaryColumns}, s.outputs->'training' as training,
    case when not exists (
      select from operations c where c.pipeline_id = p.id and c.lane = 'changes' and c.finished_at > d.started_at
        and c.started_at is not null) then d.finished_at end as checked_at,
    (select array_agg(distinct e.phase) from operation_events e where e.operation_id = o.id and e.type = 'resource'
       and e.phase is not null and e.body->>'status' = 'failed') as failed,
    (select jsonb_object_agg(r.phase, r.count) from (
       select phase, count(*) as count from resources
       where stack_id = p.stack_id and phase is not null and type like 'aws:%' group by phase) r) as counts
  from ${summarySource}
  join stacks s on s.id = p.stack_id
  left join lateral (
    select started_at, finished_at from operations
    where pipeline_id = p.id and kind = 'drift' and state = 'succeeded'
    order by created_at desc limit 1) d on true
  where p.team = $1 and p.name = $2 and p.deleted_at is null`;

/** Throws `team_not_found` or `pipeline_not_found`. */
export async function readStanding(db: Queryable, team: string, name: string): Promise<Standing> {
  const found = await db.query<StandingRow>({ name: "pipeline-standing", text, values: [team, name] });
  const row = found.rows[0];
  if (row === undefined) {
    await getTeam(db, team);
    throw pipelineNotFound(team, name);
  }
  return {
    pipeline: summaryFromRow(row),
    counts: new Map(Object.entries(row.counts ?? {}) as [Phase, number][]),
    failed: new Set(row.failed),
    checkedAt: row.checked_at ?? undefined,
    training: row.training ?? undefined,
  };
}
