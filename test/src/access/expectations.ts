/** What a caller may expect of a route. */
export type Outcome =
  /** The route's own answer, whatever it is. */
  | "ok"
  /** The caller sees what the route is about and may not do this. */
  | "403"
  /** The answer is that of what doesn't exist. */
  | "404"
  /** The caller's identity counts for nothing there. */
  | "401";

export const callers = [
  "nobody",
  "viewer",
  "developer",
  "maintainer",
  "approver",
  "auditor",
  "admin",
] as const;
export type CallerName = (typeof callers)[number];

export interface Expectation {
  readonly method: string;
  /** The route's path, with `?team=` where the request has that. */
  readonly url: string;
  readonly outcomes: Readonly<Record<CallerName, Outcome>>;
}

// Roles are roles in the team that the request is about; "nobody" has a valid token and no role, or roles in other teams only.
const table = `
route                                                                       nobody viewer developer maintainer approver auditor admin

GET    /healthz                                                                 ok     ok        ok         ok       ok      ok    ok
GET    /readyz                                                                  ok     ok        ok         ok       ok      ok    ok
GET    /metrics                                                                403    403       403        403      403      ok    ok
GET    /openapi.json                                                            ok     ok        ok         ok       ok      ok    ok
GET    /docs                                                                    ok     ok        ok         ok       ok      ok    ok
GET    /docs/                                                                   ok     ok        ok         ok       ok      ok    ok
GET    /docs/json                                                               ok     ok        ok         ok       ok      ok    ok
GET    /docs/yaml                                                               ok     ok        ok         ok       ok      ok    ok
GET    /docs/static/*                                                           ok     ok        ok         ok       ok      ok    ok
GET    /docs/static/index.html                                                  ok     ok        ok         ok       ok      ok    ok
GET    /docs/static/swagger-initializer.js                                      ok     ok        ok         ok       ok      ok    ok

POST   /v1/bootstrap                                                           401    401       401        401      401     401   401
GET    /v1/whoami                                                               ok     ok        ok         ok       ok      ok    ok
GET    /v1/keys                                                                403    403       403        403      403      ok    ok
POST   /v1/keys                                                                403    403       403        403      403     403    ok
GET    /v1/keys/:key                                                           403    403       403        403      403      ok    ok
DELETE /v1/keys/:key                                                           403    403       403        403      403     403    ok
GET    /v1/members                                                             403    403       403        403      403      ok    ok
PUT    /v1/members/:subject                                                    403    403       403        403      403     403    ok
DELETE /v1/members/:subject                                                    403    403       403        403      403     403    ok
GET    /v1/audit                                                               403    403       403        403      403      ok    ok
GET    /v1/audit?team=:team                                                    404    403       403         ok      403      ok    ok
GET    /v1/audit/export                                                        403    403       403        403      403      ok    ok
GET    /v1/audit/export?team=:team                                             404    403       403         ok      403      ok    ok
GET    /v1/audit/verification                                                  403    403       403        403      403      ok    ok

GET    /v1/teams                                                                ok     ok        ok         ok       ok      ok    ok
POST   /v1/teams                                                               403    403       403        403      403     403    ok
GET    /v1/teams/:team                                                         404     ok        ok         ok       ok      ok    ok
PATCH  /v1/teams/:team                                                         404    403       403         ok      403     403    ok
DELETE /v1/teams/:team                                                         404    403       403        403      403     403    ok
GET    /v1/teams/:team/quota                                                   404     ok        ok         ok       ok      ok    ok
PUT    /v1/teams/:team/quota                                                   404    403       403        403      403     403    ok
GET    /v1/teams/:team/members                                                 404     ok        ok         ok       ok      ok    ok
PUT    /v1/teams/:team/members/:subject                                        404    403       403         ok      403     403    ok
DELETE /v1/teams/:team/members/:subject                                        404    403       403         ok      403     403    ok
GET    /v1/teams/:team/keys                                                    404    403       403         ok      403      ok    ok
POST   /v1/teams/:team/keys                                                    404    403       403         ok      403     403    ok
GET    /v1/teams/:team/keys/:key                                               404    403       403         ok      403      ok    ok
DELETE /v1/teams/:team/keys/:key                                               404    403       403         ok      403     403    ok

GET    /v1/teams/:team/webhooks                                               404    403       403         ok      403      ok    ok
POST   /v1/teams/:team/webhooks                                               404    403       403         ok      403     403    ok
GET    /v1/teams/:team/webhooks/:webhook                                      404    403       403         ok      403      ok    ok
PATCH  /v1/teams/:team/webhooks/:webhook                                      404    403       403         ok      403     403    ok
DELETE /v1/teams/:team/webhooks/:webhook                                      404    403       403         ok      403     403    ok
POST   /v1/teams/:team/webhooks/:webhook/secrets                              404    403       403         ok      403     403    ok
POST   /v1/teams/:team/webhooks/:webhook/test                                 404    403       403         ok      403     403    ok
GET    /v1/teams/:team/webhooks/:webhook/deliveries                           404    403       403         ok      403      ok    ok
GET    /v1/teams/:team/webhooks/:webhook/deliveries/:delivery                 404    403       403         ok      403      ok    ok
POST   /v1/teams/:team/webhooks/:webhook/deliveries/:delivery/replay          404    403       403         ok      403     403    ok

GET    /v1/teams/:team/accounts                                                404     ok        ok         ok       ok      ok    ok
GET    /v1/teams/:team/accounts/:account                                       404     ok        ok         ok       ok      ok    ok
PUT    /v1/teams/:team/accounts/:account                                       404    403       403        403      403     403    ok
DELETE /v1/teams/:team/accounts/:account                                       404    403       403        403      403     403    ok
GET    /v1/teams/:team/accounts/:account/foundation                            404     ok        ok         ok       ok      ok    ok
POST   /v1/teams/:team/accounts/:account/foundation/reconciliations            404    403       403         ok      403     403    ok
POST   /v1/teams/:team/accounts/:account/foundation/repairs                    404    403       403         ok      403     403    ok

GET    /v1/teams/:team/pipelines                                               404     ok        ok         ok       ok      ok    ok
POST   /v1/teams/:team/pipelines                                               404    403        ok         ok      403     403    ok
GET    /v1/teams/:team/pipelines/:pipeline                                     404     ok        ok         ok       ok      ok    ok
PUT    /v1/teams/:team/pipelines/:pipeline                                     404    403        ok         ok      403     403    ok
PATCH  /v1/teams/:team/pipelines/:pipeline                                     404    403        ok         ok      403     403    ok
DELETE /v1/teams/:team/pipelines/:pipeline                                     404    403       403         ok      403     403    ok
POST   /v1/teams/:team/pipelines/:pipeline/previews                            404    403        ok         ok      403     403    ok
POST   /v1/teams/:team/pipelines/:pipeline/drift-checks                        404    403        ok         ok      403     403    ok
POST   /v1/teams/:team/pipelines/:pipeline/refreshes                           404    403        ok         ok      403     403    ok
POST   /v1/teams/:team/pipelines/:pipeline/repairs                             404    403        ok         ok      403     403    ok
POST   /v1/teams/:team/pipelines/:pipeline/reconciliations                     404    403        ok         ok      403     403    ok
GET    /v1/teams/:team/pipelines/:pipeline/status                              404     ok        ok         ok       ok      ok    ok
GET    /v1/teams/:team/pipelines/:pipeline/outputs                             404     ok        ok         ok       ok      ok    ok
GET    /v1/teams/:team/pipelines/:pipeline/resources                           404     ok        ok         ok       ok      ok    ok
GET    /v1/teams/:team/pipelines/:pipeline/revisions                           404     ok        ok         ok       ok      ok    ok
GET    /v1/teams/:team/pipelines/:pipeline/revisions/:revision                 404     ok        ok         ok       ok      ok    ok
GET    /v1/teams/:team/pipelines/:pipeline/history                             404     ok        ok         ok       ok      ok    ok
POST   /v1/teams/:team/pipelines/:pipeline/rollbacks                           404    403        ok         ok      403     403    ok
POST   /v1/teams/:team/pipelines/:pipeline/extensions                          404    403        ok         ok      403     403    ok
GET    /v1/teams/:team/pipelines/:pipeline/drift                               404     ok        ok         ok       ok      ok    ok
POST   /v1/teams/:team/pipelines/:pipeline/drift/:drift/decisions              404    403       403         ok      403     403    ok
GET    /v1/teams/:team/pipelines/:pipeline/drift-rules                         404     ok        ok         ok       ok      ok    ok
GET    /v1/teams/:team/pipelines/:pipeline/drift-rules/:rule                   404     ok        ok         ok       ok      ok    ok
PUT    /v1/teams/:team/pipelines/:pipeline/drift-rules/:rule                   404    403       403         ok      403     403    ok
DELETE /v1/teams/:team/pipelines/:pipeline/drift-rules/:rule                   404    403       403         ok      403     403    ok
GET    /v1/teams/:team/pipelines/:pipeline/data                                404     ok        ok         ok       ok      ok    ok
POST   /v1/teams/:team/pipelines/:pipeline/data                                404    403        ok         ok      403     403    ok
GET    /v1/teams/:team/pipelines/:pipeline/releases                            404     ok        ok         ok       ok      ok    ok
POST   /v1/teams/:team/pipelines/:pipeline/releases                            404    403       403         ok      403     403    ok
GET    /v1/teams/:team/pipelines/:pipeline/policy-exceptions                   404     ok        ok         ok       ok      ok    ok
GET    /v1/teams/:team/pipelines/:pipeline/policy-exceptions/:policy           404     ok        ok         ok       ok      ok    ok
PUT    /v1/teams/:team/pipelines/:pipeline/policy-exceptions/:policy           404    403       403        403       ok     403    ok
DELETE /v1/teams/:team/pipelines/:pipeline/policy-exceptions/:policy           404    403       403        403       ok     403    ok

GET    /v1/nodes                                                               403    403       403        403      403      ok    ok
GET    /v1/operations                                                           ok     ok        ok         ok       ok      ok    ok
GET    /v1/operations/:operation                                               404     ok        ok         ok       ok      ok    ok
GET    /v1/operations/:operation/events                                        404     ok        ok         ok       ok      ok    ok
POST   /v1/operations/:operation/cancel                                        404    403        ok         ok      403     403    ok
GET    /v1/operations/:operation/approvals                                     404     ok        ok         ok       ok      ok    ok
POST   /v1/operations/:operation/approve                                       404    403       403         ok       ok     403    ok
POST   /v1/operations/:operation/reject                                        404    403       403         ok       ok     403    ok
GET    /v1/policies                                                             ok     ok        ok         ok       ok      ok    ok
GET    /v1/orphans                                                             403    403       403        403      403      ok    ok

GET    /sandbox/v1/resources                                                   403    403       403        403      403     403    ok
POST   /sandbox/v1/resources                                                   403    403       403        403      403     403    ok
GET    /sandbox/v1/resources/:id                                               403    403       403        403      403     403    ok
PATCH  /sandbox/v1/resources/:id                                               403    403       403        403      403     403    ok
PUT    /sandbox/v1/resources/:id/contents                                      403    403       403        403      403     403    ok
DELETE /sandbox/v1/resources/:id                                               403    403       403        403      403     403    ok
GET    /sandbox/v1/types                                                       403    403       403        403      403     403    ok
GET    /sandbox/v1/faults                                                      403    403       403        403      403     403    ok
POST   /sandbox/v1/faults                                                      403    403       403        403      403     403    ok
DELETE /sandbox/v1/faults                                                      403    403       403        403      403     403    ok
DELETE /sandbox/v1/faults/:id                                                  403    403       403        403      403     403    ok
POST   /sandbox/aws/cloudcontrol                                               403    403       403        403      403     403    ok
POST   /sandbox/aws/cloudcontrol/                                              403    403       403        403      403     403    ok
POST   /sandbox/aws/sagemaker                                                  403    403       403        403      403     403    ok
POST   /sandbox/aws/sagemaker/                                                 403    403       403        403      403     403    ok
POST   /sandbox/aws/tagging                                                    403    403       403        403      403     403    ok
POST   /sandbox/aws/tagging/                                                   403    403       403        403      403     403    ok
`;

/** What every caller may expect of every route. */
export const expectations: readonly Expectation[] = table
  .split("\n")
  .slice(2)
  .filter((line) => line !== "")
  .map((line) => {
    const [method, url, ...cells] = line.split(/\s+/) as [string, string, ...Outcome[]];
    const outcomes = Object.fromEntries(callers.map((caller, column) => [caller, cells[column]]));
    return { method, url, outcomes: outcomes as Record<CallerName, Outcome> };
  });
