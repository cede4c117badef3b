import type { FastifyReply, FastifyRequest } from "fastify";
import type pg from "pg";
import Type from "typebox";
import { auditContext } from "../audit/trail.ts";
import { AppError } from "../errors.ts";
import { AccountName, type App, PipelineName, problems, TeamName } from "../http/app-types.ts";
import { IfNoneMatch, type PreconditionHeaders } from "../http/etags.ts";
import { cursorPart, PageQuery, pageOf, parseCursor, toPage } from "../http/pages.ts";
import { invalid } from "../http/validation.ts";
import { OperationAnswer, operationView } from "../operations/schema.ts";
import type { Operation } from "../operations/store.ts";
import { getTeam } from "../teams/store.ts";
import {
  applySpec,
  createPipeline,
  type PipelineRequest,
  type PipelineServices,
  patchSpec,
  submitOnApplied,
} from "./changes.ts";
import { previewSpec } from "./previews.ts";
import { ReasonQuery } from "./reason.ts";
import { PipelineParams, PipelineSummary, PipelineView, RevisionNumber, summaryView } from "./schema.ts";
import { parseSpec } from "./spec.ts";
import { getPipeline, listPipelines, type Pipeline } from "./store.ts";

// Parsed by `parseSpec`, whose answer has every mistake of form and of meaning; documented as what it is.
const SpecBody = Type.Unknown({
  description: "A pipeline spec (aidlc/v1)",
  "x-documented-as": "PipelineSpec#",
});
const ChangeQuery = Type.Object(ReasonQuery, { additionalProperties: false });
const specTypes = ["application/json", "application/yaml"];
export const RevisionPreconditions = Type.Object({
  "if-match": Type.Optional(
    Type.String({
      pattern: '^(\\*|"\\d+")$',
      description: 'The ETag of the revision that is to be replaced, such as "3"',
    }),
  ),
  "if-none-match": IfNoneMatch,
});

export function accepted(reply: FastifyReply, operation: Operation) {
  return reply.code(202).header("location", `/v1/operations/${operation.id}`).send(operationView(operation));
}

export function pipelineRoutes(app: App, services: PipelineServices): void {
  const { pool } = services;

  app.put(
    "/teams/:team/pipelines/:pipeline",
    {
      schema: {
        summary: "Create a pipeline, or bring it to a new spec",
        tags: ["pipelines"],
        params: PipelineParams,
        headers: RevisionPreconditions,
        consumes: specTypes,
        querystring: ChangeQuery,
        body: SpecBody,
        response: { 202: OperationAnswer, ...problems(404, 409, 412, 413, 415) },
      },
    },
    async (request, reply) => {
      const operation = await applySpec(
        services,
        changeRequest(request, request.query.reason),
        parseSpec(request.body),
      );
      return accepted(reply, operation);
    },
  );

  app.post(
    "/teams/:team/pipelines",
    {
      schema: {
        summary: "Create a pipeline",
        tags: ["pipelines"],
        params: Type.Object({ team: TeamName }),
        querystring: ChangeQuery,
        body: Type.Object(
          { name: PipelineName, spec: SpecBody },
          { additionalProperties: false, description: "A new pipeline" },
        ),
        response: { 202: OperationAnswer, ...problems(404, 409, 413, 415) },
      },
    },
    async (request, reply) => {
      const operation = await underSpec(() =>
        createPipeline(
          services,
          {
            team: request.params.team,
            name: request.body.name,
            reason: request.query.reason,
            by: auditContext(request),
          },
          parseSpec(request.body.spec),
        ),
      );
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
      const { team } = request.params;
      const after = parseCursor(cursor, cursorPart.name)?.[0];
      const rows = await listPipelines(pool, team, { account, after, limit });
      // A team that has pipelines can't be deleted.
      if (rows.length === 0) await getTeam(pool, team);
      return toPage(rows, limit, summaryView, (row) => [row.name]);
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
        consumes: ["application/merge-patch+json", "application/json"],
        params: PipelineParams,
        headers: RevisionPreconditions,
        querystring: ChangeQuery,
        body: Type.Object(
          {},
          { additionalProperties: true, description: "The parts to change; null removes one" },
        ),
        response: { 202: OperationAnswer, ...problems(404, 409, 412, 413, 415) },
      },
    },
    async (request, reply) => {
      const operation = await patchSpec(services, changeRequest(request, request.query.reason), request.body);
      return accepted(reply, operation);
    },
  );

  app.post(
    "/teams/:team/pipelines/:pipeline/previews",
    {
      schema: {
        summary:
          "Find out what applying a spec would change; without a body, the desired revision or the one that is named. The pipeline needn't exist yet",
        tags: ["pipelines"],
        params: PipelineParams,
        consumes: specTypes,
        querystring: Type.Object(
          { revision: Type.Optional(RevisionNumber) },
          { additionalProperties: false },
        ),
        body: Type.Optional(SpecBody),
        response: { 202: OperationAnswer, ...problems(404, 409, 413, 415) },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const { revision } = request.query;
      if (body !== undefined && revision !== undefined) {
        throw invalid("invalid_request", [
          { path: "query:/revision", message: "has no place beside a spec: send one of both" },
        ]);
      }
      const given = body === undefined ? revision : parseSpec(body);
      const operation = await previewSpec(services, changeRequest(request), given);
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
    {
      path: "repairs",
      kind: "repair",
      summary: "Settle what an interrupted operation left: its lock, and what AWS made without being heard",
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
          querystring: ChangeQuery,
          response: { 202: OperationAnswer, ...problems(404, 409) },
        },
      },
      async (request, reply) =>
        accepted(
          reply,
          await submitOnApplied(services, changeRequest(request, request.query.reason), kind, {}),
        ),
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

/** What a change needs to know of the HTTP request. */
export function changeRequest(
  request: Pick<FastifyRequest, "principal" | "ip" | "id"> & {
    readonly params: { readonly team: string; readonly pipeline: string };
    readonly headers: PreconditionHeaders;
  },
  reason?: string,
): PipelineRequest {
  const { team, pipeline: name } = request.params;
  return { team, name, preconditions: request.headers, reason, by: auditContext(request) };
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
