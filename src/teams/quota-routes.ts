import type pg from "pg";
import Type from "typebox";
import { type AuditTrail, auditContext } from "../audit/trail.ts";
import { type App, problems, TeamName } from "../http/app-types.ts";
import { inTransaction } from "../postgres/pool.ts";
import { maxTeamLimit, readQuota, setTeamLimits } from "./quotas.ts";
import { getTeam, holdTeam } from "./store.ts";

const limit = (description: string) => Type.Integer({ minimum: 0, maximum: maxTeamLimit, description });
const fields = {
  pipelines: limit("Pipelines"),
  operationsPerDay: limit("Operations from midnight to midnight, UTC; destroys don't count"),
  resources: limit("Resources of AWS in the stacks of its pipelines"),
};

const Count = Type.Object(
  {
    pipelines: Type.Integer({ description: "Pipelines" }),
    operationsPerDay: Type.Integer({ description: "Operations since midnight, UTC" }),
    resources: Type.Integer({ description: "Resources of AWS in the stacks of its pipelines" }),
  },
  { description: "What the team has" },
);

const QuotaView = Type.Object(
  {
    limits: Type.Object(fields, { description: "What the team may have" }),
    use: Count,
    own: Type.Partial(Type.Object(fields), {
      description: "The limits that were set for this team; the others are the service's",
    }),
  },
  { description: "A team's quota" },
);

const QuotaBody = Type.Partial(Type.Object(fields), {
  additionalProperties: false,
  description: "The team's own limits; what is left out is the service's",
});

const TeamParams = Type.Object({ team: TeamName });

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
    async ({ params }) => {
      await getTeam(pool, params.team);
      return readQuota(pool, params.team);
    },
  );

  app.put(
    "/teams/:team/quota",
    {
      schema: {
        summary: "Give a team limits of its own",
        tags: ["teams"],
        params: TeamParams,
        body: QuotaBody,
        response: { 200: QuotaView, ...problems(404, 413, 415) },
      },
    },
    async (request) => {
      const { team } = request.params;
      return inTransaction(pool, async (client) => {
        await holdTeam(client, team);
        const before = await readQuota(client, team);
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
    },
  );
}
