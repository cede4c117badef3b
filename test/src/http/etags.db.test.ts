import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { awsAccount, uniqueName } from "../../support/builders.ts";
import { type Api, type RequestOptions, startApi } from "../api.ts";
import { PipelineRequests, withBudget } from "../pipelines/pipeline-requests.ts";

let api: Api;
let team: string;

beforeAll(async () => {
  api = await startApi();
});

beforeEach(async () => {
  team = await api.teamWithAccount();
});

afterAll(() => api.close());

const etag = async (url: string): Promise<string> => {
  const { status, headers } = await api.send("GET", url);
  expect(status, url).toBe(200);
  expect(headers.etag, url).toMatch(/^"[!#-~]+"$/);
  return String(headers.etag);
};
const exception = (reason: string) => ({
  reason,
  expiresAt: new Date(Date.now() + 86_400_000).toISOString(),
});

/** What has an ETag: where, and two changes of it. */
const tagged: readonly [string, () => string, string, () => RequestOptions, () => RequestOptions][] = [
  [
    "a team",
    () => `/v1/teams/${team}`,
    "PATCH",
    () => ({ body: { displayName: "One" } }),
    () => ({ body: { displayName: "Two" } }),
  ],
  [
    "a quota",
    () => `/v1/teams/${team}/quota`,
    "PUT",
    () => ({ body: { pipelines: 3 } }),
    () => ({ body: { pipelines: 4 } }),
  ],
  [
    "an account",
    () => `/v1/teams/${team}/accounts/main`,
    "PUT",
    () => ({ body: awsAccount({ foundation: { securityServices: true } }) }),
    () => ({ body: awsAccount({ foundation: { onUnused: "release" } }) }),
  ],
  [
    "a pipeline",
    () => `/v1/teams/${team}/pipelines/churn`,
    "PUT",
    () => ({ body: withBudget(8) }),
    () => ({ body: withBudget(9) }),
  ],
  [
    "an exception",
    () => `/v1/teams/${team}/pipelines/churn/policy-exceptions/s3-deny-insecure-transport`,
    "PUT",
    () => ({ body: exception("The first reason") }),
    () => ({ body: exception("Another reason") }),
  ],
];

describe.each(tagged)("%s", (_, urlOf, method, one, other) => {
  beforeEach(async () => {
    await new PipelineRequests(api, team, "churn").put();
    if (urlOf().includes("exceptions")) await api.send("PUT", urlOf(), { body: exception("No good reason") });
  });

  it("is changed by whoever knows how it is, and by nobody who knew how it was", async () => {
    const url = urlOf();
    const known = await etag(url);
    const change = (options: RequestOptions) =>
      api.send(method, url, { ...options, headers: { "if-match": known } });
    expect((await change(one())).status).toBeLessThan(300);
    const current = await etag(url);
    expect(current).not.toBe(known);
    const late = await change(other());
    expect(late.status).toBe(412);
    expect(late.headers.etag).toBe(current);
    expect(await etag(url)).toBe(current);
    expect((await api.send(method, url, { ...other(), headers: { "if-match": "*" } })).status).toBeLessThan(
      300,
    );
  });

  it("is not changed by whoever takes it for missing, or doesn't want it as it is", async () => {
    const url = urlOf();
    const known = await etag(url);
    for (const tag of ["*", `"other", W/${known}`]) {
      const refused = await api.send(method, url, { ...one(), headers: { "if-none-match": tag } });
      expect(refused, tag).toMatchObject({
        status: 412,
        body: { code: expect.stringMatching(/_mismatch$/), detail: expect.stringContaining("If-None-Match") },
        headers: { etag: known },
      });
    }
    expect(await etag(url)).toBe(known);
    const headers = { "if-match": known, "if-none-match": '"other"' };
    expect((await api.send(method, url, { ...one(), headers })).status).toBeLessThan(300);
  });

  it("is changed by one of two who know the same", async () => {
    const url = urlOf();
    const headers = { "if-match": await etag(url) };
    const answers = await Promise.all(
      [one(), other()].map((options) => api.send(method, url, { ...options, headers })),
    );
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([expect.any(Number), 412]);
  });
});

describe("If-Match", () => {
  it("fails where there is nothing yet, and takes one of several", async () => {
    const url = `/v1/teams/${team}/accounts/${uniqueName("new")}`;
    const body = awsAccount({ region: "eu-west-1" });
    const refused = await api.send("PUT", url, { body, headers: { "if-match": "*" } });
    expect(refused).toMatchObject({ status: 412, body: { code: "etag_mismatch" } });
    expect(refused.headers).not.toHaveProperty("etag");
    const headers = { "if-match": `"other", ${await etag(`/v1/teams/${team}`)}` };
    expect(
      (await api.send("PATCH", `/v1/teams/${team}`, { body: { displayName: "One" }, headers })).status,
    ).toBe(200);
  });

  it("guards what is deleted", async () => {
    const name = uniqueName("team");
    await api.send("POST", "/v1/teams", { body: { name } });
    const headers = { "if-match": await etag(`/v1/teams/${name}`) };
    await api.send("PATCH", `/v1/teams/${name}`, { body: { displayName: "Mine" } });
    expect((await api.send("DELETE", `/v1/teams/${name}`, { headers })).status).toBe(412);
    expect((await api.send("GET", `/v1/teams/${name}`)).status).toBe(200);
  });

  it("of another form is a mistake", async () => {
    for (const tag of ["abc", 'W/"abc"', '"a" "b"']) {
      const answer = await api.send("DELETE", `/v1/teams/${team}`, { headers: { "if-match": tag } });
      expect([answer.status, answer.body.errors?.[0].path], tag).toEqual([400, "headers:/if-match"]);
    }
  });
});

describe("If-None-Match", () => {
  it("makes what isn't there yet, once", async () => {
    const headers = { "if-none-match": "*" };
    const account = `/v1/teams/${team}/accounts/${uniqueName("new")}`;
    const creations: [string, object][] = [
      [account, awsAccount({ region: "eu-west-1" })],
      [`/v1/teams/${team}/pipelines/fraud`, withBudget(8)],
    ];
    for (const [url, body] of creations) {
      const answers = await Promise.all([1, 2].map(() => api.send("PUT", url, { body, headers })));
      expect(answers.map(({ status }) => status).sort(), url).toEqual([202, 412]);
    }
  });

  it("of another form is a mistake where something is changed", async () => {
    const answer = await api.send("DELETE", `/v1/teams/${team}`, { headers: { "if-none-match": "abc" } });
    expect([answer.status, answer.body.errors?.[0].path]).toEqual([400, "headers:/if-none-match"]);
  });

  it("spares a copy that is still right, and only that", async () => {
    const url = `/v1/teams/${team}`;
    const headers = { "if-none-match": `"old", W/${await etag(url)}` };
    const spared = await api.send("GET", url, { headers });
    expect([spared.status, spared.body, spared.headers.etag]).toEqual([304, "", await etag(url)]);
    await api.send("PATCH", url, { body: { displayName: "Another" } });
    expect(await api.send("GET", url, { headers })).toMatchObject({
      status: 200,
      body: { displayName: "Another" },
    });
  });
});
