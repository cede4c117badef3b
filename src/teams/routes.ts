import type pg from "pg";
import Type, { type Static } from "typebox";
import { type App, Moment, problems, TeamName } from "../http/app-types.ts";
import { cursorPart, PageQuery, pageOf, parseCursor, toPage } from "../http/pages.ts";
import { inTransaction } from "../postgres/pool.ts";
import { deleteTeam, getTeam, insertTeam, listTeams, renameTeam, type Team } from "./store.ts";

const DisplayName = Type.String({ minLength: 1, maxLength: 100, description: "What people call the team" });

const TeamBody = Type.Object(
  { name: TeamName, displayName: Type.Optional(DisplayName) },
  { additionalProperties: false, description: "A new team" },
);

const TeamView = Type.Object(
  {
    name: TeamName,
    displayName: DisplayName,
    createdAt: Moment("When it was created"),
    updatedAt: Moment("When it was last changed"),
  },
  { description: "A team: it owns accounts and pipelines" },
);

const TeamParams = Type.Object({ team: TeamName });

function view(team: Team): Static<typeof TeamView> {
  return { ...team, createdAt: team.createdAt.toISOString(), updatedAt: team.updatedAt.toISOString() };
}

export function teamRoutes(app: App, { pool }: { readonly pool: pg.Pool }): void {
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
      const team = await insertTeam(pool, name, displayName ?? name);
      return reply.code(201).header("location", `/v1/teams/${team.name}`).send(view(team));
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
      const teams = await listTeams(pool, parseCursor(cursor, cursorPart.name)?.[0], limit);
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
        response: { 200: TeamView, ...problems(404) },
      },
    },
    async (request) => view(await getTeam(pool, request.params.team)),
  );

  app.patch(
    "/teams/:team",
    {
      schema: {
        summary: "Change a team",
        tags: ["teams"],
        params: TeamParams,
        body: Type.Object(
          { displayName: DisplayName },
          { additionalProperties: false, description: "Changes to a team" },
        ),
        response: { 200: TeamView, ...problems(404, 413, 415) },
      },
    },
    async (request) => view(await renameTeam(pool, request.params.team, request.body.displayName)),
  );

  app.delete(
    "/teams/:team",
    {
      schema: {
        summary: "Delete a team that has no account and no pipeline",
        tags: ["teams"],
        params: TeamParams,
        response: { 204: Type.Null({ description: "Deleted" }), ...problems(404, 409) },
      },
    },
    async (request, reply) => {
      await inTransaction(pool, (client) => deleteTeam(client, request.params.team));
      return reply.code(204).send(null);
    },
  );
}
