import { afterAll, beforeAll, expect, it } from "vitest";
import { type AwsCall, awsCalls } from "../../../handlers/runtime/aws-calls.ts";
import type { Statement } from "../../../programs/policy-document.ts";
import { asList } from "../../programs/support/policy-documents.ts";

/** What IAM is asked when a call is made; without a resource, any will do. */
interface Need {
  readonly action: string;
  readonly resource?: string;
}

type Input = Readonly<Record<string, unknown>>;

const PREFIXES: Readonly<Record<string, string>> = {
  Budgets: "budgets",
  CloudTrail: "cloudtrail",
  CloudWatch: "cloudwatch",
  "CloudWatch Logs": "logs",
  CodeDeploy: "codedeploy",
  ECR: "ecr",
  ECS: "ecs",
  EventBridge: "events",
  IAM: "iam",
  KMS: "kms",
  Lambda: "lambda",
  S3: "s3",
  SageMaker: "sagemaker",
  "SageMaker FeatureStore Runtime": "sagemaker",
  "SageMaker Runtime": "sagemaker",
  "Secrets Manager": "secretsmanager",
  SNS: "sns",
  SQS: "sqs",
  SSM: "ssm",
};

/** Calls whose action has another name (https://docs.aws.amazon.com/service-authorization/latest/reference/). */
const ACTIONS: Readonly<Record<string, (input: Input) => readonly Need[]>> = {
  "S3.GetObject": (input) => [onObject(input.VersionId ? "s3:GetObjectVersion" : "s3:GetObject", input)],
  "S3.HeadObject": (input) => [onObject(input.VersionId ? "s3:GetObjectVersion" : "s3:GetObject", input)],
  "S3.GetObjectTagging": (input) => [
    onObject(input.VersionId ? "s3:GetObjectVersionTagging" : "s3:GetObjectTagging", input),
  ],
  "S3.PutObjectTagging": (input) => [
    onObject(input.VersionId ? "s3:PutObjectVersionTagging" : "s3:PutObjectTagging", input),
  ],
  "S3.PutObject": uploads,
  "S3.CreateMultipartUpload": uploads,
  "S3.UploadPart": (input) => [onObject("s3:PutObject", input)],
  "S3.CompleteMultipartUpload": (input) => [onObject("s3:PutObject", input)],
  "S3.AbortMultipartUpload": (input) => [onObject("s3:AbortMultipartUpload", input)],
  "S3.ListParts": (input) => [onObject("s3:ListMultipartUploadParts", input)],
  "S3.CopyObject": (input) => [...copies(input), ...uploads(input)],
  // Parts have no tags.
  "S3.UploadPartCopy": (input) => [
    ...copies({ ...input, TaggingDirective: "REPLACE" }),
    onObject("s3:PutObject", input),
  ],
  "S3.DeleteObject": (input) => [
    onObject(input.VersionId ? "s3:DeleteObjectVersion" : "s3:DeleteObject", input),
  ],
  "S3.ListObjectsV2": (input) => [onBucket("s3:ListBucket", input)],
  "S3.ListObjectVersions": (input) => [onBucket("s3:ListBucketVersions", input)],
  "S3.HeadBucket": (input) => [onBucket("s3:ListBucket", input)],
  "S3.GetBucketEncryption": (input) => [onBucket("s3:GetEncryptionConfiguration", input)],
  "S3.GetBucketLifecycleConfiguration": (input) => [onBucket("s3:GetLifecycleConfiguration", input)],
  "S3.GetBucketReplication": (input) => [onBucket("s3:GetReplicationConfiguration", input)],
  "S3.GetBucketInventoryConfiguration": (input) => [onBucket("s3:GetInventoryConfiguration", input)],
  "S3.GetPublicAccessBlock": (input) => [onBucket("s3:GetBucketPublicAccessBlock", input)],
  "S3.GetBucketNotificationConfiguration": (input) => [onBucket("s3:GetBucketNotification", input)],
  "Budgets.DescribeBudget": ({ AccountId, BudgetName }) => [
    { action: "budgets:ViewBudget", resource: `arn:aws:budgets::${AccountId}:budget/${BudgetName}` },
  ],
  "Lambda.Invoke": () => [{ action: "lambda:InvokeFunction" }],
  "SNS.Publish": (input) => [{ action: "sns:Publish", resource: String(input.TopicArn) }],
};

function onObject(action: string, { Bucket, Key }: Input): Need {
  return { action, resource: `arn:aws:s3:::${Bucket}/${Key}` };
}

function onBucket(action: string, { Bucket }: Input): Need {
  return { action, resource: `arn:aws:s3:::${Bucket}` };
}

function uploads(input: Input): readonly Need[] {
  return [
    onObject("s3:PutObject", input),
    ...(input.Tagging === undefined ? [] : [onObject("s3:PutObjectTagging", input)]),
  ];
}

/** Copying takes the tags of the source along unless it is given others. */
function copies({ CopySource, TaggingDirective }: Input): readonly Need[] {
  const [path = "", version] = decodeURIComponent(String(CopySource)).split("?versionId=");
  const resource = `arn:aws:s3:::${path.replace(/^\//, "")}`;
  return [
    { action: version === undefined ? "s3:GetObject" : "s3:GetObjectVersion", resource },
    ...(TaggingDirective === "REPLACE"
      ? []
      : [{ action: version === undefined ? "s3:GetObjectTagging" : "s3:GetObjectVersionTagging", resource }]),
  ];
}

function needsOf({ service, operation, input }: AwsCall): readonly Need[] {
  const special = ACTIONS[`${service}.${operation}`];
  if (special !== undefined) return special(input);
  const prefix = PREFIXES[service];
  if (prefix === undefined) throw new Error(`No IAM prefix is known for ${service}: add it here`);
  return [{ action: `${prefix}:${operation}` }];
}

/** What AWS does in a role's name, or asks it besides, without a call of the function's code. */
const IMPLIED =
  /^(sqs:|ec2:|iam:PassRole$|kms:(Decrypt|GenerateDataKey|CreateGrant|DescribeKey)$|sagemaker:AddTags$)/;

/** Every function may read its settings. */
const SETTINGS = "ssm:GetParametersByPath";

function matches(pattern: string, text: string): boolean {
  const escaped = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${escaped}$`, "s").test(text);
}

const allows = (statements: readonly Statement[], { action, resource }: Need) =>
  statements.some(
    ({ Effect, Action, Resource }) =>
      Effect === "Allow" &&
      asList(Action).some((pattern) => matches(pattern, action)) &&
      (resource === undefined || asList(Resource).some((pattern) => matches(pattern, resource))),
  );

/**
 * Adds two tests at the end of a file that plays everything that a function does: its role allows each call that was made, and
 * nothing that was never called. `neverCalled` names granted actions that the emulator can't play, each with the reason.
 */
export function expectExactGrants(
  grants: () => readonly Statement[],
  neverCalled: Readonly<Record<string, string>> = {},
): void {
  const calls: AwsCall[] = [];
  const remember = (call: unknown) => calls.push(call as AwsCall);
  beforeAll(() => awsCalls.subscribe(remember));
  afterAll(() => {
    awsCalls.unsubscribe(remember);
  });

  it("is granted every call that it makes", () => {
    const refused = calls
      .flatMap(needsOf)
      .filter((need) => need.action !== SETTINGS && !allows(grants(), need))
      .map(({ action, resource }) => `${action} on ${resource ?? "?"}`);
    expect([...new Set(refused)]).toEqual([]);
  });

  it("is granted nothing that it never calls", () => {
    const called = new Set(calls.flatMap(needsOf).map(({ action }) => action));
    const granted = grants().flatMap(({ Action }) => asList(Action));
    const idle = granted.filter(
      (action) => !called.has(action) && !IMPLIED.test(action) && neverCalled[action] === undefined,
    );
    expect([...new Set(idle)]).toEqual([]);
  });
}

/** Calls of these commands that the work makes, in their order. */
export async function callsDuring(
  operations: readonly string[],
  work: () => Promise<unknown>,
): Promise<AwsCall[]> {
  const calls: AwsCall[] = [];
  const remember = (call: unknown) => calls.push(call as AwsCall);
  awsCalls.subscribe(remember);
  await work();
  awsCalls.unsubscribe(remember);
  return calls.filter(({ operation }) => operations.includes(operation));
}
