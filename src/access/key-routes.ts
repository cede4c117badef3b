import { randomUUID } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import type pg from "pg";
import Type from "typebox";
import { type AuditTrail, auditContext } from "../audit/trail.ts";
import { type App, problems, TeamName } from "../http/app-types.ts";
import { cursorPart, PageQuery, pageOf, parseCursor, toPage } from "../http/pages.ts";
import { inTransaction } from "../postgres/pool.ts";
import { getTeam, holdTeam } from "../teams/store.ts";
import { assertAdministratorLeft, lockGrants } from "./grant-store.ts";
import { assertMayGrant } from "./grants.ts";
import type { Identities } from "./identities.ts";
import { newKey } from "./key-format.ts";
import { assertRoomForKey, getKey, insertKey, listKeys, revokeKey } from "./key-store.ts";
import type { Role } from "./principal.ts";
import { KeyId, KeyView, keyView, NewKeyView, PlatformKeyBody, TeamKeyBody } from "./schema.ts";

export interface KeyRoutesOptions {
  readonly pool: pg.Pool;
  readonly audit: AuditTrail;
  readonly identities: Identities;
}

const PlatformKeyParams = Type.Object({ key: KeyId });
const TeamParams = Type.Object({ team: TeamName });
const TeamKeyParams = Type.Object({ team: TeamName, key: KeyId });
const KeyPage = pageOf(KeyView, "API keys");
const Query = Type.Object(PageQuery, { additionalProperties: false });
const Revoked = Type.Null({ description: "It opens nothing any more" });

export function keyRoutes(app: App, options: KeyRoutesOptions): void {
  platformKeyRoutes(app, options);
  teamKeyRoutes(app, options);
}

function platformKeyRoutes(app: App, options: KeyRoutesOptions): void {
  app.get(
    "/keys",
    {
      schema: {
        summary: "List the platform's API keys, newest first, also those that are over",
        tags: ["access"],
        querystring: Query,
        response: { 200: KeyPage, ...problems() },
      },
    },
    async ({ query }) => keyPage(options, null, query),
  );

  app.post(
    "/keys",
    {
      config: { answerHoldsSecret: true },
      schema: {
        summary: "Make an API key with roles for the platform; the key is shown in this answer only",
        tags: ["access"],
        body: PlatformKeyBody,
        response: { 201: NewKeyView, ...problems(409, 413, 415) },
      },
    },
    async (request, reply) => createKey(options, request, reply, { team: null, ...request.body }),
  );

  app.get(
    "/keys/:key",
    {
      schema: {
        summary: "Read one of the platform's API keys",
        tags: ["access"],
        params: PlatformKeyParams,
        response: { 200: KeyView, ...problems(404) },
      },
    },
    async ({ params }) => keyView(await getKey(options.pool, null, params.key)),
  );

  app.delete(
    "/keys/:key",
    {
      schema: {
        summary: "Revoke one of the platform's API keys at once and for good",
        tags: ["access"],
        params: PlatformKeyParams,
        response: { 204: Revoked, ...problems(404, 409) },
      },
    },
    async (request, reply) => {
      await revoke(options, request, { team: null, id: request.params.key });
      return reply.code(204).send(null);
    },
  );
}

function teamKeyRoutes(app: App, options: KeyRoutesOptions): void {
  app.get(
    "/teams/:team/keys",
    {
      schema: {
        summary: "List a team's API keys, newest first, also those that are over",
        tags: ["access"],
        params: TeamParams,
        querystring: Query,
        response: { 200: KeyPage, ...problems(404) },
      },
    },
    async ({ params, query }) => {
      await getTeam(options.pool, params.team);
      return keyPage(options, params.team, query);
    },
  );

  app.post(
    "/teams/:team/keys",
    {
      config: { answerHoldsSecret: true },
      schema: {
        summary: "Make an API key with roles for a team; the key is shown in this answer only",
        tags: ["access"],
        params: TeamParams,
        body: TeamKeyBody,
        response: { 201: NewKeyView, ...problems(404, 409, 413, 415) },
      },
    },
    async (request, reply) =>
      createKey(options, request, reply, { team: request.params.team, ...request.body }),
  );

  app.get(
    "/teams/:team/keys/:key",
    {
      schema: {
        summary: "Read one of a team's API keys",
        tags: ["access"],
        params: TeamKeyParams,
        response: { 200: KeyView, ...problems(404) },
      },
    },
    async ({ params }) => {
      await getTeam(options.pool, params.team);
      return keyView(await getKey(options.pool, params.team, params.key));
    },
  );

  app.delete(
    "/teams/:team/keys/:key",
    {
      schema: {
        summary: "Revoke one of a team's API keys at once and for good",
        tags: ["access"],
        params: TeamKeyParams,
        response: { 204: Revoked, ...problems(404) },
      },
    },
    async (request, reply) => {
      const { team, key } = request.params;
      await revoke(options, request, { team, id: key });
      return reply.code(204).send(null);
    },
  );
}

async function keyPage(
  { pool }: KeyRoutesOptions,
  team: string | null,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string },
) {
  const after = parseCursor(cursor, cursorPart.moment, cursorPart.uuid);
  const keys = await listKeys(pool, team, { after, limit });
  return toPage(
    keys,
    limit,
    ({ key }) => keyView(key),
    ({ position }) => position,
  );
}

interface KeyToMake {
  readonly team: string | null;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly expiresInDays: number;
}

async function createKey(
  { pool, audit }: KeyRoutesOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  wanted: KeyToMake,
) {
  const { team } = wanted;
  const { text, prefix, digest } = newKey();
  const by = auditContext(request);
  const created = await inTransaction(pool, async (client) => {
    if (team !== null) await holdTeam(client, team);
    assertMayGrant(request.principal, wanted);
    await assertRoomForKey(client, team);
    const id = randomUUID();
    const stored = keyView(await insertKey(client, { ...wanted, id, prefix, digest, createdBy: by.subject }));
    await audit.change(client, by, { action: "key.create", team, target: pathOf(team, id), after: stored });
    return stored;
  });
  return reply
    .code(201)
    .header("location", `/v1${pathOf(team, created.id)}`)
    .header("cache-control", "no-store")
    .send({ ...created, key: text });
}

/** Idempotent. A maintainer may revoke whatever key of their team, whoever granted its roles: a key that leaked can't wait. */
async function revoke(
  { pool, audit, identities }: KeyRoutesOptions,
  request: FastifyRequest,
  { team, id }: { readonly team: string | null; readonly id: string },
): Promise<void> {
  await inTransaction(pool, async (client) => {
    if (team === null) await lockGrants(client, null);
    else await holdTeam(client, team);
    const before = keyView(await getKey(client, team, id));
    if (!(await revokeKey(client, id))) return;
    if (team === null) await assertAdministratorLeft(client, identities.issuer);
    const after = keyView(await getKey(client, team, id));
    await audit.change(client, auditContext(request), {
      action: "key.revoke",
      team,
      target: pathOf(team, id),
      before,
      after,
    });
  });
}

function pathOf(team: string | null, id: string): string {
  return team === null ? `/keys/${id}` : `/teams/${team}/keys/${id}`;
}
