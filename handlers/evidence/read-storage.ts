import {
  DescribeKeyCommand,
  GetKeyPolicyCommand,
  GetKeyRotationStatusCommand,
  KMSClient,
} from "@aws-sdk/client-kms";
import {
  GetBucketEncryptionCommand,
  GetBucketInventoryConfigurationCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketLoggingCommand,
  GetBucketNotificationConfigurationCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketPolicyCommand,
  GetBucketReplicationCommand,
  GetBucketTaggingCommand,
  GetBucketVersioningCommand,
  GetPublicAccessBlockCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import {
  BUCKETS,
  type BucketKind,
  KEY_PURPOSES,
  type KeyPurpose,
  type PipelineNames,
} from "../../programs/names.ts";
import { awsClient } from "../runtime/aws.ts";
import type { Environment } from "../runtime/environment.ts";
import type { BucketFacts, KeyFacts } from "./facts.ts";
import { statementsOf } from "./policies.ts";
import { each, reading } from "./reading.ts";

/** What the program calls the inventory of each bucket. */
const INVENTORY = "objects";

export function readBuckets(env: Environment, names: PipelineNames): Promise<BucketFacts[]> {
  const s3 = awsClient(S3Client, env);
  return each(BUCKETS, (kind) => readBucket(s3, kind, names.bucket(kind)));
}

async function readBucket(s3: S3Client, kind: BucketKind, name: string): Promise<BucketFacts> {
  const Bucket = { Bucket: name };
  return {
    kind,
    name,
    encryption: await reading(async () => {
      const { ServerSideEncryptionConfiguration } = await s3.send(new GetBucketEncryptionCommand(Bucket));
      const rule = ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault;
      return rule && { algorithm: rule.SSEAlgorithm, key: rule.KMSMasterKeyID };
    }),
    publicAccess: await reading(async () => {
      const { PublicAccessBlockConfiguration: block } = await s3.send(
        new GetPublicAccessBlockCommand(Bucket),
      );
      return (
        block && [
          block.BlockPublicAcls,
          block.BlockPublicPolicy,
          block.IgnorePublicAcls,
          block.RestrictPublicBuckets,
        ]
      );
    }),
    policy: await reading(async () => {
      const { Policy } = await s3.send(new GetBucketPolicyCommand(Bucket));
      return Policy === undefined ? undefined : statementsOf(Policy);
    }),
    ownership: await reading(async () => {
      const { OwnershipControls } = await s3.send(new GetBucketOwnershipControlsCommand(Bucket));
      return OwnershipControls?.Rules?.[0]?.ObjectOwnership;
    }),
    versioning: await reading(async () => (await s3.send(new GetBucketVersioningCommand(Bucket))).Status),
    logging: await reading(
      async () => (await s3.send(new GetBucketLoggingCommand(Bucket))).LoggingEnabled?.TargetBucket,
    ),
    inventory: await reading(async () => {
      const { InventoryConfiguration } = await s3.send(
        new GetBucketInventoryConfigurationCommand({ ...Bucket, Id: INVENTORY }),
      );
      return InventoryConfiguration?.IsEnabled;
    }),
    lifecycle: await reading(async () => {
      const { Rules = [] } = await s3.send(new GetBucketLifecycleConfigurationCommand(Bucket));
      const enabled = Rules.filter(({ Status }) => Status === "Enabled");
      return {
        expires: enabled.some(({ Expiration }) => (Expiration?.Days ?? 0) > 0),
        expiresReplaced: enabled.some(
          ({ NoncurrentVersionExpiration }) => (NoncurrentVersionExpiration?.NoncurrentDays ?? 0) > 0,
        ),
      };
    }),
    replication: await reading(async () => {
      const { ReplicationConfiguration } = await s3.send(new GetBucketReplicationCommand(Bucket));
      return ReplicationConfiguration?.Rules?.find(({ Status }) => Status === "Enabled")?.Destination?.Bucket;
    }),
    notification: await reading(async () => {
      const { QueueConfigurations = [], EventBridgeConfiguration } = await s3.send(
        new GetBucketNotificationConfigurationCommand(Bucket),
      );
      return { queues: QueueConfigurations.length, eventBridge: EventBridgeConfiguration !== undefined };
    }),
    tags: await reading(async () => {
      const { TagSet = [] } = await s3.send(new GetBucketTaggingCommand(Bucket));
      return Object.fromEntries(TagSet.map(({ Key = "", Value = "" }) => [Key, Value]));
    }),
  };
}

export function readKeys(env: Environment, names: PipelineNames): Promise<KeyFacts[]> {
  const kms = awsClient(KMSClient, env);
  return each(KEY_PURPOSES, (purpose) => readKey(kms, purpose, names.keyAlias(purpose)));
}

async function readKey(kms: KMSClient, purpose: KeyPurpose, alias: string): Promise<KeyFacts> {
  const key = await reading(async () => {
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: alias }));
    if (KeyMetadata?.Arn === undefined) return undefined;
    return { arn: KeyMetadata.Arn, state: KeyMetadata.KeyState ?? "", usage: KeyMetadata.KeyUsage ?? "" };
  });
  // What is asked below takes no alias.
  const ofKey = <T>(read: (KeyId: string) => Promise<T | undefined>) =>
    key.is === "there" ? reading(() => read(key.value.arn)) : Promise.resolve(key);
  return {
    purpose,
    alias,
    key,
    rotates: await ofKey(
      async (KeyId) => (await kms.send(new GetKeyRotationStatusCommand({ KeyId }))).KeyRotationEnabled,
    ),
    policy: await ofKey(async (KeyId) => {
      const { Policy } = await kms.send(new GetKeyPolicyCommand({ KeyId, PolicyName: "default" }));
      return Policy === undefined ? undefined : statementsOf(Policy);
    }),
  };
}
