import { createHash } from "node:crypto";
import type { FastifyReply } from "fastify";
import type pg from "pg";
import Type from "typebox";
import type { PipelineSpec } from "../../programs/spec.ts";
import { type Account, foundationOutputs, getAccount } from "../accounts/store.ts";
import { AppError } from "../errors.ts";
import { AccountName, type App, PipelineName, problems, TeamName } from "../http/app-types.ts";
import { cursorPart, PageQuery, pageOf, parseCursor, toPage } from "../http/pages.ts";
import { OperationView, operationView } from "../operations/schema.ts";
import type { OperationKind } from "../operations/states.ts";
import { activeChange, findOperation, type Operation, type OperationOptions } from "../operations/store.ts";
import { submitOperation } from "../operations/submit.ts";
import { inTransaction } from "../postgres/pool.ts";
import type { Queue } from "../queue/queue.ts";
import { ensureStack } from "../stacks/store.ts";
import { getTeam } from "../teams/store.ts";
import { findIdempotent, rememberIdempotent } from "./idempotency.ts";
import { PipelineParams, PipelineSummary, PipelineView, summaryView } from "./schema.ts";
import { mergePatch, parseSpec } from "./spec.ts";
import {
  findPipeline,
  getPipeline,
  insertPipeline,
  listPipelines,
  lockPipelineName,
  type Pipeline,
  pipelineProject,
  reviseSpec,
} from "./store.ts";

export interface PipelineRoutesOptions {
  readonly pool: pg.Pool;
  readonly queue: Queue;
}

const SpecBody = Type.Unknown({
  description: "A pipeline spec (aidlc/v1), as JSON or YAML; see the schema PipelineSpec",
});
const IfMatch = Type.Object({
  "if-match": Type.Optional(
    Type.String({
      pattern: '^(\\*|"\\d+")$',
      description: 'The ETag of the revision that is to be replaced, such as "3"',
    }),
  ),
});

function accepted(reply: FastifyReply, operation: Operation) {
  return reply.code(202).header("location", `/v1/operations/${operation.id}`).send(operationView(operation));
}

export function pipelineRoutes(app: App, { pool, queue }: PipelineRoutesOptions): void {
  app.put(
    "/teams/:team/pipelines/:pipeline",
    {
      schema: {
        summary: "Create a pipeline, or bring it to a new spec",
        tags: ["pipelines"],
        params: PipelineParams,
        headers: IfMatch,
        body: SpecBody,
        response: { 202: OperationView, ...problems(404, 409, 412, 413, 415) },
      },
    },
    async (request, reply) => {
      const { team, pipeline: name } = request.params;
      const spec = parseSpec(request.body);
      const operation = await inTransaction(pool, async (client) => {
        await prepare(client, team, name, spec);
        const existing = await findPipeline(client, team, name);
        checkRevision(request.headers["if-match"], existing, name);
        return existing
          ? revise(client, queue, existing, spec, request.id)
          : create(client, queue, { team, name, spec }, request.id);
      });
      return accepted(reply, operation);
    },
  );

  app.post(
    "/teams/:team/pipelines",
    {
      schema: {
        summary: "Create a pipeline; with an `Idempotency-Key` a repeated request creates nothing twice",
        tags: ["pipelines"],
        params: Type.Object({ team: TeamName }),
        headers: Type.Object({
          "idempotency-key": Type.Optional(
            Type.String({
              minLength: 1,
              maxLength: 255,
              description: "Any text of yours that names this request",
            }),
          ),
        }),
        body: Type.Object(
          { name: PipelineName, spec: SpecBody },
          { additionalProperties: false, description: "A new pipeline" },
        ),
        response: { 202: OperationView, ...problems(404, 409, 413, 415) },
      },
    },
    async (request, reply) => {
      const { team } = request.params;
      const { name } = request.body;
      const spec = await underSpec(() => parseSpec(request.body.spec));
      const key = request.headers["idempotency-key"];
      const digest = createHash("sha256").update(JSON.stringify(request.body)).digest("hex");
      const operation = await inTransaction(pool, async (client) => {
        await underSpec(() => prepare(client, team, name, spec));
        const earlier = key === undefined ? undefined : await findIdempotent(client, team, key, digest);
        const repeated = earlier === undefined ? undefined : await findOperation(client, earlier);
        if (repeated) return repeated;
        if (await findPipeline(client, team, name)) {
          throw new AppError(
            "pipeline_exists",
            `Team "${team}" has a pipeline "${name}" already: change it with PUT or PATCH`,
          );
        }
        const created = await create(client, queue, { team, name, spec }, request.id);
        if (key !== undefined) await rememberIdempotent(client, team, key, digest, created.id);
        return created;
      });
      return accepted(reply, operation);
    },
  );

  app.get(
    "/teams/:team/pipelines",
    {
      schema: {
        summary: "List a team's pipelines by name",
        tags: ["pipelines"],
        params: Type.Object({ team: TeamName }),
        querystring: Type.Object(
          { ...PageQuery, account: Type.Optional(AccountName) },
          { additionalProperties: false },
        ),
        response: { 200: pageOf(PipelineSummary, "Pipelines"), ...problems(404) },
      },
    },
    async (request) => {
      const { limit, cursor, account } = request.query;
      await getTeam(pool, request.params.team);
      const filter = { account, after: parseCursor(cursor, cursorPart.name)?.[0], limit };
      return toPage(await listPipelines(pool, request.params.team, filter), limit, summaryView, (row) => [
        row.name,
      ]);
    },
  );

  app.get(
    "/teams/:team/pipelines/:pipeline",
    {
      schema: {
        summary: "Read a pipeline; its ETag is the desired revision",
        tags: ["pipelines"],
        params: PipelineParams,
        response: { 200: PipelineView, ...problems(404) },
      },
    },
    async (request, reply) => {
      const pipeline = await pipelineOf(pool, request.params);
      return reply
        .header("etag", `"${pipeline.desiredRevision}"`)
        .send({ ...summaryView(pipeline), spec: pipeline.spec });
    },
  );

  app.patch(
    "/teams/:team/pipelines/:pipeline",
    {
      schema: {
        summary: "Change parts of a pipeline's spec by a JSON merge patch (RFC 7386)",
        tags: ["pipelines"],
        params: PipelineParams,
        headers: IfMatch,
        body: Type.Object(
          {},
          { additionalProperties: true, description: "The parts to change; null removes one" },
        ),
        response: { 202: OperationView, ...problems(404, 409, 412, 413, 415) },
      },
    },
    async (request, reply) => {
      const { team, pipeline: name } = request.params;
      const operation = await inTransaction(pool, async (client) => {
        await getTeam(client, team);
        await lockPipelineName(client, team, name);
        const pipeline = await getPipeline(client, team, name);
        checkRevision(request.headers["if-match"], pipeline, name);
        const spec = parseSpec(mergePatch(pipeline.spec, request.body));
        await usableAccount(client, team, spec);
        return revise(client, queue, pipeline, spec, request.id);
      });
      return accepted(reply, operation);
    },
  );

  app.delete(
    "/teams/:team/pipelines/:pipeline",
    {
      schema: {
        summary: "Tear a pipeline down",
        tags: ["pipelines"],
        params: PipelineParams,
        headers: IfMatch,
        querystring: Type.Object(
          {
            data: Type.Enum(["retain", "delete"], {
              default: "retain",
              description:
                "`retain` leaves buckets, keys and models in the account; `delete` removes them for good",
            }),
          },
          { additionalProperties: false },
        ),
        response: { 202: OperationView, ...problems(404, 409, 412) },
      },
    },
    async (request, reply) => {
      const { data } = request.query;
      const operation = await onPipeline(pool, queue, request, "destroy", { data });
      return accepted(reply, operation);
    },
  );

  app.post(
    "/teams/:team/pipelines/:pipeline/previews",
    {
      schema: {
        summary:
          "Find out what applying a spec would change; without a body, the desired revision. The pipeline needn't exist yet",
        tags: ["pipelines"],
        params: PipelineParams,
        body: Type.Optional(SpecBody),
        response: { 202: OperationView, ...problems(404, 409, 413, 415) },
      },
    },
    async (request, reply) => {
      const { team, pipeline: name } = request.params;
      const given = request.body === undefined || request.body === null ? undefined : parseSpec(request.body);
      const operation = await inTransaction(pool, async (client) => {
        await getTeam(client, team);
        const existing = given
          ? await findPipeline(client, team, name)
          : await getPipeline(client, team, name);
        const spec = given ?? (existing as Pipeline).spec;
        checkAccount(existing, spec);
        await usableAccount(client, team, spec);
        return submitOperation(client, queue, {
          kind: "preview",
          stackId: existing?.stackId ?? (await ensureStack(client, pipelineProject, `${team}.${name}`)),
          team,
          subject: { type: "pipeline", pipeline: name, pipelineId: existing?.id ?? null },
          revision: given ? null : (existing as Pipeline).desiredRevision,
          options: { spec },
          requestId: request.id,
        });
      });
      return accepted(reply, operation);
    },
  );

  const onApplied = [
    { path: "drift-checks", kind: "drift", summary: "Compare what the last update left with what exists" },
    { path: "reconciliations", kind: "reconcile", summary: "Bring what exists back to the applied revision" },
    {
      path: "refreshes",
      kind: "refresh",
      summary: "Take what exists over into the stack's state, changing nothing on AWS",
    },
  ] as const;
  for (const { path, kind, summary } of onApplied) {
    app.post(
      `/teams/:team/pipelines/:pipeline/${path}`,
      {
        schema: {
          summary,
          tags: ["pipelines"],
          params: PipelineParams,
          response: { 202: OperationView, ...problems(404, 409) },
        },
      },
      async (request, reply) => accepted(reply, await onPipeline(pool, queue, request, kind, {})),
    );
  }
}

/** The pipeline of a request's path; throws `team_not_found` or `pipeline_not_found`. */
export async function pipelineOf(
  db: pg.Pool | pg.PoolClient,
  { team, pipeline }: { readonly team: string; readonly pipeline: string },
): Promise<Pipeline> {
  await getTeam(db, team);
  return getPipeline(db, team, pipeline);
}

interface PipelineRequest {
  readonly id: string;
  readonly params: { readonly team: string; readonly pipeline: string };
  readonly headers: { readonly "if-match"?: string | undefined };
}

/** Submits an operation that works with what was applied last. */
async function onPipeline(
  pool: pg.Pool,
  queue: Queue,
  request: PipelineRequest,
  kind: OperationKind,
  options: OperationOptions,
): Promise<Operation> {
  return inTransaction(pool, async (client) => {
    const { team, pipeline: name } = request.params;
    await lockPipelineName(client, team, name);
    const pipeline = await pipelineOf(client, request.params);
    checkRevision(request.headers["if-match"], pipeline, name);
    if (pipeline.appliedRevision === null && kind !== "destroy") {
      const operation = pipeline.lastChange?.id;
      throw new AppError(
        "pipeline_conflict",
        `Pipeline "${name}" has never been applied completely: apply it first`,
        {
          details: operation === undefined ? {} : { operation },
        },
      );
    }
    return submitOperation(client, queue, {
      kind,
      stackId: pipeline.stackId,
      team,
      subject: { type: "pipeline", pipeline: name, pipelineId: pipeline.id },
      revision: pipeline.appliedRevision ?? pipeline.desiredRevision,
      options,
      requestId: request.id,
    });
  });
}

async function prepare(client: pg.PoolClient, team: string, name: string, spec: PipelineSpec): Promise<void> {
  await getTeam(client, team);
  await usableAccount(client, team, spec);
  await lockPipelineName(client, team, name);
}

/** The account of a spec, provisioned; throws `invalid_spec`, `foundation_not_ready` or `stack_busy`. */
async function usableAccount(client: pg.PoolClient, team: string, spec: PipelineSpec): Promise<Account> {
  const account = await getAccount(client, team, spec.account).catch((error: unknown) => {
    if (!(error instanceof AppError)) throw error;
    throw new AppError("invalid_spec", error.message, {
      cause: error,
      details: {
        errors: [{ path: "/account", message: `"${spec.account}" is not an account of team "${team}"` }],
      },
    });
  });
  const change = await activeChange(client, account.stackId);
  if (change?.kind === "destroy" || (change && !account.foundationReady)) {
    throw new AppError(
      "foundation_not_ready",
      `Operation ${change.id} is working on the foundation: wait until it has ended`,
      {
        details: { operation: change.id, retryAfterSeconds: 5 },
      },
    );
  }
  await foundationOutputs(client, account);
  return account;
}

function create(
  client: pg.PoolClient,
  queue: Queue,
  { team, name, spec }: { readonly team: string; readonly name: string; readonly spec: PipelineSpec },
  requestId: string,
): Promise<Operation> {
  return ensureStack(client, pipelineProject, `${team}.${name}`).then(async (stackId) => {
    const pipeline = await insertPipeline(client, { team, name, stackId, spec });
    return submitUpdate(client, queue, pipeline, requestId);
  });
}

async function revise(
  client: pg.PoolClient,
  queue: Queue,
  pipeline: Pipeline,
  spec: PipelineSpec,
  requestId: string,
): Promise<Operation> {
  checkAccount(pipeline, spec);
  return submitUpdate(client, queue, await reviseSpec(client, pipeline, spec), requestId);
}

function submitUpdate(
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

function checkAccount(pipeline: Pipeline | undefined, spec: PipelineSpec): void {
  if (pipeline === undefined || pipeline.account === spec.account) return;
  const message = `can't be changed from "${pipeline.account}" to "${spec.account}": a pipeline's resources can't move; create a new one there`;
  throw new AppError("pipeline_conflict", `The account ${message}`, {
    details: { errors: [{ path: "/account", message }] },
  });
}

function checkRevision(ifMatch: string | undefined, pipeline: Pipeline | undefined, name: string): void {
  if (ifMatch === undefined) return;
  if (pipeline && (ifMatch === "*" || ifMatch === `"${pipeline.desiredRevision}"`)) return;
  const present = pipeline ? `is at revision ${pipeline.desiredRevision}` : "does not exist";
  throw new AppError(
    "revision_mismatch",
    `If-Match is ${ifMatch}, but pipeline "${name}" ${present}: read it again and decide anew`,
  );
}

/** Runs `work`; the paths of a spec's mistakes become those of a body that carries the spec in its field `spec`. */
async function underSpec<Value>(work: () => Value | Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AppError) || !error.details.errors) throw error;
    const errors = error.details.errors.map(({ path, message }) => ({ path: `/spec${path}`, message }));
    throw new AppError(error.code, error.message, { cause: error, details: { ...error.details, errors } });
  }
}
