import type { FastifyRequest } from "fastify";
import type pg from "pg";
import { AppError } from "../errors.ts";
import type { App } from "../http/app-types.ts";
import { operationNotFound, teamOfOperation } from "../operations/store.ts";
import { teamNotFound } from "../teams/store.ts";
import { type Access, accessTo, permissionProblems } from "./permissions.ts";
import { sees, type TeamRole } from "./principal.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Whose the operation of the path is; known once somebody has asked for it whose roles depend on that. */
    operationTeam: string | undefined;
  }
}

/**
 * Refuses, right after authentication and before a body is read, what the table of permissions doesn't let a principal do. What
 * they may not see is answered as what isn't there; what they see and may not do, with the role that it needs. With routes that the
 * table doesn't know, the application doesn't start.
 */
export function authorization(app: App, pool: pg.Pool): void {
  // Told together and not before the start: what a hook throws in the midst of a plugin ends the process.
  const problems: string[] = [];
  app.addHook("onRoute", (route) => {
    problems.push(...permissionProblems(route));
  });
  app.addHook("onReady", async () => {
    if (problems.length > 0)
      throw new Error(`src/access/permissions.ts must say who may use every route: ${problems.join("; ")}`);
  });
  app.decorateRequest("operationTeam", undefined);
  app.addHook("onRequest", (request) => authorize(pool, request));
  // A body may take half a minute to arrive, in which a key can be revoked: what changes something is judged by what is granted now.
  app.addHook("preHandler", async (request) => {
    if (readingMethods.has(request.method) || request.routeOptions.url === undefined) return;
    request.principal = await request.authenticate();
    await authorize(pool, request);
  });
}

const readingMethods: ReadonlySet<string> = new Set(["GET", "HEAD"]);

async function authorize(pool: pg.Pool, request: FastifyRequest): Promise<void> {
  const { url: path } = request.routeOptions;
  // No such route: whoever is known may learn that.
  if (path === undefined) return;
  const access = accessTo(request.method, path);
  if (access === undefined) throw new Error(`Nothing says who may use ${request.method} ${path}`);
  if (access.to === "team") await authorizeInTeam(pool, request, access);
  else if (!mayUse(access, request)) throw forbidden(request, neededOf[access.to]);
}

const neededOf = {
  everybody: "no role",
  bootstrap: "the bootstrap token",
  principals: "no role",
  service: "the platform role admin",
  admins: "the platform role admin",
  platform: "the platform role auditor or admin",
} as const;

function mayUse(access: Exclude<Access, { to: "team" }>, request: FastifyRequest): boolean {
  const { principal } = request;
  switch (access.to) {
    case "everybody":
    case "principals":
      return true;
    case "bootstrap":
      return principal.subject === "bootstrap";
    case "service":
      return principal.subject === "service" || principal.platform.has("admin");
    case "platform":
      return unrestricted(request);
    case "admins":
      return principal.platform.has("admin");
  }
}

/** Admins may do everything; auditors may do whatever changes nothing. */
function unrestricted({ method, principal: { platform } }: FastifyRequest): boolean {
  return platform.has("admin") || (platform.has("auditor") && readingMethods.has(method));
}

async function authorizeInTeam(
  pool: pg.Pool,
  request: FastifyRequest,
  { role, orRole, teamIn }: Extract<Access, { to: "team" }>,
): Promise<void> {
  if (unrestricted(request)) return;
  const { principal } = request;
  const team = teamIn === "operation" ? await operationTeam(pool, request) : namedTeam(request, teamIn);
  if (team === undefined) throw forbidden(request, neededOf.platform);
  if (!sees(principal, team)) throw teamNotFound(team, { denied: true });
  const accepted = [role, ...(orRole === undefined ? [] : [orRole])];
  if (accepted.some((one) => one !== "admin" && holds(principal.teams.get(team), one))) return;
  throw forbidden(
    request,
    role === "admin"
      ? neededOf.admins
      : `the role ${accepted.join(" or ")} in team "${team}", or the platform role admin`,
  );
}

/** The team of the operation in the path; throws `operation_not_found` for one that this principal may not see. */
async function operationTeam(pool: pg.Pool, request: FastifyRequest): Promise<string> {
  const { operation: id } = request.params as { readonly operation: string };
  const team = await teamOfOperation(pool, id);
  if (team === undefined) throw operationNotFound(id);
  request.operationTeam = team;
  if (!sees(request.principal, team)) throw operationNotFound(id, { denied: true });
  return team;
}

/**
 * Whether whoever sent the request, which may have been a while ago, sees the team by now. Where that can't be found out at the
 * moment, what was true before goes on.
 */
export async function stillSees(request: FastifyRequest, team: string): Promise<boolean> {
  try {
    return sees(await request.authenticate(), team);
  } catch (error) {
    return !(error instanceof AppError && error.code === "unauthenticated");
  }
}

function namedTeam(request: FastifyRequest, place: "path" | "query"): string | undefined {
  const { team } = (place === "path" ? request.params : request.query) as { readonly team?: unknown };
  // A query may name several: then it is about none of them alone.
  return typeof team === "string" ? team : undefined;
}

// Who approves exceptions doesn't make what they are for: neither role includes the other.
const includedIn = {
  viewer: ["viewer", "developer", "maintainer", "approver"],
  developer: ["developer", "maintainer"],
  maintainer: ["maintainer"],
  approver: ["approver"],
} as const satisfies Record<TeamRole, readonly TeamRole[]>;

/** Whether one of the roles is this one or includes it. */
export function holds(roles: ReadonlySet<TeamRole> | undefined, role: TeamRole): boolean {
  return includedIn[role].some((including) => roles?.has(including) === true);
}

function forbidden(request: FastifyRequest, needed: string): AppError {
  return new AppError(
    "forbidden",
    `${request.method} ${request.routeOptions.url} needs ${needed}: ask for it, or ask somebody who has it`,
  );
}
