import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Api, adminToken, startApi } from "../api.ts";
import { runningOperation } from "../operations/running-operation.ts";

let api: Api;

beforeAll(async () => {
  api = await startApi();
});

afterAll(() => api.close());

const ask = (method: string, url: string, headers: Record<string, string> = {}) =>
  api.app.inject({
    method: method as "GET",
    url,
    headers: { authorization: `Bearer ${adminToken}`, ...headers },
  });

describe("every answer", () => {
  it.each([
    ["a list", "/v1/teams"],
    ["a problem", "/v1/teams/nobody"],
    ["an unknown route", "/v1/nothing"],
    ["a probe", "/healthz"],
    ["metrics", "/metrics"],
    ["the OpenAPI document", "/openapi.json"],
  ])("keeps browsers from running, framing, sniffing and storing %s", async (_, url) => {
    const { headers } = await ask("GET", url);
    expect(headers).toMatchObject({
      "content-security-policy": expect.stringMatching(/default-src 'none'.*frame-ancestors 'none'/),
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
      "strict-transport-security": expect.stringMatching(/^max-age=31536000/),
      "cross-origin-resource-policy": "same-origin",
      "cache-control": "no-store",
    });
  });

  it("without a token is protected alike", async () => {
    const { statusCode, headers } = await api.app.inject("/v1/teams");
    expect(statusCode).toBe(401);
    expect(headers).toMatchObject({ "cache-control": "no-store", "x-content-type-options": "nosniff" });
  });

  it("to a path that can't be decoded is neither stored nor sniffed", async () => {
    const { statusCode, headers } = await ask("GET", "/v1/teams/%zz");
    expect(statusCode).toBe(400);
    expect(headers).toMatchObject({ "cache-control": "no-store", "x-content-type-options": "nosniff" });
  });

  it("that is a stream of events is protected alike", async () => {
    const { id, end } = await runningOperation(api.database.pool);
    await end();
    const { headers } = await ask("GET", `/v1/operations/${id}/events`, { accept: "text/event-stream" });
    expect(headers).toMatchObject({
      "content-type": expect.stringMatching(/^text\/event-stream/),
      "content-security-policy": expect.stringMatching(/default-src 'none'/),
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
    });
  });

  it("doesn't tell what serves it", async () => {
    const { headers } = await ask("GET", "/v1/teams");
    expect(headers).not.toHaveProperty("server");
    expect(headers).not.toHaveProperty("x-powered-by");
  });
});

describe("other origins", () => {
  it.each(["/v1/teams", "/healthz", "/docs/", "/openapi.json", "/v1/nothing"])(
    "are never allowed to read %s",
    async (url) => {
      const { headers } = await ask("GET", url, { origin: "https://evil.example" });
      expect(Object.keys(headers).filter((name) => name.startsWith("access-control-"))).toEqual([]);
    },
  );

  it("get no preflight, with or without a token", async () => {
    const preflight = {
      origin: "https://evil.example",
      "access-control-request-method": "PUT",
      "access-control-request-headers": "authorization",
    };
    const url = "/v1/teams/ml/pipelines/churn";
    const answers = [
      await ask("OPTIONS", url, preflight),
      await api.app.inject({ method: "OPTIONS", url, headers: preflight }),
    ];
    for (const { statusCode, headers } of answers) {
      expect(statusCode).toBeGreaterThanOrEqual(400);
      expect(Object.keys(headers).filter((name) => name.startsWith("access-control-"))).toEqual([]);
    }
  });

  it.each(["cross-site", "same-site"])(
    "that are %s can't make a browser change or read anything",
    async (site) => {
      for (const [method, url] of [
        ["POST", "/v1/teams"],
        ["DELETE", "/v1/teams/ml"],
        ["GET", "/v1/teams"],
        ["GET", "/docs/json"],
      ] as const) {
        const answer = await ask(method, url, { "sec-fetch-site": site, "sec-fetch-dest": "empty" });
        expect(answer.statusCode, `${method} ${url}`).toBe(403);
        expect(answer.json()).toMatchObject({ code: "forbidden" });
      }
      const form = { "sec-fetch-site": site, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
      expect((await ask("POST", "/v1/operations/x/cancel", form)).statusCode).toBe(403);
    },
  );

  it("may link to the documentation", async () => {
    const link = {
      "sec-fetch-site": "cross-site",
      "sec-fetch-mode": "navigate",
      "sec-fetch-dest": "document",
    };
    expect((await ask("GET", "/docs/", link)).statusCode).toBe(200);
  });

  it.each(["same-origin", "none"])("are others: %s is none", async (site) => {
    expect((await ask("GET", "/v1/teams", { "sec-fetch-site": site })).statusCode).toBe(200);
  });
});

describe("the documentation", () => {
  it("works under its policy: scripts and styles from here, none within the page", async () => {
    const { headers, body } = await ask("GET", "/docs/");
    const policy = String(headers["content-security-policy"]);
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("connect-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/script-src[^;]*unsafe/);
    const scripts = [...body.matchAll(/<script([^>]*)>([^<]*)</g)];
    expect(scripts.length).toBeGreaterThan(0);
    for (const [, attributes, code] of scripts) {
      expect(attributes).toMatch(/src="[./]/);
      expect(code?.trim()).toBe("");
    }
    expect(body).not.toMatch(/ on\w+=/);
    const parts = [...body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url as string);
    for (const url of parts) {
      const { pathname, host } = new URL(url, "http://here/docs/");
      expect(host).toBe("here");
      expect((await ask("GET", pathname)).statusCode, pathname).toBe(200);
    }
  });
});
