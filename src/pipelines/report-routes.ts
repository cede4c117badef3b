import type pg from "pg";
import Type, { type Static } from "typebox";
import { getAccount } from "../accounts/store.ts";
import { openResources } from "../drift/store.ts";
import { type App, Moment, problems, singleLine } from "../http/app-types.ts";
import { cursorPart, PageQuery, pageOf, parseCursor, toPage } from "../http/pages.ts";
import type { Ingestor } from "../ingestion/ingestor.ts";
import { type DataStatus, dataStatus } from "../ingestion/schema.ts";
import { countIngestions, listIngestions } from "../ingestion/store.ts";
import { PhaseName } from "../operations/schema.ts";
import { findStack, listResources } from "../stacks/store.ts";
import { pipelineOf } from "./routes.ts";
import { readSageMaker, type SageMakerClients, type SageMakerStatus } from "./sagemaker.ts";
import { PipelineParams, ResourceView, RevisionView, revisionView, StatusView } from "./schema.ts";
import { readStanding, type Standing } from "./standing.ts";
import { phaseStatuses } from "./status.ts";
import { listRevisions, type PipelineSummary } from "./store.ts";

export interface ReportRoutesOptions {
  readonly pool: pg.Pool;
  readonly sageMaker: SageMakerClients;
  /** Takes files for pipelines; only where the target is the sandbox. */
  readonly ingestor?: Ingestor | undefined;
}

/** What can be read of a pipeline besides its spec. */
export function pipelineReportRoutes(app: App, { pool, sageMaker, ingestor }: ReportRoutesOptions): void {
  const takesData = ingestor !== undefined;
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
      const { team, pipeline: name } = request.params;
      const { pipeline, counts, failed, checkedAt, training } = await readStanding(pool, team, name);
      const [open, live, data] = await Promise.all([
        checkedAt === undefined ? [] : openResources(pool, pipeline.id),
        sageMakerStatus(pool, sageMaker, pipeline, training),
        takesData ? readDataStatus(pool, pipeline.id) : undefined,
      ]);
      const lastChange = pipeline.lastChange?.state;
      return {
        state: pipeline.state,
        desiredRevision: pipeline.desiredRevision,
        ...(pipeline.appliedRevision === null ? {} : { appliedRevision: pipeline.appliedRevision }),
        ...(pipeline.lastChange === null ? {} : { lastChange: pipeline.lastChange }),
        ...(pipeline.expiresAt === null ? {} : { expiresAt: pipeline.expiresAt.toISOString() }),
        ...(pipeline.expiryWarnedAt === null
          ? {}
          : { expiryWarnedAt: pipeline.expiryWarnedAt.toISOString() }),
        ...(checkedAt === undefined
          ? {}
          : { drift: { checkedAt: checkedAt.toISOString(), drifted: open.length } }),
        phases: phaseStatuses({ counts, lastChange, failed, drift: open }),
        ...(data && { data }),
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
      return toPage(revisions, limit, revisionView, (revision) => [String(revision.number)]);
    },
  );
}

const lastFiles = 5;

async function readDataStatus(pool: pg.Pool, pipelineId: string): Promise<Static<typeof DataStatus>> {
  const [counts, last] = await Promise.all([
    countIngestions(pool, pipelineId),
    listIngestions(pool, pipelineId, { before: undefined, limit: lastFiles }),
  ]);
  return dataStatus(counts, last.slice(0, lastFiles));
}

async function sageMakerStatus(
  pool: pg.Pool,
  clients: SageMakerClients,
  { team, account: name }: PipelineSummary,
  training: Standing["training"],
): Promise<SageMakerStatus> {
  if (training === undefined) {
    return { unavailable: "The stack has no SageMaker pipeline (yet)", executions: [], modelPackages: [] };
  }
  const account = await getAccount(pool, team, name);
  return readSageMaker(clients(account), {
    pipeline: training.pipelineName,
    modelPackageGroup: training.modelPackageGroupName,
  });
}
