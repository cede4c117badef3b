import type pg from "pg";
import Type from "typebox";
import { policies } from "../../programs/policies/index.ts";
import { enforced, type Policy } from "../../programs/policies/policy.ts";
import { type AuditTrail, auditContext } from "../audit/trail.ts";
import { phases } from "../engine/phase.ts";
import { AppError } from "../errors.ts";
import { type App, problems } from "../http/app-types.ts";
import { checkPreconditions, etagOf, Preconditions } from "../http/etags.ts";
import { pipelineOf } from "../pipelines/routes.ts";
import { PipelineParams } from "../pipelines/schema.ts";
import { lockPipelineName, type Pipeline } from "../pipelines/store.ts";
import { inTransaction } from "../postgres/pool.ts";
import { assertMayApprove, checkExpiry } from "./exceptions.ts";
import { ExceptionBody, ExceptionView, exceptionView, PolicyId, PolicyView, policyView } from "./schema.ts";
import { deleteException, findException, listExceptions, putException, requestersOf } from "./store.ts";

export interface PolicyRoutesOptions {
  readonly pool: pg.Pool;
  readonly audit: AuditTrail;
  /** Ids of policies that are mandatory although a profile only advises them. */
  readonly enforcedPolicies: readonly string[];
}

const ExceptionParams = Type.Object({ ...PipelineParams.properties, policy: PolicyId });
const exceptionPath = "/teams/:team/pipelines/:pipeline/policy-exceptions";

export function policyRoutes(app: App, { pool, audit, enforcedPolicies }: PolicyRoutesOptions): void {
  app.get(
    "/policies",
    {
      schema: {
        summary: "List the policies that every preview and update is checked against",
        tags: ["policies"],
        querystring: Type.Object(
          { phase: Type.Optional(Type.Enum([...phases], { description: "Only policies of this phase" })) },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Object(
            { items: Type.Array(PolicyView, { description: "In the order of the life cycle" }) },
            { description: "Every policy" },
          ),
          ...problems(),
        },
      },
    },
    async ({ query }) => ({
      items: enforced(policies, enforcedPolicies)
        .filter(({ phase }) => query.phase === undefined || phase === query.phase)
        .map(policyView),
    }),
  );

  app.get(
    exceptionPath,
    {
      schema: {
        summary: "List a pipeline's exceptions from policies, expired ones too",
        tags: ["policies"],
        params: PipelineParams,
        response: {
          200: Type.Object(
            { items: Type.Array(ExceptionView, { description: "By policy" }) },
            { description: "Exceptions of a pipeline" },
          ),
          ...problems(404),
        },
      },
    },
    async ({ params }) => {
      const { id } = await pipelineOf(pool, params);
      const now = new Date();
      return { items: (await listExceptions(pool, id)).map((exception) => exceptionView(exception, now)) };
    },
  );

  app.get(
    `${exceptionPath}/:policy`,
    {
      schema: {
        summary: "Read a pipeline's exception from a policy",
        tags: ["policies"],
        params: ExceptionParams,
        response: { 200: ExceptionView, ...problems(404) },
      },
    },
    async ({ params }, reply) => {
      const { id, name } = await pipelineOf(pool, params);
      const exception = await findException(pool, id, policyOf(params).id);
      if (exception !== undefined)
        return reply.header("etag", etagOf(exception)).send(exceptionView(exception, new Date()));
      throw new AppError(
        "policy_exception_not_found",
        `Pipeline "${name}" has no exception from policy "${params.policy}": grant one with PUT`,
      );
    },
  );

  app.put(
    `${exceptionPath}/:policy`,
    {
      schema: {
        summary: "Let a pipeline break a policy until a date, or change that; the next operation takes it up",
        tags: ["policies"],
        params: ExceptionParams,
        headers: Preconditions,
        body: ExceptionBody,
        response: { 200: ExceptionView, 201: ExceptionView, ...problems(404, 412, 413, 415) },
      },
    },
    async (request, reply) => {
      const { params, body } = request;
      const now = new Date();
      const { reason, resource = null } = body;
      const expiresAt = new Date(body.expiresAt);
      checkExpiry(expiresAt, now);
      const put = await inTransaction(pool, async (client) => {
        const { id, spec, desiredRevision } = await lockedPipeline(client, params);
        const policy = policyOf(params).id;
        assertMayApprove(request.principal, {
          owner: spec.owner,
          requesters: await requestersOf(client, id, desiredRevision),
        });
        const before = await findException(client, id, policy);
        checkPreconditions(request, before && etagOf(before));
        const { created, exception } = await putException(client, id, {
          policy,
          resource,
          reason,
          approvedBy: request.principal.label,
          expiresAt,
        });
        const after = exceptionView(exception, now);
        await audit.change(client, auditContext(request), {
          action: "policy_exception.put",
          team: params.team,
          target: exceptionTarget(params),
          before: before && exceptionView(before, now),
          after,
        });
        return { created, after };
      });
      return reply.code(put.created ? 201 : 200).send(put.after);
    },
  );

  app.delete(
    `${exceptionPath}/:policy`,
    {
      schema: {
        summary: "Take an exception back",
        tags: ["policies"],
        params: ExceptionParams,
        headers: Preconditions,
        response: { 204: Type.Null({ description: "It is gone" }), ...problems(404, 412) },
      },
    },
    async (request, reply) => {
      const { params } = request;
      await inTransaction(pool, async (client) => {
        const { id } = await lockedPipeline(client, params);
        const policy = policyOf(params).id;
        const before = await findException(client, id, policy);
        checkPreconditions(request, before && etagOf(before));
        if (before === undefined) return;
        await deleteException(client, id, policy);
        await audit.change(client, auditContext(request), {
          action: "policy_exception.delete",
          team: params.team,
          target: exceptionTarget(params),
          before: exceptionView(before, new Date()),
        });
      });
      return reply.code(204).send(null);
    },
  );
}

interface PipelinePath {
  readonly team: string;
  readonly pipeline: string;
}

/** The pipeline, with nobody else changing it or its exceptions until the transaction has ended. */
async function lockedPipeline(client: pg.PoolClient, params: PipelinePath): Promise<Pipeline> {
  await lockPipelineName(client, params.team, params.pipeline);
  return pipelineOf(client, params);
}

function exceptionTarget({ team, pipeline, policy }: PipelinePath & { readonly policy: string }): string {
  return `/teams/${team}/pipelines/${pipeline}/policy-exceptions/${policy}`;
}

function policyOf({ policy: id }: { readonly policy: string }): Policy {
  const policy = policies.find((candidate) => candidate.id === id);
  if (policy === undefined)
    throw new AppError("policy_not_found", `There is no policy "${id}": see GET /v1/policies`);
  return policy;
}
