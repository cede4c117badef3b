import type { RouteOptions } from "fastify";
import type { TeamRole } from "./principal.ts";

/** Who may use a route. An admin may use every route, and an auditor every one that reads. */
export type Access =
  /** Everybody, without a token. */
  | { readonly to: "everybody" }
  /** Whoever has the bootstrap token, which is nobody's identity. */
  | { readonly to: "bootstrap" }
  /** Whoever has a valid token. Lists hold what that one may see. */
  | { readonly to: "principals" }
  /** The service itself, and admins. */
  | { readonly to: "service" }
  /** Auditors, where the route reads, and admins. */
  | { readonly to: "platform" }
  /** Admins only, whatever the route does. */
  | { readonly to: "admins" }
  /** Whoever has this role, or one that includes it, in the team that the route is about. To others the team isn't there. */
  | {
      readonly to: "team";
      readonly role: TeamRole | "admin";
      /** Another role that does as well. */
      readonly orRole?: TeamRole;
      readonly teamIn: TeamPlace;
    };

/** Where a request names its team. */
type TeamPlace = "path" | "operation" | "query";

const everybody: Access = { to: "everybody" };
const bootstrap: Access = { to: "bootstrap" };
const principals: Access = { to: "principals" };
const service: Access = { to: "service" };
const platform: Access = { to: "platform" };
const admins: Access = { to: "admins" };
const team = (role: TeamRole | "admin"): Access => ({ to: "team", role, teamIn: "path" });
const operation = (role: TeamRole): Access => ({ to: "team", role, teamIn: "operation" });
/** Whose vote counts of these is for the operation to say. */
const votedOperation: Access = { to: "team", role: "approver", orRole: "maintainer", teamIn: "operation" };
/** Without `?team=` it is about all teams, which is for the platform's roles. */
const queriedTeam = (role: TeamRole): Access => ({ to: "team", role, teamIn: "query" });

/** Every route of the application, by method and path. */
export const permissions: Readonly<Record<string, Access>> = {
  "GET /healthz": everybody,
  "GET /readyz": everybody,
  "GET /metrics": platform,
  "GET /openapi.json": principals,
  "GET /docs": principals,
  "GET /docs/": principals,
  "GET /docs/json": principals,
  "GET /docs/yaml": principals,
  "GET /docs/static/*": principals,
  "GET /docs/static/index.html": principals,
  "GET /docs/static/swagger-initializer.js": principals,

  "POST /v1/bootstrap": bootstrap,
  "GET /v1/whoami": principals,
  "GET /v1/keys": platform,
  "POST /v1/keys": admins,
  "GET /v1/keys/:key": platform,
  "DELETE /v1/keys/:key": admins,
  "GET /v1/members": platform,
  "PUT /v1/members/:subject": admins,
  "DELETE /v1/members/:subject": admins,
  "GET /v1/audit": queriedTeam("maintainer"),
  "GET /v1/audit/export": queriedTeam("maintainer"),
  "GET /v1/audit/verification": platform,

  "GET /v1/teams": principals,
  "POST /v1/teams": admins,
  "GET /v1/teams/:team": team("viewer"),
  "PATCH /v1/teams/:team": team("maintainer"),
  "DELETE /v1/teams/:team": team("admin"),
  "GET /v1/teams/:team/quota": team("viewer"),
  "PUT /v1/teams/:team/quota": team("admin"),
  "GET /v1/teams/:team/members": team("viewer"),
  "PUT /v1/teams/:team/members/:subject": team("maintainer"),
  "DELETE /v1/teams/:team/members/:subject": team("maintainer"),
  "GET /v1/teams/:team/keys": team("maintainer"),
  "POST /v1/teams/:team/keys": team("maintainer"),
  "GET /v1/teams/:team/keys/:key": team("maintainer"),
  "DELETE /v1/teams/:team/keys/:key": team("maintainer"),

  "GET /v1/teams/:team/webhooks": team("maintainer"),
  "POST /v1/teams/:team/webhooks": team("maintainer"),
  "GET /v1/teams/:team/webhooks/:webhook": team("maintainer"),
  "PATCH /v1/teams/:team/webhooks/:webhook": team("maintainer"),
  "DELETE /v1/teams/:team/webhooks/:webhook": team("maintainer"),
  "POST /v1/teams/:team/webhooks/:webhook/secrets": team("maintainer"),
  "POST /v1/teams/:team/webhooks/:webhook/test": team("maintainer"),
  "GET /v1/teams/:team/webhooks/:webhook/deliveries": team("maintainer"),
  "GET /v1/teams/:team/webhooks/:webhook/deliveries/:delivery": team("maintainer"),
  "POST /v1/teams/:team/webhooks/:webhook/deliveries/:delivery/replay": team("maintainer"),

  "GET /v1/teams/:team/accounts": team("viewer"),
  "GET /v1/teams/:team/accounts/:account": team("viewer"),
  // It binds a team to an identity on AWS.
  "PUT /v1/teams/:team/accounts/:account": team("admin"),
  "DELETE /v1/teams/:team/accounts/:account": team("admin"),
  "GET /v1/teams/:team/accounts/:account/foundation": team("viewer"),
  "POST /v1/teams/:team/accounts/:account/foundation/reconciliations": team("maintainer"),
  "POST /v1/teams/:team/accounts/:account/foundation/repairs": team("maintainer"),

  "GET /v1/teams/:team/pipelines": team("viewer"),
  "POST /v1/teams/:team/pipelines": team("developer"),
  "GET /v1/teams/:team/pipelines/:pipeline": team("viewer"),
  "PUT /v1/teams/:team/pipelines/:pipeline": team("developer"),
  "PATCH /v1/teams/:team/pipelines/:pipeline": team("developer"),
  "DELETE /v1/teams/:team/pipelines/:pipeline": team("maintainer"),
  "POST /v1/teams/:team/pipelines/:pipeline/previews": team("developer"),
  "POST /v1/teams/:team/pipelines/:pipeline/drift-checks": team("developer"),
  "POST /v1/teams/:team/pipelines/:pipeline/refreshes": team("developer"),
  "POST /v1/teams/:team/pipelines/:pipeline/repairs": team("developer"),
  "POST /v1/teams/:team/pipelines/:pipeline/reconciliations": team("developer"),
  "GET /v1/teams/:team/pipelines/:pipeline/status": team("viewer"),
  "GET /v1/teams/:team/pipelines/:pipeline/outputs": team("viewer"),
  "GET /v1/teams/:team/pipelines/:pipeline/resources": team("viewer"),
  "GET /v1/teams/:team/pipelines/:pipeline/revisions": team("viewer"),
  "GET /v1/teams/:team/pipelines/:pipeline/revisions/:revision": team("viewer"),
  "GET /v1/teams/:team/pipelines/:pipeline/history": team("viewer"),
  "POST /v1/teams/:team/pipelines/:pipeline/rollbacks": team("developer"),
  "POST /v1/teams/:team/pipelines/:pipeline/extensions": team("developer"),
  "GET /v1/teams/:team/pipelines/:pipeline/data": team("viewer"),
  "POST /v1/teams/:team/pipelines/:pipeline/data": team("developer"),
  "GET /v1/teams/:team/pipelines/:pipeline/drift": team("viewer"),
  "POST /v1/teams/:team/pipelines/:pipeline/drift/:drift/decisions": team("maintainer"),
  "GET /v1/teams/:team/pipelines/:pipeline/drift-rules": team("viewer"),
  "GET /v1/teams/:team/pipelines/:pipeline/drift-rules/:rule": team("viewer"),
  "PUT /v1/teams/:team/pipelines/:pipeline/drift-rules/:rule": team("maintainer"),
  "DELETE /v1/teams/:team/pipelines/:pipeline/drift-rules/:rule": team("maintainer"),
  "GET /v1/teams/:team/pipelines/:pipeline/releases": team("viewer"),
  "POST /v1/teams/:team/pipelines/:pipeline/releases": team("maintainer"),
  "GET /v1/teams/:team/pipelines/:pipeline/policy-exceptions": team("viewer"),
  "GET /v1/teams/:team/pipelines/:pipeline/policy-exceptions/:policy": team("viewer"),
  "PUT /v1/teams/:team/pipelines/:pipeline/policy-exceptions/:policy": team("approver"),
  "DELETE /v1/teams/:team/pipelines/:pipeline/policy-exceptions/:policy": team("approver"),

  "GET /v1/operations": principals,
  "GET /v1/operations/:operation": operation("viewer"),
  "GET /v1/operations/:operation/events": operation("viewer"),
  "POST /v1/operations/:operation/cancel": operation("developer"),
  "GET /v1/operations/:operation/approvals": operation("viewer"),
  "POST /v1/operations/:operation/approve": votedOperation,
  "POST /v1/operations/:operation/reject": votedOperation,
  "GET /v1/nodes": platform,
  "GET /v1/policies": principals,
  "GET /v1/orphans": platform,

  // The sandbox stands for AWS: what is done there by hand needs no less than an administrator of the account.
  "GET /sandbox/v1/resources": admins,
  "POST /sandbox/v1/resources": admins,
  "GET /sandbox/v1/resources/:id": admins,
  "PATCH /sandbox/v1/resources/:id": admins,
  "PUT /sandbox/v1/resources/:id/contents": admins,
  "DELETE /sandbox/v1/resources/:id": admins,
  "GET /sandbox/v1/types": admins,
  "GET /sandbox/v1/faults": admins,
  "POST /sandbox/v1/faults": admins,
  "DELETE /sandbox/v1/faults": admins,
  "DELETE /sandbox/v1/faults/:id": admins,
  "POST /sandbox/aws/cloudcontrol": service,
  "POST /sandbox/aws/cloudcontrol/": service,
  "POST /sandbox/aws/sagemaker": service,
  "POST /sandbox/aws/sagemaker/": service,
  "POST /sandbox/aws/tagging": service,
  "POST /sandbox/aws/tagging/": service,
};

/** Who may use a route, undefined for one that the table doesn't know. HEAD, which Fastify adds, follows GET. */
export function accessTo(method: string, path: string): Access | undefined {
  const key = `${method === "HEAD" ? "GET" : method} ${path}`;
  return Object.hasOwn(permissions, key) ? permissions[key] : undefined;
}

const placeholder = { path: "/:team", operation: "/:operation" } as const;

/** What is wrong with the table for a route: it doesn't say who may use it, or asks for a team that the path doesn't name. */
export function permissionProblems({ method, url }: Pick<RouteOptions, "method" | "url">): string[] {
  return [method].flat().flatMap((one) => {
    const access = accessTo(one, url);
    if (access === undefined) return [`${one} ${url} has no entry`];
    if (access.to !== "team" || access.teamIn === "query") return [];
    const named = url.includes(placeholder[access.teamIn]);
    return named ? [] : [`${one} ${url} is for a role in a team, but its path names no ${access.teamIn}`];
  });
}
