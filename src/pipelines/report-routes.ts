import type pg from "pg";
import Type from "typebox";
import type { PipelineOutputs } from "../../programs/outputs.ts";
import { getAccount } from "../accounts/store.ts";
import { AppError } from "../errors.ts";
import { type App, Moment, problems, singleLine } from "../http/app-types.ts";
import { cursorPart, PageQuery, pageOf, parseCursor, toPage } from "../http/pages.ts";
import { failedPhases } from "../operations/events.ts";
import { PhaseName } from "../operations/schema.ts";
import { lastDrift } from "../operations/store.ts";
import { countByPhase, findStack, listResources } from "../stacks/store.ts";
import { pipelineOf } from "./routes.ts";
import { readSageMaker, type SageMakerClients, type SageMakerStatus } from "./sagemaker.ts";
import { DriftView, PipelineParams, ResourceView, RevisionView, StatusView } from "./schema.ts";
import { phaseStatuses } from "./status.ts";
import { listRevisions, type Pipeline } from "./store.ts";

export interface ReportRoutesOptions {
  readonly pool: pg.Pool;
  readonly sageMaker: SageMakerClients;
}

/** What can be read of a pipeline besides its spec. */
export function pipelineReportRoutes(app: App, { pool, sageMaker }: ReportRoutesOptions): void {
  app.get(
    "/teams/:team/pipelines/:pipeline/status",
    {
      schema: {
        summary: "Where a pipeline stands: revisions, the five phases, and what SageMaker says now",
        tags: ["pipelines"],
        params: PipelineParams,
        response: { 200: StatusView, ...problems(404) },
      },
    },
    async (request) => {
      const pipeline = await pipelineOf(pool, request.params);
      const [counts, failed, drift, live] = await Promise.all([
        countByPhase(pool, pipeline.stackId),
        failedPhases(pool, pipeline.lastChange?.id),
        lastDrift(pool, pipeline.id, { sinceLastChange: true }),
        sageMakerStatus(pool, sageMaker, pipeline),
      ]);
      const lastChange = pipeline.lastChange?.state;
      return {
        state: pipeline.state,
        desiredRevision: pipeline.desiredRevision,
        ...(pipeline.appliedRevision === null ? {} : { appliedRevision: pipeline.appliedRevision }),
        ...(pipeline.lastChange === null ? {} : { lastChange: pipeline.lastChange }),
        ...(drift === undefined
          ? {}
          : { drift: { checkedAt: drift.checkedAt.toISOString(), drifted: drift.steps.length } }),
        phases: phaseStatuses({ counts, lastChange, failed, drift: drift?.steps ?? [] }),
        sageMaker: live,
      };
    },
  );

  app.get(
    "/teams/:team/pipelines/:pipeline/outputs",
    {
      schema: {
        summary:
          "Outputs of the stack, as the last operation that changed it recorded them; secrets are masked",
        tags: ["pipelines"],
        params: PipelineParams,
        response: {
          200: Type.Object(
            {
              outputs: Type.Record(Type.String(), Type.Unknown(), { description: "By name" }),
              recordedAt: Type.Optional(Moment("When they were recorded; absent before the first update")),
            },
            { description: "Stack outputs" },
          ),
          ...problems(404),
        },
      },
    },
    async (request) => {
      const { stackId } = await pipelineOf(pool, request.params);
      const stack = await findStack(pool, stackId);
      return {
        outputs: { ...stack.outputs },
        ...(stack.outputsRecordedAt === null ? {} : { recordedAt: stack.outputsRecordedAt.toISOString() }),
      };
    },
  );

  app.get(
    "/teams/:team/pipelines/:pipeline/resources",
    {
      schema: {
        summary: "Resources in the stack's state, parents first",
        tags: ["pipelines"],
        params: PipelineParams,
        querystring: Type.Object(
          {
            ...PageQuery,
            phase: Type.Optional(PhaseName),
            type: Type.Optional(
              Type.String({
                maxLength: 200,
                pattern: singleLine,
                description: "Only this type, such as aws:s3/bucket:Bucket",
              }),
            ),
          },
          { additionalProperties: false },
        ),
        response: { 200: pageOf(ResourceView, "Resources"), ...problems(404) },
      },
    },
    async (request) => {
      const { limit, cursor, phase, type } = request.query;
      const { stackId } = await pipelineOf(pool, request.params);
      const position = Number(parseCursor(cursor, cursorPart.count)?.[0] ?? -1);
      const rows = await listResources(pool, stackId, { phase, type, afterPosition: position, limit });
      return toPage(
        rows,
        limit,
        ({ awsId, phase: itsPhase, parent, position: _, dependencies, ...resource }) => ({
          ...resource,
          ...(awsId === null ? {} : { id: awsId }),
          ...(itsPhase === null ? {} : { phase: itsPhase }),
          ...(parent === null ? {} : { parent }),
          dependencies: [...dependencies],
        }),
        (row) => [String(row.position)],
      );
    },
  );

  app.get(
    "/teams/:team/pipelines/:pipeline/revisions",
    {
      schema: {
        summary: "Revisions of the spec, the newest first",
        tags: ["pipelines"],
        params: PipelineParams,
        querystring: Type.Object(PageQuery, { additionalProperties: false }),
        response: { 200: pageOf(RevisionView, "Revisions"), ...problems(404) },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query;
      const { id } = await pipelineOf(pool, request.params);
      const before = parseCursor(cursor, cursorPart.count)?.[0];
      const revisions = await listRevisions(
        pool,
        id,
        before === undefined ? undefined : Number(before),
        limit,
      );
      return toPage(
        revisions,
        limit,
        (revision) => ({ ...revision, createdAt: revision.createdAt.toISOString() }),
        (revision) => [String(revision.number)],
      );
    },
  );

  app.get(
    "/teams/:team/pipelines/:pipeline/drift",
    {
      schema: {
        summary: "What the last drift check found",
        tags: ["pipelines"],
        params: PipelineParams,
        response: { 200: DriftView, ...problems(404) },
      },
    },
    async (request) => {
      const { id, name } = await pipelineOf(pool, request.params);
      const drift = await lastDrift(pool, id, { sinceLastChange: false });
      if (!drift) {
        throw new AppError(
          "not_found",
          `Pipeline "${name}" was never checked for drift: ask with POST …/drift-checks`,
        );
      }
      return {
        operation: drift.operationId,
        checkedAt: drift.checkedAt.toISOString(),
        drifted: drift.steps.length,
        steps: drift.steps.map((step) => ({ ...step, changes: [...step.changes] })),
      };
    },
  );
}

async function sageMakerStatus(
  pool: pg.Pool,
  clients: SageMakerClients,
  pipeline: Pipeline,
): Promise<SageMakerStatus> {
  const [stack, account] = await Promise.all([
    findStack(pool, pipeline.stackId),
    getAccount(pool, pipeline.team, pipeline.account),
  ]);
  const { training } = (stack.outputs ?? {}) as Partial<PipelineOutputs>;
  if (!training) {
    return { unavailable: "The stack has no SageMaker pipeline (yet)", executions: [], modelPackages: [] };
  }
  return readSageMaker(clients(account), {
    pipeline: training.pipelineName,
    modelPackageGroup: training.modelPackageGroupName,
  });
}
