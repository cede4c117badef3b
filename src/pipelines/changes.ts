import type pg from "pg";
import type { PipelineSpec } from "../../programs/spec.ts";
import { changeProblems } from "../../programs/spec-changes.ts";
import type { AuditContext, AuditTrail } from "../audit/trail.ts";
import { digestOf } from "../digest.ts";
import { AppError } from "../errors.ts";
import { type PreconditionHeaders, refuseFailed } from "../http/etags.ts";
import type { OperationKind } from "../operations/states.ts";
import type { Operation, OperationOptions } from "../operations/store.ts";
import { submitOperation } from "../operations/submit.ts";
import { inTransaction } from "../postgres/pool.ts";
import { masked } from "../redaction.ts";
import { ensureStack } from "../stacks/store.ts";
import { admitPipeline } from "../teams/quotas.ts";
import { holdTeam } from "../teams/store.ts";
import { renewExpiry } from "./expiry.ts";
import { mergePatch, parseSpec } from "./spec.ts";
import {
  findPipeline,
  getPipeline,
  insertPipeline,
  lockPipelineName,
  type Pipeline,
  pipelineProject,
  type RevisionOrigin,
  reviseSpec,
} from "./store.ts";
import { usableAccount } from "./usable-account.ts";

export interface PipelineServices {
  readonly pool: pg.Pool;
  readonly audit: AuditTrail;
}

/** Which pipeline a request is about, and under which conditions. */
export interface PipelineRequest {
  readonly team: string;
  readonly name: string;
  /** The ETags that the pipeline must have, or must not have. */
  readonly preconditions?: PreconditionHeaders;
  /** Why it is asked for, in the caller's words. */
  readonly reason?: string | undefined;
  readonly by: AuditContext;
}

/** Creates the pipeline with this spec, or brings it to it; throws `AppError` for whatever stands in the way. */
export async function applySpec(
  services: PipelineServices,
  request: PipelineRequest,
  spec: PipelineSpec,
): Promise<Operation> {
  return inTransaction(services.pool, async (client) => {
    await hold(client, request);
    await usableAccount(client, request.team, spec);
    const existing = await findPipeline(client, request.team, request.name);
    checkRevision(request, existing);
    return existing
      ? revise(client, services, request, existing, spec)
      : create(client, services, request, spec);
  });
}

/** Creates a pipeline that must not exist yet. */
export async function createPipeline(
  services: PipelineServices,
  request: PipelineRequest,
  spec: PipelineSpec,
): Promise<Operation> {
  const { team, name } = request;
  return inTransaction(services.pool, async (client) => {
    await hold(client, request);
    await usableAccount(client, team, spec);
    if (await findPipeline(client, team, name)) {
      throw new AppError(
        "pipeline_exists",
        `Team "${team}" has a pipeline "${name}" already: change it with PUT or PATCH`,
      );
    }
    return create(client, services, request, spec);
  });
}

/** Applies a JSON merge patch to the desired spec. */
export async function patchSpec(
  services: PipelineServices,
  request: PipelineRequest,
  patch: unknown,
): Promise<Operation> {
  return inTransaction(services.pool, async (client) => {
    await hold(client, request);
    return patchHeldSpec(client, services, request, patch);
  });
}

/** `patchSpec` as a part of a transaction that holds the pipeline already. */
export async function patchHeldSpec(
  client: pg.PoolClient,
  services: PipelineServices,
  request: PipelineRequest,
  patch: unknown,
): Promise<Operation> {
  const pipeline = await getPipeline(client, request.team, request.name);
  checkRevision(request, pipeline);
  const spec = parseSpec(mergePatch(pipeline.spec, patch));
  await usableAccount(client, request.team, spec);
  return revise(client, services, request, pipeline, spec);
}

/**
 * Submits an operation that works with what was applied last: a check, a repair, the end. `check` may still throw for what stands
 * in its way.
 */
export async function submitOnApplied(
  services: PipelineServices,
  request: PipelineRequest,
  kind: AppliedKind,
  options: OperationOptions,
  check?: (client: pg.PoolClient, pipeline: Pipeline) => Promise<void>,
): Promise<Operation> {
  return inTransaction(services.pool, async (client) => {
    await hold(client, request);
    return submitOnHeld(client, services, request, kind, options, check);
  });
}

type AppliedKind = "destroy" | "drift" | "reconcile" | "refresh" | "repair";

/** `submitOnApplied` as a part of a transaction that holds the pipeline already. */
export async function submitOnHeld(
  client: pg.PoolClient,
  { audit }: PipelineServices,
  request: PipelineRequest,
  kind: AppliedKind,
  options: OperationOptions,
  check: (client: pg.PoolClient, pipeline: Pipeline) => Promise<void> = async () => {},
): Promise<Operation> {
  const { by } = request;
  const pipeline = await getPipeline(client, request.team, request.name);
  checkRevision(request, pipeline);
  await check(client, pipeline);
  if (pipeline.appliedRevision === null && !worksUnapplied.includes(kind)) {
    const { lastChange, team } = pipeline;
    throw new AppError(
      "pipeline_conflict",
      `Pipeline "${request.name}" has never been applied completely: apply it first`,
      { details: lastChange === null ? {} : { operation: { id: lastChange.id, team } } },
    );
  }
  const operation = await submitOperation(client, {
    kind,
    stackId: pipeline.stackId,
    team: pipeline.team,
    subject: { type: "pipeline", pipeline: pipeline.name, pipelineId: pipeline.id },
    revision: pipeline.appliedRevision ?? pipeline.desiredRevision,
    options,
    requestId: by.requestId,
    requestedBy: by.subject,
    reason: request.reason,
  });
  await audit.change(client, by, {
    ...auditedPipeline(request, kind === "destroy" ? "delete" : kind),
    before: standOf(pipeline),
    after: { operation: operation.id, reason: request.reason, ...options },
  });
  return operation;
}

// What helps a pipeline out of a first update that came to no good end.
const worksUnapplied: readonly OperationKind[] = ["destroy", "refresh", "repair"];

/** Keeps the team from being deleted and other requests from changing this pipeline until the transaction has ended. */
export async function hold(client: pg.PoolClient, { team, name }: PipelineRequest): Promise<void> {
  await holdTeam(client, team);
  await lockPipelineName(client, team, name);
}

async function create(
  client: pg.PoolClient,
  { audit }: PipelineServices,
  request: PipelineRequest,
  spec: PipelineSpec,
): Promise<Operation> {
  const { team, name, by } = request;
  const stackId = await ensureStack(client, pipelineProject, `${team}.${name}`);
  await admitPipeline(client, team);
  const pipeline = await insertPipeline(client, { team, name, stackId, spec }, originOf(request));
  const operation = await submitUpdate(client, pipeline, by, request.reason);
  await renewExpiry(client, pipeline.id);
  await audit.change(client, by, {
    ...auditedPipeline(request, "create"),
    after: {
      operation: operation.id,
      reason: request.reason,
      ...standOf(pipeline),
      spec: auditedSpec(spec),
    },
  });
  return operation;
}

async function revise(
  client: pg.PoolClient,
  { audit }: PipelineServices,
  request: PipelineRequest,
  pipeline: Pipeline,
  spec: PipelineSpec,
): Promise<Operation> {
  checkChange(pipeline, spec);
  const revised = await reviseSpec(client, pipeline, spec, originOf(request));
  const operation = await submitUpdate(client, revised, request.by, request.reason);
  await renewExpiry(client, pipeline.id);
  await audit.change(client, request.by, {
    ...auditedPipeline(request, "update"),
    before: { ...standOf(pipeline), spec: auditedSpec(pipeline.spec) },
    after: {
      operation: operation.id,
      reason: request.reason,
      ...standOf(revised),
      spec: auditedSpec(spec),
    },
  });
  return operation;
}

/** Brings the pipeline to its desired revision. */
export function submitUpdate(
  client: pg.PoolClient,
  pipeline: Pipeline,
  { requestId, subject }: AuditContext,
  reason?: string,
): Promise<Operation> {
  return submitOperation(client, {
    kind: "update",
    stackId: pipeline.stackId,
    team: pipeline.team,
    subject: { type: "pipeline", pipeline: pipeline.name, pipelineId: pipeline.id },
    revision: pipeline.desiredRevision,
    options: {},
    requestId,
    requestedBy: subject,
    reason,
  });
}

/** Who asked for a revision, and why. */
export function originOf({ by, reason }: PipelineRequest): RevisionOrigin {
  return { requestedBy: by.subject, reason };
}

export function auditedPipeline({ team, name }: PipelineRequest, verb: string) {
  return { action: `pipeline.${verb}`, team, target: `/teams/${team}/pipelines/${name}` };
}

/** Whoever knows the address of a webhook can write there, and the trail is kept for good. */
export function auditedSpec(spec: PipelineSpec): PipelineSpec {
  const { alerts } = spec;
  return { ...spec, alerts: { ...alerts, webhooks: alerts.webhooks.map(() => masked) } };
}

/** Where a pipeline stands; the digest tells of a spec that is too long for the audit trail which one it was. */
export function standOf({ desiredRevision, appliedRevision, spec }: Pipeline) {
  return { desiredRevision, appliedRevision, specDigest: digestOf(spec) };
}

export function checkChange(pipeline: Pipeline | undefined, spec: PipelineSpec): void {
  if (pipeline === undefined) return;
  const errors = [...changeProblems(pipeline.spec, spec)];
  if (errors.length > 0) {
    throw new AppError("pipeline_conflict", `The change would take data away: ${errors[0]?.message}`, {
      details: { errors },
    });
  }
  if (pipeline.account === spec.account) return;
  const message = `can't be changed from "${pipeline.account}" to "${spec.account}": a pipeline's resources can't move; create a new one there`;
  throw new AppError("pipeline_conflict", `The account ${message}`, {
    details: { errors: [{ path: "/account", message }] },
  });
}

export function checkRevision(
  { preconditions = {}, name }: PipelineRequest,
  pipeline: Pipeline | undefined,
): void {
  const present = pipeline ? `is at revision ${pipeline.desiredRevision}` : "does not exist";
  const etag = pipeline && `"${pipeline.desiredRevision}"`;
  refuseFailed("revision_mismatch", preconditions, etag, `pipeline "${name}" ${present}`);
}
