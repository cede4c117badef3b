import { randomBytes } from "node:crypto";
import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { CreateTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { inject } from "vitest";
import type { Environment } from "../../../handlers/runtime/environment.ts";
import { configurationParameters } from "../../../programs/configuration.ts";
import { functionEnvironment } from "../../../programs/functions/function-environment.ts";
import { FUNCTIONS, type FunctionName } from "../../../programs/functions/index.ts";
import type { RoleSurroundings } from "../../../programs/grants.ts";
import { pipelineImages } from "../../../programs/images.ts";
import { DATA_BUCKETS, type DataBucket, KEY_PURPOSES, type KeyPurpose } from "../../../programs/names.ts";
import { pipelineSetting } from "../../../programs/phases/pipeline-setting.ts";
import type { Statement } from "../../../programs/policy-document.ts";
import { type PipelineRole, ROLES } from "../../../programs/roles/index.ts";
import type { PipelineSpec } from "../../../programs/spec.ts";
import { anInput, aSpec, PRODUCTION_FOUNDATION } from "../../programs/support/inputs.ts";

/** moto's own account; everything in it is the test's. */
const ACCOUNT = { accountId: "123456789012", region: "eu-west-1" } as const;

/** A client of a test's own: what it asks is no call of the function, so its role needs no grant for it. */
export function emulatorClient<Client>(
  Kind: new (settings: { region: string; endpoint: string; forcePathStyle: true }) => Client,
  env: Environment,
): Client {
  return new Kind({
    region: ACCOUNT.region,
    endpoint: env.AWS_ENDPOINT_URL ?? inject("awsUrl"),
    forcePathStyle: true,
  });
}

export interface PublishedAlert {
  readonly severity: "warning" | "critical";
  readonly code: string;
  readonly title: string;
  readonly remedy?: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/**
 * A pipeline as far as functions need one, in the emulator: buckets, keys, topics and parameters by the names and with the content
 * that the programs give them. Every call makes another pipeline, so tests don't meet.
 */
export async function pipelineInAws(spec: PipelineSpec = aSpec()) {
  const env: Environment = { AWS_ENDPOINT_URL: inject("awsUrl"), AWS_REGION: ACCOUNT.region };
  const pipeline = `p${randomBytes(5).toString("hex")}`;
  const setting = pipelineSetting(
    anInput({
      account: ACCOUNT,
      team: "research",
      pipeline,
      spec,
      ...(spec.profile === "production" && { foundation: PRODUCTION_FOUNDATION }),
    }),
  );
  const { names } = setting;
  const s3 = emulatorClient(S3Client, env);
  const [keys, alerts] = await Promise.all([
    makeKeys(env),
    makeTopics(env, names.named),
    ...DATA_BUCKETS.map(async (kind) => {
      const Bucket = names.bucket(kind);
      await s3.send(
        new CreateBucketCommand({
          Bucket,
          CreateBucketConfiguration: { LocationConstraint: ACCOUNT.region },
        }),
      );
      await s3.send(
        new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }),
      );
    }),
  ]);
  const putParameter = async (name: string, value: string) => {
    const ssm = emulatorClient(SSMClient, env);
    await ssm.send(
      new PutParameterCommand({ Name: names.parameter(name), Value: value, Type: "String", Overwrite: true }),
    );
  };
  for (const { name, value } of configurationParameters(spec)) await putParameter(name, value);

  const around: RoleSurroundings = {
    setting,
    images: pipelineImages(setting),
    keys,
    network: { subnetIds: setting.foundation.network.subnetIds, securityGroupId: "sg-0aaaaaaaaaaaaaaaa" },
  };
  const bucket = (kind: DataBucket) => names.bucket(kind);
  return {
    setting,
    keys,
    bucket,
    s3,
    /** The environment of a function, as the program sets it, and where the emulator is. */
    environmentOf: (kind: FunctionName): Environment => ({
      ...functionEnvironment(kind, setting),
      ...FUNCTIONS[kind].environmentAround?.(around),
      ...env,
    }),
    /** Statements of a function's role that are its own: not those that every function's role has. */
    grantsOf: (kind: FunctionName): Statement[] => FUNCTIONS[kind].grants(around),
    /** Statements of the role of a job. */
    grantsOfRole: (kind: PipelineRole): Statement[] => ROLES[kind].grants(around),
    putParameter,
    /** Alerts that were published since the last call. */
    takeAlerts: alerts,
    /** Returns the object's version. */
    put: async (kind: DataBucket, key: string, body: string | Uint8Array): Promise<string> => {
      const answer = await s3.send(new PutObjectCommand({ Bucket: bucket(kind), Key: key, Body: body }));
      return answer.VersionId ?? "";
    },
    read: async (kind: DataBucket, key: string): Promise<Buffer> => {
      const answer = await s3.send(new GetObjectCommand({ Bucket: bucket(kind), Key: key }));
      return Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
    },
    keysIn: async (kind: DataBucket, prefix = ""): Promise<string[]> => {
      const answer = await s3.send(new ListObjectsV2Command({ Bucket: bucket(kind), Prefix: prefix }));
      return (answer.Contents ?? []).map(({ Key = "" }) => Key);
    },
  };
}

export type PipelineInAws = Awaited<ReturnType<typeof pipelineInAws>>;

async function makeKeys(env: Environment): Promise<Record<KeyPurpose, string>> {
  const kms = emulatorClient(KMSClient, env);
  const made = await Promise.all(
    KEY_PURPOSES.map(async (purpose) => {
      const signing = purpose === "signing";
      const { KeyMetadata } = await kms.send(
        new CreateKeyCommand(signing ? { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" } : {}),
      );
      return [purpose, KeyMetadata?.Arn ?? ""] as const;
    }),
  );
  return Object.fromEntries(made) as Record<KeyPurpose, string>;
}

/** Two topics with a queue behind them, from which what was published is taken. */
async function makeTopics(env: Environment, named: (part: string) => string) {
  const sns = emulatorClient(SNSClient, env);
  const sqs = emulatorClient(SQSClient, env);
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: named("alerts") }));
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }),
  );
  for (const severity of ["warning", "critical"]) {
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: named(severity) }));
    await sns.send(
      new SubscribeCommand({
        TopicArn,
        Protocol: "sqs",
        Endpoint: Attributes?.QueueArn,
        Attributes: { RawMessageDelivery: "true" },
      }),
    );
  }
  return async (): Promise<PublishedAlert[]> => {
    const taken: PublishedAlert[] = [];
    for (;;) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }),
      );
      if (Messages.length === 0) return taken;
      for (const { Body = "{}", ReceiptHandle } of Messages) {
        taken.push(JSON.parse(Body));
        await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
    }
  };
}
