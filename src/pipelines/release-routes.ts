import Type from "typebox";
import { Release } from "../../programs/release.ts";
import { SERVING_MODES } from "../../programs/spec/serving.ts";
import { type App, Moment, problems } from "../http/app-types.ts";
import { cursorPart, PageQuery, pageOf, parseCursor, toPage } from "../http/pages.ts";
import { OperationAnswer } from "../operations/schema.ts";
import type { PipelineServices } from "./changes.ts";
import { ReasonQuery } from "./reason.ts";
import { listReleases, recordRelease } from "./releases.ts";
import { accepted, changeRequest, pipelineOf, RevisionPreconditions } from "./routes.ts";
import { PipelineParams } from "./schema.ts";

const ReleaseView = Type.Object(
  {
    number: Type.Integer({ description: "1 is the first" }),
    mode: Type.Enum([...SERVING_MODES], { description: "The serving mode that it was made for" }),
    release: Release,
    createdAt: Moment("When it was recorded"),
  },
  { description: "A release as it was recorded" },
);

export function releaseRoutes(app: App, services: PipelineServices): void {
  app.post(
    "/teams/:team/pipelines/:pipeline/releases",
    {
      schema: {
        summary: "Record a released model version, and bring up what needs a living endpoint or image",
        tags: ["pipelines"],
        params: PipelineParams,
        headers: RevisionPreconditions,
        querystring: Type.Object(ReasonQuery, { additionalProperties: false }),
        body: Release,
        response: { 202: OperationAnswer, ...problems(404, 409, 412, 413, 415) },
      },
    },
    async (request, reply) =>
      accepted(
        reply,
        await recordRelease(services, changeRequest(request, request.query.reason), request.body),
      ),
  );

  app.get(
    "/teams/:team/pipelines/:pipeline/releases",
    {
      schema: {
        summary: "List the recorded releases, newest first",
        tags: ["pipelines"],
        params: PipelineParams,
        querystring: Type.Object(PageQuery, { additionalProperties: false }),
        response: { 200: pageOf(ReleaseView, "Releases"), ...problems(404) },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query;
      const { id } = await pipelineOf(services.pool, request.params);
      const before = parseCursor(cursor, cursorPart.count)?.[0];
      const rows = await listReleases(
        services.pool,
        id,
        before === undefined ? undefined : Number(before),
        limit + 1,
      );
      return toPage(
        rows,
        limit,
        ({ createdAt, ...row }) => ({ ...row, createdAt: createdAt.toISOString() }),
        (row) => [String(row.number)],
      );
    },
  );
}
