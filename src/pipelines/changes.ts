import type pg from "pg";
import type { Profile } from "../../programs/profiles.ts";
import type { PipelineSpec } from "../../programs/spec.ts";
import { changeProblems, regionProblems } from "../../programs/spec-changes.ts";
import { type Account, foundationOutputs, getAccount, shareFoundation } from "../accounts/store.ts";
import { AppError } from "../errors.ts";
import type { OperationKind } from "../operations/states.ts";
import { activeChange, type Operation, type OperationOptions } from "../operations/store.ts";
import { submitOperation } from "../operations/submit.ts";
import { inTransaction } from "../postgres/pool.ts";
import type { Queue } from "../queue/queue.ts";
import { ensureStack } from "../stacks/store.ts";
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
}

/** Which pipeline a request is about, and under which conditions. */
export interface PipelineRequest {
  readonly team: string;
  readonly name: string;
  /** The ETag that the pipeline must have, as the header `If-Match` gives it. */
  readonly ifMatch?: string | undefined;
  readonly requestId: string;
}

/** Creates the pipeline with this spec, or brings it to it; throws `AppError` for whatever stands in the way. */
export async function applySpec(
  { pool, queue }: PipelineServices,
  request: PipelineRequest,
  spec: PipelineSpec,
): Promise<Operation> {
  return inTransaction(pool, async (client) => {
    await hold(client, request);
    await usableAccount(client, request.team, spec);
    const existing = await findPipeline(client, request.team, request.name);
    checkRevision(request, existing);
    return existing
      ? revise(client, queue, existing, spec, request.requestId)
      : create(client, queue, request, spec);
  });
}

/** Creates a pipeline that must not exist yet. A repeated request with the same key gets the first one's operation. */
export async function createPipeline(
  { pool, queue }: PipelineServices,
  request: PipelineRequest & { readonly idempotencyKey: string | undefined },
  spec: PipelineSpec,
): Promise<Operation> {
  const { team, name, idempotencyKey: key } = request;
  return inTransaction(pool, async (client) => {
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
    const created = await create(client, queue, request, spec);
    if (key !== undefined) await rememberRequest(client, team, key, { name, spec }, created.id);
    return created;
  });
}

/** Applies a JSON merge patch to the desired spec. */
export async function patchSpec(
  { pool, queue }: PipelineServices,
  request: PipelineRequest,
  patch: unknown,
): Promise<Operation> {
  return inTransaction(pool, async (client) => {
    await hold(client, request);
    const pipeline = await getPipeline(client, request.team, request.name);
    checkRevision(request, pipeline);
    const spec = parseSpec(mergePatch(pipeline.spec, patch));
    await usableAccount(client, request.team, spec);
    return revise(client, queue, pipeline, spec, request.requestId);
  });
}

/** Previews a spec, of a pipeline that needn't exist yet; without one, the desired revision. */
export async function previewSpec(
  { pool, queue }: PipelineServices,
  request: PipelineRequest,
  given: PipelineSpec | undefined,
): Promise<Operation> {
  const { team, name, requestId } = request;
  return inTransaction(pool, async (client) => {
    await holdTeam(client, team);
    const existing = given ? await findPipeline(client, team, name) : await getPipeline(client, team, name);
    const spec = given ?? (existing as Pipeline).spec;
    checkChange(existing, spec);
    await usableAccount(client, team, spec);
    return submitOperation(client, queue, {
      kind: "preview",
      stackId: existing?.stackId ?? (await ensureStack(client, pipelineProject, `${team}.${name}`)),
      team,
      subject: { type: "pipeline", pipeline: name, pipelineId: existing?.id ?? null },
      revision: given ? null : (existing as Pipeline).desiredRevision,
      options: { spec },
      requestId,
    });
  });
}

/** Submits an operation that works with what was applied last: a check, a repair, the end. */
export async function submitOnApplied(
  { pool, queue }: PipelineServices,
  request: PipelineRequest,
  kind: OperationKind,
  options: OperationOptions,
): Promise<Operation> {
  return inTransaction(pool, async (client) => {
    await hold(client, request);
    const pipeline = await getPipeline(client, request.team, request.name);
    checkRevision(request, pipeline);
    if (pipeline.appliedRevision === null && !worksUnapplied.includes(kind)) {
      const operation = pipeline.lastChange?.id;
      throw new AppError(
        "pipeline_conflict",
        `Pipeline "${request.name}" has never been applied completely: apply it first`,
        { details: operation === undefined ? {} : { operation } },
      );
    }
    return submitOperation(client, queue, {
      kind,
      stackId: pipeline.stackId,
      team: pipeline.team,
      subject: { type: "pipeline", pipeline: pipeline.name, pipelineId: pipeline.id },
      revision: pipeline.appliedRevision ?? pipeline.desiredRevision,
      options,
      requestId: request.requestId,
    });
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
      `Operation ${change.id} is working on the foundation: wait until it has ended`,
      { details: { operation: change.id, retryAfterSeconds: 5 } },
    );
  }
  const { profile } = await foundationOutputs(client, account);
  if (spec.profile === "production") checkProduction(account, profile, change?.id);
  const errors = [...regionProblems(spec, account.aws.region)];
  if (errors.length > 0) {
    throw new AppError("invalid_spec", "The spec does not fit the account's region", { details: { errors } });
  }
  return account;
}

/** A production pipeline stands on a foundation that is meant to be, and is, production. */
function checkProduction(account: Account, provisioned: Profile, change: string | undefined): void {
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
    { details: change === undefined ? {} : { operation: change, retryAfterSeconds: 5 } },
  );
}

async function create(
  client: pg.PoolClient,
  queue: Queue,
  { team, name, requestId }: PipelineRequest,
  spec: PipelineSpec,
): Promise<Operation> {
  const stackId = await ensureStack(client, pipelineProject, `${team}.${name}`);
  return submitUpdate(client, queue, await insertPipeline(client, { team, name, stackId, spec }), requestId);
}

async function revise(
  client: pg.PoolClient,
  queue: Queue,
  pipeline: Pipeline,
  spec: PipelineSpec,
  requestId: string,
): Promise<Operation> {
  checkChange(pipeline, spec);
  return submitUpdate(client, queue, await reviseSpec(client, pipeline, spec), requestId);
}

/** Brings the pipeline to its desired revision. */
export function submitUpdate(
  client: pg.PoolClient,
  queue: Queue,
  pipeline: Pipeline,
  requestId: string,
): Promise<Operation> {
  return submitOperation(client, queue, {
    kind: "update",
    stackId: pipeline.stackId,
    team: pipeline.team,
    subject: { type: "pipeline", pipeline: pipeline.name, pipelineId: pipeline.id },
    revision: pipeline.desiredRevision,
    options: {},
    requestId,
  });
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
