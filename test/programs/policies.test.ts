import { beforeAll, describe, expect, it } from "vitest";
import { foundationProgram } from "../../programs/foundation.ts";
import { pipelineProgram } from "../../programs/pipeline.ts";
import { SERVING_MODES } from "../../programs/spec/serving.ts";
import { ACCOUNT, anInput, aSpec, PRODUCTION_FOUNDATION, productionInput } from "./support/inputs.ts";
import {
  asList,
  conditionKeys,
  type FoundDocument,
  type FoundStatement,
  policyDocuments,
  policyStatements,
  servicesOf,
} from "./support/policy-documents.ts";
import { type Program, resource, runProgram } from "./support/run-program.ts";

const LONG_NAMES = { team: "a".repeat(24), pipeline: "b".repeat(32) };

const SPEC = aSpec({
  training: { schedule: "rate(1 day)", instanceCount: 2, algorithm: "xgboost" },
  network: { dedicated: true },
  alerts: { emails: ["ada@example.com"], webhooks: ["https://x.example"] },
});

const PRODUCTION = anInput({
  spec: aSpec({
    profile: "production",
    dataset: { replicaRegion: "eu-central-1" },
    training: { schedule: "rate(1 day)", instanceCount: 2, algorithm: "xgboost" },
    network: { dedicated: true },
    alerts: { emails: ["ada@example.com"], webhooks: ["https://x.example"] },
  }),
  foundation: PRODUCTION_FOUNDATION,
});

/** AWS documents no source keys for these services' assumption of a role: where the roles are made says what guards them. */
const WITHOUT_SOURCE = ["lambda.amazonaws.com", "apigateway.amazonaws.com"];

/** What roles may not exceed; it grants nothing, so that it may speak of whole services. */
const isBoundary = ({ resource: { name } }: FoundStatement) => name === "boundary";

const SOURCE_KEYS = /^(aws:Source(Arn|Account|OrgID)|kms:EncryptionContext:aws:logs:arn)$/;

/** Characters of a document that AWS counts, by the input that holds it. */
const LIMITS: Readonly<Record<string, number>> = {
  "aws:iam/policy:Policy": 6144,
  "aws:iam/rolePolicy:RolePolicy": 10_240,
  "aws:iam/role:Role": 2048,
  "aws:ecr/repositoryPolicy:RepositoryPolicy": 10_240,
  "aws:s3/bucketPolicy:BucketPolicy": 20_480,
  "aws:kms/key:Key": 32_768,
  "aws:sns/topicPolicy:TopicPolicy": 20_480,
  "aws:sqs/queuePolicy:QueuePolicy": 20_480,
  "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": 5120,
  "aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy": 20_480,
  "aws:apigateway/restApiPolicy:RestApiPolicy": 8192,
  "aws:secretsmanager/secretPolicy:SecretPolicy": 20_480,
  "aws:backup/vaultPolicy:VaultPolicy": 20_480,
  "aws:ec2/vpcEndpoint:VpcEndpoint": 20_480,
};

describe.each<readonly [string, () => Program]>([
  ["a pipeline", () => pipelineProgram(anInput({ spec: SPEC }))],
  ["a pipeline with the longest names", () => pipelineProgram(anInput({ spec: SPEC, ...LONG_NAMES }))],
  ...SERVING_MODES.map(
    (mode) =>
      [
        `a production pipeline that serves by ${mode}`,
        () => pipelineProgram(productionInput(mode, { released: true })),
      ] as const,
  ),
  ["a production pipeline", () => pipelineProgram(PRODUCTION)],
  ["a production pipeline with the longest names", () => pipelineProgram({ ...PRODUCTION, ...LONG_NAMES })],
  ["a foundation", () => foundationProgram({ account: ACCOUNT })],
  ["a production foundation", () => foundationProgram({ account: ACCOUNT, profile: "production" })],
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
      (found) =>
        !isBoundary(found) &&
        found.statement.Effect === "Allow" &&
        asList(found.statement.Action).some((action) => action.includes("*")) &&
        asList(found.statement.Resource).some((arn) => arn === "*"),
    );
    expect(wild.map(({ where }) => where)).toEqual([]);
  });

  it("allow no wildcard action at all", () => {
    const wild = statements.filter(
      (found) =>
        !isBoundary(found) &&
        found.statement.Effect === "Allow" &&
        asList(found.statement.Action).some((action) => action.includes("*")),
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
