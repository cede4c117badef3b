import { beforeAll, describe, expect, it } from "vitest";
import { foundationProgram } from "../../programs/foundation.ts";
import { pipelineNames } from "../../programs/names.ts";
import { pipelineProgram } from "../../programs/pipeline.ts";
import { ACCOUNT, anInput, aSpec } from "./support/inputs.ts";
import {
  asList,
  conditionKeys,
  type FoundDocument,
  type FoundStatement,
  policyDocuments,
  policyStatements,
  servicesOf,
} from "./support/policy-documents.ts";
import { ofType, type Run, resource, runProgram } from "./support/run-program.ts";

const LONG_NAMES = { team: "a".repeat(24), pipeline: "b".repeat(32) };

const SPEC = aSpec({
  training: { schedule: "rate(1 day)", instanceCount: 2, algorithm: "xgboost" },
  network: { dedicated: true },
  alerts: { emails: ["ada@example.com"], webhooks: ["https://x.example"] },
});

const names = pipelineNames({ account: ACCOUNT, team: "fraud", pipeline: "churn" });

/** AWS documents no source keys for Lambda's assumption of an execution role; see roleTrust. */
const WITHOUT_SOURCE = ["lambda.amazonaws.com"];

const SOURCE_KEYS = /^(aws:Source(Arn|Account|OrgID)|kms:EncryptionContext:aws:logs:arn)$/;

/** Characters of a document that AWS counts, by the input that holds it. */
const LIMITS: Readonly<Record<string, number>> = {
  "aws:iam/policy:Policy": 6144,
  "aws:iam/rolePolicy:RolePolicy": 10_240,
  "aws:iam/role:Role": 2048,
  "aws:s3/bucketPolicy:BucketPolicy": 20_480,
  "aws:kms/key:Key": 32_768,
  "aws:sns/topicPolicy:TopicPolicy": 20_480,
  "aws:sqs/queuePolicy:QueuePolicy": 20_480,
  "aws:ec2/vpcEndpoint:VpcEndpoint": 20_480,
};

describe.each([
  ["a pipeline", () => pipelineProgram(anInput({ spec: SPEC }))],
  ["a pipeline with the longest names", () => pipelineProgram(anInput({ spec: SPEC, ...LONG_NAMES }))],
  ["a foundation", () => foundationProgram({ account: ACCOUNT })],
])("policy documents of %s", (_what, program) => {
  let documents: FoundDocument[];
  let statements: FoundStatement[];
  beforeAll(async () => {
    const run = await runProgram(program());
    documents = policyDocuments(run);
    statements = policyStatements(run);
  });

  it("are found in every kind of resource that has one", () => {
    const types = new Set(documents.map(({ resource }) => resource.type));
    expect(types).toContain("aws:s3/bucketPolicy:BucketPolicy");
    expect(types).toContain("aws:kms/key:Key");
  });

  it("allow no wildcard action on a wildcard resource", () => {
    const wild = statements.filter(
      ({ statement: { Effect, Action, Resource } }) =>
        Effect === "Allow" &&
        asList(Action).some((action) => action.includes("*")) &&
        asList(Resource).some((arn) => arn === "*"),
    );
    expect(wild.map(({ where }) => where)).toEqual([]);
  });

  it("allow no wildcard action at all", () => {
    const wild = statements.filter(
      ({ statement }) =>
        statement.Effect === "Allow" && asList(statement.Action).some((action) => action.includes("*")),
    );
    expect(wild.map(({ where }) => where)).toEqual([]);
  });

  it("let a service act only for resources of this account", () => {
    const unguarded = statements.filter(
      ({ statement }) =>
        statement.Effect === "Allow" &&
        servicesOf(statement).length > 0 &&
        !conditionKeys(statement.Condition).some((key) => SOURCE_KEYS.test(key)),
    );
    expect(
      unguarded
        .flatMap(({ statement }) => servicesOf(statement))
        .filter((name) => !WITHOUT_SOURCE.includes(name)),
    ).toEqual([]);
  });

  it("allow nothing to everybody without a condition", () => {
    const open = statements.filter(
      ({ statement: { Effect, Principal, Condition, Resource } }) =>
        Effect === "Allow" &&
        Principal === "*" &&
        Condition === undefined &&
        !asList(Resource).every(isAwsImageLayer),
    );
    expect(open.map(({ where }) => where)).toEqual([]);
  });

  it("name every statement once", () => {
    for (const { where, statements: own } of documents) {
      const sids = own.map(({ Sid }) => Sid);
      expect(new Set(sids).size, where).toBe(sids.length);
      for (const sid of sids) expect(sid, where).toMatch(/^[A-Za-z0-9]+$/);
    }
  });

  it("stay within AWS's sizes", () => {
    for (const {
      where,
      resource: { type },
      text,
    } of documents) {
      expect(text.length, where).toBeLessThanOrEqual(LIMITS[type] ?? 0);
    }
  });
});

const isAwsImageLayer = (arn: string) => arn === "arn:aws:s3:::prod-eu-west-1-starport-layer-bucket/*";

describe("roles of a pipeline", () => {
  let run: Run;
  beforeAll(async () => {
    run = await runProgram(pipelineProgram(anInput({ spec: SPEC })));
  });

  const grants = (role: string) =>
    policyDocuments(run).find(({ resource: { name } }) => name === `${role}-role-policy`)?.statements ?? [];

  /** Buckets on whose objects the role may do this. */
  const bucketsFor = (role: string, action: string) =>
    new Set(
      grants(role)
        .filter(({ Action }) => asList(Action).includes(action))
        .flatMap(({ Resource }) => asList(Resource))
        .map((arn) => /^arn:aws:s3:::aidlc-([a-z]+)-/.exec(arn)?.[1])
        .filter((kind) => kind !== undefined),
    );

  it.each([
    ["validation", ["raw", "validated"], ["validated", "quarantine"]],
    ["processing", ["validated", "features", "models"], ["features", "models"]],
    ["training", ["validated", "features", "models"], ["models"]],
    ["orchestration", ["models"], []],
    ["inference", ["models"], ["predictions"]],
    ["monitoring", [], []],
    ["cicd", [], []],
    ["alerts", [], []],
    ["schedule", [], []],
  ])("%s reads %j and writes %j", (role, reads, writes) => {
    expect(bucketsFor(role, "s3:GetObject")).toEqual(new Set(reads));
    expect(bucketsFor(role, "s3:PutObject")).toEqual(new Set(writes));
  });

  it("all have the account's boundary and the pipeline's path", () => {
    for (const { inputs } of ofType(run, "iam/role:Role")) {
      expect(inputs).toMatchObject({
        path: "/aidlc/",
        permissionsBoundary: "arn:aws:iam::111122223333:policy/aidlc/aidlc-boundary-eu-west-1",
      });
    }
  });

  it("exceed the boundary in no action", async () => {
    const foundation = await runProgram(foundationProgram({ account: ACCOUNT }));
    const boundary = policyDocuments(foundation).find(({ resource: { name } }) => name === "boundary");
    const ceiling = new Set(
      boundary?.statements.filter(({ Effect }) => Effect === "Allow").flatMap(({ Action }) => asList(Action)),
    );
    const granted = ofType(run, "iam/role:Role").flatMap(({ name }) =>
      grants(name.replace(/-role$/, "")).flatMap(({ Action }) => asList(Action)),
    );
    expect([...new Set(granted)].filter((action) => !ceiling.has(action))).toEqual([]);
  });

  it("never delete data, change a protection or approve a model", () => {
    const actions = ofType(run, "iam/rolePolicy:RolePolicy").flatMap(({ name }) =>
      grants(name.replace(/-role-policy$/, "")).flatMap(({ Action }) => asList(Action)),
    );
    expect(
      actions.filter((action) =>
        /Delete(Object|Bucket)|PutBucket|UpdateModelPackage|^iam:(?!PassRole)/.test(action),
      ),
    ).toEqual([]);
  });

  it("create only isolated jobs on the pipeline's own network", () => {
    const jobs = grants("orchestration").find(({ Sid }) => Sid === "CreateIsolatedJobs");
    expect(jobs?.Resource).toEqual([
      `arn:aws:sagemaker:eu-west-1:111122223333:processing-job/${names.jobPrefix("process")}-*`,
      `arn:aws:sagemaker:eu-west-1:111122223333:processing-job/${names.jobPrefix("evaluate")}-*`,
      `arn:aws:sagemaker:eu-west-1:111122223333:training-job/${names.jobPrefix("train")}-*`,
    ]);
    expect(jobs?.Condition).toMatchObject({
      Bool: { "sagemaker:NetworkIsolation": "true" },
      "ForAllValues:StringEquals": { "sagemaker:VpcSecurityGroupIds": ["jobs-id"] },
    });
  });

  it("pass roles to SageMaker only, and only the two that jobs run as", () => {
    const passing = policyStatements(run).filter(({ statement }) =>
      asList(statement.Action).includes("iam:PassRole"),
    );
    expect(passing.map(({ statement: { Resource, Condition } }) => [Resource, Condition])).toEqual([
      [
        ["processing", "training"].map((role) => `arn:aws:iam::111122223333:role/aidlc/${names.named(role)}`),
        { StringEquals: { "iam:PassedToService": "sagemaker.amazonaws.com" } },
      ],
    ]);
  });

  it("register models for approval only", () => {
    const register = grants("orchestration").find(({ Sid }) => Sid === "RegisterModels");
    expect(register?.Condition).toEqual({
      StringEqualsIfExists: { "sagemaker:ModelApprovalStatus": "PendingManualApproval" },
    });
  });
});

describe("keys of a pipeline", () => {
  const USE = /^kms:(Decrypt|Encrypt|GenerateDataKey|ReEncrypt|CreateGrant)/;

  it.each(["data", "models", "logs"])(
    "separate administration of the %s key from its use",
    async (purpose) => {
      const run = await runProgram(pipelineProgram(anInput()));
      const key = resource(run, "kms/key:Key", `${purpose}-key`);
      expect(key.inputs).toMatchObject({ enableKeyRotation: true });
      const found = policyStatements({ resources: [key], outputs: {} }).map(({ statement }) => statement);
      const [administration, ...use] = found;
      expect(asList(administration?.Action).filter((action) => USE.test(action))).toEqual([]);
      expect(asList(administration?.Action)).toContain("kms:PutKeyPolicy");
      for (const { Action, Condition } of use) {
        expect(asList(Action).filter((action) => /Put|Delete|Disable|Schedule|Update/.test(action))).toEqual(
          [],
        );
        expect(Condition).toBeDefined();
      }
    },
  );
});
