import type pg from "pg";
import Type from "typebox";
import { type AuditTrail, auditContext } from "../audit/trail.ts";
import { type App, problems, TeamName } from "../http/app-types.ts";
import { checkPreconditions, etagOf, Preconditions } from "../http/etags.ts";
import { inTransaction } from "../postgres/pool.ts";
import { maxTeamLimit, type Quota, readQuota, setTeamLimits } from "./quotas.ts";
import { getTeam, lockTeam } from "./store.ts";

const limit = (description: string) => Type.Integer({ minimum: 0, maximum: maxTeamLimit, description });
const fields = {
  pipelines: limit("Pipelines"),
  operationsPerDay: limit("Operations from midnight to midnight, UTC; destroys don't count"),
  operationsAtOnce: Type.Integer({
    minimum: 1,
    maximum: maxTeamLimit,
    description:
      "Changes that run at once, and as many previews and drift checks; the others wait in the queue",
  }),
  resources: limit("Resources of AWS in the stacks of its pipelines"),
};
const MonthlyUsd = Type.Number({
  minimum: 0,
  maximum: 1_000_000_000,
  description:
    "What all of its pipelines may cost a month by their specs, in US dollars, before a growing one needs approval; absent: as much as they like",
});
const withBudget = { ...fields, monthlyUsd: Type.Optional(MonthlyUsd) };

const Count = Type.Object(
  {
    pipelines: Type.Integer({ description: "Pipelines" }),
    operationsPerDay: Type.Integer({ description: "Operations since midnight, UTC" }),
    operationsAtOnce: Type.Integer({
      description: "Changes that run now, or previews and drift checks where those are more",
    }),
    resources: Type.Integer({ description: "Resources of AWS in the stacks of its pipelines" }),
    monthlyUsd: Type.Number({ description: "What its pipelines may cost a month by their specs" }),
  },
  { description: "What the team has" },
);

const QuotaView = Type.Object(
  {
    limits: Type.Object(withBudget, { description: "What the team may have" }),
    use: Count,
    own: Type.Partial(Type.Object(withBudget), {
      description: "The limits that were set for this team; the others are the service's",
    }),
  },
  { description: "A team's quota" },
);

const QuotaBody = Type.Partial(Type.Object(withBudget), {
  additionalProperties: false,
  description: "The team's own limits; what is left out is the service's",
});

const TeamParams = Type.Object({ team: TeamName });

/** It changes with the team's own limits, not with what the team has. */
function quotaEtag({ own }: Quota): string {
  return etagOf(own);
}

export function quotaRoutes(
  app: App,
  { pool, audit }: { readonly pool: pg.Pool; readonly audit: AuditTrail },
): void {
  app.get(
    "/teams/:team/quota",
    {
      schema: {
        summary: "Read what a team may have, and what it has",
        tags: ["teams"],
        params: TeamParams,
        response: { 200: QuotaView, ...problems(404) },
      },
    },
    async ({ params }, reply) => {
      await getTeam(pool, params.team);
      const quota = await readQuota(pool, params.team);
      return reply.header("etag", quotaEtag(quota)).send(quota);
    },
  );

  app.put(
    "/teams/:team/quota",
    {
      schema: {
        summary: "Give a team limits of its own",
        tags: ["teams"],
        params: TeamParams,
        headers: Preconditions,
        body: QuotaBody,
        response: { 200: QuotaView, ...problems(404, 412, 413, 415) },
      },
    },
    async (request, reply) => {
      const { team } = request.params;
      const quota = await inTransaction(pool, async (client) => {
        await lockTeam(client, team);
        const before = await readQuota(client, team);
        checkPreconditions(request, quotaEtag(before));
        await setTeamLimits(client, team, request.body);
        const after = await readQuota(client, team);
        await audit.change(client, auditContext(request), {
          action: "quota.update",
          team,
          target: `/teams/${team}/quota`,
          before: before.own,
          after: after.own,
        });
        return after;
      });
      return reply.header("etag", quotaEtag(quota)).send(quota);
    },
  );
}
