import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { permissions } from "../../../src/access/permissions.ts";
import { teamRoles } from "../../../src/access/principal.ts";
import { uniqueName, validSpec } from "../../support/builders.ts";
import { type Answer, type Api, bootstrapToken, type Caller, internalToken, startApi } from "../api.ts";
import { type CallerName, callers, type Expectation, expectations, type Outcome } from "./expectations.ts";

/** What stands for the parameters of a path. */
type Names = Readonly<Record<string, string>>;

let api: Api;
let names: Names;
/** The same for a team and an operation that never were, with names as long. */
let nowhere: Names;
const byName = new Map<CallerName, Caller>();
/** Members of another team, in each role. */
const elsewhere = new Map<string, Caller>();

beforeAll(async () => {
  api = await startApi();
  const team = await api.teamWithAccount();
  const otherTeam = await api.teamWithAccount();
  const operation = await api.send("PUT", `/v1/teams/${team}/pipelines/churn`, { body: validSpec() });
  const key = await api.send("POST", `/v1/teams/${team}/keys`, { body: { name: "ci", roles: ["viewer"] } });
  expect([operation.status, key.status]).toEqual([202, 201]);
  names = {
    team,
    operation: operation.body.id,
    key: key.body.id,
    account: "main",
    pipeline: "churn",
    subject: "user:somebody",
    policy: "s3-versioning-enabled",
    drift: randomUUID(),
    rule: "console-tags",
    id: randomUUID(),
    webhook: randomUUID(),
    delivery: randomUUID(),
  };
  nowhere = { ...names, team: uniqueName("team"), operation: randomUUID() };

  byName.set("nobody", await api.as({}));
  for (const role of teamRoles) {
    byName.set(role, await api.as({ teams: { [team]: [role] } }));
    elsewhere.set(role, await api.as({ teams: { [otherTeam]: [role] } }));
  }
  for (const role of ["auditor", "admin"] as const) byName.set(role, await api.as({ platform: [role] }));
});

afterAll(() => api.close());

const urlOf = ({ url }: Expectation, of: Names) =>
  url.replace(/:(\w+)/g, (_, name: string) => of[name] as string).replace("*", "swagger-ui.css");

/** An answer without what differs from request to request: the names that were asked for, and the request's id. */
function comparable({ status, headers, body }: Answer, of: Names): unknown {
  const text = JSON.stringify({ status, body, headers: { ...headers, date: "", "x-request-id": "" } });
  return text
    .replaceAll(of.team as string, "TEAM")
    .replaceAll(of.operation as string, "OPERATION")
    .replaceAll(String(headers["x-request-id"]), "REQUEST")
    .replace(/"x-ratelimit-\w+":"?\d+"?/g, "");
}

/** How an answer looks to somebody who only knows what the table of expectations says. */
async function outcomeOf(caller: Caller, row: Expectation): Promise<Outcome> {
  const answer = await caller.send(row.method, urlOf(row, names));
  if (answer.status === 401 || answer.status === 403) return String(answer.status) as Outcome;
  if (!["team_not_found", "operation_not_found"].includes(answer.body?.code)) return "ok";
  const unknown = await caller.send(row.method, urlOf(row, nowhere));
  expect(comparable(answer, names)).toEqual(comparable(unknown, nowhere));
  return "404";
}

/** Every route that the application answers, from its own account of itself. */
function registeredRoutes(): string[] {
  const path: string[] = [];
  return api.app
    .printRoutes()
    .split("\n")
    .flatMap((line) => {
      const [, indent = "", segment = "", methods] = /^([│├└─ ]*)(\S*)(?: \((.*)\))?$/.exec(line) ?? [];
      path.length = Math.max(0, indent.length / 4 - 1);
      path.push(segment);
      return (methods?.split(", ") ?? []).map((method) => `${method} ${path.join("")}`);
    });
}

describe("the matrix", () => {
  it("has a row for every route of the application, and no other", () => {
    const expected = new Set(expectations.map(({ method, url }) => `${method} ${url.split("?")[0]}`));
    // HEAD is answered wherever GET is, and asked for below.
    const registered = registeredRoutes().filter((route) => !route.startsWith("HEAD "));
    expect(registered.length).toBeGreaterThan(80);
    expect([...expected].sort()).toEqual([...new Set(registered)].sort());
  });

  it("says for every caller what to expect", () => {
    for (const { method, url, outcomes } of expectations) {
      for (const caller of callers)
        expect(outcomes[caller], `${method} ${url} ${caller}`).toMatch(/^(ok|401|403|404)$/);
    }
  });
});

describe("the table of permissions", () => {
  it("has no entry without a route", () => {
    const registered = new Set(registeredRoutes());
    expect(Object.keys(permissions).filter((route) => !registered.has(route))).toEqual([]);
  });
});

const rows = expectations.map((row) => [`${row.method} ${row.url}`, row] as const);
const isProbe = ({ url }: Expectation) => url === "/healthz" || url === "/readyz";

/** The status of an answer to whoever has this token. */
async function statusFor(token: string | undefined, method: string, row: Expectation): Promise<number> {
  const { statusCode } = await api.app.inject({
    method: method as "GET",
    url: urlOf(row, names),
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });
  return statusCode;
}

describe.each(rows)("%s", (_, row) => {
  it("answers each role as the table says", async () => {
    const outcomes: Record<string, Outcome> = {};
    for (const caller of callers) outcomes[caller] = await outcomeOf(byName.get(caller) as Caller, row);
    expect(outcomes).toEqual(row.outcomes);
  });

  it("answers members of another team like nobody's member, whatever their role", async () => {
    for (const [role, caller] of elsewhere)
      expect([role, await outcomeOf(caller, row)]).toEqual([role, row.outcomes.nobody]);
  });

  it("answers nobody without a token, but for the probes", async () => {
    expect(await statusFor(undefined, row.method, row)).toBe(isProbe(row) ? 200 : 401);
  });

  it("opens for the service's own token and the bootstrap token only where it is for them", async () => {
    const service = await statusFor(internalToken, row.method, row);
    if (row.url.startsWith("/sandbox/aws/")) expect(service).toBe(400);
    else expect(service).toBe(isProbe(row) ? 200 : 401);
    const bootstrap = await statusFor(bootstrapToken, row.method, row);
    if (row.url === "/v1/bootstrap") expect([201, 400, 409]).toContain(bootstrap);
    else expect(bootstrap).toBe(isProbe(row) ? 200 : 401);
  });
});

describe.each(rows.filter(([, { method }]) => method === "GET"))("%s", (_, row) => {
  it("answers HEAD like GET, or not at all", async () => {
    const isThere = registeredRoutes().includes(`HEAD ${row.url.split("?")[0]}`);
    for (const caller of callers) {
      const { token } = byName.get(caller) as Caller;
      const expected = isThere ? await statusFor(token, "GET", row) : 405;
      expect([caller, await statusFor(token, "HEAD", row)]).toEqual([caller, expected]);
    }
  });
});
