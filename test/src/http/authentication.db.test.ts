import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Api, adminToken, bootstrapToken, internalToken, startApi } from "../api.ts";

let api: Api;
let team: string;

beforeAll(async () => {
  api = await startApi();
  team = await api.teamWithAccount();
});

afterAll(() => api.close());

const ask = (headers: Record<string, string>, url = "/v1/teams", method = "GET") =>
  api.app.inject({ method: method as "GET", url, headers });
const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString("base64")}` });

/** Every route of the application as its OpenAPI document names it, with something in place of the parameters. */
async function documentedRoutes(): Promise<{ method: string; url: string; path: string }[]> {
  const { body } = await api.send("GET", "/openapi.json");
  const paths: Record<string, Record<string, unknown>> = body.paths;
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => ({
      method: method.toUpperCase(),
      path,
      url: path
        .replace("{operation}", "00000000-0000-4000-8000-000000000000")
        .replace("{team}", team)
        .replaceAll(/\{\w+\}/g, "main"),
    })),
  );
}

describe("a key", () => {
  it.each([
    ["a bearer token", { authorization: `Bearer ${adminToken}` }],
    ["a bearer token, however the scheme is written", { authorization: `bEARER ${adminToken}` }],
  ])("opens as %s", async (_, headers) => {
    expect((await ask(headers)).statusCode).toBe(200);
  });

  it.each(["/docs/", "/docs/static/swagger-ui.css", "/docs/json", "/openapi.json"])(
    "opens %s as the password of HTTP Basic, under any name or none: it is for browsers",
    async (url) => {
      for (const name of ["anyone", ""])
        expect((await ask(basic(`${name}:${adminToken}`), url)).statusCode).toBe(200);
    },
  );

  it.each(["/v1/teams", "/metrics", "/sandbox/v1/resources", "/docs/../v1/teams", "//docs", "/docsx"])(
    "as the password of HTTP Basic doesn't open %s: a browser would also send it for other sites",
    async (url) => {
      const answer = await ask(basic(`anyone:${adminToken}`), url);
      expect(answer.statusCode).toBe(401);
    },
  );

  it.each<[string, Record<string, string>]>([
    ["nothing", {}],
    ["an empty header", { authorization: "" }],
    ["an empty bearer token", { authorization: "Bearer " }],
    ["another token", { authorization: "Bearer wrong" }],
    ["the key with something after it", { authorization: `Bearer ${adminToken}x` }],
    ["the beginning of the key", { authorization: `Bearer ${adminToken.slice(0, -1)}` }],
    ["the key in capitals", { authorization: `Bearer ${adminToken.toUpperCase()}` }],
    ["the key without a scheme", { authorization: adminToken }],
    ["the key under another scheme", { authorization: `Digest ${adminToken}` }],
    ["the key as a name of HTTP Basic", basic(`${adminToken}:`)],
    ["HTTP Basic without a colon", basic(adminToken)],
    ["HTTP Basic with an empty password", basic("admin:")],
    ["HTTP Basic that is no base64", { authorization: "Basic ???" }],
    ["the key in another header", { "x-api-key": adminToken }],
  ])("stays shut for %s", async (_, headers) => {
    const answer = await ask(headers);
    expect(answer.statusCode).toBe(401);
    expect(answer.headers["www-authenticate"]).toBe('Bearer realm="aidlc"');
    expect(answer.headers["content-type"]).toMatch(/^application\/problem\+json/);
    expect(answer.json()).toMatchObject({ code: "unauthenticated", status: 401 });
    expect(answer.body).not.toContain(adminToken);
  });

  it("in the query doesn't open: addresses end up in logs", async () => {
    expect((await ask({}, `/v1/teams?token=${adminToken}&access_token=${adminToken}`)).statusCode).toBe(401);
  });
});

describe("a token for one door only", () => {
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

  it("opens no other: neither the bootstrap token nor the service's own", async () => {
    const opened: string[] = [];
    for (const { method, url, path } of await documentedRoutes()) {
      if (path === "/healthz" || path === "/readyz") continue;
      if (path !== "/v1/bootstrap" && (await ask(bearer(bootstrapToken), url, method)).statusCode !== 401)
        opened.push(`bootstrap token: ${method} ${path}`);
      if (
        !path.startsWith("/sandbox/aws/") &&
        (await ask(bearer(internalToken), url, method)).statusCode !== 401
      )
        opened.push(`internal token: ${method} ${path}`);
    }
    expect(opened).toEqual([]);
  });

  it("opens that one: the service's own the sandbox's stand-ins for AWS", async () => {
    const answer = await ask(bearer(internalToken), "/sandbox/aws/sagemaker", "POST");
    expect([401, 403]).not.toContain(answer.statusCode);
  });

  it("is told so when it is tried elsewhere", async () => {
    const answer = await ask(bearer(bootstrapToken));
    expect(answer.json().detail).toContain("opens nothing but POST /v1/bootstrap");
  });
});

describe("without a token", () => {
  it("every route of the OpenAPI document answers 401, but for the probes", async () => {
    const routes = await documentedRoutes();
    expect(routes.length).toBeGreaterThan(30);
    const open: string[] = [];
    for (const { method, url, path } of routes) {
      const { statusCode } = await ask({}, url, method);
      if (statusCode !== 401) open.push(`${method} ${path} ${statusCode}`);
    }
    expect(open.sort()).toEqual(["GET /healthz 200", "GET /readyz 200"]);
  });

  it("the OpenAPI document itself says the same: only the probes need no token", async () => {
    const { body } = await api.send("GET", "/openapi.json");
    expect(body.security).toEqual([{ bearer: [] }]);
    const open = Object.entries<Record<string, { security?: unknown[] }>>(body.paths).flatMap(
      ([path, operations]) =>
        Object.values(operations).flatMap((operation) => (operation.security === undefined ? [] : [path])),
    );
    expect(open.sort()).toEqual(["/healthz", "/readyz"]);
  });

  it.each([
    "/openapi.json",
    "/docs",
    "/docs/",
    "/docs/json",
    "/docs/yaml",
    "/docs/static/index.html",
    "/docs/static/swagger-ui.css",
    "/metrics",
    "/",
    "/nothing",
    "/healthz/",
    "/healthz/../v1/teams",
    "/v1/teams/",
    "//v1/teams",
    "/sandbox/v1/resources",
  ])("%s answers 401", async (url) => {
    expect((await ask({}, url)).statusCode).toBe(401);
  });

  it.each(["HEAD", "OPTIONS", "POST", "DELETE"])("%s on a guarded route answers 401", async (method) => {
    expect((await ask({}, "/v1/operations", method)).statusCode).toBe(401);
  });

  it("nothing is changed", async () => {
    await ask({}, `/v1/teams/${team}/accounts/main`, "DELETE");
    expect((await api.send("GET", `/v1/teams/${team}/accounts/main`)).status).toBe(200);
  });

  it("a body is not even read", async () => {
    const answer = await api.app.inject({
      method: "POST",
      url: "/v1/teams",
      headers: { "content-type": "application/json" },
      payload: "{ malformed",
    });
    expect(answer.statusCode).toBe(401);
  });
});
