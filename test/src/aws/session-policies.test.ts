import { beforeAll, describe, expect, it } from "vitest";
import { pipelineNames } from "../../../programs/names.ts";
import { type ReferenceRun, referenceRuns } from "../../../scripts/programs/reference-runs.ts";
import {
  changeRecordsSessionPolicy,
  discoverySessionPolicy,
  foundationSessionPolicy,
  pipelineSessionPolicy,
  quiesceSessionPolicy,
  stateSessionPolicy,
  statusSessionPolicy,
} from "../../../src/aws/session-policies.ts";
import { allows } from "../../support/iam.ts";

const account = { accountId: "123456789012", region: "eu-central-1" };
const subject = { account, team: "research", pipeline: "reference" };
const pipeline = pipelineSessionPolicy(subject);
const foundation = foundationSessionPolicy(account);
const { prefix } = pipelineNames(subject);
const role = (name: string) => `arn:aws:iam::123456789012:role/aidlc/${name}`;
const policy = (name: string) => `arn:aws:iam::123456789012:policy/aidlc/${name}`;
const boundary = { "iam:PermissionsBoundary": policy("aidlc-boundary-eu-central-1") };

/** IAM's name of a service where Pulumi's module has another. */
const services: Readonly<Record<string, string>> = {
  accessanalyzer: "access-analyzer",
  appautoscaling: "application-autoscaling",
  cfg: "config",
  ebs: "ec2",
  lb: "elasticloadbalancing",
  sfn: "states",
  vpc: "ec2",
  "cloudwatch/eventRule": "events",
  "cloudwatch/eventTarget": "events",
  "cloudwatch/logDelivery": "logs",
  "cloudwatch/logDeliveryDestination": "logs",
  "cloudwatch/logDeliverySource": "logs",
  "cloudwatch/logGroup": "logs",
};

function serviceOf(type: string): string {
  const [module = "", kind = ""] = (type.split(":")[1] ?? "").split("/");
  return services[`${module}/${kind}`] ?? services[module] ?? module;
}

let runs: readonly ReferenceRun[];
beforeAll(async () => {
  runs = await referenceRuns();
}, 120_000);

const registered = (program: ReferenceRun["program"]) =>
  runs
    .filter((run) => run.program === program)
    .flatMap(({ run }) => run.resources)
    .filter(({ type }) => type.startsWith("aws:"));

describe.each([
  ["pipeline", pipeline],
  ["foundation", foundation],
] as const)("the session of a %s's operation", (program, document) => {
  it("reaches the service of everything that the program registers", () => {
    const missing = registered(program)
      .map(({ type }) => type)
      .filter((type) => !type.startsWith("aws:iam/"))
      .filter((type) => !allows(document, { action: `${serviceOf(type)}:CreateAnything` }));
    expect([...new Set(missing)]).toEqual([]);
  });

  it("reaches every role and policy that the program registers, and may pass its roles", () => {
    const names = (type: string) =>
      registered(program)
        .filter((resource) => resource.type === type)
        .map(({ inputs }) => String(inputs.name));
    const roles = names("aws:iam/role:Role");
    expect(roles.length).toBeGreaterThan(0);
    for (const name of roles) {
      for (const action of [
        "iam:CreateRole",
        "iam:PutRolePolicy",
        "iam:AttachRolePolicy",
        "iam:PassRole",
        "iam:DeleteRole",
      ])
        expect(allows(document, { action, resource: role(name), context: boundary })).toBe(true);
    }
    for (const name of names("aws:iam/policy:Policy"))
      expect(allows(document, { action: "iam:CreatePolicy", resource: policy(name) })).toBe(true);
  });

  it("reaches no service that the program doesn't use", () => {
    for (const action of [
      "dynamodb:PutItem",
      "rds:CreateDBInstance",
      "ses:SendEmail",
      "iam:CreateGroup",
      "sso:Anything",
    ])
      expect(allows(document, { action })).toBe(false);
  });

  it.each([
    "iam:CreateUser",
    "iam:PutUserPolicy",
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "organizations:LeaveOrganization",
    "account:CloseAccount",
    "sts:AssumeRole",
    "sts:AssumeRoleWithWebIdentity",
    "sts:GetFederationToken",
  ])("never does %s", (action) => {
    for (const resource of ["*", "arn:aws:iam::123456789012:user/aidlc/aidlc-x", role(`${prefix}-etl`)])
      expect(allows(document, { action, resource })).toBe(false);
  });

  it.each([
    "secretsmanager:GetSecretValue",
    "lambda:InvokeFunction",
    "sagemaker:InvokeEndpoint",
    "ssm:SendCommand",
    "ec2:RunInstances",
  ])("never looks into what it makes, nor has it run: %s", (action) => {
    expect(allows(document, { action })).toBe(false);
  });
});

describe("the session of a pipeline's operation", () => {
  it("reaches no trail, no detector and no recorder", () => {
    for (const action of [
      "cloudtrail:DeleteTrail",
      "cloudtrail:StopLogging",
      "guardduty:DeleteDetector",
      "config:StopConfigurationRecorder",
    ]) {
      expect(allows(pipeline, { action })).toBe(false);
      expect(allows(foundation, { action })).toBe(true);
    }
  });

  it("reaches no role or policy but its own pipeline's", () => {
    const other = pipelineNames({ ...subject, pipeline: "other" }).prefix;
    for (const resource of [role(`${other}-etl`), role("Admin"), "arn:aws:iam::123456789012:role/Admin"])
      expect(allows(pipeline, { action: "iam:PutRolePolicy", resource })).toBe(false);
    for (const action of ["iam:CreatePolicyVersion", "iam:DeletePolicy"])
      expect(allows(pipeline, { action, resource: boundary["iam:PermissionsBoundary"] })).toBe(false);
  });

  it("makes no role outside of the foundation's boundary, and takes none out of it", () => {
    const own = { resource: role(`${prefix}-etl`) };
    const other = { "iam:PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess" };
    expect(allows(pipeline, { ...own, action: "iam:CreateRole", context: boundary })).toBe(true);
    expect(allows(pipeline, { ...own, action: "iam:CreateRole" })).toBe(false);
    expect(allows(pipeline, { ...own, action: "iam:CreateRole", context: other })).toBe(false);
    expect(allows(pipeline, { ...own, action: "iam:PutRolePermissionsBoundary", context: other })).toBe(
      false,
    );
    expect(allows(pipeline, { ...own, action: "iam:DeleteRolePermissionsBoundary" })).toBe(false);
  });
});

describe("the service's own sessions", () => {
  it("only look", () => {
    expect(allows(statusSessionPolicy(), { action: "sagemaker:DescribePipeline" })).toBe(true);
    expect(allows(statusSessionPolicy(), { action: "sagemaker:DescribeEndpoint" })).toBe(false);
    expect(allows(discoverySessionPolicy(), { action: "cloudformation:ListResources" })).toBe(true);
    const changing = [
      "cloudformation:CreateResource",
      "iam:PassRole",
      "guardduty:DeleteDetector",
      "apigateway:PATCH",
    ];
    for (const action of changing) expect(allows(discoverySessionPolicy(), { action })).toBe(false);
  });
});

describe("the session that ends what a pipeline has at SageMaker", () => {
  const document = quiesceSessionPolicy(subject);
  const other = pipelineNames({ ...subject, pipeline: "other" });
  const own = pipelineNames(subject);
  const arn = (rest: string) => `arn:aws:sagemaker:eu-central-1:123456789012:${rest}`;
  const ends = (action: string, rest: string) =>
    allows(document, { action: `sagemaker:${action}`, resource: arn(rest) });

  it.each([
    ["StopPipelineExecution", `pipeline/${own.named("training")}/execution/a1`],
    ["StopProcessingJob", `processing-job/${own.jobPrefix("validate")}-0a1b-1`],
    ["DeleteEndpoint", `endpoint/${own.named("live")}`],
    ["DeleteModelPackage", `model-package/${own.named("models")}/1`],
  ])("may %s of its own: %s", (action, rest) => {
    expect(ends(action, rest)).toBe(true);
  });

  it.each([
    ["StopPipelineExecution", `pipeline/${other.named("training")}/execution/a1`],
    ["StopProcessingJob", `processing-job/${other.jobPrefix("validate")}-0a1b-1`],
    ["StopProcessingJob", "processing-job/somebody-elses"],
    ["DeleteEndpoint", `endpoint/${other.named("live")}`],
    ["DeleteModelPackage", `model-package/${other.named("models")}/1`],
    ["CreateProcessingJob", `processing-job/${own.jobPrefix("validate")}-0a1b-1`],
  ])("may not %s: %s", (action, rest) => {
    expect(ends(action, rest)).toBe(false);
  });

  it("sees all that is to be ended", () => {
    for (const action of ["ListProcessingJobs", "DescribeProcessingJob", "ListPipelineExecutions"])
      expect(allows(document, { action: `sagemaker:${action}` })).toBe(true);
  });
});

describe("the session of a stack's state", () => {
  const bucket = { bucket: "states", prefix: "aidlc/" };
  const stack = { project: "aidlc-pipeline", name: "research.penguins", region: "eu-central-1" };
  const document = stateSessionPolicy(bucket, stack);
  const object = (key: string) => `arn:aws:s3:::states/aidlc/.pulumi/${key}`;
  const touches = (key: string) =>
    ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"].map((action) =>
      allows(document, { action, resource: object(key) }),
    );

  it.each([
    "stacks/aidlc-pipeline/research.penguins.json",
    "stacks/aidlc-pipeline/research.penguins.json.zst.bak",
    "backups/aidlc-pipeline/research.penguins/1.json",
    "history/aidlc-pipeline/research.penguins/1.history.json",
    "locks/organization/aidlc-pipeline/research.penguins/1.json",
  ])("reads, writes and deletes its own %s", (key) => {
    expect(touches(key)).toEqual([true, true, true]);
  });

  it.each([
    "stacks/aidlc-pipeline/fraud.penguins.json",
    "stacks/aidlc-pipeline/research.penguins-2.json",
    "stacks/aidlc-foundation/research.penguins.json",
    "locks/organization/aidlc-pipeline/research.penguins-2/1.json",
    "history/aidlc-pipeline/fraud.churn/1.history.json",
  ])("neither reads nor writes another stack's %s", (key) => {
    expect(touches(key)).toEqual([false, false, false]);
  });

  it("reads the version of the backend, and can't remove it", () => {
    expect(touches("meta.yaml")).toEqual([true, true, false]);
  });

  it("reaches nothing else of AWS", () => {
    for (const action of [
      "s3:DeleteBucket",
      "s3:PutBucketPolicy",
      "iam:ListRoles",
      "sts:AssumeRole",
      "kms:Decrypt",
    ])
      expect(allows(document, { action, resource: "arn:aws:s3:::states" })).toBe(false);
    expect(
      allows(document, {
        action: "kms:Decrypt",
        context: { "kms:ViaService": "s3.eu-central-1.amazonaws.com" },
      }),
    ).toBe(true);
  });
});

describe("a session that asks who changed a resource", () => {
  it("reads the records of AWS's calls and nothing else", () => {
    const document = changeRecordsSessionPolicy();
    expect(allows(document, { action: "cloudtrail:LookupEvents" })).toBe(true);
    for (const action of ["cloudtrail:StopLogging", "cloudtrail:GetTrail", "s3:GetObject", "iam:GetRole"])
      expect(allows(document, { action })).toBe(false);
  });
});

it("every session policy fits into the 2,048 characters that AWS takes, whatever is in it", () => {
  const far = { accountId: "123456789012", region: "ap-southeast-1" };
  const longest = [
    pipelineSessionPolicy({ account: far, team: "t".repeat(24), pipeline: "p".repeat(32) }),
    foundationSessionPolicy(far),
    quiesceSessionPolicy({ account: far, team: "t".repeat(24), pipeline: "p".repeat(32) }),
    statusSessionPolicy(),
    discoverySessionPolicy(),
    changeRecordsSessionPolicy(),
    stateSessionPolicy(
      { bucket: "b".repeat(63), prefix: `${"f".repeat(59)}/` },
      { project: "aidlc-foundation", name: `${"t".repeat(24)}.${"p".repeat(32)}`, region: "us-gov-west-1" },
    ),
  ];
  expect(longest.map((document) => document.length).filter((length) => length > 2_048)).toEqual([]);
});
