import { PutEventSelectorsCommand, StopLoggingCommand } from "@aws-sdk/client-cloudtrail";
import { DeleteAlarmsCommand } from "@aws-sdk/client-cloudwatch";
import { DeleteRetentionPolicyCommand } from "@aws-sdk/client-cloudwatch-logs";
import { DisableRuleCommand } from "@aws-sdk/client-eventbridge";
import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  DeleteRolePermissionsBoundaryCommand,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { DisableKeyCommand, DisableKeyRotationCommand, PutKeyPolicyCommand } from "@aws-sdk/client-kms";
import { AddPermissionCommand, DeleteFunctionCommand } from "@aws-sdk/client-lambda";
import {
  DeleteBucketEncryptionCommand,
  DeleteBucketLifecycleCommand,
  DeleteBucketOwnershipControlsCommand,
  DeleteBucketPolicyCommand,
  DeleteBucketReplicationCommand,
  DeleteBucketTaggingCommand,
  DeletePublicAccessBlockCommand,
  PutBucketLoggingCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
} from "@aws-sdk/client-s3";
import { DeletePipelineCommand } from "@aws-sdk/client-sagemaker";
import { DeleteResourcePolicyCommand } from "@aws-sdk/client-secrets-manager";
import { SetTopicAttributesCommand } from "@aws-sdk/client-sns";
import { DeleteQueueCommand, GetQueueUrlCommand, SetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { createHandler, type Evidence } from "../../handlers/evidence/handler.ts";
import type { Finding, State } from "../../handlers/evidence/judge.ts";
import type { Control } from "../../programs/frameworks.ts";
import type { BucketKind, KeyPurpose } from "../../programs/names.ts";
import { type AwsRecorder, recordAws } from "../support/aws-recorder.ts";
import { administrators, encrypt, listObjects, protect } from "./support/controls-in-aws.ts";
import { callsDuring, expectExactGrants } from "./support/granted-calls.ts";
import { type PipelineInAws, pipelineInAws } from "./support/pipeline-in-aws.ts";

/** What moto forgets, and this server adds to its answers; a test takes it away by its name. */
const lacking = new Set<"registry" | "subscribers" | "event bridge" | "dead letters">();
/** How SageMaker says that there is no such group. */
const GONE =
  '{"__type":"ValidationException","message":"ModelPackageGroup arn:aws:sagemaker:… does not exist."}';
/** moto minds no condition in a bucket's policy, so that a bucket with a denial takes no objects: this server takes them. */
const KEPT = { status: 200, type: "application/xml", body: "" };
/** Whether Lambda has put all functions to rest. */
let idle = false;
/** Services that answer nothing but an error. */
const failing = new Set<string>();

/** To protect a pipeline takes some 150 calls and to read it 250, one after another in the emulator. */
const PATIENCE_MS = 240_000;

let moto: AwsRecorder;
let pipeline: PipelineInAws;
let trail: string;
let read: () => Promise<Evidence>;
const by = administrators();

beforeAll(async () => {
  pipeline = await pipelineInAws();
  trail = await protect(pipeline, by);
  moto = await recordAws(
    inject("awsUrl"),
    ({ method, path, service = "", target }) =>
      method === "PUT" && path.includes("/evidence/")
        ? KEPT
        : target === "SageMaker.DescribeModelPackageGroup" && lacking.has("registry")
          ? { status: 400, type: "application/x-amz-json-1.1", body: GONE }
          : failing.has(service)
            ? { status: 403, type: "application/json", body: '{"__type":"AccessDeniedException"}' }
            : undefined,
    ({ path, form }, body) => {
      if (form.Action === "GetTopicAttributes" && !lacking.has("subscribers")) {
        return body.replace(/(SubscriptionsConfirmed<\/key>\s*<value>)0/, "$11");
      }
      if (/[?&]notification/.test(path) && path.includes("validated") && !lacking.has("event bridge")) {
        return body.replace(
          /<NotificationConfiguration[^>]*?(\/>|>.*<\/NotificationConfiguration>)/s,
          "<NotificationConfiguration><EventBridgeConfiguration/></NotificationConfiguration>",
        );
      }
      if (path.endsWith("/configuration") && !lacking.has("dead letters") && body.startsWith('{"')) {
        return JSON.stringify({
          ...JSON.parse(body),
          DeadLetterConfig: { TargetArn: "arn:aws:sqs:eu-west-1:123456789012:d" },
          ...(idle && { State: "Inactive" }),
        });
      }
      return body;
    },
  );
  read = readerOf();
}, PATIENCE_MS);
afterAll(() => moto.close());

function readerOf(now?: () => Date) {
  return createHandler(
    {
      ...pipeline.environmentOf("evidence"),
      AWS_ENDPOINT_URL: moto.url,
      AIDLC_TRAIL: trail,
      AIDLC_REPLICA_REGION: "eu-central-1",
    },
    now,
  );
}

const dayOf = ({ readAt }: Evidence) => readAt.slice(0, 10).replaceAll("-", "/");

const bad = ({ controls }: Evidence) =>
  controls.flatMap(({ control, resources }) =>
    resources.filter(({ state }) => state !== "effective").map((one) => ({ control, ...one })),
  );

describe("the evidence of a pipeline", { timeout: PATIENCE_MS }, () => {
  it("has every control in effect where every protection is in place", async () => {
    const evidence = await read();
    expect(bad(evidence)).toEqual([]);
    expect(evidence.controls).toHaveLength(11);
    expect(evidence.controls.every(({ state }) => state === "effective")).toBe(true);
    expect(await pipeline.takeAlerts()).toEqual([]);
  });

  it("takes a function for active that nobody called for weeks", async () => {
    idle = true;
    const evidence = await read();
    idle = false;
    expect(bad(evidence)).toEqual([]);
  });

  it("calls what could not be read unknown, with the reason, and tells of everything else", async () => {
    failing.add("kms");
    const evidence = await read();
    failing.clear();
    const unread = bad(evidence);
    expect(unread.every(({ state, evidence: why }) => state === "unknown" || /another key/.test(why))).toBe(
      true,
    );
    expect(unread).toContainEqual(
      expect.objectContaining({ state: "unknown", evidence: "It could not be read: AccessDeniedException" }),
    );
    const stateOf = (control: Control) => evidence.controls.find((one) => one.control === control)?.state;
    expect(stateOf("modelVersioning")).toBe("unknown");
    expect(stateOf("encryptionInTransit")).toBe("effective");
    expect(await pipeline.takeAlerts()).toMatchObject([
      {
        severity: "warning",
        code: "controls_not_in_effect",
        detail: { controls: { modelVersioning: [{}] } },
      },
    ]);
  });

  it("is kept as it is answered, a document for each reading, which nothing is written over", async () => {
    const begins = "2026-11-30T04:00:00.000Z";
    let answered: Evidence | undefined;
    const calls = await callsDuring(["PutObject"], async () => {
      answered = await readerOf(() => new Date(begins))();
    });
    expect(calls.map(({ input }) => input)).toEqual([
      expect.objectContaining({
        Bucket: Bucket("access-logs"),
        Key: `evidence/2026/11/30/${begins}.json`,
        IfNoneMatch: "*",
        Body: JSON.stringify(answered),
      }),
    ]);
    expect(answered).toMatchObject({ readAt: begins });
  });

  it("says that there are no replicas where the spec asks for none", async () => {
    const env = { ...pipeline.environmentOf("evidence"), AWS_ENDPOINT_URL: moto.url, AIDLC_TRAIL: trail };
    expect(bad(await createHandler(env)())).toEqual([
      expect.objectContaining({ control: "backupAndRecovery", id: "replicas", state: "partial" }),
    ]);
    expect(await pipeline.takeAlerts()).toEqual([]);
  });
});

type Take = () => Promise<unknown> | unknown;
const s3 = () => pipeline.s3;
const Bucket = (kind: BucketKind) => pipeline.setting.names.bucket(kind);
const named = (part: string) => pipeline.setting.names.named(part);
const keyId = (purpose: KeyPurpose) => pipeline.keys[purpose].split("/").at(-1);
const topic = () => pipeline.setting.arns.topic(named("critical"));
const role = () => ({ RoleName: named("validate") });
const queueUrl = async (part: string) =>
  (await by.sqs.send(new GetQueueUrlCommand({ QueueName: named(part) }))).QueueUrl ?? "";
const rolePolicy = (part: string, Action: string, Resource: string) =>
  by.iam.send(
    new PutRolePolicyCommand({
      RoleName: named(part),
      PolicyName: "grants",
      PolicyDocument: JSON.stringify({
        Version: "2012-10-17",
        Statement: { Effect: "Allow", Action, Resource },
      }),
    }),
  );

/** What is taken away, how, and which resource of which control shows it. */
const PROTECTIONS: readonly (readonly [string, Take, Control, RegExp, State])[] = [
  [
    "a key of its own",
    () => encrypt(s3(), Bucket("raw"), undefined),
    "encryptionAtRest",
    /aidlc-raw/,
    "partial",
  ],
  [
    "the right key",
    () => encrypt(s3(), Bucket("features"), pipeline.keys.logs),
    "encryptionAtRest",
    /aidlc-features/,
    "partial",
  ],
  [
    "encryption",
    () => s3().send(new DeleteBucketEncryptionCommand({ Bucket: Bucket("models") })),
    "encryptionAtRest",
    /aidlc-models/,
    "missing",
  ],
  [
    "rotation",
    () => by.kms.send(new DisableKeyRotationCommand({ KeyId: keyId("logs") })),
    "encryptionAtRest",
    /logs \(rotation\)/,
    "partial",
  ],
  [
    "encrypted topics",
    () =>
      by.sns.send(
        new SetTopicAttributesCommand({
          TopicArn: topic(),
          AttributeName: "KmsMasterKeyId",
          AttributeValue: "",
        }),
      ),
    "encryptionAtRest",
    /-critical$/,
    "missing",
  ],
  [
    "encrypted queues",
    async () =>
      by.sqs.send(
        new SetQueueAttributesCommand({
          QueueUrl: await queueUrl("ingest"),
          Attributes: { SqsManagedSseEnabled: "false" },
        }),
      ),
    "encryptionAtRest",
    /-ingest$/,
    "missing",
  ],
  [
    "TLS of a bucket",
    () => s3().send(new DeleteBucketPolicyCommand({ Bucket: Bucket("quarantine") })),
    "encryptionInTransit",
    /aidlc-quarantine/,
    "missing",
  ],
  [
    "the TLS version of a bucket",
    () =>
      s3().send(
        new PutBucketPolicyCommand({
          Bucket: Bucket("raw"),
          Policy: JSON.stringify({
            Statement: [
              {
                Effect: "Deny",
                Principal: "*",
                Action: "s3:*",
                Resource: "*",
                Condition: { Bool: { "aws:SecureTransport": "false" } },
              },
            ],
          }),
        }),
      ),
    "encryptionInTransit",
    /aidlc-raw/,
    "partial",
  ],
  [
    "TLS of a topic",
    () =>
      by.sns.send(
        new SetTopicAttributesCommand({
          TopicArn: topic(),
          AttributeName: "Policy",
          AttributeValue: '{"Statement":[]}',
        }),
      ),
    "encryptionInTransit",
    /-critical$/,
    "missing",
  ],
  [
    "access logs",
    () => s3().send(new PutBucketLoggingCommand({ Bucket: Bucket("raw"), BucketLoggingStatus: {} })),
    "accessAuditing",
    /aidlc-raw-[^ ]*$/,
    "partial",
  ],
  [
    "data events",
    () =>
      by.cloudTrail.send(
        new PutEventSelectorsCommand({
          TrailName: trail,
          AdvancedEventSelectors: [{ FieldSelectors: [{ Field: "eventCategory", Equals: ["Management"] }] }],
        }),
      ),
    "accessAuditing",
    /aidlc-raw.*data events/,
    "missing",
  ],
  [
    "a recording trail",
    () => by.cloudTrail.send(new StopLoggingCommand({ Name: trail })),
    "accessAuditing",
    /^arn:aws:cloudtrail[^ ]*$/,
    "missing",
  ],
  [
    "validation",
    () =>
      s3().send(
        new PutBucketNotificationConfigurationCommand({
          Bucket: Bucket("raw"),
          NotificationConfiguration: {},
        }),
      ),
    "dataLineage",
    /aidlc-raw[^ ]*$/,
    "missing",
  ],
  [
    "news of accepted data",
    () => lacking.add("event bridge"),
    "dataLineage",
    /aidlc-validated[^ ]*$/,
    "missing",
  ],
  [
    "an inventory",
    () => listObjects(pipeline, "raw", false),
    "dataLineage",
    /aidlc-raw.*inventory/,
    "partial",
  ],
  [
    "the rule of accepted data",
    () => by.events.send(new DisableRuleCommand({ Name: named("accepted") })),
    "dataLineage",
    /-accepted$/,
    "missing",
  ],
  [
    "the signing key",
    () => by.kms.send(new DisableKeyCommand({ KeyId: keyId("signing") })),
    "modelVersioning",
    /signing$/,
    "missing",
  ],
  [
    "old versions of models",
    () =>
      s3().send(
        new PutBucketVersioningCommand({
          Bucket: Bucket("models"),
          VersioningConfiguration: { Status: "Suspended" },
        }),
      ),
    "modelVersioning",
    /aidlc-models/,
    "missing",
  ],
  ["the registry", () => lacking.add("registry"), "modelVersioning", /-models$/, "missing"],
  [
    "the check of signatures",
    () => by.lambda.send(new DeleteFunctionCommand({ FunctionName: named("verify-model") })),
    "modelVersioning",
    /verify-model/,
    "missing",
  ],
  [
    "the watch over keys",
    () => by.events.send(new DisableRuleCommand({ Name: named("key-tampering") })),
    "changeManagement",
    /key-tampering/,
    "missing",
  ],
  [
    "the training pipeline",
    () =>
      by.sageMaker.send(
        new DeletePipelineCommand({
          PipelineName: named("training"),
          ClientRequestToken: "0123456789012345678901234567890123",
        }),
      ),
    "changeManagement",
    /-training$/,
    "missing",
  ],
  [
    "tags",
    () => s3().send(new DeleteBucketTaggingCommand({ Bucket: Bucket("raw") })),
    "changeManagement",
    /aidlc-raw/,
    "partial",
  ],
  [
    "the boundary",
    () => by.iam.send(new DeleteRolePermissionsBoundaryCommand(role())),
    "leastPrivilege",
    /-validate$/,
    "partial",
  ],
  [
    "a narrow role (a service)",
    () => rolePolicy("validate", "s3:*", "*"),
    "leastPrivilege",
    /-validate \(policies\)/,
    "missing",
  ],
  [
    "a narrow role (everything)",
    () => rolePolicy("monitor", "*", "arn:aws:s3:::x"),
    "leastPrivilege",
    /-monitor \(policies\)/,
    "missing",
  ],
  [
    "nothing attached",
    async () => {
      const { Policy } = await by.iam.send(
        new CreatePolicyCommand({
          PolicyName: named("wide"),
          PolicyDocument:
            '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}',
        }),
      );
      await by.iam.send(new AttachRolePolicyCommand({ ...role(), PolicyArn: Policy?.Arn }));
    },
    "leastPrivilege",
    /-validate \(attached\)/,
    "partial",
  ],
  [
    "the public access block",
    () => s3().send(new DeletePublicAccessBlockCommand({ Bucket: Bucket("raw") })),
    "leastPrivilege",
    /aidlc-raw.*public access/,
    "missing",
  ],
  [
    "ownership",
    () => s3().send(new DeleteBucketOwnershipControlsCommand({ Bucket: Bucket("raw") })),
    "leastPrivilege",
    /aidlc-raw.*ownership/,
    "partial",
  ],
  [
    "a closed bucket policy",
    () =>
      s3().send(
        new PutBucketPolicyCommand({
          Bucket: Bucket("features"),
          Policy:
            '{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"s3:GetObject","Resource":"*"}]}',
        }),
      ),
    "leastPrivilege",
    /aidlc-features.*policy/,
    "missing",
  ],
  [
    "a divided key policy",
    () =>
      by.kms.send(
        new PutKeyPolicyCommand({
          KeyId: pipeline.keys.data,
          PolicyName: "default",
          Policy:
            '{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"kms:*","Resource":"*"}]}',
        }),
      ),
    "leastPrivilege",
    /data \(policy\)/,
    "partial",
  ],
  [
    "closed functions",
    () =>
      by.lambda.send(
        new AddPermissionCommand({
          FunctionName: named("erase"),
          StatementId: "all",
          Action: "lambda:InvokeFunction",
          Principal: "*",
        }),
      ),
    "leastPrivilege",
    /-erase \(callers\)/,
    "missing",
  ],
  [
    "the secret's policy",
    () => by.secrets.send(new DeleteResourcePolicyCommand({ SecretId: pipeline.setting.names.secret })),
    "leastPrivilege",
    /^aidlc\/.*\(policy\)$/,
    "partial",
  ],
  [
    "expiry",
    () => s3().send(new DeleteBucketLifecycleCommand({ Bucket: Bucket("raw") })),
    "dataRetention",
    /aidlc-raw/,
    "missing",
  ],
  [
    "expiry of logs",
    () =>
      by.logs.send(
        new DeleteRetentionPolicyCommand({ logGroupName: pipeline.setting.names.logGroup("erase") }),
      ),
    "dataRetention",
    /\/erase$/,
    "partial",
  ],
  [
    "replicas",
    () => s3().send(new DeleteBucketReplicationCommand({ Bucket: Bucket("raw") })),
    "backupAndRecovery",
    /aidlc-raw.*replica/,
    "missing",
  ],
  ["subscribers", () => lacking.add("subscribers"), "incidentResponse", /-critical$/, "partial"],
  [
    "places for what failed",
    () => lacking.add("dead letters"),
    "incidentResponse",
    /-validate \(failures\)/,
    "partial",
  ],
  [
    "the dead-letter queue",
    async () => by.sqs.send(new DeleteQueueCommand({ QueueUrl: await queueUrl("dead-letters") })),
    "incidentResponse",
    /-dead-letters$/,
    "missing",
  ],
  [
    "the monitor",
    () => by.lambda.send(new DeleteFunctionCommand({ FunctionName: named("monitor") })),
    "modelMonitoring",
    /monitor$/,
    "missing",
  ],
  [
    "the combined alarm",
    () => by.cloudWatch.send(new DeleteAlarmsCommand({ AlarmNames: [named("model-degraded")] })),
    "modelMonitoring",
    /model-degraded/,
    "missing",
  ],
  [
    "all alarms",
    () => by.cloudWatch.send(new DeleteAlarmsCommand({ AlarmNames: [named("data-drift")] })),
    "incidentResponse",
    /^alarms$/,
    "missing",
  ],
];

describe("each protection that is taken away", () => {
  // All of them at once, since a reading takes some 250 calls; each test looks at what only its own changes.
  let before: Evidence;
  let after: Evidence;
  beforeAll(async () => {
    before = await read();
    for (const [, take] of PROTECTIONS) await take();
    after = await read();
  }, PATIENCE_MS);

  it("is told to the critical topic, with the control and what AWS says of the resource", async () => {
    const alerts = await pipeline.takeAlerts();
    expect(alerts).toMatchObject([{ severity: "critical", code: "controls_not_in_effect" }]);
    const { document, controls } = alerts[0]!.detail as {
      document: string;
      controls: Record<string, Finding[]>;
    };
    expect(controls.leastPrivilege).toContainEqual({
      id: `${Bucket("raw")} (public access)`,
      state: "missing",
      evidence: "Public access is not blocked",
    });
    expect(document).toBe(`s3://${Bucket("access-logs")}/evidence/${dayOf(after)}/${after.readAt}.json`);
    expect(new Set(Object.keys(controls))).toEqual(new Set(PROTECTIONS.map(([, , control]) => control)));
    expect(Object.values(controls).flat()).toHaveLength(bad(after).length);
  });

  it.each(PROTECTIONS)("shows: %s", (_, __, control, id, state) => {
    const statesIn = ({ controls }: Evidence) =>
      controls
        .filter((one) => one.control === control)
        .flatMap(({ resources }) => resources.filter((resource) => id.test(resource.id)))
        .map((resource) => resource.state);
    expect(new Set(statesIn(before))).toEqual(new Set(["effective"]));
    expect(statesIn(after)).toContain(state);
    expect(["partial", "missing"]).toContain(after.controls.find((one) => one.control === control)?.state);
  });
});

expectExactGrants(() => pipeline.grantsOf("evidence"));
