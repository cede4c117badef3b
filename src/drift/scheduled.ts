import { randomUUID } from "node:crypto";
import type pg from "pg";
import type { Logger } from "pino";
import { parseSpec } from "../../programs/spec.ts";
import { serviceContext } from "../audit/trail.ts";
import { AppError } from "../errors.ts";
import { type PipelineServices, submitOnApplied } from "../pipelines/changes.ts";
import { nextDue } from "./schedule.ts";

// What comes due in one minute beyond this begins in the next: a day's checks that became due together while the service was down
// must not push aside what people ask for.
const mostAtOnce = 100;
// A thousand a minute: the service was updated, or is new to an old database.
const mostTakenOver = 1_000;

/**
 * Submits what has come due: a drift check, or a reconciliation, of every pipeline whose spec asks for it. One that was due several
 * times begins once; one with such an operation under way is left out until its next time. To be called every minute; safe on several
 * nodes. Returns how many operations it submitted.
 */
export async function submitDue(services: PipelineServices, log: Logger, now: Date): Promise<number> {
  await takeOverSpecs(services.pool, now);
  const due = await claimDue(services.pool, now);
  let submitted = 0;
  for (const pipeline of due) {
    try {
      if (await isBusy(services.pool, pipeline.id)) continue;
      await submitOnApplied(
        services,
        {
          team: pipeline.team,
          name: pipeline.name,
          by: serviceContext(randomUUID()),
          reason: "It is due by the schedule of its spec",
        },
        pipeline.mode === "remediate" ? "reconcile" : "drift",
        {},
      );
      submitted += 1;
    } catch (error) {
      // Of a full quota, a pipeline that was deleted or a foundation that is being made, the next time will tell.
      if (!(error instanceof AppError)) throw error;
      const { team, name } = pipeline;
      log.info({ team, pipeline: name, code: error.code }, "a scheduled drift operation was left out");
    }
  }
  return submitted;
}

interface Due {
  readonly id: string;
  readonly team: string;
  readonly name: string;
  readonly mode: "detect" | "remediate";
}

/** Schedules pipelines that are new, or that were applied to another revision since. */
async function takeOverSpecs(pool: pg.Pool, now: Date): Promise<void> {
  const found = await pool.query<{ id: string; revision: number; spec: unknown }>(
    `select p.id, r.number as revision, r.spec from pipelines p
     join revisions r on r.pipeline_id = p.id and r.number = p.applied_revision
     left join drift_schedules s on s.pipeline_id = p.id
     where p.deleted_at is null and s.revision is distinct from r.number limit $1`,
    [mostTakenOver],
  );
  for (const { id, revision, spec } of found.rows) {
    // An older release of the service may have stored it without this section.
    const { mode, schedule } = parseSpec(spec).reconcile;
    const dueAt = mode === "off" ? undefined : nextDue(schedule, id, now);
    await pool.query(
      `insert into drift_schedules as s (pipeline_id, revision, mode, expression, due_at) values ($1, $2, $3, $4, $5)
       on conflict (pipeline_id) do update set revision = excluded.revision, mode = excluded.mode,
         expression = excluded.expression,
         -- Every update makes a revision, and none may put off what is due.
         due_at = case when s.mode <> 'off' and s.expression = excluded.expression and excluded.due_at is not null
           then s.due_at else excluded.due_at end`,
      [id, revision, dueAt === undefined ? "off" : mode, schedule, dueAt ?? null],
    );
  }
}

/** Takes what is due, the longest due first, and sets when it is due next. */
async function claimDue(pool: pg.Pool, now: Date): Promise<Due[]> {
  const found = await pool.query<Due & { expression: string; due_at: Date }>(
    `select p.id, p.team, p.name, s.mode, s.expression, s.due_at from drift_schedules s
     join pipelines p on p.id = s.pipeline_id
     where s.due_at <= $1 and p.deleted_at is null order by s.due_at, p.id limit $2`,
    [now, mostAtOnce],
  );
  const claimed: Due[] = [];
  for (const { expression, due_at: dueAt, ...pipeline } of found.rows) {
    const next = nextDue(expression, pipeline.id, now);
    const taken = await pool.query(
      `update drift_schedules set due_at = $3, mode = case when $3::timestamptz is null then 'off' else mode end
       where pipeline_id = $1 and due_at = $2`,
      [pipeline.id, dueAt, next ?? null],
    );
    if (taken.rowCount === 1) claimed.push(pipeline);
  }
  return claimed;
}

async function isBusy(pool: pg.Pool, pipelineId: string): Promise<boolean> {
  const found = await pool.query<{ busy: boolean }>(
    `select exists (select from operations where pipeline_id = $1 and kind in ('drift', 'reconcile')
       and state in ('queued', 'running', 'awaiting_approval')) as busy`,
    [pipelineId],
  );
  return found.rows[0]?.busy === true;
}
