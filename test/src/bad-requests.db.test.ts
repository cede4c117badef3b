import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { awsAccount, validSpec } from "../support/builders.ts";
import { type Api, type RequestOptions, startApi } from "./api.ts";
import { expectRefusal, type Refusal } from "./refusals.ts";

let api: Api;
let team: string;

beforeAll(async () => {
  api = await startApi();
  team = await api.teamWithAccount();
  await api.send("PUT", `/v1/teams/${team}/pipelines/churn`, { body: validSpec() });
});

afterAll(() => api.close());

/** A request's address, in which TEAM stands for the team of these tests. */
const at = (url: string) => url.replace("TEAM", team);

const yaml = { "content-type": "application/yaml" };
const json = { "content-type": "application/json" };
const aliases = Array.from({ length: 9 }, (_, level) => {
  const items = level === 0 ? ["lol"] : Array.from({ length: 9 }, () => `*a${level - 1}`);
  return `a${level}: &a${level} [${items.join(", ")}]`;
}).join("\n");
const deep = (open: string, close: string) => open.repeat(60_000) + close.repeat(60_000);

const requests: readonly (readonly [
  name: string,
  method: string,
  url: string,
  options: RequestOptions,
  Refusal,
])[] = [
  [
    "malformed JSON",
    "PUT",
    "/v1/teams/TEAM/pipelines/fraud",
    { body: '{"apiVersion": ', headers: json },
    { status: 400, code: "invalid_request", paths: [""] },
  ],
  [
    "malformed YAML",
    "PUT",
    "/v1/teams/TEAM/pipelines/fraud",
    { body: "a: [1, 2", headers: yaml },
    { status: 400, code: "invalid_request", paths: [""] },
  ],
  [
    "YAML with a key twice",
    "PUT",
    "/v1/teams/TEAM/pipelines/fraud",
    { body: "profile: learning\nprofile: learning\n", headers: yaml },
    { status: 400, code: "invalid_request", paths: [""] },
  ],
  [
    "YAML with two documents",
    "PUT",
    "/v1/teams/TEAM/pipelines/fraud",
    { body: "a: 1\n---\nb: 2\n", headers: yaml },
    { status: 400, code: "invalid_request", paths: [""] },
  ],
  [
    "YAML whose aliases multiply",
    "PUT",
    "/v1/teams/TEAM/pipelines/fraud",
    { body: aliases, headers: yaml },
    { status: 400, code: "invalid_request", paths: [""] },
  ],
  [
    "YAML with an alias of nothing",
    "PUT",
    "/v1/teams/TEAM/pipelines/fraud",
    { body: "a: *b", headers: yaml },
    { status: 400, code: "invalid_request", paths: [""] },
  ],
  [
    "an empty YAML document",
    "PUT",
    "/v1/teams/TEAM/pipelines/fraud",
    { body: "# nothing\n", headers: yaml },
    { status: 400, code: "invalid_spec", paths: [""] },
  ],
  [
    "YAML nested without end",
    "PUT",
    "/v1/teams/TEAM/pipelines/fraud",
    { body: deep("[", "]"), headers: yaml },
    { status: 400, code: "invalid_request" },
  ],
  [
    "JSON nested without end",
    "PUT",
    "/v1/teams/TEAM/pipelines/fraud",
    { body: deep("[", "]"), headers: json },
    { status: 400, code: "invalid_request" },
  ],
  [
    "a merge patch nested without end",
    "PATCH",
    "/v1/teams/TEAM/pipelines/churn",
    { body: `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`, headers: json },
    { status: 400, code: "invalid_request" },
  ],
  [
    "a body of an unknown type",
    "PUT",
    "/v1/teams/TEAM/pipelines/fraud",
    { body: "<spec/>", headers: { "content-type": "application/xml" } },
    { status: 415, code: "unsupported_media_type" },
  ],
  [
    "a form",
    "POST",
    "/v1/teams",
    { body: "name=ml", headers: { "content-type": "application/x-www-form-urlencoded" } },
    { status: 415, code: "unsupported_media_type" },
  ],
  [
    "a body without a type",
    "POST",
    "/v1/teams",
    { body: "name: ml" },
    { status: 415, code: "unsupported_media_type" },
  ],
  [
    "a body over 1 MiB",
    "PUT",
    "/v1/teams/TEAM/pipelines/fraud",
    { body: JSON.stringify({ text: "x".repeat(1024 * 1024) }), headers: json },
    { status: 413, code: "payload_too_large" },
  ],
  [
    "a team without a name",
    "POST",
    "/v1/teams",
    { body: {} },
    { status: 400, code: "invalid_request", paths: ["/name"] },
  ],
  [
    "a team with an unknown field",
    "POST",
    "/v1/teams",
    { body: { name: "ml", quota: 5 } },
    { status: 400, code: "invalid_request", paths: ["/quota"] },
  ],
  [
    "a team with capitals",
    "POST",
    "/v1/teams",
    { body: { name: "ML" } },
    { status: 400, code: "invalid_request", paths: ["/name"] },
  ],
  [
    "a team whose name ends with a hyphen",
    "POST",
    "/v1/teams",
    { body: { name: "ml-" } },
    { status: 400, code: "invalid_request", paths: ["/name"] },
  ],
  [
    "a team whose name is too long",
    "POST",
    "/v1/teams",
    { body: { name: "a".repeat(25) } },
    { status: 400, code: "invalid_request", paths: ["/name"] },
  ],
  [
    "a team whose name ends with a line break",
    "POST",
    "/v1/teams",
    { body: { name: "ml\n" } },
    { status: 400, code: "invalid_request", paths: ["/name"] },
  ],
  [
    "a team with an empty display name",
    "POST",
    "/v1/teams",
    { body: { name: "ml", displayName: "" } },
    { status: 400, code: "invalid_request", paths: ["/displayName"] },
  ],
  [
    "a display name with a null character",
    "POST",
    "/v1/teams",
    { body: { name: "ml", displayName: "a\0b" } },
    { status: 400, code: "invalid_request" },
  ],
  [
    "a display name with half a character",
    "POST",
    "/v1/teams",
    { body: '{"name":"ml","displayName":"a\\ud800"}', headers: json },
    { status: 400, code: "invalid_request" },
  ],
  [
    "a list of teams",
    "POST",
    "/v1/teams",
    { body: [{ name: "ml" }] },
    { status: 400, code: "invalid_request", paths: [""] },
  ],
  [
    "a change of a team's name",
    "PATCH",
    "/v1/teams/TEAM",
    { body: { name: "other" } },
    { status: 400, code: "invalid_request", paths: ["/displayName", "/name"] },
  ],
  [
    "a bad name of a team in the path",
    "GET",
    "/v1/teams/Team_1",
    {},
    { status: 400, code: "invalid_request", paths: ["params:/team"] },
  ],
  [
    "a bad name of a pipeline in the path",
    "PUT",
    "/v1/teams/TEAM/pipelines/-churn",
    { body: validSpec() },
    { status: 400, code: "invalid_request", paths: ["params:/pipeline"] },
  ],
  [
    "a name of a pipeline that is too long",
    "PUT",
    `/v1/teams/TEAM/pipelines/${"p".repeat(33)}`,
    { body: validSpec() },
    { status: 400, code: "invalid_request", paths: ["params:/pipeline"] },
  ],
  [
    "an escaped slash in a name",
    "GET",
    "/v1/teams/TEAM/pipelines/a%2Fb",
    {},
    { status: 400, code: "invalid_request", paths: ["params:/pipeline"] },
  ],
  [
    "an escaped null character in a name",
    "GET",
    "/v1/teams/TEAM/pipelines/a%00",
    {},
    { status: 400, code: "invalid_request", paths: ["params:/pipeline"] },
  ],
  ["a path that can't be decoded", "GET", "/v1/teams/%zz", {}, { status: 400, code: "invalid_request" }],
  [
    "a path longer than any name",
    "GET",
    `/v1/teams/${"a".repeat(300)}`,
    {},
    { status: 400, code: "invalid_request" },
  ],
  [
    "a bad name in the body of a new pipeline",
    "POST",
    "/v1/teams/TEAM/pipelines",
    { body: { name: "Churn", spec: validSpec() } },
    { status: 400, code: "invalid_request", paths: ["/name"] },
  ],
  [
    "a new pipeline without a spec",
    "POST",
    "/v1/teams/TEAM/pipelines",
    { body: { name: "fraud" } },
    { status: 400, code: "invalid_request", paths: ["/spec"] },
  ],
  [
    "an empty key of idempotency",
    "POST",
    "/v1/teams/TEAM/pipelines",
    { body: { name: "fraud", spec: validSpec() }, headers: { "idempotency-key": "" } },
    { status: 400, code: "invalid_request", paths: ["headers:/idempotency-key"] },
  ],
  [
    "an overlong key of idempotency",
    "POST",
    "/v1/teams/TEAM/pipelines",
    { body: { name: "fraud", spec: validSpec() }, headers: { "idempotency-key": "k".repeat(256) } },
    { status: 400, code: "invalid_request", paths: ["headers:/idempotency-key"] },
  ],
  [
    "a limit of none",
    "GET",
    "/v1/teams?limit=0",
    {},
    { status: 400, code: "invalid_request", paths: ["query:/limit"] },
  ],
  [
    "a limit of too many",
    "GET",
    "/v1/teams?limit=201",
    {},
    { status: 400, code: "invalid_request", paths: ["query:/limit"] },
  ],
  [
    "a limit that is no number",
    "GET",
    "/v1/operations?limit=ten",
    {},
    { status: 400, code: "invalid_request", paths: ["query:/limit"] },
  ],
  [
    "a limit of a fraction",
    "GET",
    "/v1/operations?limit=1.5",
    {},
    { status: 400, code: "invalid_request", paths: ["query:/limit"] },
  ],
  [
    "a limit given twice",
    "GET",
    "/v1/teams?limit=1&limit=2",
    {},
    { status: 400, code: "invalid_request", paths: ["query:/limit"] },
  ],
  [
    "an unknown filter",
    "GET",
    "/v1/operations?status=running",
    {},
    { status: 400, code: "invalid_request", paths: ["query:/status"] },
  ],
  [
    "an unknown state as filter",
    "GET",
    "/v1/operations?state=done",
    {},
    { status: 400, code: "invalid_request", paths: ["query:/state"] },
  ],
  [
    "an unknown phase as filter",
    "GET",
    "/v1/teams/TEAM/pipelines/churn/resources?phase=retirement",
    {},
    { status: 400, code: "invalid_request", paths: ["query:/phase"] },
  ],
  [
    "a filter with a null character",
    "GET",
    "/v1/teams/TEAM/pipelines/churn/resources?type=a%00b",
    {},
    { status: 400, code: "invalid_request" },
  ],
  [
    "a cursor of nobody",
    "GET",
    "/v1/teams?cursor=abc",
    {},
    { status: 400, code: "invalid_request", paths: ["query:/cursor"] },
  ],
  [
    "a cursor with a null character",
    "GET",
    `/v1/teams?cursor=${cursor(["a\0"])}`,
    {},
    { status: 400, code: "invalid_request", paths: ["query:/cursor"] },
  ],
  [
    "a cursor of teams for operations",
    "GET",
    `/v1/operations?cursor=${cursor(["ml"])}`,
    {},
    { status: 400, code: "invalid_request", paths: ["query:/cursor"] },
  ],
  [
    "a forged cursor for operations",
    "GET",
    `/v1/operations?cursor=${cursor(["yesterday", "1"])}`,
    {},
    { status: 400, code: "invalid_request", paths: ["query:/cursor"] },
  ],
  ...["2026-99-01T00:00:00.000000Z", "2026-02-30T00:00:00.000000Z", "0000-01-01T00:00:00.000000Z"].map(
    (moment) =>
      [
        `a cursor of the day ${moment}, which never was`,
        "GET",
        `/v1/operations?cursor=${cursor([moment, "00000000-0000-4000-8000-000000000000"])}`,
        {},
        { status: 400, code: "invalid_request", paths: ["query:/cursor"] },
      ] as const,
  ),
  [
    "a cursor of teams for revisions",
    "GET",
    `/v1/teams/TEAM/pipelines/churn/revisions?cursor=${cursor(["ml"])}`,
    {},
    { status: 400, code: "invalid_request", paths: ["query:/cursor"] },
  ],
  [
    "a cursor beyond all numbers for revisions",
    "GET",
    `/v1/teams/TEAM/pipelines/churn/revisions?cursor=${cursor(["1e99"])}`,
    {},
    { status: 400, code: "invalid_request", paths: ["query:/cursor"] },
  ],
  [
    "a cursor of teams for resources",
    "GET",
    `/v1/teams/TEAM/pipelines/churn/resources?cursor=${cursor(["ml"])}`,
    {},
    { status: 400, code: "invalid_request", paths: ["query:/cursor"] },
  ],
  [
    "a revision that isn't quoted",
    "PUT",
    "/v1/teams/TEAM/pipelines/churn",
    { body: validSpec(), headers: { "if-match": "1" } },
    { status: 400, code: "invalid_request", paths: ["headers:/if-match"] },
  ],
  [
    "several revisions",
    "PATCH",
    "/v1/teams/TEAM/pipelines/churn",
    { body: {}, headers: { "if-match": '"1", "2"' } },
    { status: 400, code: "invalid_request", paths: ["headers:/if-match"] },
  ],
  [
    "a stale revision",
    "PUT",
    "/v1/teams/TEAM/pipelines/churn",
    { body: validSpec(), headers: { "if-match": '"7"' } },
    { status: 412, code: "revision_mismatch" },
  ],
  [
    "a revision of a pipeline that doesn't exist",
    "PUT",
    "/v1/teams/TEAM/pipelines/fraud",
    { body: validSpec(), headers: { "if-match": "*" } },
    { status: 412, code: "revision_mismatch" },
  ],
  [
    "a merge patch that is a list",
    "PATCH",
    "/v1/teams/TEAM/pipelines/churn",
    { body: [] },
    { status: 400, code: "invalid_request", paths: [""] },
  ],
  [
    "a merge patch that is missing",
    "PATCH",
    "/v1/teams/TEAM/pipelines/churn",
    {},
    { status: 400, code: "invalid_request", paths: [""] },
  ],
  [
    "a merge patch that breaks the spec's form",
    "PATCH",
    "/v1/teams/TEAM/pipelines/churn",
    { body: { owner: null, training: { instanceCount: 0 } } },
    { status: 400, code: "invalid_spec", paths: ["/owner", "/training/instanceCount"] },
  ],
  [
    "a merge patch that breaks the spec's rules",
    "PATCH",
    "/v1/teams/TEAM/pipelines/churn",
    { body: { training: { spot: { maxRunSeconds: 7200 } } } },
    { status: 400, code: "invalid_spec", paths: ["/training/spot/maxWaitSeconds"] },
  ],
  [
    "a merge patch with an unknown field",
    "PATCH",
    "/v1/teams/TEAM/pipelines/churn",
    { body: { trainig: {} } },
    { status: 400, code: "invalid_spec", paths: ["/trainig"] },
  ],
  [
    "a merge patch with __proto__",
    "PATCH",
    "/v1/teams/TEAM/pipelines/churn",
    { body: '{"__proto__": {"owner": "x"}}', headers: json },
    { status: 400, code: "invalid_request", paths: ["/__proto__"] },
  ],
  [
    "a merge patch with the prototype of a constructor",
    "PATCH",
    "/v1/teams/TEAM/pipelines/churn",
    { body: '{"training": {"constructor": {"prototype": {"owner": "x"}}}}', headers: json },
    { status: 400, code: "invalid_request", paths: ["/training/constructor"] },
  ],
  [
    "a spec with __proto__ deep inside",
    "PUT",
    "/v1/teams/TEAM/pipelines/fraud",
    { body: '{"training": {"__proto__": {"instanceCount": 1}}}', headers: json },
    { status: 400, code: "invalid_request", paths: ["/training/__proto__"] },
  ],
  [
    "a new pipeline whose spec has __proto__ deep inside",
    "POST",
    "/v1/teams/TEAM/pipelines",
    { body: '{"name": "fraud", "spec": {"tags": {"__proto__": "x"}}}', headers: json },
    { status: 400, code: "invalid_request", paths: ["/spec/tags/__proto__"] },
  ],
  [
    "__proto__ in the query",
    "GET",
    "/v1/teams?__proto__=x",
    {},
    { status: 400, code: "invalid_request", paths: ["query:/__proto__"] },
  ],
  [
    "a part of a prototype in the query",
    "GET",
    "/v1/teams?__proto__[polluted]=x&constructor.prototype.polluted=x",
    {},
    {
      status: 400,
      code: "invalid_request",
      paths: ["query:/__proto__[polluted]", "query:/constructor.prototype.polluted"],
    },
  ],
  [
    "JSON with a key twice",
    "PUT",
    "/v1/teams/TEAM/pipelines/fraud",
    { body: '{"profile": "learning", "profile": "production"}', headers: json },
    { status: 400, code: "invalid_request", paths: [""] },
  ],
  [
    "a display name with an escape sequence",
    "POST",
    "/v1/teams",
    { body: { name: "ml", displayName: "\u001b[31mred" } },
    { status: 400, code: "invalid_request", paths: ["/displayName"] },
  ],
  [
    "a display name of two lines",
    "POST",
    "/v1/teams",
    { body: { name: "ml", displayName: "a\nb" } },
    { status: 400, code: "invalid_request", paths: ["/displayName"] },
  ],
  [
    "a move to another account",
    "PATCH",
    "/v1/teams/TEAM/pipelines/churn",
    { body: { account: "elsewhere" } },
    { status: 400, code: "invalid_spec", paths: ["/account"] },
  ],
  [
    "an unknown way with data",
    "DELETE",
    "/v1/teams/TEAM/pipelines/churn?data=keep",
    {},
    { status: 400, code: "invalid_request", paths: ["query:/data"] },
  ],
  [
    "an account without its number",
    "PUT",
    "/v1/teams/TEAM/accounts/second",
    { body: { region: "eu-central-1" } },
    { status: 400, code: "invalid_request", paths: ["/accountId"] },
  ],
  [
    "an account whose number is a number",
    "PUT",
    "/v1/teams/TEAM/accounts/second",
    { body: awsAccount({ accountId: 111122223333 }) },
    { status: 400, code: "invalid_request", paths: ["/accountId"] },
  ],
  [
    "an account with eleven digits",
    "PUT",
    "/v1/teams/TEAM/accounts/second",
    { body: awsAccount({ accountId: "11112222333" }) },
    { status: 400, code: "invalid_request", paths: ["/accountId"] },
  ],
  [
    "an account in a zone",
    "PUT",
    "/v1/teams/TEAM/accounts/second",
    { body: awsAccount({ region: "eu-central-1a" }) },
    { status: 400, code: "invalid_request", paths: ["/region"] },
  ],
  [
    "a role of another account",
    "PUT",
    "/v1/teams/TEAM/accounts/second",
    { body: awsAccount({ roleArn: "arn:aws:iam::999988887777:role/x" }) },
    { status: 400, code: "invalid_request", paths: ["/roleArn"] },
  ],
  [
    "a user in place of a role",
    "PUT",
    "/v1/teams/TEAM/accounts/second",
    { body: awsAccount({ roleArn: "arn:aws:iam::111122223333:user/x" }) },
    { status: 400, code: "invalid_request", paths: ["/roleArn"] },
  ],
  [
    "access keys in an account",
    "PUT",
    "/v1/teams/TEAM/accounts/second",
    { body: awsAccount({ secretAccessKey: "x" }) },
    { status: 400, code: "invalid_request", paths: ["/secretAccessKey"] },
  ],
  [
    "an operation by another name",
    "GET",
    "/v1/operations/latest",
    {},
    { status: 400, code: "invalid_request", paths: ["params:/operation"] },
  ],
  [
    "an operation that doesn't exist",
    "GET",
    "/v1/operations/00000000-0000-4000-8000-000000000000",
    {},
    { status: 404, code: "operation_not_found" },
  ],
  [
    "events of an operation that doesn't exist",
    "GET",
    "/v1/operations/00000000-0000-4000-8000-000000000000/events",
    {},
    { status: 404, code: "operation_not_found" },
  ],
  [
    "a live stream of an operation that doesn't exist",
    "GET",
    "/v1/operations/00000000-0000-4000-8000-000000000000/events",
    { headers: { accept: "text/event-stream" } },
    { status: 404, code: "operation_not_found" },
  ],
  [
    "a cancellation of what doesn't exist",
    "POST",
    "/v1/operations/00000000-0000-4000-8000-000000000000/cancel",
    {},
    { status: 404, code: "operation_not_found" },
  ],
  [
    "events after less than none",
    "GET",
    "/v1/operations/00000000-0000-4000-8000-000000000000/events?after=-1",
    {},
    { status: 400, code: "invalid_request", paths: ["query:/after"] },
  ],
  [
    "a last event that is no number",
    "GET",
    "/v1/operations/00000000-0000-4000-8000-000000000000/events",
    { headers: { "last-event-id": "x" } },
    { status: 400, code: "invalid_request", paths: ["headers:/last-event-id"] },
  ],
  ["a team that doesn't exist", "GET", "/v1/teams/nobody", {}, { status: 404, code: "team_not_found" }],
  [
    "pipelines of a team that doesn't exist",
    "GET",
    "/v1/teams/nobody/pipelines",
    {},
    { status: 404, code: "team_not_found" },
  ],
  [
    "a pipeline for a team that doesn't exist",
    "PUT",
    "/v1/teams/nobody/pipelines/churn",
    { body: validSpec() },
    { status: 404, code: "team_not_found" },
  ],
  [
    "an account for a team that doesn't exist",
    "PUT",
    "/v1/teams/nobody/accounts/main",
    { body: awsAccount() },
    { status: 404, code: "team_not_found" },
  ],
  [
    "an account that doesn't exist",
    "GET",
    "/v1/teams/TEAM/accounts/second",
    {},
    { status: 404, code: "account_not_found" },
  ],
  [
    "a pipeline that doesn't exist",
    "GET",
    "/v1/teams/TEAM/pipelines/fraud",
    {},
    { status: 404, code: "pipeline_not_found" },
  ],
  [
    "a preview of a pipeline that doesn't exist, without a spec",
    "POST",
    "/v1/teams/TEAM/pipelines/fraud/previews",
    {},
    { status: 404, code: "pipeline_not_found" },
  ],
  [
    "drift of a pipeline that was never checked",
    "GET",
    "/v1/teams/TEAM/pipelines/churn/drift",
    {},
    { status: 404, code: "not_found" },
  ],
  [
    "a drift check of what was never applied",
    "POST",
    "/v1/teams/TEAM/pipelines/churn/drift-checks",
    {},
    { status: 409, code: "pipeline_conflict" },
  ],
  ["a route that doesn't exist", "GET", "/v1/nothing", {}, { status: 404, code: "not_found" }],
  [
    "a method that the route doesn't have",
    "PUT",
    "/v1/teams",
    { body: {} },
    { status: 405, code: "method_not_allowed" },
  ],
];

function cursor(key: unknown): string {
  return Buffer.from(JSON.stringify(key)).toString("base64url");
}

describe("a bad request is refused and changes nothing", () => {
  it.each(requests)("%s", async (_, method, url, options, refusal) => {
    await expectRefusal(api, method, at(url), options, refusal);
  });

  it("text that PostgreSQL can't hold is refused wherever a spec takes text", async () => {
    for (const text of ["null \0 character", "half \ud800 a pair"]) {
      const inColumn = validSpec((spec) => {
        spec.dataset.schema[1].enum = ["yes", text];
      });
      const inValue = validSpec((spec) => {
        spec.training.hyperparameters = { objective: text };
      });
      for (const body of [inColumn, inValue]) {
        await expectRefusal(
          api,
          "PUT",
          at("/v1/teams/TEAM/pipelines/fraud"),
          { body },
          { status: 400, code: "invalid_request" },
        );
      }
    }
  });

  it("a position of events beyond all numbers is refused", async () => {
    const { body } = await api.send("GET", `/v1/operations?team=${team}&limit=1`);
    const url = `/v1/operations/${body.items[0].id}/events?after=99999999999`;
    await expectRefusal(
      api,
      "GET",
      at(url),
      {},
      { status: 400, code: "invalid_request", paths: ["query:/after"] },
    );
  });

  it("nothing that was refused was logged as a failure of the service", () => {
    expect(api.logged.filter((line) => line.level >= 50)).toEqual([]);
  });
});
