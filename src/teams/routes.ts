import type pg from "pg";
import Type, { type Static } from "typebox";
import { visibleTeams } from "../access/principal.ts";
import { type AuditTrail, auditContext } from "../audit/trail.ts";
import { type App, Moment, problems, singleLine, TeamName } from "../http/app-types.ts";
import {
  checkPreconditions,
  etagOf,
  IfNoneMatchTag,
  NotModified,
  Preconditions,
  sendTagged,
} from "../http/etags.ts";
import { cursorPart, PageQuery, pageOf, parseCursor, toPage } from "../http/pages.ts";
import { inTransaction } from "../postgres/pool.ts";
import { deleteTeam, getTeam, insertTeam, listTeams, lockTeam, renameTeam, type Team } from "./store.ts";

const DisplayName = Type.String({
  minLength: 1,
  maxLength: 100,
  pattern: singleLine,
  description: "What people call the team",
});

const TeamBody = Type.Object(
  { name: TeamName, displayName: Type.Optional(DisplayName) },
  { additionalProperties: false, description: "A new team" },
);

const TeamView = Type.Object(
  {
    name: TeamName,
    displayName: DisplayName,
    externalId: Type.String({
      description:
        "External id that the trust policy of each role must ask for that the team registers an account with",
    }),
    createdAt: Moment("When it was created"),
    updatedAt: Moment("When it was last changed"),
  },
  { description: "A team: it owns accounts and pipelines" },
);

const TeamParams = Type.Object({ team: TeamName });

function view(team: Team): Static<typeof TeamView> {
  return { ...team, createdAt: team.createdAt.toISOString(), updatedAt: team.updatedAt.toISOString() };
}

export function teamRoutes(
  app: App,
  { pool, audit }: { readonly pool: pg.Pool; readonly audit: AuditTrail },
): void {
  app.post(
    "/teams",
    {
      schema: {
        summary: "Create a team",
        tags: ["teams"],
        body: TeamBody,
        response: { 201: TeamView, ...problems(409, 413, 415) },
      },
    },
    async (request, reply) => {
      const { name, displayName } = request.body;
      const team = await inTransaction(pool, async (client) => {
        const created = view(await insertTeam(client, name, displayName ?? name));
        await audit.change(client, auditContext(request), {
          action: "team.create",
          team: name,
          target: `/teams/${name}`,
          after: created,
        });
        return created;
      });
      return reply.code(201).header("location", `/v1/teams/${team.name}`).send(team);
    },
  );

  app.get(
    "/teams",
    {
      schema: {
        summary: "List teams by name",
        tags: ["teams"],
        querystring: Type.Object(PageQuery, { additionalProperties: false }),
        response: { 200: pageOf(TeamView, "Teams"), ...problems() },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query;
      const after = parseCursor(cursor, cursorPart.name)?.[0];
      const teams = await listTeams(pool, visibleTeams(request.principal), after, limit);
      return toPage(teams, limit, view, (team) => [team.name]);
    },
  );

  app.get(
    "/teams/:team",
    {
      schema: {
        summary: "Read a team",
        tags: ["teams"],
        params: TeamParams,
        headers: IfNoneMatchTag,
        response: { 200: TeamView, 304: NotModified, ...problems(404) },
      },
    },
    async (request, reply) => {
      const team = view(await getTeam(pool, request.params.team));
      return sendTagged(request, reply, etagOf(team), team);
    },
  );

  app.patch(
    "/teams/:team",
    {
      schema: {
        summary: "Change a team",
        tags: ["teams"],
        params: TeamParams,
        headers: Preconditions,
        body: Type.Object(
          { displayName: DisplayName },
          { additionalProperties: false, description: "Changes to a team" },
        ),
        response: { 200: TeamView, ...problems(404, 412, 413, 415) },
      },
    },
    async (request, reply) => {
      const changed = await inTransaction(pool, async (client) => {
        const { team } = request.params;
        const before = view(await lockTeam(client, team));
        checkPreconditions(request, etagOf(before));
        const after = view(await renameTeam(client, team, request.body.displayName));
        await audit.change(client, auditContext(request), {
          action: "team.update",
          team,
          target: `/teams/${team}`,
          before,
          after,
        });
        return after;
      });
      return reply.header("etag", etagOf(changed)).send(changed);
    },
  );

  app.delete(
    "/teams/:team",
    {
      schema: {
        summary: "Delete a team that has no account and no pipeline",
        tags: ["teams"],
        params: TeamParams,
        headers: Preconditions,
        response: { 204: Type.Null({ description: "Deleted" }), ...problems(404, 409, 412) },
      },
    },
    async (request, reply) => {
      const { team } = request.params;
      await inTransaction(pool, async (client) => {
        const before = view(await deleteTeam(client, team));
        checkPreconditions(request, etagOf(before));
        await audit.change(client, auditContext(request), {
          action: "team.delete",
          team,
          target: `/teams/${team}`,
          before,
        });
      });
      return reply.code(204).send(null);
    },
  );
}
