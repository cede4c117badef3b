import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Document, uniqueName, validSpec } from "../../support/builders.ts";
import { type Api, startApi } from "../api.ts";
import { expectRefusal } from "../refusals.ts";

let api: Api;
let team: string;

beforeAll(async () => {
  api = await startApi();
  team = await api.teamWithAccount();
});

afterAll(() => api.close());

/** A request's address, in which TEAM stands for the team of these tests. */
const at = (url: string) => url.replace("TEAM", team);

// Put together here, so that no scanner takes the test for a leak.
const accessKey = ["AKIA", "ABCDEFGHIJKLMNOP"].join("");

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
    "with a webhook into a private network",
    (s) => (s.alerts = { webhooks: ["https://hooks.example.com/a", "https://10.0.0.1/a"] }),
    "/alerts/webhooks/1",
  ],
  [
    "with a webhook to a cloud's metadata",
    (s) => (s.alerts = { webhooks: ["https://[::ffff:169.254.169.254]/latest"] }),
    "/alerts/webhooks/0",
  ],
  [
    "with an issuer on this machine",
    (s) => (s.serving = { auth: "jwt", jwt: { issuer: "https://localhost/", audience: "x" } }),
    "/serving/jwt/issuer",
  ],
  [
    "with a credential in a description of data",
    (s) => (s.dataset.schema[1].enum = ["yes", accessKey]),
    "/dataset/schema/1/enum/1",
  ],
  ["with a credential where it breaks the form", (s) => (s.owner = accessKey), "/owner"],
  [
    "with a credential in an unknown field",
    (s) => (s.notes = [{ text: `see ${accessKey}` }]),
    "/notes/0/text",
  ],
  ["with a credential as the name of a field", (s) => (s.training[accessKey] = 1), "/training"],
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
    "/profile",
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
];

describe("a bad spec is refused with every failing path", () => {
  it.each(specs.map(([name, change, ...paths]) => [name, { change, paths }] as const))(
    "%s",
    async (_, { change, paths }) => {
      const spec = validSpec(change);
      const name = uniqueName("fraud");
      const url = `/v1/teams/TEAM/pipelines/${name}`;
      const refusal = { status: 400, code: "invalid_spec", paths };
      await expectRefusal(api, "PUT", at(url), { body: spec }, refusal);
      await expectRefusal(api, "POST", at(`${url}/previews`), { body: spec }, refusal);
      const inBody = { ...refusal, paths: paths.map((path) => `/spec${path}`) };
      await expectRefusal(api, "POST", at("/v1/teams/TEAM/pipelines"), { body: { name, spec } }, inBody);
    },
  );

  it("without repeating a credential, in the answer or in the log", async () => {
    for (const change of [
      (s: Document) => (s.owner = accessKey),
      (s: Document) => (s[accessKey] = accessKey),
      (s: Document) => (s.tags = { password: "hunter2-is-secret" }),
    ]) {
      const { status, body } = await api.send("PUT", at("/v1/teams/TEAM/pipelines/fraud"), {
        body: validSpec(change),
      });
      expect(status).toBe(400);
      expect(JSON.stringify(body)).not.toMatch(/AKIA|hunter2/);
    }
    expect(JSON.stringify(api.logged)).not.toMatch(/AKIA|hunter2/);
  });

  it.each([
    ["null", "null"],
    ["text", '"spec"'],
    ["a number", "5"],
    ["a list", "[]"],
  ])("%s in place of a spec", async (_, body) => {
    const headers = { "content-type": "application/json" };
    await expectRefusal(
      api,
      "PUT",
      at("/v1/teams/TEAM/pipelines/fraud"),
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
      api,
      "PUT",
      at("/v1/teams/TEAM/pipelines/fraud"),
      {},
      { status: 400, code: "invalid_spec", paths: [""] },
    );
  });
});
