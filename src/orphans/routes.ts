import type pg from "pg";
import Type from "typebox";
import { type App, Moment, problems } from "../http/app-types.ts";
import { PageQuery, pageOf, parseCursor, toPage } from "../http/pages.ts";
import { listSweeps, type Orphan, type Sweep } from "./store.ts";

const OrphanView = Type.Object(
  {
    arn: Type.String({ description: "Its ARN" }),
    team: Type.Optional(Type.String({ description: "The team that its tags name" })),
    pipeline: Type.Optional(Type.String({ description: "The pipeline that its tags name" })),
    firstSeenAt: Moment("When a sweep first saw it as an orphan"),
    lastSeenAt: Moment("When a sweep last saw it"),
  },
  { description: "A resource that bears the service's tags and that no stack knows" },
);

const SweepView = Type.Object(
  {
    awsAccountId: Type.String({ description: "The AWS account" }),
    region: Type.String({ description: "The region" }),
    sweptAt: Type.Optional(Moment("When everything there was last seen; absent before the first time")),
    resources: Type.Optional(Type.Integer({ description: "Tagged resources that were looked at then" })),
    triedAt: Moment("When a sweep last tried"),
    error: Type.Optional(Type.String({ description: "Why that came to nothing; absent when it did not" })),
    orphans: Type.Array(OrphanView, { description: "The oldest first" }),
  },
  { description: "What a sweep found in one AWS account and region" },
);

export function orphanRoutes(app: App, { pool }: { readonly pool: pg.Pool }): void {
  app.get(
    "/orphans",
    {
      schema: {
        summary: "What bears the service's tags and no stack knows, by AWS account; nothing of it is deleted",
        tags: ["platform"],
        querystring: Type.Object(PageQuery, { additionalProperties: false }),
        response: { 200: pageOf(SweepView, "Accounts and regions"), ...problems() },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query;
      const after = parseCursor(cursor, /^\d{12}$/, /^[a-z0-9-]{1,32}$/);
      return toPage(await listSweeps(pool, { after, limit }), limit, sweepView, (sweep) => [
        sweep.awsAccountId,
        sweep.region,
      ]);
    },
  );
}

function sweepView({ sweptAt, resources, triedAt, error, orphans, ...place }: Sweep) {
  return {
    ...place,
    ...(sweptAt === null ? {} : { sweptAt: sweptAt.toISOString() }),
    ...(resources === null ? {} : { resources }),
    triedAt: triedAt.toISOString(),
    ...(error === null ? {} : { error }),
    orphans: orphans.map(orphanView),
  };
}

function orphanView({ arn, team, pipeline, firstSeenAt, lastSeenAt }: Orphan) {
  return {
    arn,
    ...(team === null ? {} : { team }),
    ...(pipeline === null ? {} : { pipeline }),
    firstSeenAt: firstSeenAt.toISOString(),
    lastSeenAt: lastSeenAt.toISOString(),
  };
}
