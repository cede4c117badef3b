import type pg from "pg";
import Type from "typebox";
import { auditContext } from "../audit/trail.ts";
import { AppError } from "../errors.ts";
import { type App, problems } from "../http/app-types.ts";
import { lastDrift } from "../operations/store.ts";
import type { PipelineServices } from "../pipelines/changes.ts";
import { changeRequest, pipelineOf } from "../pipelines/routes.ts";
import { PipelineParams } from "../pipelines/schema.ts";
import { lockPipelineName, type Pipeline } from "../pipelines/store.ts";
import { checkExpiry } from "../policies/exceptions.ts";
import { inTransaction } from "../postgres/pool.ts";
import { decide } from "./decisions.ts";
import { applyRules } from "./record.ts";
import { deleteRule, findRule, listRules, putRule } from "./rule-store.ts";
import {
  DecisionBody,
  DriftClassName,
  DriftItem,
  DriftStateName,
  DriftView,
  driftItem,
  RuleBody,
  RuleId,
  RuleView,
  ruleView,
} from "./schema.ts";
import { countOpen, listDrifts } from "./store.ts";

const pipelinePath = "/teams/:team/pipelines/:pipeline";
const RuleParams = Type.Object({ ...PipelineParams.properties, rule: RuleId });
const DriftParams = Type.Object({
  ...PipelineParams.properties,
  drift: Type.String({ format: "uuid", description: "Id of a drift" }),
});

// Far more than a pipeline has properties that somebody would look through.
const mostDrifts = 1_000;

export function driftRoutes(app: App, services: PipelineServices): void {
  const { pool } = services;

  app.get(
    `${pipelinePath}/drift`,
    {
      schema: {
        summary: "What the last drift check found, and what became of each drift",
        description: `Without \`state\` the drifts that last: open, ignored and accepted ones. At most ${mostDrifts}.`,
        tags: ["drift"],
        params: PipelineParams,
        querystring: Type.Object(
          { class: Type.Optional(DriftClassName), state: Type.Optional(DriftStateName) },
          { additionalProperties: false },
        ),
        response: { 200: DriftView, ...problems(404) },
      },
    },
    async ({ params, query }) => {
      const { id, name } = await pipelineOf(pool, params);
      const [last, open, drifts] = await Promise.all([
        lastDrift(pool, id),
        countOpen(pool, id),
        listDrifts(pool, id, { ...query, limit: mostDrifts }),
      ]);
      if (!last) {
        throw new AppError(
          "not_found",
          `Pipeline "${name}" was never checked for drift: ask with POST …/drift-checks`,
        );
      }
      return {
        operation: last.operationId,
        checkedAt: last.checkedAt.toISOString(),
        drifted: last.steps.length,
        steps: last.steps.map((step) => ({ ...step, changes: [...step.changes] })),
        open,
        drifts: drifts.map(driftItem),
      };
    },
  );

  app.post(
    `${pipelinePath}/drift/:drift/decisions`,
    {
      schema: {
        summary:
          "Decide what becomes of a drift: revert it, adopt it into the spec, or accept it until a date",
        tags: ["drift"],
        params: DriftParams,
        body: DecisionBody,
        response: { 200: DriftItem, ...problems(404, 409, 413, 415) },
      },
    },
    async (request) =>
      driftItem(
        await decide(services, changeRequest(request), request.params.drift, request.body, new Date()),
      ),
  );

  ruleRoutes(app, services);
}

function ruleRoutes(app: App, { pool, audit }: PipelineServices): void {
  app.get(
    `${pipelinePath}/drift-rules`,
    {
      schema: {
        summary: "List the rules by which drifts of a pipeline are ignored, expired ones too",
        tags: ["drift"],
        params: PipelineParams,
        response: {
          200: Type.Object(
            { items: Type.Array(RuleView, { description: "By id" }) },
            { description: "Rules of a pipeline" },
          ),
          ...problems(404),
        },
      },
    },
    async ({ params }) => {
      const { id } = await pipelineOf(pool, params);
      const now = new Date();
      return { items: (await listRules(pool, id)).map((rule) => ruleView(rule, now)) };
    },
  );

  app.get(
    `${pipelinePath}/drift-rules/:rule`,
    {
      schema: {
        summary: "Read a rule by which drifts of a pipeline are ignored",
        tags: ["drift"],
        params: RuleParams,
        response: { 200: RuleView, ...problems(404) },
      },
    },
    async ({ params }) => {
      const { id, name } = await pipelineOf(pool, params);
      const rule = await findRule(pool, id, params.rule);
      if (rule !== undefined) return ruleView(rule, new Date());
      throw new AppError(
        "drift_rule_not_found",
        `Pipeline "${name}" has no drift rule "${params.rule}": make one with PUT`,
      );
    },
  );

  app.put(
    `${pipelinePath}/drift-rules/:rule`,
    {
      schema: {
        summary: "Ignore drifts of a pipeline until a date, or change that; it holds at once",
        tags: ["drift"],
        params: RuleParams,
        body: RuleBody,
        response: { 200: RuleView, 201: RuleView, ...problems(404, 413, 415) },
      },
    },
    async (request, reply) => {
      const { params, body } = request;
      const now = new Date();
      const expiresAt = new Date(body.expiresAt);
      checkExpiry(expiresAt, now);
      const put = await inTransaction(pool, async (client) => {
        const { id } = await lockedPipeline(client, params);
        const before = await findRule(client, id, params.rule);
        const createdBy = request.principal.label;
        const { rule, created } = await putRule(client, id, {
          ...body,
          id: params.rule,
          expiresAt,
          createdBy,
        });
        await applyRules(client, id, now);
        const after = ruleView(rule, now);
        await audit.change(client, auditContext(request), {
          action: "drift_rule.put",
          team: params.team,
          target: ruleTarget(params),
          before: before && ruleView(before, now),
          after,
        });
        return { created, after };
      });
      return reply.code(put.created ? 201 : 200).send(put.after);
    },
  );

  app.delete(
    `${pipelinePath}/drift-rules/:rule`,
    {
      schema: {
        summary: "Take a rule back: what it held is open again",
        tags: ["drift"],
        params: RuleParams,
        response: { 204: Type.Null({ description: "It is gone" }), ...problems(404) },
      },
    },
    async (request, reply) => {
      const { params } = request;
      await inTransaction(pool, async (client) => {
        const { id } = await lockedPipeline(client, params);
        const before = await findRule(client, id, params.rule);
        if (before === undefined) return;
        const now = new Date();
        await deleteRule(client, id, params.rule);
        await applyRules(client, id, now);
        await audit.change(client, auditContext(request), {
          action: "drift_rule.delete",
          team: params.team,
          target: ruleTarget(params),
          before: ruleView(before, now),
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

/** The pipeline, with nobody else changing it or its rules until the transaction has ended. */
async function lockedPipeline(client: pg.PoolClient, params: PipelinePath): Promise<Pipeline> {
  await lockPipelineName(client, params.team, params.pipeline);
  return pipelineOf(client, params);
}

function ruleTarget({ team, pipeline, rule }: PipelinePath & { readonly rule: string }): string {
  return `/teams/${team}/pipelines/${pipeline}/drift-rules/${rule}`;
}
