import Type from "typebox";
import { type App, problems } from "../http/app-types.ts";
import { cursorPart, PageQuery, pageOf, parseCursor, toPage } from "../http/pages.ts";
import { OperationAnswer } from "../operations/schema.ts";
import type { PipelineServices } from "./changes.ts";
import { listHistory } from "./history.ts";
import { HistoryView, historyView, RevisionDetail } from "./history-schema.ts";
import { Reason } from "./reason.ts";
import { rollBack } from "./rollbacks.ts";
import { accepted, changeRequest, pipelineOf, RevisionPreconditions } from "./routes.ts";
import { PipelineParams, RevisionNumber, revisionView } from "./schema.ts";
import { specChanges } from "./spec-diff.ts";
import { getRevision } from "./store.ts";

// A creation alone changes hundreds of resources.
const historyQuery = {
  ...PageQuery,
  limit: Type.Integer({ minimum: 1, maximum: 50, default: 10, description: "Items in a page" }),
};

/** What became of a pipeline, and the way back. */
export function pipelineRevisionRoutes(app: App, services: PipelineServices): void {
  const { pool } = services;

  app.get(
    "/teams/:team/pipelines/:pipeline/revisions/:revision",
    {
      schema: {
        summary: "Read a revision, and what it changed in the one before",
        tags: ["pipelines"],
        params: Type.Object({ ...PipelineParams.properties, revision: RevisionNumber }),
        response: { 200: RevisionDetail, ...problems(404) },
      },
    },
    async (request) => {
      const { revision: number, ...path } = request.params;
      const { id } = await pipelineOf(pool, path);
      const revision = await getRevision(pool, id, number);
      if (number === 1) return { ...revisionView(revision), changes: [] };
      const before = await getRevision(pool, id, number - 1);
      return { ...revisionView(revision), changes: specChanges(before.spec, revision.spec) };
    },
  );

  app.get(
    "/teams/:team/pipelines/:pipeline/history",
    {
      schema: {
        summary:
          "What changed the pipeline: who, what, when and why, in the spec and on AWS; the newest first",
        tags: ["pipelines"],
        params: PipelineParams,
        querystring: Type.Object(historyQuery, { additionalProperties: false }),
        response: { 200: pageOf(HistoryView, "Changes"), ...problems(404) },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query;
      const { id } = await pipelineOf(pool, request.params);
      const after = parseCursor(cursor, cursorPart.moment, cursorPart.uuid);
      return toPage(await listHistory(pool, id, { after, limit }), limit, historyView, (entry) => entry.key);
    },
  );

  app.post(
    "/teams/:team/pipelines/:pipeline/rollbacks",
    {
      schema: {
        summary: "Apply an earlier revision's spec again, as a new revision",
        tags: ["pipelines"],
        params: PipelineParams,
        headers: RevisionPreconditions,
        body: Type.Object(
          { revision: RevisionNumber, reason: Type.Optional(Reason) },
          { additionalProperties: false, description: "Where to go back to" },
        ),
        response: { 202: OperationAnswer, ...problems(404, 409, 412, 413, 415) },
      },
    },
    async (request, reply) => {
      const { revision, reason } = request.body;
      const operation = await rollBack(services, changeRequest(request, reason), revision);
      return accepted(reply, operation);
    },
  );
}
