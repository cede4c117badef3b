import type pg from "pg";
import type { Profile } from "../../programs/profiles.ts";
import type { PipelineSpec } from "../../programs/spec.ts";
import { changeProblems, regionProblems } from "../../programs/spec-changes.ts";
import { type Account, foundationOutputs, getAccount, shareFoundation } from "../accounts/store.ts";
import type { AuditContext, AuditTrail } from "../audit/trail.ts";
import { digestOf } from "../digest.ts";
import { AppError, type AppErrorDetails } from "../errors.ts";
import type { OperationKind } from "../operations/states.ts";
import { activeChange, type Operation, type OperationOptions } from "../operations/store.ts";
import { submitOperation } from "../operations/submit.ts";
import { inTransaction } from "../postgres/pool.ts";
import type { Queue } from "../queue/queue.ts";
import { masked } from "../redaction.ts";
import { ensureStack } from "../stacks/store.ts";
import { admitPipeline } from "../teams/quotas.ts";
import { holdTeam } from "../teams/store.ts";
import { rememberRequest, repeatedOperation } from "./idempotency.ts";
import { mergePatch, parseSpec } from "./spec.ts";
import {
  findPipeline,
  getPipeline,
  insertPipeline,
  lockPipelineName,
  type Pipeline,
  pipelineProject,
  reviseSpec,
} from "./store.ts";

export interface PipelineServices {
  readonly pool: pg.Pool;
  readonly queue: Queue;
  readonly audit: AuditTrail;
}

/** Which pipeline a request is about, and under which conditions. */
export interface PipelineRequest {
  readonly team: string;
  readonly name: string;
  /** The ETag that the pipeline must have, as the header `If-Match` gives it. */
  readonly ifMatch?: string | undefined;
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

/** Creates a pipeline that must not exist yet. A repeated request with the same key gets the first one's operation. */
export async function createPipeline(
  services: PipelineServices,
  request: PipelineRequest & { readonly idempotencyKey: string | undefined },
  spec: PipelineSpec,
): Promise<Operation> {
  const { team, name, idempotencyKey: key } = request;
  return inTransaction(services.pool, async (client) => {
    await holdTeam(client, team);
    const repeated =
      key === undefined ? undefined : await repeatedOperation(client, team, key, { name, spec });
    if (repeated) return repeated;
    await lockPipelineName(client, team, name);
    await usableAccount(client, team, spec);
    if (await findPipeline(client, team, name)) {
      throw new AppError(
        "pipeline_exists",
        `Team "${team}" has a pipeline "${name}" already: change it with PUT or PATCH`,
      );
    }
    return create(client, services, request, spec, async ({ id }) => {
      if (key !== undefined) await rememberRequest(client, team, key, { name, spec }, id);
    });
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
    const pipeline = await getPipeline(client, request.team, request.name);
    checkRevision(request, pipeline);
    const spec = parseSpec(mergePatch(pipeline.spec, patch));
    await usableAccount(client, request.team, spec);
    return revise(client, services, request, pipeline, spec);
  });
}

/** Previews a spec, of a pipeline that needn't exist yet; without one, the desired revision. */
export async function previewSpec(
  { pool, queue, audit }: PipelineServices,
  request: PipelineRequest,
  given: PipelineSpec | undefined,
): Promise<Operation> {
  const { team, name, by } = request;
  return inTransaction(pool, async (client) => {
    await holdTeam(client, team);
    const existing = given ? await findPipeline(client, team, name) : await getPipeline(client, team, name);
    const spec = given ?? (existing as Pipeline).spec;
    checkChange(existing, spec);
    await usableAccount(client, team, spec);
    const operation = await submitOperation(client, queue, {
      kind: "preview",
      stackId: existing?.stackId ?? (await ensureStack(client, pipelineProject, `${team}.${name}`)),
      team,
      subject: { type: "pipeline", pipeline: name, pipelineId: existing?.id ?? null },
      revision: given ? null : (existing as Pipeline).desiredRevision,
      options: { spec },
      requestId: by.requestId,
      requestedBy: by.subject,
    });
    await audit.change(client, by, {
      ...auditedPipeline(request, "preview"),
      before: existing && standOf(existing),
      after: { operation: operation.id, specDigest: digestOf(spec) },
    });
    return operation;
  });
}

/** Submits an operation that works with what was applied last: a check, a repair, the end. */
export async function submitOnApplied(
  { pool, queue, audit }: PipelineServices,
  request: PipelineRequest,
  kind: "destroy" | "drift" | "reconcile" | "refresh",
  options: OperationOptions,
): Promise<Operation> {
  const { by } = request;
  return inTransaction(pool, async (client) => {
    await hold(client, request);
    const pipeline = await getPipeline(client, request.team, request.name);
    checkRevision(request, pipeline);
    if (pipeline.appliedRevision === null && !worksUnapplied.includes(kind)) {
      const { lastChange, team } = pipeline;
      throw new AppError(
        "pipeline_conflict",
        `Pipeline "${request.name}" has never been applied completely: apply it first`,
        { details: lastChange === null ? {} : { operation: { id: lastChange.id, team } } },
      );
    }
    const operation = await submitOperation(client, queue, {
      kind,
      stackId: pipeline.stackId,
      team: pipeline.team,
      subject: { type: "pipeline", pipeline: pipeline.name, pipelineId: pipeline.id },
      revision: pipeline.appliedRevision ?? pipeline.desiredRevision,
      options,
      requestId: by.requestId,
      requestedBy: by.subject,
    });
    await audit.change(client, by, {
      ...auditedPipeline(request, kind === "destroy" ? "delete" : kind),
      before: standOf(pipeline),
      after: { operation: operation.id, ...options },
    });
    return operation;
  });
}

// What helps a pipeline out of a first update that came to no good end.
const worksUnapplied: readonly OperationKind[] = ["destroy", "refresh"];

/** Keeps the team from being deleted and other requests from changing this pipeline until the transaction has ended. */
export async function hold(client: pg.PoolClient, { team, name }: PipelineRequest): Promise<void> {
  await holdTeam(client, team);
  await lockPipelineName(client, team, name);
}

/**
 * The account of a spec, provisioned and kept so until the transaction has ended; throws `invalid_spec` or
 * `foundation_not_ready`.
 */
async function usableAccount(client: pg.PoolClient, team: string, spec: PipelineSpec): Promise<Account> {
  const known = await getAccount(client, team, spec.account).catch((error: unknown) => {
    if (!(error instanceof AppError)) throw error;
    const message = `"${spec.account}" is not an account of team "${team}"`;
    throw new AppError("invalid_spec", error.message, {
      cause: error,
      details: { errors: [{ path: "/account", message }] },
    });
  });
  await shareFoundation(client, known.stackId);
  // Read again, now that nobody can change it any more.
  const account = await getAccount(client, team, spec.account);
  const change = await activeChange(client, account.stackId);
  if (change?.kind === "destroy" || (change && !account.foundationReady)) {
    throw new AppError(
      "foundation_not_ready",
      "An operation is working on the foundation: wait until it has ended",
      { details: inTheWay(change) },
    );
  }
  const { profile } = await foundationOutputs(client, account);
  if (spec.profile === "production") checkProduction(account, profile, change);
  const errors = [...regionProblems(spec, account.aws.region)];
  if (errors.length > 0) {
    throw new AppError("invalid_spec", "The spec does not fit the account's region", { details: { errors } });
  }
  return account;
}

function inTheWay({ id, team }: Operation): AppErrorDetails {
  return { operation: { id, team }, retryAfterSeconds: 5 };
}

/** A production pipeline stands on a foundation that is meant to be, and is, production. */
function checkProduction(account: Account, provisioned: Profile, change: Operation | undefined): void {
  const { name, team, settings } = account;
  if (settings.profile !== "production") {
    const remedy = `PUT /v1/teams/${team}/accounts/${name} with foundation.profile "production" first`;
    const message = `needs a production foundation, but that of account "${name}" is ${settings.profile}: ${remedy}`;
    throw new AppError("foundation_insufficient", `The profile production ${message}`, {
      details: { errors: [{ path: "/profile", message }] },
    });
  }
  if (provisioned === "production") return;
  throw new AppError(
    "foundation_not_ready",
    `The foundation of account "${name}" is not production yet: wait until its operation has succeeded, or PUT the account again`,
    { details: change === undefined ? {} : inTheWay(change) },
  );
}

async function create(
  client: pg.PoolClient,
  { queue, audit }: PipelineServices,
  request: PipelineRequest,
  spec: PipelineSpec,
  onSubmitted: (operation: Operation) => Promise<void> = async () => {},
): Promise<Operation> {
  const { team, name, by } = request;
  const stackId = await ensureStack(client, pipelineProject, `${team}.${name}`);
  await admitPipeline(client, team);
  const pipeline = await insertPipeline(client, { team, name, stackId, spec });
  const operation = await submitUpdate(client, queue, pipeline, by);
  await onSubmitted(operation);
  await audit.change(client, by, {
    ...auditedPipeline(request, "create"),
    after: { operation: operation.id, ...standOf(pipeline), spec: auditedSpec(spec) },
  });
  return operation;
}

async function revise(
  client: pg.PoolClient,
  { queue, audit }: PipelineServices,
  request: PipelineRequest,
  pipeline: Pipeline,
  spec: PipelineSpec,
): Promise<Operation> {
  checkChange(pipeline, spec);
  const revised = await reviseSpec(client, pipeline, spec);
  const operation = await submitUpdate(client, queue, revised, request.by);
  await audit.change(client, request.by, {
    ...auditedPipeline(request, "update"),
    before: { ...standOf(pipeline), spec: auditedSpec(pipeline.spec) },
    after: { operation: operation.id, ...standOf(revised), spec: auditedSpec(spec) },
  });
  return operation;
}

/** Brings the pipeline to its desired revision. */
export function submitUpdate(
  client: pg.PoolClient,
  queue: Queue,
  pipeline: Pipeline,
  { requestId, subject }: AuditContext,
): Promise<Operation> {
  return submitOperation(client, queue, {
    kind: "update",
    stackId: pipeline.stackId,
    team: pipeline.team,
    subject: { type: "pipeline", pipeline: pipeline.name, pipelineId: pipeline.id },
    revision: pipeline.desiredRevision,
    options: {},
    requestId,
    requestedBy: subject,
  });
}

function auditedPipeline({ team, name }: PipelineRequest, verb: string) {
  return { action: `pipeline.${verb}`, team, target: `/teams/${team}/pipelines/${name}` };
}

/** Whoever knows the address of a webhook can write there, and the trail is kept for good. */
function auditedSpec(spec: PipelineSpec): PipelineSpec {
  const { alerts } = spec;
  return { ...spec, alerts: { ...alerts, webhooks: alerts.webhooks.map(() => masked) } };
}

/** Where a pipeline stands; the digest tells of a spec that is too long for the audit trail which one it was. */
function standOf({ desiredRevision, appliedRevision, spec }: Pipeline) {
  return { desiredRevision, appliedRevision, specDigest: digestOf(spec) };
}

function checkChange(pipeline: Pipeline | undefined, spec: PipelineSpec): void {
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

function checkRevision({ ifMatch, name }: PipelineRequest, pipeline: Pipeline | undefined): void {
  if (ifMatch === undefined) return;
  if (pipeline && (ifMatch === "*" || ifMatch === `"${pipeline.desiredRevision}"`)) return;
  const present = pipeline ? `is at revision ${pipeline.desiredRevision}` : "does not exist";
  throw new AppError(
    "revision_mismatch",
    `If-Match is ${ifMatch}, but pipeline "${name}" ${present}: read it again and decide anew`,
  );
}
