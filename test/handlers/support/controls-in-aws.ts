import {
  CloudTrailClient,
  CreateTrailCommand,
  PutEventSelectorsCommand,
  StartLoggingCommand,
} from "@aws-sdk/client-cloudtrail";
import { CloudWatchClient, PutMetricAlarmCommand } from "@aws-sdk/client-cloudwatch";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  PutRetentionPolicyCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { EventBridgeClient, PutRuleCommand } from "@aws-sdk/client-eventbridge";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  CreateAliasCommand,
  EnableKeyRotationCommand,
  KMSClient,
  PutKeyPolicyCommand,
} from "@aws-sdk/client-kms";
import { CreateFunctionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import {
  CreateBucketCommand,
  PutBucketEncryptionCommand,
  PutBucketInventoryConfigurationCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketLoggingCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketOwnershipControlsCommand,
  PutBucketPolicyCommand,
  PutBucketReplicationCommand,
  PutBucketTaggingCommand,
  PutBucketVersioningCommand,
  PutPublicAccessBlockCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import {
  CreateModelPackageGroupCommand,
  CreatePipelineCommand,
  SageMakerClient,
} from "@aws-sdk/client-sagemaker";
import {
  CreateSecretCommand,
  PutResourcePolicyCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { SetTopicAttributesCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { inject } from "vitest";
import { s3LogDelivery, transportDenials } from "../../../programs/components/bucket-policy.ts";
import { administration } from "../../../programs/components/key-policy.ts";
import { BUCKETS, type BucketKind, DATA_BUCKETS, KEY_PURPOSES } from "../../../programs/names.ts";
import { denyPlainHttp, policyDocument } from "../../../programs/policy-document.ts";
import { emulatorClient, type PipelineInAws } from "./pipeline-in-aws.ts";

const ACCOUNT = "123456789012";
const QUEUES = ["ingest", "baseline", "unprocessed", "dead-letters"] as const;
const RULES = ["key-tampering", "guard-tampering", "accepted"] as const;
/** As many as a control asks for. */
const FUNCTIONS = ["validate", "register-model", "sign-model", "verify-model", "erase", "monitor"] as const;

/** Clients of the account's administrator, who makes and unmakes protections. */
export function administrators() {
  const env = {};
  return {
    cloudTrail: emulatorClient(CloudTrailClient, env),
    cloudWatch: emulatorClient(CloudWatchClient, env),
    logs: emulatorClient(CloudWatchLogsClient, env),
    events: emulatorClient(EventBridgeClient, env),
    iam: emulatorClient(IAMClient, env),
    kms: emulatorClient(KMSClient, env),
    lambda: emulatorClient(LambdaClient, env),
    sageMaker: emulatorClient(SageMakerClient, env),
    secrets: emulatorClient(SecretsManagerClient, env),
    sns: emulatorClient(SNSClient, env),
    sqs: emulatorClient(SQSClient, env),
  };
}

export type Administrators = ReturnType<typeof administrators>;

/** What the programs put around a pipeline, as far as evidence is read of it. Returns the trail's ARN. */
export async function protect(pipeline: PipelineInAws, by: Administrators): Promise<string> {
  const { s3, setting, keys } = pipeline;
  const { arns, names } = setting;
  await s3.send(
    new CreateBucketCommand({
      Bucket: names.bucket("access-logs"),
      CreateBucketConfiguration: { LocationConstraint: "eu-west-1" },
    }),
  );
  for (const part of QUEUES) {
    await by.sqs.send(
      new CreateQueueCommand({
        QueueName: names.named(part),
        Attributes: {
          SqsManagedSseEnabled: "true",
          Policy: policyDocument([denyPlainHttp("sqs:SendMessage", arns.queue(names.named(part)))]),
        },
      }),
    );
  }
  // The bucket that takes logs first: it must let them in.
  for (const kind of [...BUCKETS].reverse()) await protectBucket(pipeline, kind);
  for (const purpose of KEY_PURPOSES) {
    await by.kms.send(
      new CreateAliasCommand({ AliasName: names.keyAlias(purpose), TargetKeyId: keys[purpose] }),
    );
    await by.kms.send(
      new PutKeyPolicyCommand({
        KeyId: keys[purpose],
        PolicyName: "default",
        Policy: policyDocument([administration(arns)]),
      }),
    );
    if (purpose !== "signing") await by.kms.send(new EnableKeyRotationCommand({ KeyId: keys[purpose] }));
  }
  await protectChannels(pipeline, by);
  await makeFunctions(pipeline, by);
  for (const Name of RULES) {
    await by.events.send(
      new PutRuleCommand({ Name: names.named(Name), EventPattern: '{"source":["aws.s3"]}' }),
    );
  }
  for (const kind of ["validate", "erase"]) {
    const logGroupName = names.logGroup(kind);
    await by.logs.send(new CreateLogGroupCommand({ logGroupName, kmsKeyId: keys.logs }));
    await by.logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays: 30 }));
  }
  await by.secrets.send(new CreateSecretCommand({ Name: names.secret, KmsKeyId: keys.data }));
  await by.secrets.send(
    new PutResourcePolicyCommand({
      SecretId: names.secret,
      ResourcePolicy: policyDocument([
        { Sid: "OnlyUsers", Effect: "Deny", Principal: "*", Action: "secretsmanager:*", Resource: "*" },
      ]),
    }),
  );
  await makeAlarms(pipeline, by);
  await by.sageMaker.send(
    new CreateModelPackageGroupCommand({ ModelPackageGroupName: names.named("models") }),
  );
  await by.sageMaker.send(
    new CreatePipelineCommand({
      PipelineName: names.named("training"),
      PipelineDefinition: '{"Version":"2020-12-01"}',
      ClientRequestToken: "0123456789012345678901234567890123",
      RoleArn: `arn:aws:iam::${ACCOUNT}:role/orchestration`,
    }),
  );
  return makeTrail(pipeline, by);
}

async function protectBucket({ s3, setting, keys }: PipelineInAws, kind: BucketKind): Promise<void> {
  const { arns, names } = setting;
  const Bucket = names.bucket(kind);
  const key = kind === "models" ? keys.models : keys.data;
  await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
  await encrypt(s3, Bucket, kind === "access-logs" ? undefined : key);
  await s3.send(
    new PutPublicAccessBlockCommand({
      Bucket,
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
    }),
  );
  await s3.send(
    new PutBucketOwnershipControlsCommand({
      Bucket,
      OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] },
    }),
  );
  await s3.send(
    new PutBucketPolicyCommand({
      Bucket,
      Policy: policyDocument([
        // First: moto fails at a principal "*" while it looks for the one that may log.
        ...(kind === "access-logs"
          ? s3LogDelivery(
              arns.bucket(Bucket),
              ACCOUNT,
              DATA_BUCKETS.map((each) => arns.bucket(names.bucket(each))),
            )
          : []),
        ...transportDenials(arns.bucket(Bucket), ACCOUNT),
      ]),
    }),
  );
  await s3.send(
    new PutBucketLifecycleConfigurationCommand({
      Bucket,
      LifecycleConfiguration: {
        Rules: [
          {
            ID: "expire",
            Status: "Enabled",
            Filter: { Prefix: "" },
            Expiration: { Days: 365 },
            NoncurrentVersionExpiration: { NoncurrentDays: 30 },
          },
        ],
      },
    }),
  );
  await s3.send(
    new PutBucketTaggingCommand({
      Bucket,
      Tagging: { TagSet: [{ Key: "aidlc:managed-by", Value: "aidlc" }] },
    }),
  );
  if (kind === "access-logs") return;
  await s3.send(
    new PutBucketLoggingCommand({
      Bucket,
      BucketLoggingStatus: {
        LoggingEnabled: { TargetBucket: names.bucket("access-logs"), TargetPrefix: "access/" },
      },
    }),
  );
  await listObjects({ s3, setting }, kind, true);
  if (kind === "raw") {
    await s3.send(
      new PutBucketNotificationConfigurationCommand({
        Bucket,
        NotificationConfiguration: {
          QueueConfigurations: [
            { QueueArn: arns.queue(names.named("ingest")), Events: ["s3:ObjectCreated:*"] },
          ],
        },
      }),
    );
  }
  if (kind === "validated") {
    await s3.send(
      new PutBucketNotificationConfigurationCommand({
        Bucket,
        NotificationConfiguration: { EventBridgeConfiguration: {} },
      }),
    );
  }
  if (["raw", "validated", "models", "predictions"].includes(kind)) {
    await s3.send(
      new PutBucketReplicationCommand({
        Bucket,
        ReplicationConfiguration: {
          Role: `arn:aws:iam::${ACCOUNT}:role/replication`,
          Rules: [
            {
              ID: "everything",
              Status: "Enabled",
              Priority: 1,
              Filter: { Prefix: "" },
              DeleteMarkerReplication: { Status: "Enabled" },
              Destination: { Bucket: arns.bucket(names.bucket("features")) },
            },
          ],
        },
      }),
    );
  }
}

/** Turns the inventory of a bucket on or off; moto takes its deletion for that of the bucket. */
export const listObjects = async (
  { s3, setting: { arns, names } }: Pick<PipelineInAws, "s3" | "setting">,
  kind: BucketKind,
  isEnabled: boolean,
) => {
  const Bucket = names.bucket(kind);
  await s3.send(
    new PutBucketInventoryConfigurationCommand({
      Bucket,
      Id: "objects",
      InventoryConfiguration: {
        Id: "objects",
        IsEnabled: isEnabled,
        // moto fails without one.
        Filter: { Prefix: "" },
        OptionalFields: ["Size"],
        IncludedObjectVersions: "All",
        Schedule: { Frequency: "Weekly" },
        Destination: {
          S3BucketDestination: { Bucket: arns.bucket(names.bucket("access-logs")), Format: "Parquet" },
        },
      },
    }),
  );
};

export const encrypt = (s3: S3Client, Bucket: string, key: string | undefined) =>
  s3.send(
    new PutBucketEncryptionCommand({
      Bucket,
      ServerSideEncryptionConfiguration: {
        Rules: [
          {
            ApplyServerSideEncryptionByDefault:
              key === undefined
                ? { SSEAlgorithm: "AES256" }
                : { SSEAlgorithm: "aws:kms", KMSMasterKeyID: key },
          },
        ],
      },
    }),
  );

async function protectChannels({ setting, keys }: PipelineInAws, { sns }: Administrators): Promise<void> {
  const { arns, names } = setting;
  for (const severity of ["warning", "critical"]) {
    const TopicArn = arns.topic(names.named(severity));
    const attributes = {
      KmsMasterKeyId: keys.logs,
      Policy: policyDocument([denyPlainHttp("sns:Publish", TopicArn)]),
    };
    for (const [AttributeName, AttributeValue] of Object.entries(attributes)) {
      await sns.send(new SetTopicAttributesCommand({ TopicArn, AttributeName, AttributeValue }));
    }
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: "email", Endpoint: "ada@example.com" }));
  }
}

async function makeFunctions({ setting }: PipelineInAws, { iam, lambda }: Administrators): Promise<void> {
  const { arns, names } = setting;
  for (const kind of FUNCTIONS) {
    const RoleName = names.named(kind);
    await iam.send(
      new CreateRoleCommand({
        RoleName,
        PermissionsBoundary: setting.foundation.permissionsBoundaryArn.replace("111122223333", ACCOUNT),
        AssumeRolePolicyDocument: policyDocument([
          {
            Sid: "Lambda",
            Effect: "Allow",
            Principal: { Service: "lambda.amazonaws.com" },
            Action: "sts:AssumeRole",
          },
        ]),
      }),
    );
    await iam.send(
      new PutRolePolicyCommand({
        RoleName,
        PolicyName: "grants",
        PolicyDocument: policyDocument([
          {
            Sid: "Read",
            Effect: "Allow",
            Action: "s3:GetObject",
            Resource: arns.bucket(names.bucket("raw")),
          },
        ]),
      }),
    );
    await lambda.send(
      new CreateFunctionCommand({
        FunctionName: names.named(kind),
        Role: `arn:aws:iam::${ACCOUNT}:role/${RoleName}`,
        Runtime: "nodejs24.x" as "nodejs22.x",
        Handler: "index.handler",
        Code: { ZipFile: EMPTY_ZIP },
        DeadLetterConfig: { TargetArn: arns.queue(names.named("dead-letters")) },
      }),
    );
  }
}

/** The end record of an archive that holds nothing. */
const EMPTY_ZIP = Buffer.concat([Buffer.from([0x50, 0x4b, 0x05, 0x06]), Buffer.alloc(18)]);

async function makeAlarms({ setting }: PipelineInAws, { cloudWatch }: Administrators): Promise<void> {
  const { arns, names } = setting;
  const AlarmActions = [arns.topic(names.named("critical"))];
  await cloudWatch.send(
    new PutMetricAlarmCommand({
      AlarmName: names.named("data-drift"),
      Namespace: names.metricNamespace,
      MetricName: "DriftScore",
      Statistic: "Maximum",
      Period: 3600,
      EvaluationPeriods: 1,
      Threshold: 0.1,
      ComparisonOperator: "GreaterThanThreshold",
      AlarmActions,
    }),
  );
  await makeCompositeAlarm(names.named("model-degraded"), names.named("data-drift"), AlarmActions);
}

/** moto has no call of this kind, but makes one of a metric alarm that comes with a rule, which no SDK sends. */
async function makeCompositeAlarm(name: string, of: string, actions: readonly string[]): Promise<void> {
  const answer = await fetch(inject("awsUrl"), {
    method: "POST",
    headers: {
      authorization:
        "AWS4-HMAC-SHA256 Credential=testing/20260101/eu-west-1/monitoring/aws4_request, SignedHeaders=host, Signature=0",
    },
    body: new URLSearchParams({
      Action: "PutMetricAlarm",
      Version: "2010-08-01",
      AlarmName: name,
      AlarmRule: `ALARM("${of}")`,
      ...Object.fromEntries(actions.map((arn, index) => [`AlarmActions.member.${index + 1}`, arn])),
    }),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

async function makeTrail({ setting }: PipelineInAws, { cloudTrail }: Administrators): Promise<string> {
  const { names, arns } = setting;
  const S3BucketName = names.bucket("access-logs");
  const { TrailARN = "" } = await cloudTrail.send(
    new CreateTrailCommand({
      Name: names.named("trail"),
      S3BucketName,
      EnableLogFileValidation: true,
      KmsKeyId: "alias/aidlc/foundation/audit",
    }),
  );
  await cloudTrail.send(
    new PutEventSelectorsCommand({
      TrailName: TrailARN,
      AdvancedEventSelectors: [
        {
          Name: "Objects of pipeline buckets",
          FieldSelectors: [
            { Field: "eventCategory", Equals: ["Data"] },
            { Field: "resources.type", Equals: ["AWS::S3::Object"] },
            { Field: "resources.ARN", StartsWith: DATA_BUCKETS.map((kind) => arns.bucket(`aidlc-${kind}-`)) },
          ],
        },
      ],
    }),
  );
  await cloudTrail.send(new StartLoggingCommand({ Name: TrailARN }));
  return TrailARN;
}
