import { randomUUID } from "node:crypto";
import type pg from "pg";
import type { Logger } from "pino";
import { serviceContext, serviceSubject } from "../audit/trail.ts";
import { AppError } from "../errors.ts";
import { activeChange } from "../operations/store.ts";
import { submitOperation } from "../operations/submit.ts";
import { inTransaction } from "../postgres/pool.ts";
import { auditedPipeline, hold, type PipelineRequest, type PipelineServices } from "./changes.ts";
import { expiryStep, tellOwners, warningMs } from "./expiry.ts";
import { findPipeline, type Pipeline } from "./store.ts";

// More are left to the next run, a few minutes later.
const mostAtOnce = 200;

/**
 * Warns of pipelines whose lifetime ends soon and asks, as the service, for the destroy of those whose lifetime has ended: data
 * stays. Each in a transaction of its own; what stands in one's way is logged and tried again in the next run.
 */
export async function expirePipelines(
  services: PipelineServices & { readonly log: Logger },
  now: Date,
): Promise<void> {
  const { pool, log } = services;
  const { rows } = await pool.query<{ team: string; name: string }>(
    `select team, name from pipelines
     where deleted_at is null and expires_at <= $1::timestamptz + interval '1 day'
       and (expiry_warned_at is null
         or (expires_at <= $1 and (expiry_submitted_at is null or expiry_submitted_at <= $1::timestamptz - interval '1 day')))
     order by expires_at limit $2`,
    [now, mostAtOnce],
  );
  for (const { team, name } of rows) {
    const request: PipelineRequest = { team, name, by: serviceContext(randomUUID()) };
    try {
      await inTransaction(pool, (client) => expire(client, services, request, now));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      log.warn({ team, pipeline: name, err: error }, "a pipeline's lifetime could not be seen to");
    }
  }
}

async function expire(
  client: pg.PoolClient,
  services: PipelineServices,
  request: PipelineRequest,
  now: Date,
): Promise<void> {
  await hold(client, request);
  const pipeline = await findPipeline(client, request.team, request.name);
  // Somebody works on it: what they do may renew its lifetime.
  if (pipeline === undefined || (await activeChange(client, pipeline.stackId))) return;
  const step = expiryStep(pipeline, now);
  if (step === "warn") await warn(client, services, request, pipeline, now);
  if (step === "destroy") await destroy(client, services, request, pipeline, now);
}

async function warn(
  client: pg.PoolClient,
  { audit }: PipelineServices,
  request: PipelineRequest,
  pipeline: Pipeline,
  now: Date,
): Promise<void> {
  const hours = pipeline.spec.ttl?.hours ?? 0;
  // While the service stood still the time for a warning may have passed: then there is more of it.
  const earliest = now.getTime() + warningMs(hours);
  const missed = (pipeline.expiresAt?.getTime() ?? 0) <= now.getTime();
  const expiresAt = missed ? new Date(earliest) : (pipeline.expiresAt as Date);
  await client.query("update pipelines set expiry_warned_at = $2, expires_at = $3 where id = $1", [
    pipeline.id,
    now,
    expiresAt,
  ]);
  const told = { expiresAt: expiresAt.toISOString(), data: "retain" };
  await tellOwners(client, pipeline, "expiring", told);
  await audit.change(client, request.by, { ...auditedPipeline(request, "expiry_warning"), after: told });
}

async function destroy(
  client: pg.PoolClient,
  { audit }: PipelineServices,
  request: PipelineRequest,
  pipeline: Pipeline,
  now: Date,
): Promise<void> {
  const data = "retain";
  const expiresAt = pipeline.expiresAt?.toISOString();
  const operation = await submitOperation(client, {
    kind: "destroy",
    stackId: pipeline.stackId,
    team: pipeline.team,
    subject: { type: "pipeline", pipeline: pipeline.name, pipelineId: pipeline.id },
    revision: pipeline.appliedRevision ?? pipeline.desiredRevision,
    options: { data },
    requestId: request.by.requestId,
    requestedBy: serviceSubject,
    reason: `Its lifetime ended at ${expiresAt}`,
  });
  await client.query("update pipelines set expiry_submitted_at = $2 where id = $1", [pipeline.id, now]);
  await audit.change(client, request.by, {
    ...auditedPipeline(request, "expire"),
    before: { expiresAt },
    after: { operation: operation.id, data },
  });
}
