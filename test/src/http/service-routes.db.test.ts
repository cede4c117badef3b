import pino from "pino";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openIdentities } from "../../../src/access/identities.ts";
import { buildApp } from "../../../src/app.ts";
import { httpStatusByCode } from "../../../src/errors.ts";
import { limitsFor } from "../../../src/http/limits.ts";
import { createMetrics } from "../../../src/metrics.ts";
import { OperationFeed } from "../../../src/operations/feed.ts";
import { openPool } from "../../../src/postgres/pool.ts";
import { type Api, adminToken, internalToken, startApi } from "../api.ts";

let api: Api;

beforeAll(async () => {
  api = await startApi();
});

afterAll(() => api.close());

describe("an answer", () => {
  it("carries the id of its request, which the log carries as well", async () => {
    const first = await api.send("GET", "/v1/teams");
    const second = await api.send("GET", "/v1/teams");
    expect(first.headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(second.headers["x-request-id"]).not.toBe(first.headers["x-request-id"]);
    expect(api.logged.some((line) => line.reqId === first.headers["x-request-id"])).toBe(true);
  });

  it("doesn't let a caller choose the id of its request", async () => {
    const { headers } = await api.send("GET", "/v1/teams", {
      headers: { "request-id": "mine", "x-request-id": "mine" },
    });
    expect(headers["x-request-id"]).not.toBe("mine");
  });

  it("is not to be sniffed for another type", async () => {
    expect((await api.send("GET", "/v1/teams")).headers["x-content-type-options"]).toBe("nosniff");
  });

  it("tells of a path that is asked with another method which ones it takes", async () => {
    for (const [method, url, allow] of [
      ["DELETE", "/v1/teams", "GET, HEAD, POST"],
      ["POST", "/v1/teams/nobody/quota", "GET, HEAD, PUT"],
    ] as const) {
      const { status, body, headers } = await api.send(method, url);
      expect([status, body.code, headers.allow]).toEqual([405, "method_not_allowed", allow]);
    }
  });

  it("never logs a query string", async () => {
    await api.send("GET", "/v1/teams?cursor=one-that-is-not-ours");
    await api.send("GET", "/v1/nothing?access_token=never-to-be-seen");
    expect(api.logged.some(({ req }) => req?.url === "/v1/nothing")).toBe(true);
    expect(JSON.stringify(api.logged)).not.toMatch(/one-that-is-not-ours|never-to-be-seen/);
  });

  it("never logs the token", async () => {
    await api.send("GET", "/v1/teams");
    expect(JSON.stringify(api.logged)).not.toContain(adminToken);
  });
});

describe("a failure of the service", () => {
  afterEach(() => api.database.pool.query("alter table if exists teams_away rename to teams"));

  it("answers 500 without a detail, logged under the id that the answer names", async () => {
    await api.database.pool.query("alter table teams rename to teams_away");
    const { status, headers, body } = await api.send("GET", "/v1/teams");
    expect(status).toBe(500);
    expect(headers["content-type"]).toMatch(/^application\/problem\+json/);
    expect(body).toEqual({
      type: "urn:aidlc:problem:internal",
      title: "internal",
      status: 500,
      code: "internal",
      detail: "An unexpected error happened; the logs hold it under this request's id",
      instance: headers["x-request-id"],
    });
    const line = api.logged.find((each) => each.level === 50 && each.reqId === body.instance);
    expect(line?.err.message).toContain("teams");
  });
});

describe("without its database", () => {
  it("everything answers 503 and when to try again, but life goes on", async () => {
    const gone = openPool("postgres://aidlc@127.0.0.1:1/aidlc", 1);
    const app = await buildApp({
      pool: gone,
      audit: api.audit,
      feed: new OperationFeed("postgres://aidlc@127.0.0.1:1/aidlc", () => {}),
      webhooks: api.webhooks,
      sageMaker: () => {
        throw new Error("No test here asks SageMaker");
      },
      metrics: createMetrics(gone),
      identities: openIdentities({
        pool: gone,
        oidc: undefined,
        bootstrapToken: undefined,
        internalToken,
        log: pino({ level: "silent" }),
      }),
      role: "all",
      unready: () => undefined,
      sandbox: false,
      limits: limitsFor(600),
      trustedProxies: [],
      enforcedPolicies: [],
      closing: new AbortController().signal,
      log: pino({ level: "silent" }),
    });
    try {
      const ask = (url: string) => app.inject({ url, headers: { authorization: `Bearer ${adminToken}` } });
      for (const url of ["/readyz", "/v1/teams", "/v1/operations", "/v1/teams/ml/pipelines/churn/status"]) {
        const answer = await ask(url);
        expect(answer.statusCode, url).toBe(503);
        expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
        expect(answer.json()).toMatchObject({ code: "unavailable", status: 503 });
        expect(answer.body).not.toContain("127.0.0.1");
      }
      expect((await ask("/healthz")).statusCode).toBe(200);
    } finally {
      await app.close();
      await gone.end();
    }
  });
});

describe("the OpenAPI document", () => {
  it("is of version 3.1 and describes every route with a summary, a tag and an answer", async () => {
    const { status, body } = await api.send("GET", "/openapi.json");
    expect(status).toBe(200);
    expect(body.openapi).toMatch(/^3\.1\./);
    for (const [path, operations] of Object.entries<Record<string, { summary?: string; tags?: string[] }>>(
      body.paths,
    )) {
      for (const [method, operation] of Object.entries(operations)) {
        expect(operation, `${method} ${path}`).toMatchObject({
          summary: expect.stringMatching(/./),
          tags: [expect.stringMatching(/./)],
        });
      }
    }
  });

  it("refers to nothing that isn't in it", async () => {
    const { body } = await api.send("GET", "/openapi.json");
    const missing: string[] = [];
    const visit = (value: unknown): void => {
      if (typeof value !== "object" || value === null) return;
      for (const [key, item] of Object.entries(value)) {
        if (key !== "$ref" || typeof item !== "string") visit(item);
        else {
          const keys = item.replace(/^#\//, "").split("/");
          const target = keys.reduce<unknown>(
            (inner, part) => (inner as Record<string, unknown> | undefined)?.[part],
            body,
          );
          if (target === undefined) missing.push(item);
        }
      }
    };
    visit(body);
    expect(missing).toEqual([]);
  });

  it("holds the schema of specs", async () => {
    const { body } = await api.send("GET", "/openapi.json");
    expect(body.components.schemas.PipelineSpec).toMatchObject({
      type: "object",
      additionalProperties: false,
    });
  });
});

describe("metrics", () => {
  it("count requests by route, not by address, so that their number is bounded", async () => {
    await api.send("GET", "/v1/teams/one");
    await api.send("GET", "/v1/teams/two");
    const { status, headers, body } = await api.send("GET", "/metrics");
    expect(status).toBe(200);
    expect(headers["content-type"]).toMatch(/^text\/plain/);
    expect(body).toMatch(
      /aidlc_http_request_duration_seconds_count\{method="GET",route="\/v1\/teams\/:team",status="404"\} 2/,
    );
    expect(body).not.toContain("teams/one");
  });

  it("tell how many operations have not ended", async () => {
    const team = await api.teamWithAccount();
    await api.send("PUT", `/v1/teams/${team}/accounts/second`, {
      body: { accountId: "444455556666", region: "eu-west-1" },
    });
    const { body } = await api.send("GET", "/metrics");
    expect(body).toMatch(/aidlc_operations_active\{kind="update",state="queued"\} 1/);
  });
});

describe("error codes", () => {
  it("have a status that is an error each", () => {
    for (const [code, status] of Object.entries(httpStatusByCode)) {
      expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(600);
    }
  });
});

describe("readiness", () => {
  it("is given while the database answers, and so is life", async () => {
    expect(await api.send("GET", "/readyz")).toMatchObject({ status: 200, body: { status: "ok" } });
    expect(await api.send("GET", "/healthz")).toMatchObject({ status: 200, body: { status: "ok" } });
  });

  it("is over once the service shuts down, while life goes on", async () => {
    const other = await startApi();
    try {
      other.closing.abort();
      const { status, headers, body } = await other.send("GET", "/readyz");
      expect(status).toBe(503);
      expect(body).toMatchObject({ code: "unavailable", status: 503 });
      expect(Number(headers["retry-after"])).toBeGreaterThan(0);
      expect((await other.send("GET", "/healthz")).status).toBe(200);
    } finally {
      await other.close();
    }
  });
});
