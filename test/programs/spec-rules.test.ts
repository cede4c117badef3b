import { describe, expect, it } from "vitest";
import { type DatasetColumn, type PipelineSpec, specProblems } from "../../programs/spec.ts";
import { aSpec } from "./support/inputs.ts";

const column = (rest: Partial<DatasetColumn>): DatasetColumn => ({
  name: "x",
  type: "number",
  nullable: false,
  ...rest,
});

const withColumns = (...schema: DatasetColumn[]) => aSpec({ dataset: { schema } });
const withHyperparameters = (hyperparameters: PipelineSpec["training"]["hyperparameters"]) =>
  aSpec({ training: { hyperparameters } });
const withTags = (tags: Record<string, string>) => aSpec({ tags });
const withQuality = (quality: Partial<PipelineSpec["dataset"]["quality"]>) => aSpec({ dataset: { quality } });
const restricted = (change: Parameters<typeof aSpec>[0] = {}) =>
  aSpec({
    profile: "production",
    dataClassification: "restricted",
    dataset: { replicaRegion: "eu-central-1" },
    alerts: { emails: ["ada@example.com"] },
    serving: {
      publicDomain: {
        name: "api.example.com",
        certificateArn: "arn:aws:acm:us-east-1:111122223333:certificate/0f0e0d0c-0b0a-4908-8706-050403020100",
      },
    },
    network: { dedicated: true },
    monitoring: { logRetentionDays: 365 },
    ...change,
  });

// Put together here, so that no scanner takes the test for a leak.
const ACCESS_KEY_ID = ["AKIA", "ABCDEFGHIJKLMNOP"].join("");
const SECRET_ACCESS_KEY = ["wJalrXUtnFEMIK7MDENG", "bPxRfiCYEXAMPLEKEYzz"].join("");
const PRIVATE_KEY = ["-----BEGIN RSA", "PRIVATE KEY-----"].join(" ");

/** Rule, spec that breaks it, every path it reports. */
const BREACHES: readonly (readonly [rule: string, spec: PipelineSpec, paths: readonly string[]])[] = [
  ["columns are named once", withColumns(column({}), column({})), ["/dataset/schema/1/name"]],
  [
    "columns differ in more than case",
    withColumns(column({ name: "Sex" }), column({ name: "sex" })),
    ["/dataset/schema/1/name"],
  ],
  ["a column's name has no space around it", withColumns(column({ name: "x " })), ["/dataset/schema/0/name"]],
  ["min is at most max", withColumns(column({ min: 2, max: 1 })), ["/dataset/schema/0/min"]],
  [
    "a first date is not after the last",
    withColumns(column({ type: "date", min: "2026-02-01", max: "2026-01-01" })),
    ["/dataset/schema/0/min"],
  ],
  ["text has no min", withColumns(column({ type: "string", min: 1 })), ["/dataset/schema/0/min"]],
  [
    "a pattern is for text",
    withColumns(column({ type: "integer", pattern: "[0-9]" })),
    ["/dataset/schema/0/pattern"],
  ],
  [
    "a pattern is an expression",
    withColumns(column({ type: "string", pattern: "[A-Z" })),
    ["/dataset/schema/0/pattern"],
  ],
  [
    "a pattern looks neither ahead nor back",
    withColumns(column({ type: "string", pattern: "(?=x)x" })),
    ["/dataset/schema/0/pattern"],
  ],
  [
    "a pattern repeats no more than RE2 can",
    withColumns(column({ type: "string", pattern: "x{1001}" })),
    ["/dataset/schema/0/pattern"],
  ],
  [
    "a pattern names its groups as DuckDB's RE2 does",
    withColumns(column({ type: "string", pattern: "(?<code>x)" })),
    ["/dataset/schema/0/pattern"],
  ],
  [
    "keys are of columns",
    aSpec({ dataset: { schema: [column({})], keys: [["x"], ["x", "y"]] } }),
    ["/dataset/keys/1/1"],
  ],
  [
    "freshness is of a date or timestamp",
    aSpec({ dataset: { schema: [column({})], quality: { freshness: { column: "x", maxAgeHours: 1 } } } }),
    ["/dataset/quality/freshness/column"],
  ],
  [
    "the fewest rows are at most the most",
    withQuality({ volume: { minRows: 2, maxRows: 1 } }),
    ["/dataset/quality/volume/minRows"],
  ],
  [
    "anomalies are of numbers, and have a bound",
    aSpec({
      dataset: {
        schema: [column({ type: "string" })],
        quality: { anomalies: [{ column: "x", maxFraction: 0 }] },
      },
    }),
    ["/dataset/quality/anomalies/0/column", "/dataset/quality/anomalies/0"],
  ],
  [
    "anomalies' lower bound is at most the upper",
    aSpec({
      dataset: {
        schema: [column({})],
        quality: { anomalies: [{ column: "x", lower: 2, upper: 1, maxFraction: 0 }] },
      },
    }),
    ["/dataset/quality/anomalies/0/lower"],
  ],
  ["text has no max", withColumns(column({ type: "string", max: "z" })), ["/dataset/schema/0/max"]],
  ["true and false have no min", withColumns(column({ type: "boolean", min: 0 })), ["/dataset/schema/0/min"]],
  [
    "bounds of integers are integers",
    withColumns(column({ type: "integer", min: 0.5 })),
    ["/dataset/schema/0/min"],
  ],
  ["bounds of numbers are numbers", withColumns(column({ max: "10" })), ["/dataset/schema/0/max"]],
  [
    "bounds of dates exist",
    withColumns(column({ type: "date", min: "2026-02-30" })),
    ["/dataset/schema/0/min"],
  ],
  [
    "bounds of timestamps have a time zone",
    withColumns(column({ type: "timestamp", min: "2026-02-01T12:00:00" })),
    ["/dataset/schema/0/min"],
  ],
  [
    "listed values have the column's type",
    withColumns(column({ enum: [1, "a", 2] })),
    ["/dataset/schema/0/enum/1"],
  ],
  ["values are listed once", withColumns(column({ enum: [1, 2, 1] })), ["/dataset/schema/0/enum/2"]],
  [
    "listed values lie in the range",
    withColumns(column({ max: 5, enum: [1, 9] })),
    ["/dataset/schema/0/enum/1"],
  ],
  [
    "only nullable columns may lack values",
    withColumns(column({ maxNullFraction: 0.1 })),
    ["/dataset/schema/0/maxNullFraction"],
  ],
  [
    "data expires after it is archived",
    aSpec({ dataset: { retention: { archiveAfterDays: 90, expireAfterDays: 90 } } }),
    ["/dataset/retention/expireAfterDays"],
  ],
  [
    "a Kolmogorov-Smirnov threshold is at most 1",
    withQuality({ driftMethod: "ks", driftThreshold: 1.5 }),
    ["/dataset/quality/driftThreshold"],
  ],
  [
    "waiting for Spot includes the run",
    aSpec({ training: { spot: { maxRunSeconds: 3600, maxWaitSeconds: 1800 } } }),
    ["/training/spot/maxWaitSeconds"],
  ],
  [
    "a threshold is finite",
    {
      ...aSpec(),
      training: {
        ...aSpec().training,
        qualityGate: { metric: "a", threshold: Number.NaN, direction: "atLeast" },
      },
    },
    ["/training/qualityGate/threshold"],
  ],
  [
    "an image is fixed",
    aSpec({ training: { image: "111122223333.dkr.ecr.eu-west-1.amazonaws.com/models:latest" } }),
    ["/training/image"],
  ],
  ["a schedule can be read", aSpec({ training: { schedule: "daily" } }), ["/training/schedule"]],
  [
    "drift is looked for once an hour at most",
    aSpec({ reconcile: { schedule: "rate(5 minutes)" } }),
    ["/reconcile/schedule"],
  ],
  [
    "hyperparameters hold no access key",
    withHyperparameters({ key: ACCESS_KEY_ID }),
    ["/training/hyperparameters/key"],
  ],
  [
    "hyperparameters hold no secret key",
    withHyperparameters({ salt: SECRET_ACCESS_KEY }),
    ["/training/hyperparameters/salt"],
  ],
  [
    "hyperparameters hold no private key",
    withHyperparameters({ pem: PRIVATE_KEY }),
    ["/training/hyperparameters/pem"],
  ],
  [
    "hyperparameters hold no address with a password",
    withHyperparameters({ source: "postgres://ada:lovelace@db.example.com/x" }),
    ["/training/hyperparameters/source"],
  ],
  [
    "no hyperparameter is named like a credential",
    withHyperparameters({ "db/api_key": "x" }),
    ["/training/hyperparameters/db~1api_key"],
  ],
  [
    "a hyperparameter is not called a password",
    withHyperparameters({ db_password: "x" }),
    ["/training/hyperparameters/db_password"],
  ],
  [
    "paths escape slashes and tildes",
    withHyperparameters({ "a/b~c": ACCESS_KEY_ID }),
    ["/training/hyperparameters/a~1b~0c"],
  ],
  [
    "CloudWatch knows the retention",
    aSpec({ monitoring: { logRetentionDays: 45 } }),
    ["/monitoring/logRetentionDays"],
  ],
  [
    "an execution may take longer than its training",
    aSpec({ monitoring: { alarms: { executionMinutes: 30 } } }),
    ["/monitoring/alarms/executionMinutes"],
  ],
  ["a webhook is encrypted", aSpec({ alerts: { webhooks: ["http://example.com"] } }), ["/alerts/webhooks/0"]],
  [
    "a webhook is an address",
    aSpec({ alerts: { webhooks: ["https://a.example", "example"] } }),
    ["/alerts/webhooks/1"],
  ],
  [
    "a webhook carries no password",
    aSpec({ alerts: { webhooks: ["https://a:b@example.com"] } }),
    ["/alerts/webhooks/0"],
  ],
  ["a range needs a dedicated network", aSpec({ network: { cidr: "10.1.0.0/16" } }), ["/network/cidr"]],
  ["a range is private", aSpec({ network: { dedicated: true, cidr: "8.8.0.0/16" } }), ["/network/cidr"]],
  [
    "a range is no larger than /16",
    aSpec({ network: { dedicated: true, cidr: "10.0.0.0/8" } }),
    ["/network/cidr"],
  ],
  [
    "a range is no smaller than /24",
    aSpec({ network: { dedicated: true, cidr: "10.0.0.0/28" } }),
    ["/network/cidr"],
  ],
  [
    "a range is a network address",
    aSpec({ network: { dedicated: true, cidr: "10.0.0.1/16" } }),
    ["/network/cidr"],
  ],
  ["AWS's tags are AWS's", withTags({ "aws:x": "y" }), ["/tags/aws:x"]],
  ["the pipeline's tags are the pipeline's", withTags({ "AIDLC:team": "y" }), ["/tags/AIDLC:team"]],
  ["tags use characters that AWS takes", withTags({ "cost center": "a,b" }), ["/tags/cost center"]],
  ["tags differ in more than case", withTags({ Team: "a", team: "b" }), ["/tags/team"]],
  ["tags hold no credentials", withTags({ note: ACCESS_KEY_ID }), ["/tags/note"]],
  [
    "room is left for the pipeline's tags",
    withTags(Object.fromEntries(Array.from({ length: 41 }, (_, index) => [`t${index}`, ""]))),
    ["/tags"],
  ],
  [
    "confidential data has somebody to alert",
    aSpec({ dataClassification: "confidential" }),
    ["/alerts/emails"],
  ],
  [
    "restricted data has a network of its own",
    restricted({ network: { dedicated: false } }),
    ["/network/dedicated"],
  ],
  [
    "restricted data keeps logs for a year",
    restricted({ monitoring: { logRetentionDays: 90 } }),
    ["/monitoring/logRetentionDays"],
  ],
  [
    "restricted data has somebody to alert",
    restricted({ alerts: { webhooks: ["https://x.example"] } }),
    ["/alerts/emails"],
  ],
];

describe("rules of a spec", () => {
  it.each(BREACHES)("%s", (_rule, spec, paths) => {
    expect(specProblems(spec).map(({ path }) => path)).toEqual(paths);
  });

  it.each([
    ["the defaults", aSpec()],
    [
      "ranges of every type",
      withColumns(
        column({ name: "a", type: "integer", min: -1, max: 1 }),
        column({ name: "b", type: "date", min: "2024-02-29", max: "2026-01-01" }),
        column({
          name: "c",
          type: "timestamp",
          min: "2026-01-01T00:00:00Z",
          max: "2026-01-01T00:00:00-01:00",
        }),
        column({ name: "d", type: "boolean", enum: [true, false] }),
        column({ name: "e", type: "string", nullable: true, maxNullFraction: 0.5, enum: ["x"] }),
      ),
    ],
    [
      "no Spot, whatever the waiting time",
      aSpec({ training: { spot: { enabled: false, maxWaitSeconds: 60 } } }),
    ],
    [
      "hyperparameters that only sound like secrets",
      withHyperparameters({ max_tokens: 512, tokenizer: "bpe", secrets_ratio: 0.1 }),
    ],
    ["a commit id", withHyperparameters({ revision: "0123456789abcdef0123456789abcdef01234567" })],
    ["a dedicated network", aSpec({ network: { dedicated: true, cidr: "172.20.0.0/20" } })],
    ["restricted data with all that it needs", restricted()],
  ])("accept %s", (_what, spec) => {
    expect(specProblems(spec)).toEqual([]);
  });

  it("report every breach at once", () => {
    const spec = aSpec({
      dataClassification: "restricted",
      training: { schedule: "never" },
      tags: { "aws:a": "b" },
    });
    expect(specProblems(spec).map(({ path }) => path)).toEqual([
      "/training/schedule",
      "/tags/aws:a",
      "/alerts/emails",
      "/profile",
      "/network/dedicated",
      "/monitoring/logRetentionDays",
    ]);
  });
});
