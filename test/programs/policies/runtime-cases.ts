import { arnOf, document, one, type PolicyCases } from "./policy-cases.ts";

const KEY = "arn:aws:kms:eu-west-1:111122223333:key/1";
const fn = (properties: object = {}) =>
  one("lambda/function:Function", "validate", { name: "validate", ...properties });
const topic = (properties: object = {}) =>
  one("sns/topic:Topic", "warning", { name: "warning", ...properties });
const queue = (properties: object = {}) =>
  one("sqs/queue:Queue", "dead-letters", { name: "dead-letters", ...properties });
const images = (properties: object = {}) =>
  one("ecr/repository:Repository", "training-images", { name: "aidlc/training", ...properties });
const logs = (properties: object = {}) =>
  one("cloudwatch/logGroup:LogGroup", "logs", { name: "/aidlc/a", ...properties });
const plainHttp = document({
  Effect: "Deny",
  Principal: "*",
  Action: "*",
  Resource: "*",
  Condition: { Bool: { "aws:SecureTransport": "false" } },
});
const allowed = document({ Effect: "Allow", Principal: { Service: "events.amazonaws.com" }, Action: "*" });
const glueEncryption = (bookmarks: string) =>
  one("glue/securityConfiguration:SecurityConfiguration", "etl", {
    encryptionConfiguration: {
      cloudwatchEncryption: { cloudwatchEncryptionMode: "SSE-KMS", kmsKeyArn: KEY },
      jobBookmarksEncryption: { jobBookmarksEncryptionMode: bookmarks, kmsKeyArn: KEY },
      s3Encryption: { s3EncryptionMode: "SSE-KMS", kmsKeyArn: KEY },
    },
  });
const vault = (properties: object) => one("backup/vault:Vault", "vault", properties);

export const runtimeCases: PolicyCases = {
  "no-secrets-in-plain-text": {
    broken: [fn({ environment: { variables: { DATABASE_PASSWORD: "correct horse battery" } } })],
    kept: [
      fn({ environment: { variables: { DATABASE_SECRET: "arn:aws:secretsmanager:eu-west-1:1:secret:a" } } }),
    ],
  },
  "log-group-encrypted": { broken: [logs()], kept: [logs({ kmsKeyId: KEY })] },
  "log-group-retention-set": {
    broken: [logs({ retentionInDays: 0 })],
    kept: [logs({ retentionInDays: 30 })],
  },
  "sns-topic-encrypted": {
    broken: [topic({ kmsMasterKeyId: "alias/aws/sns" })],
    kept: [topic({ kmsMasterKeyId: KEY })],
  },
  "sns-deny-insecure-transport": {
    broken: [
      topic(),
      one("sns/topicPolicy:TopicPolicy", "policy", { arn: arnOf("sns", "warning"), policy: allowed }),
    ],
    kept: [
      topic(),
      one("sns/topicPolicy:TopicPolicy", "policy", { arn: arnOf("sns", "warning"), policy: plainHttp }),
      one("sns/topicSubscription:TopicSubscription", "hook", { protocol: "https" }),
    ],
  },
  "sqs-queue-encrypted": { broken: [queue()], kept: [queue({ sqsManagedSseEnabled: true })] },
  "sqs-deny-insecure-transport": {
    broken: [queue()],
    kept: [
      queue(),
      one("sqs/queuePolicy:QueuePolicy", "policy", { queueUrl: "dead-letters-id", policy: plainHttp }),
    ],
  },
  "ecr-scan-on-push": {
    broken: [images({ imageScanningConfiguration: { scanOnPush: false } })],
    kept: [images({ imageScanningConfiguration: { scanOnPush: true } })],
  },
  "ecr-tags-immutable": {
    broken: [images({ imageTagMutability: "MUTABLE" })],
    kept: [images({ imageTagMutability: "IMMUTABLE" })],
  },
  "ecr-customer-key": {
    broken: [images({ encryptionConfigurations: [{ encryptionType: "AES256" }] })],
    kept: [images({ encryptionConfigurations: [{ encryptionType: "KMS", kmsKey: KEY }] })],
  },
  "ecr-lifecycle-configured": {
    broken: [images()],
    kept: [
      images(),
      one("ecr/lifecyclePolicy:LifecyclePolicy", "lifecycle", { repository: "aidlc/training" }),
    ],
  },
  "ebs-encrypted": {
    broken: [one("ebs/encryptionByDefault:EncryptionByDefault", "ebs", { enabled: false })],
    kept: [
      one("ebs/encryptionByDefault:EncryptionByDefault", "ebs", { enabled: true }),
      one("ebs/volume:Volume", "disk", { encrypted: true }),
    ],
    context: { program: "foundation" },
  },
  "ec2-imdsv2-required": {
    broken: [
      one("ec2/instanceMetadataDefaults:InstanceMetadataDefaults", "metadata", { httpTokens: "required" }),
      one("sagemaker/notebookInstance:NotebookInstance", "notebook", {
        instanceMetadataServiceConfiguration: { minimumInstanceMetadataServiceVersion: "1" },
      }),
    ],
    kept: [
      one("ec2/instanceMetadataDefaults:InstanceMetadataDefaults", "metadata", { httpTokens: "required" }),
      one("sagemaker/notebookInstance:NotebookInstance", "notebook", {
        instanceMetadataServiceConfiguration: { minimumInstanceMetadataServiceVersion: "2" },
      }),
    ],
    context: { program: "foundation" },
  },
  "lambda-tracing-enabled": {
    broken: [fn({ tracingConfig: { mode: "PassThrough" } })],
    kept: [fn({ tracingConfig: { mode: "Active" } })],
  },
  "lambda-dead-letter-queue": {
    broken: [fn()],
    kept: [fn({ deadLetterConfig: { targetArn: arnOf("sqs", "dead-letters") } })],
  },
  "lambda-in-vpc": {
    broken: [fn({ vpcConfig: { subnetIds: [] } })],
    kept: [fn({ vpcConfig: { subnetIds: ["subnet-1"], securityGroupIds: ["sg-1"] } })],
  },
  "lambda-log-group-managed": {
    broken: [fn({ loggingConfig: { logGroup: "/elsewhere" } }), logs()],
    kept: [fn({ loggingConfig: { logGroup: "/aidlc/a" } }), logs()],
  },
  "lambda-no-open-function-url": {
    broken: [one("lambda/functionUrl:FunctionUrl", "url", { authorizationType: "NONE" })],
    kept: [one("lambda/functionUrl:FunctionUrl", "url", { authorizationType: "AWS_IAM" })],
  },
  "glue-security-configuration": {
    broken: [one("glue/job:Job", "etl", { securityConfiguration: "etl" }), glueEncryption("DISABLED")],
    kept: [one("glue/job:Job", "etl", { securityConfiguration: "etl" }), glueEncryption("CSE-KMS")],
  },
  "feature-store-customer-key": {
    broken: [
      one("sagemaker/featureGroup:FeatureGroup", "features", {
        offlineStoreConfig: { s3StorageConfig: { s3Uri: "s3://features" } },
      }),
    ],
    kept: [
      one("sagemaker/featureGroup:FeatureGroup", "features", {
        offlineStoreConfig: { s3StorageConfig: { s3Uri: "s3://features", kmsKeyId: KEY } },
      }),
    ],
  },
  "dynamodb-protected": {
    broken: [
      one("dynamodb/table:Table", "releases", { serverSideEncryption: { enabled: true, kmsKeyArn: KEY } }),
    ],
    kept: [
      one("dynamodb/table:Table", "releases", {
        serverSideEncryption: { enabled: true, kmsKeyArn: KEY },
        pointInTimeRecovery: { enabled: true },
      }),
    ],
  },
  "backup-plan-covers-data": {
    broken: [vault({ kmsKeyArn: KEY }), one("backup/plan:Plan", "plan", {})],
    kept: [
      vault({ kmsKeyArn: KEY }),
      one("backup/plan:Plan", "plan", {}),
      one("backup/selection:Selection", "data", { planId: "plan-id" }),
    ],
  },
};
