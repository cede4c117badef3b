import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { awsAccount, type Document, uniqueName, validSpec } from "../support/builders.ts";
import { type Api, type RequestOptions, startApi } from "./api.ts";

let api: Api;
let team: string;

beforeAll(async () => {
  api = await startApi();
  team = await api.teamWithAccount();
  await api.send("PUT", `/v1/teams/${team}/pipelines/churn`, { body: validSpec() });
});

afterAll(() => api.close());

/** How many rows there are of everything a request could make. */
async function contents(): Promise<unknown> {
  const found = await api.database.pool.query(
    `select (select count(*) from teams) as teams, (select count(*) from accounts) as accounts,
       (select count(*) from pipelines) as pipelines, (select count(*) from revisions) as revisions,
       (select count(*) from operations) as operations, (select count(*) from stacks) as stacks,
       (select count(*) from idempotency_keys) as keys, (select count(*) from pgboss.job) as jobs`,
  );
  return found.rows[0];
}

interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly paths?: readonly string[];
}

async function expectRefusal(method: string, url: string, options: RequestOptions, refusal: Refusal) {
  const before = await contents();
  const { status, headers, body } = await api.send(method, url.replace("TEAM", team), options);
  expect(body).toMatchObject({ code: refusal.code });
  expect(status).toBe(refusal.status);
  if (refusal.paths) {
    expect(body.errors.map((error: { path: string }) => error.path).sort()).toEqual(
      [...refusal.paths].sort(),
    );
    for (const error of body.errors) expect(error.message).not.toBe("");
  }
  expect(headers["content-type"]).toMatch(/^application\/problem\+json/);
  expect(body).toMatchObject({
    type: `urn:aidlc:problem:${refusal.code}`,
    title: refusal.code.replaceAll("_", " "),
    status: refusal.status,
    detail: expect.stringMatching(/./),
    instance: headers["x-request-id"],
  });
  expect(await contents()).toEqual(before);
}

type Change = (spec: Document) => void;
const column = (change: object): Change => {
  return (spec) => {
    spec.dataset.schema[0] = { name: "age", type: "integer", ...change };
  };
};

const specs: readonly (readonly [name: string, change: Change, ...paths: string[]])[] = [
  ["of another version", (s) => (s.apiVersion = "aidlc/v2"), "/apiVersion"],
  ["without a version", (s) => delete s.apiVersion, "/apiVersion"],
  ["with an unknown profile", (s) => (s.profile = "platinum"), "/profile"],
  [
    "without account, owner and classification",
    (s) => {
      for (const key of ["account", "owner", "dataClassification"]) delete s[key];
    },
    "/account",
    "/owner",
    "/dataClassification",
  ],
  ["with an unknown field", (s) => (s.colour = "red"), "/colour"],
  [
    "with an unknown field deep inside",
    (s) => (s.training.spot = { maxRunSecond: 60 }),
    "/training/spot/maxRunSecond",
  ],
  ["with an unknown field of a column", column({ nulable: true }), "/dataset/schema/0/nulable"],
  ["with a field whose name needs escaping", (s) => (s.dataset["a/b~c"] = 1), "/dataset/a~1b~0c"],
  ["with text for a number", (s) => (s.training.instanceCount = "2"), "/training/instanceCount"],
  ["with a fraction of an instance", (s) => (s.training.instanceCount = 1.5), "/training/instanceCount"],
  ["with null for a section", (s) => (s.network = null), "/network"],
  ["with a list for a section", (s) => (s.training = []), "/training"],
  ["with an owner that is no e-mail address", (s) => (s.owner = "ada"), "/owner"],
  ["with an unknown classification", (s) => (s.dataClassification = "top-secret"), "/dataClassification"],
  ["with an unknown format", (s) => (s.dataset.format = "xlsx"), "/dataset/format"],
  ["without columns", (s) => (s.dataset.schema = []), "/dataset/schema"],
  ["with an unknown type of column", column({ type: "varchar" }), "/dataset/schema/0/type"],
  [
    "with a column named twice, but for case",
    (s) => s.dataset.schema.push({ name: "AGE", type: "string" }),
    "/dataset/schema/2/name",
  ],
  ["with a column name that ends with a space", column({ name: "age " }), "/dataset/schema/0/name"],
  ["with min above max", column({ min: 10, max: 1 }), "/dataset/schema/0/min"],
  [
    "with min above max among dates",
    column({ type: "date", min: "2026-02-01", max: "2026-01-31" }),
    "/dataset/schema/0/min",
  ],
  ["with a day that doesn't exist", column({ type: "date", max: "2026-02-30" }), "/dataset/schema/0/max"],
  [
    "with a range of text",
    column({ type: "string", min: 1, max: 2 }),
    "/dataset/schema/0/min",
    "/dataset/schema/0/max",
  ],
  ["with a fraction as bound of integers", column({ min: 0.5 }), "/dataset/schema/0/min"],
  ["with an enumeration of another type", column({ enum: [1, "two"] }), "/dataset/schema/0/enum/1"],
  ["with an empty enumeration", column({ enum: [] }), "/dataset/schema/0/enum"],
  [
    "with nulls allowed in a column that has none",
    column({ maxNullFraction: 0.5 }),
    "/dataset/schema/0/maxNullFraction",
  ],
  [
    "with a share above one",
    (s) => (s.dataset.quality = { maxNullFraction: 1.01 }),
    "/dataset/quality/maxNullFraction",
  ],
  [
    "with an impossible threshold of drift",
    (s) => (s.dataset.quality = { driftMethod: "ks", driftThreshold: 2 }),
    "/dataset/quality/driftThreshold",
  ],
  [
    "that expires data before it archives it",
    (s) => (s.dataset.retention = { archiveAfterDays: 90, expireAfterDays: 30 }),
    "/dataset/retention/expireAfterDays",
  ],
  [
    "that waits for Spot for less than it runs",
    (s) => (s.training.spot = { maxRunSeconds: 3600, maxWaitSeconds: 1800 }),
    "/training/spot/maxWaitSeconds",
  ],
  [
    "without the metric of its quality gate",
    (s) => delete s.training.qualityGate.metric,
    "/training/qualityGate/metric",
  ],
  ["without a quality gate", (s) => delete s.training.qualityGate, "/training/qualityGate"],
  ["with an image that isn't in ECR", (s) => (s.training.image = "docker.io/me/train:1"), "/training/image"],
  [
    "with an image that can change",
    (s) => (s.training.image = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/train:latest"),
    "/training/image",
  ],
  ["with an instance type of EC2", (s) => (s.training.instanceType = "m5.large"), "/training/instanceType"],
  ["with a schedule of crontab", (s) => (s.training.schedule = "0 3 * * *"), "/training/schedule"],
  ["with a schedule of five fields", (s) => (s.training.schedule = "cron(0 3 * * ?)"), "/training/schedule"],
  ["with a schedule of every minute", (s) => (s.training.schedule = "rate(1 minute)"), "/training/schedule"],
  [
    "with a password among its hyperparameters",
    (s) => (s.training.hyperparameters = { db_password: "hunter2" }),
    "/training/hyperparameters/db_password",
  ],
  [
    "with an access key among its hyperparameters",
    (s) => (s.training.hyperparameters = { k: "AKIAIOSFODNN7EXAMPLE" }),
    "/training/hyperparameters/k",
  ],
  [
    "with a structure among its hyperparameters",
    (s) => (s.training.hyperparameters = { depth: { max: 3 } }),
    "/training/hyperparameters/depth",
  ],
  ["with a bad CIDR", (s) => (s.network = { dedicated: true, cidr: "10.0.0.1/20" }), "/network/cidr"],
  ["with a public CIDR", (s) => (s.network = { dedicated: true, cidr: "8.8.0.0/16" }), "/network/cidr"],
  [
    "with a CIDR too small for its subnets",
    (s) => (s.network = { dedicated: true, cidr: "10.0.0.0/28" }),
    "/network/cidr",
  ],
  ["with a CIDR without a network of its own", (s) => (s.network = { cidr: "10.0.0.0/20" }), "/network/cidr"],
  [
    "with a bad e-mail address for alerts",
    (s) => (s.alerts = { emails: ["a@example.com", "nobody"] }),
    "/alerts/emails/1",
  ],
  [
    "with an e-mail address twice",
    (s) => (s.alerts = { emails: ["a@example.com", "a@example.com"] }),
    "/alerts/emails",
  ],
  [
    "with a webhook without TLS",
    (s) => (s.alerts = { webhooks: ["http://hooks.example.com/a"] }),
    "/alerts/webhooks/0",
  ],
  [
    "with a webhook that carries a password",
    (s) => (s.alerts = { webhooks: ["https://me:secret1@hooks.example.com"] }),
    "/alerts/webhooks/0",
  ],
  [
    "with a period of retention that CloudWatch doesn't know",
    (s) => (s.monitoring = { logRetentionDays: 31 }),
    "/monitoring/logRetentionDays",
  ],
  [
    "with an alarm shorter than its training",
    (s) => (s.monitoring = { alarms: { executionMinutes: 10 } }),
    "/monitoring/alarms/executionMinutes",
  ],
  ["with no budget at all", (s) => (s.budget = { monthlyUsd: 0 }), "/budget/monthlyUsd"],
  [
    "with too many tags",
    (s) => (s.tags = Object.fromEntries(Array.from({ length: 41 }, (_, i) => [`t${i}`, "x"]))),
    "/tags",
  ],
  ["with a tag of AWS", (s) => (s.tags = { "aws:created-by": "me" }), "/tags/aws:created-by"],
  ["with a tag of ours", (s) => (s.tags = { "AIDLC:team": "other" }), "/tags/AIDLC:team"],
  ["with tags that differ only in case", (s) => (s.tags = { cost: "1", Cost: "2" }), "/tags/Cost"],
  ["with a tag of forbidden characters", (s) => (s.tags = { note: "a;b" }), "/tags/note"],
  ["with a tag without a key", (s) => (s.tags = { "": "x" }), "/tags/"],
  [
    "with a tag key of 129 characters",
    (s) => (s.tags = { ["k".repeat(129)]: "x" }),
    `/tags/${"k".repeat(129)}`,
  ],
  [
    "with confidential data and nobody to alert",
    (s) => (s.dataClassification = "confidential"),
    "/alerts/emails",
  ],
  [
    "with restricted data in the shared network",
    (s) => {
      s.dataClassification = "restricted";
      s.alerts = { emails: ["sec@example.com"] };
    },
    "/network/dedicated",
    "/monitoring/logRetentionDays",
  ],
  [
    "with mistakes everywhere, each of which is named",
    (s) => {
      s.apiVersion = 1;
      s.owner = 5;
      s.dataset.schema = [{ name: "a", type: "x" }, { type: "string" }];
      s.training.qualityGate = { metric: "auc", threshold: "high", treshold: 1 };
    },
    "/apiVersion",
    "/owner",
    "/dataset/schema/0/type",
    "/dataset/schema/1/name",
    "/training/qualityGate/threshold",
    "/training/qualityGate/treshold",
  ],
  ["for an account that the team doesn't have", (s) => (s.account = "production"), "/account"],
  [
    "with a key that would be a prototype",
    (s) => {
      s.training = JSON.parse(
        '{"__proto__":{"instanceCount":1},"qualityGate":{"metric":"auc","threshold":1}}',
      );
    },
    "/training/__proto__",
  ],
];

describe("a bad spec is refused with every failing path", () => {
  it.each(specs.map(([name, change, ...paths]) => ({ name, change, paths })))(
    "$name",
    async ({ change, paths }) => {
      const spec = validSpec(change);
      const name = uniqueName("fraud");
      const url = `/v1/teams/TEAM/pipelines/${name}`;
      const refusal = { status: 400, code: "invalid_spec", paths };
      await expectRefusal("PUT", url, { body: spec }, refusal);
      await expectRefusal("POST", `${url}/previews`, { body: spec }, refusal);
      const inBody = { ...refusal, paths: paths.map((path) => `/spec${path}`) };
      await expectRefusal("POST", "/v1/teams/TEAM/pipelines", { body: { name, spec } }, inBody);
    },
  );

  it.each([
    ["null", "null"],
    ["text", '"spec"'],
    ["a number", "5"],
    ["a list", "[]"],
  ])("%s in place of a spec", async (_, body) => {
    const headers = { "content-type": "application/json" };
    await expectRefusal(
      "PUT",
      "/v1/teams/TEAM/pipelines/fraud",
      { body, headers },
      {
        status: 400,
        code: "invalid_spec",
        paths: [""],
      },
    );
  });

  it("no body at all", async () => {
    await expectRefusal(
      "PUT",
      "/v1/teams/TEAM/pipelines/fraud",
      {},
      { status: 400, code: "invalid_spec", paths: [""] },
    );
  });
});

const yaml = { "content-type": "application/yaml" };
const json = { "content-type": "application/json" };
const aliases = Array.from({ length: 9 }, (_, level) => {
  const items = level === 0 ? ["lol"] : Array.from({ length: 9 }, () => `*a${level - 1}`);
  return `a${level}: &a${level} [${items.join(", ")}]`;
}).join("\n");
const deep = (open: string, close: string) => open.repeat(100_000) + close.repeat(100_000);

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
    { status: 400, code: "invalid_spec", paths: ["/__proto__"] },
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
    { status: 404, code: "not_found" },
  ],
];

function cursor(key: unknown): string {
  return Buffer.from(JSON.stringify(key)).toString("base64url");
}

describe("a bad request is refused and changes nothing", () => {
  it.each(requests)("%s", async (_, method, url, options, refusal) => {
    await expectRefusal(method, url, options, refusal);
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
          "PUT",
          "/v1/teams/TEAM/pipelines/fraud",
          { body },
          { status: 400, code: "invalid_request" },
        );
      }
    }
  });

  it("a position of events beyond all numbers is refused", async () => {
    const { body } = await api.send("GET", `/v1/operations?team=${team}&limit=1`);
    const url = `/v1/operations/${body.items[0].id}/events?after=99999999999`;
    await expectRefusal("GET", url, {}, { status: 400, code: "invalid_request", paths: ["query:/after"] });
  });

  it("nothing that was refused was logged as a failure of the service", () => {
    expect(api.logged.filter((line) => line.level >= 50)).toEqual([]);
  });
});
