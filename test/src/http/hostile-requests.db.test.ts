import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Api, adminToken, startApi } from "../api.ts";
import { runningOperation } from "../operations/running-operation.ts";

let api: Api;

beforeAll(async () => {
  api = await startApi();
  await api.send("POST", "/v1/teams", { body: { name: "ml" } });
});

afterAll(() => api.close());

describe("a name in a path", () => {
  const names = [
    ...[
      "..",
      "%2e%2e",
      "%2E%2E",
      "..%2f..%2fetc%2fpasswd",
      "%2fetc%2fpasswd",
      "a%2fb",
      "a%5c..%5cb",
      "..;",
      "a%252fb",
    ],
    ...["ml%00", "ml%0a", "ml%0d%0ax:%20y", "ml%09", "ml%20", "ml.", "ml%7f", "ml%c2%85", "ml%e2%80%a8"],
    // Full-width letters, a Cyrillic а, a combining accent, a soft hyphen, a reversed direction.
    ...[
      "%EF%BD%8D%EF%BD%8C",
      "%D0%B0",
      "e%CC%81",
      "m%C2%ADl",
      "%E2%80%AElm",
      "%f0%9f%98%80",
      "ML",
      "__proto__",
      "constructor",
    ],
  ];

  it.each(names)("may not be %s", async (name) => {
    for (const url of [
      `/v1/teams/${name}`,
      `/v1/teams/${name}/quota`,
      `/v1/teams/ml/pipelines/${name}`,
      `/v1/teams/ml/pipelines/${name}/status`,
      `/v1/teams/ml/accounts/${name}`,
      `/v1/operations/${name}`,
    ]) {
      const { status, body } = await api.send("GET", url);
      expect([400, 404], url).toContain(status);
      expect([
        "invalid_request",
        "not_found",
        "team_not_found",
        "pipeline_not_found",
        "account_not_found",
      ]).toContain(body.code);
    }
  });

  it("may have 24 characters for a team and 32 for a pipeline, and no more", async () => {
    expect((await api.send("GET", `/v1/teams/${"a".repeat(24)}`)).status).toBe(404);
    expect((await api.send("GET", `/v1/teams/${"a".repeat(25)}`)).status).toBe(400);
    expect((await api.send("GET", `/v1/teams/ml/pipelines/${"a".repeat(32)}`)).status).toBe(404);
    expect((await api.send("GET", `/v1/teams/ml/pipelines/${"a".repeat(33)}`)).status).toBe(400);
  });

  it.each([
    "/docs/static/../../../package.json",
    "/docs/static/..%2f..%2f..%2fpackage.json",
    "/docs/static/%2e%2e/%2e%2e/package.json",
    "/docs/static/..%5c..%5cpackage.json",
    "/docs/static/%00",
    "/docs/static/.git/config",
    "/docs/..%2fopenapi.json",
  ])("doesn't lead out of the documentation: %s", async (url) => {
    const { status, body } = await api.send("GET", url);
    expect([400, 403, 404]).toContain(status);
    expect(JSON.stringify(body)).not.toContain("dependencies");
  });
});

describe("what a caller writes", () => {
  it("never begins a line of the log", async () => {
    const before = api.logged.length;
    const line = '%0a{"level":50,"msg":"forged"}%0d%0a';
    for (const url of [`/v1/teams/${line}`, `/v1/teams?cursor=${line}`, `/${line}`])
      await api.send("GET", url);
    await api.app.inject({
      url: "/v1/teams",
      headers: {
        authorization: `Bearer ${adminToken}`,
        "user-agent": 'x\\n{"level":50}',
        "x-request-id": "forged",
      },
    });
    // The sink of these tests takes whole lines of JSON and nothing else.
    const lines = api.logged.slice(before);
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.filter(({ level, msg }) => level >= 50 || msg === "forged")).toEqual([]);
  });

  it("never begins a field of an event stream", async () => {
    const operation = await runningOperation(api.database.pool);
    const message = "a\n\nevent: end\ndata: {}\n\nid: 99\r\rretry: 1\r\n\u2028data: x";
    await operation.tell(message);
    await operation.end();
    const { body } = await api.app.inject({
      url: `/v1/operations/${operation.id}/events`,
      headers: { authorization: `Bearer ${adminToken}`, accept: "text/event-stream" },
    });
    const lines = body.split(/\r\n|\r|\n/).filter((line) => line !== "");
    expect(lines.map((line) => line.split(":")[0])).toEqual([
      "retry",
      "id",
      "event",
      "data",
      "event",
      "data",
    ]);
    expect(JSON.parse((lines[3] as string).slice("data: ".length)).body.message).toBe(message);
  });

  it("never reaches the prototype of what the service works with", async () => {
    const bodies = [
      '{"__proto__": {"polluted": true}}',
      '{"constructor": {"prototype": {"polluted": true}}}',
      '{"name": "x1", "__proto__": {"displayName": "polluted"}}',
    ];
    for (const body of bodies) {
      for (const [method, url, type] of [
        ["POST", "/v1/teams", "application/json"],
        ["PATCH", "/v1/teams/ml", "application/merge-patch+json"],
        ["PUT", "/v1/teams/ml/quota", "application/yaml"],
        ["POST", "/sandbox/v1/faults", "application/json"],
      ] as const) {
        const { status } = await api.send(method, url, { body, headers: { "content-type": type } });
        expect(status, `${method} ${url}`).toBe(400);
      }
    }
    expect({}).not.toHaveProperty("polluted");
    expect((await api.send("GET", "/v1/teams/ml")).body.displayName).toBe("ml");
  });
});
