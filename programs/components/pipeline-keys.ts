import type * as pulumi from "@pulumi/pulumi";
import { DATA_BUCKETS, KEY_PURPOSES, type KeyPurpose, type PipelineRole } from "../names.ts";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import { onBehalfOf, type Statement } from "../policy-document.ts";
import type { DataClassification } from "../spec.ts";
import { TAG, type Tags } from "../tags.ts";
import { EncryptionKey } from "./encryption-key.ts";
import {
  administration,
  jobKeyChecks,
  jobVolumes,
  logGroups,
  repositories,
  topicPublisher,
  useThroughS3,
  useThroughSns,
} from "./key-policy.ts";

/** How long a deleted key can be brought back: the more sensitive the data, the longer. */
const DELETION_WINDOW_DAYS: Readonly<Record<DataClassification, number>> = {
  public: 7,
  internal: 7,
  confidential: 14,
  restricted: 30,
};

const DESCRIPTIONS: Readonly<Record<KeyPurpose, string>> = {
  data: "data buckets and volumes of jobs",
  models: "model artifacts and container images",
  logs: "logs and alerts",
};

function dataKeyPolicy({ account, arns, names, team }: PipelineSetting): Statement[] {
  const roles = (...all: readonly PipelineRole[]) => all.map((role) => arns.role(names.named(role)));
  const buckets = DATA_BUCKETS.filter((kind) => kind !== "models").map((kind) =>
    arns.bucket(names.bucket(kind)),
  );
  return [
    administration(arns),
    useThroughS3(arns, {
      sid: "Components",
      region: account.region,
      bucketArns: buckets,
      who: { ArnLike: { "aws:PrincipalArn": roles("validation", "processing", "training", "inference") } },
    }),
    // Who brings data in and takes predictions out is not the pipeline's to know; the team's tag on the principal
    // and its own IAM policy decide.
    useThroughS3(arns, {
      sid: "TeamData",
      region: account.region,
      bucketArns: [arns.bucket(names.bucket("raw")), arns.bucket(names.bucket("predictions"))],
      who: { StringEquals: { [`aws:PrincipalTag/${TAG.team}`]: team } },
    }),
    jobVolumes(arns, roles("processing", "training", "orchestration")),
    jobKeyChecks(arns, roles("processing", "training", "orchestration")),
  ];
}

function modelsKeyPolicy({ account, arns, names }: PipelineSetting): Statement[] {
  const roles = (...all: readonly PipelineRole[]) => all.map((role) => arns.role(names.named(role)));
  return [
    administration(arns),
    useThroughS3(arns, {
      sid: "Components",
      region: account.region,
      bucketArns: [arns.bucket(names.bucket("models"))],
      who: { ArnLike: { "aws:PrincipalArn": roles("processing", "training", "orchestration", "inference") } },
    }),
    jobKeyChecks(arns, roles("processing", "training", "orchestration")),
    repositories(arns, account.accountId, account.region),
  ];
}

function logsKeyPolicy({ account: { accountId, region }, arns, names }: PipelineSetting): Statement[] {
  const topics = [arns.topic(names.named("warning")), arns.topic(names.named("critical"))];
  const publishers = (["validation", "monitoring", "alerts"] as const).map((role) =>
    arns.role(names.named(role)),
  );
  return [
    administration(arns),
    logGroups(region, [arns.logGroup(names.logGroup("*"))]),
    topicPublisher(
      {
        sid: "Alarms",
        service: "cloudwatch.amazonaws.com",
        condition: onBehalfOf(accountId, arns.alarm(`${names.prefix}-*`)),
      },
      topics,
    ),
    topicPublisher(
      { sid: "Budgets", service: "budgets.amazonaws.com", condition: onBehalfOf(accountId, arns.budgets) },
      topics,
    ),
    useThroughSns(arns, region, publishers),
  ];
}

const POLICIES: Readonly<Record<KeyPurpose, (setting: PipelineSetting) => Statement[]>> = {
  data: dataKeyPolicy,
  models: modelsKeyPolicy,
  logs: logsKeyPolicy,
};

export type PipelineKeys = Readonly<Record<KeyPurpose, EncryptionKey>>;

/** A key per purpose, so that whoever may read logs can't read data and whoever may read data can't read models. */
export function pipelineKeys(setting: PipelineSetting, tags: Tags, parent: pulumi.Resource): PipelineKeys {
  const { names, spec, team, pipeline, dataOnDestroy } = setting;
  const key = (purpose: KeyPurpose) =>
    new EncryptionKey(
      `${purpose}-key`,
      {
        alias: names.keyAlias(purpose),
        description: `AIDLC ${team}/${pipeline}: ${DESCRIPTIONS[purpose]}`,
        policy: POLICIES[purpose](setting),
        deletionWindowInDays: DELETION_WINDOW_DAYS[spec.dataClassification],
        dataOnDestroy,
        tags,
      },
      { parent },
    );
  return Object.fromEntries(KEY_PURPOSES.map((purpose) => [purpose, key(purpose)])) as Record<
    KeyPurpose,
    EncryptionKey
  >;
}
