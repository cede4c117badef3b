import type pg from "pg";
import type { PipelineSpec } from "../../programs/spec.ts";
import { AppError } from "../errors.ts";
import { activeChange } from "../operations/store.ts";
import { inTransaction, type Queryable } from "../postgres/pool.ts";
import { tellWebhooks } from "../webhooks/outbox.ts";
import { auditedPipeline, hold, type PipelineRequest, type PipelineServices } from "./changes.ts";
import { getPipeline, type Pipeline } from "./store.ts";

const hourMs = 3_600_000;
// Whoever cancelled it, or has to mend what stopped it, isn't asked again every minute.
const askAgainMs = 24 * hourMs;

export type ExpiryStep = "none" | "warn" | "destroy";

/** When a pipeline's owners are told that it will be torn down: a quarter of its lifetime before, a day at most. */
export function warningMs(hours: number): number {
  return Math.min(24, hours / 4) * hourMs;
}

/** What is to be done about a pipeline's lifetime at `now`. Nothing is ever torn down without a warning before. */
export function expiryStep(
  { expiresAt, expiryWarnedAt, expirySubmittedAt, spec }: ExpiryFacts,
  now: Date,
): ExpiryStep {
  const { ttl, profile } = spec;
  if (expiresAt === null || ttl === undefined) return "none";
  // An older version of the service may have recorded what `lifetimeProblems` refuses.
  if (profile === "production" && !ttl.evenProduction) return "none";
  if (now.getTime() < expiresAt.getTime() - warningMs(ttl.hours)) return "none";
  if (expiryWarnedAt === null) return "warn";
  if (now < expiresAt) return "none";
  const asked = expirySubmittedAt?.getTime() ?? Number.NEGATIVE_INFINITY;
  return now.getTime() < asked + askAgainMs ? "none" : "destroy";
}

export type ExpiryFacts = Pick<Pipeline, "expiresAt" | "expiryWarnedAt" | "expirySubmittedAt"> & {
  readonly spec: Pick<PipelineSpec, "profile" | "ttl">;
};

/** Starts the lifetime of the desired revision anew, at `now`; what somebody extended it to stays, unless there is none any more. */
export async function renewExpiry(db: Queryable, pipelineId: string, now: Date = new Date()): Promise<void> {
  await db.query(
    `update pipelines p set
       expires_at = case when r.spec ? 'ttl' then
         greatest($2::timestamptz + (r.spec #>> '{ttl,hours}')::integer * interval '1 hour', p.extended_until) end,
       extended_until = case when r.spec ? 'ttl' then p.extended_until end,
       expiry_warned_at = null, expiry_submitted_at = null
     from revisions r
     where p.id = $1 and r.pipeline_id = p.id and r.number = p.desired_revision
       and (r.spec ? 'ttl' or p.expires_at is not null)`,
    [pipelineId, now],
  );
}

/** Lets a pipeline live so many hours longer; throws `pipeline_conflict` for one that lives for ever, `stack_busy` for one that goes. */
export async function extendExpiry(
  { pool, audit }: PipelineServices,
  request: PipelineRequest,
  hours: number,
): Promise<Pipeline> {
  const { team, name, by, reason } = request;
  return inTransaction(pool, async (client) => {
    await hold(client, request);
    const before = await getPipeline(client, team, name);
    if (before.expiresAt === null) {
      throw new AppError(
        "pipeline_conflict",
        `Pipeline "${name}" has no end that could be put off: its spec has no ttl`,
      );
    }
    const active = await activeChange(client, before.stackId);
    if (active?.kind === "destroy") {
      throw new AppError("stack_busy", "An operation is destroying it: cancel that first", {
        details: { operation: { id: active.id, team } },
      });
    }
    await client.query(
      `update pipelines set expires_at = until, extended_until = until, expiry_warned_at = null, expiry_submitted_at = null
       from (select greatest(expires_at, clock_timestamp()) + $2 * interval '1 hour' as until from pipelines where id = $1)
       where id = $1`,
      [before.id, hours],
    );
    const after = await getPipeline(client, team, name);
    const expiresAt = after.expiresAt?.toISOString();
    await tellOwners(client, after, "extended", { expiresAt, by: by.subject, reason });
    await audit.change(client, by, {
      ...auditedPipeline(request, "extend"),
      before: { expiresAt: before.expiresAt.toISOString() },
      after: { expiresAt, hours, reason },
    });
    return after;
  });
}

/** Tells a pipeline's team by its webhooks. */
export async function tellOwners(
  client: pg.PoolClient,
  { team, name }: Pick<Pipeline, "team" | "name">,
  what: "expiring" | "extended",
  data: Readonly<Record<string, unknown>>,
): Promise<void> {
  await tellWebhooks(client, {
    team,
    about: `pipelines/${name}`,
    type: `pipeline.${what}`,
    data: { team, pipeline: name, ...data },
  });
}
