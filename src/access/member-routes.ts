import type { FastifyRequest } from "fastify";
import type pg from "pg";
import Type from "typebox";
import { type AuditTrail, auditContext } from "../audit/trail.ts";
import { AppError } from "../errors.ts";
import { type App, problems, TeamName } from "../http/app-types.ts";
import { PageQuery, pageOf, parseCursor, toPage } from "../http/pages.ts";
import { inTransaction } from "../postgres/pool.ts";
import { getTeam, holdTeam } from "../teams/store.ts";
import {
  assertAdministratorLeft,
  deleteMember,
  findMember,
  listMembers,
  lockGrants,
  putMember,
} from "./grant-store.ts";
import { assertMayGrant, changedRoles } from "./grants.ts";
import type { Identities } from "./identities.ts";
import { subjectPattern } from "./oidc.ts";
import type { Role } from "./principal.ts";
import { MemberView, memberView, PlatformMemberBody, TeamMemberBody, UserSubject } from "./schema.ts";

export interface MemberRoutesOptions {
  readonly pool: pg.Pool;
  readonly audit: AuditTrail;
  readonly identities: Identities;
}

const PlatformMemberParams = Type.Object({ subject: UserSubject });
const TeamParams = Type.Object({ team: TeamName });
const TeamMemberParams = Type.Object({ team: TeamName, subject: UserSubject });
const MemberPage = pageOf(MemberView, "People of the issuer, and keys that are in force");
const Query = Type.Object(PageQuery, { additionalProperties: false });
const Removed = Type.Null({ description: "Nothing is granted to them any more" });
const subjectPart = new RegExp(`^(user|key):${subjectPattern}$`);

export function memberRoutes(app: App, options: MemberRoutesOptions): void {
  platformMemberRoutes(app, options);
  teamMemberRoutes(app, options);
}

function platformMemberRoutes(app: App, options: MemberRoutesOptions): void {
  app.get(
    "/members",
    {
      schema: {
        summary: "List who has roles for the platform, by subject",
        tags: ["access"],
        querystring: Query,
        response: { 200: MemberPage, ...problems() },
      },
    },
    async ({ query }) => memberPage(options, null, query),
  );

  app.put(
    "/members/:subject",
    {
      schema: {
        summary: "Grant somebody of the issuer roles for the platform, instead of those they had",
        tags: ["access"],
        params: PlatformMemberParams,
        body: PlatformMemberBody,
        response: { 200: MemberView, 201: MemberView, ...problems(409, 413, 415) },
      },
    },
    async (request, reply) => {
      const { subject } = request.params;
      const { member, isNew } = await grant(options, request, {
        team: null,
        subject,
        roles: request.body.roles,
      });
      return reply.code(isNew ? 201 : 200).send(member);
    },
  );

  app.delete(
    "/members/:subject",
    {
      schema: {
        summary: "Take somebody's roles for the platform",
        tags: ["access"],
        params: PlatformMemberParams,
        response: { 204: Removed, ...problems(404, 409) },
      },
    },
    async (request, reply) => {
      await remove(options, request, { team: null, subject: request.params.subject });
      return reply.code(204).send(null);
    },
  );
}

function teamMemberRoutes(app: App, options: MemberRoutesOptions): void {
  app.get(
    "/teams/:team/members",
    {
      schema: {
        summary: "List who has roles for a team, by subject",
        tags: ["access"],
        params: TeamParams,
        querystring: Query,
        response: { 200: MemberPage, ...problems(404) },
      },
    },
    async ({ params, query }) => {
      await getTeam(options.pool, params.team);
      return memberPage(options, params.team, query);
    },
  );

  app.put(
    "/teams/:team/members/:subject",
    {
      schema: {
        summary: "Grant somebody of the issuer roles for a team, instead of those they had",
        tags: ["access"],
        params: TeamMemberParams,
        body: TeamMemberBody,
        response: { 200: MemberView, 201: MemberView, ...problems(404, 409, 413, 415) },
      },
    },
    async (request, reply) => {
      const { member, isNew } = await grant(options, request, { ...request.params, ...request.body });
      return reply.code(isNew ? 201 : 200).send(member);
    },
  );

  app.delete(
    "/teams/:team/members/:subject",
    {
      schema: {
        summary: "Take somebody's roles for a team",
        tags: ["access"],
        params: TeamMemberParams,
        response: { 204: Removed, ...problems(404) },
      },
    },
    async (request, reply) => {
      await remove(options, request, request.params);
      return reply.code(204).send(null);
    },
  );
}

async function memberPage(
  { pool, identities: { issuer } }: MemberRoutesOptions,
  team: string | null,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string },
) {
  const after = parseCursor(cursor, subjectPart)?.[0];
  const members = await listMembers(pool, { issuer, team }, { after, limit });
  return toPage(members, limit, memberView, ({ subject }) => [subject]);
}

interface Membership {
  readonly team: string | null;
  readonly subject: string;
}

async function grant(
  { pool, audit, identities: { issuer } }: MemberRoutesOptions,
  request: FastifyRequest,
  { team, subject, roles }: Membership & { readonly roles: readonly Role[] },
) {
  return inTransaction(pool, async (client) => {
    if (team !== null) await holdTeam(client, team);
    if (issuer === undefined) {
      throw new AppError(
        "no_issuer",
        "The service has no issuer whose subjects could be members: set AIDLC_OIDC_ISSUER and AIDLC_OIDC_AUDIENCE, or make an API key",
      );
    }
    await lockGrants(client, team);
    const before = await findMember(client, { issuer, team }, subject);
    const changed = changedRoles(before?.roles ?? [], roles);
    assertMayGrant(request.principal, { team, roles: changed });
    if (before !== undefined && changed.length === 0) return { member: memberView(before), isNew: false };
    const by = auditContext(request);
    const put = { subject, roles, grantedBy: by.subject };
    const after = memberView(await putMember(client, { issuer, team }, put));
    if (team === null) await assertAdministratorLeft(client, issuer);
    await audit.change(client, by, {
      action: "member.put",
      team,
      target: pathOf({ team, subject }),
      before: before && memberView(before),
      after,
    });
    return { member: after, isNew: before === undefined };
  });
}

async function remove(
  { pool, audit, identities: { issuer } }: MemberRoutesOptions,
  request: FastifyRequest,
  { team, subject }: Membership,
): Promise<void> {
  await inTransaction(pool, async (client) => {
    if (team !== null) await holdTeam(client, team);
    await lockGrants(client, team);
    const before = await findMember(client, { issuer, team }, subject);
    if (issuer === undefined || before === undefined) {
      const where = team === null ? "of the platform" : `of team "${team}"`;
      throw new AppError("member_not_found", `"${subject}" is no member ${where}: list the members`);
    }
    assertMayGrant(request.principal, { team, roles: before.roles });
    await deleteMember(client, { issuer, team }, subject);
    if (team === null) await assertAdministratorLeft(client, issuer);
    await audit.change(client, auditContext(request), {
      action: "member.delete",
      team,
      target: pathOf({ team, subject }),
      before: memberView(before),
    });
  });
}

function pathOf({ team, subject }: Membership): string {
  const member = `members/${encodeURIComponent(subject)}`;
  return team === null ? `/${member}` : `/teams/${team}/${member}`;
}
