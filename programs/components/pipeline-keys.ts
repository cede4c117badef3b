import type * as pulumi from "@pulumi/pulumi";
import { fromKinds } from "../from-kinds.ts";
import { DATA_BUCKETS, KEY_PURPOSES, type KeyPurpose } from "../names.ts";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import { onBehalfOf, type Statement } from "../policy-document.ts";
import { PIPELINE_ROLES, ROLES } from "../roles/index.ts";
import type { KeyUse } from "../roles/role-definition.ts";
import { EXECUTION_LOGS, STAGE } from "../serving/api-names.ts";
import { webAclLogGroup } from "../serving/edge/web-acl-names.ts";
import { endpointLogGroup } from "../serving/endpoints.ts";
import type { DataClassification, PipelineSpec } from "../spec.ts";
import { TAG, type Tags } from "../tags.ts";
import { EncryptionKey } from "./encryption-key.ts";
import {
  administration,
  jobBookmarks,
  jobKeyChecks,
  jobVolumes,
  logGroups,
  notebookVolume,
  onlineStore,
  repositories,
  secretValue,
  signatures,
  topicPublisher,
  uploads,
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

export const deletionWindowInDays = ({ dataClassification }: PipelineSpec): number =>
  DELETION_WINDOW_DAYS[dataClassification];

const DESCRIPTIONS: Readonly<Record<KeyPurpose, string>> = {
  data: "data buckets and volumes of jobs",
  models: "model artifacts and container images",
  logs: "logs and alerts",
  signing: "signatures of models",
};

/** ARNs of all roles that use a key so, whether this pipeline has them or not: their names are the pipeline's own. */
const usersOf = (use: KeyUse, { arns, names }: PipelineSetting) =>
  PIPELINE_ROLES.filter((role) => ROLES[role].keyUses.includes(use)).map((role) =>
    arns.role(names.named(role)),
  );

function dataKeyPolicy(setting: PipelineSetting): Statement[] {
  const { account, arns, names, spec, team } = setting;
  const { accountId, region } = account;
  const buckets = DATA_BUCKETS.filter((kind) => kind !== "models").map((kind) =>
    arns.bucket(names.bucket(kind)),
  );
  return [
    administration(arns),
    useThroughS3(arns, {
      sid: "Components",
      region: account.region,
      bucketArns: buckets,
      who: { ArnLike: { "aws:PrincipalArn": usersOf("data", setting) } },
    }),
    // Who brings data in and takes predictions out is not the pipeline's to know; the team's tag on the principal
    // and its own IAM policy decide.
    useThroughS3(arns, {
      sid: "TeamData",
      region: account.region,
      bucketArns: [arns.bucket(names.bucket("raw")), arns.bucket(names.bucket("predictions"))],
      who: { StringEquals: { [`aws:PrincipalTag/${TAG.team}`]: team } },
    }),
    jobVolumes(arns, usersOf("volumes", setting)),
    ...(spec.notebook === undefined ? [] : [notebookVolume(arns, account.accountId, account.roleArn)]),
    jobKeyChecks(arns, usersOf("volumes", setting)),
    jobBookmarks(arns, usersOf("bookmarks", setting)),
    secretValue(arns, region, arns.secret(names.secret), usersOf("secret", setting)),
    ...(spec.dataset.featureStore?.online ? [onlineStore(arns, accountId, region)] : []),
  ];
}

function modelsKeyPolicy(setting: PipelineSetting): Statement[] {
  const { account, arns, names } = setting;
  return [
    administration(arns),
    useThroughS3(arns, {
      sid: "Components",
      region: account.region,
      bucketArns: [arns.bucket(names.bucket("models"))],
      who: { ArnLike: { "aws:PrincipalArn": usersOf("models", setting) } },
    }),
    jobKeyChecks(arns, usersOf("volumes", setting)),
    repositories(arns, account.accountId, account.region),
    uploads(arns, account.accountId, account.region, arns.bucket(names.bucket("models"))),
  ];
}

/** Some services choose the names of their log groups themselves. */
const logGroupNames = ({ names }: PipelineSetting) => [
  names.logGroup("*"),
  names.vendedLogGroup("*"),
  names.crawlerLogGroup,
  endpointLogGroup(`${names.prefix}-*`),
  // Behind the prefix stands the API's id, which no name tells beforehand.
  `${EXECUTION_LOGS}_*/${STAGE}`,
  webAclLogGroup(names, "*"),
];

function logsKeyPolicy(setting: PipelineSetting): Statement[] {
  const { accountId, region } = setting.account;
  const { arns, names } = setting;
  const topics = [arns.topic(names.named("warning")), arns.topic(names.named("critical"))];
  return [
    administration(arns),
    logGroups(region, logGroupNames(setting).map(arns.logGroup)),
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
    useThroughSns(arns, region, usersOf("alerts", setting)),
  ];
}

const signingKeyPolicy = (setting: PipelineSetting): Statement[] => [
  administration(setting.arns),
  signatures(setting.arns, "kms:Sign", usersOf("sign", setting)),
  signatures(setting.arns, "kms:Verify", usersOf("verify", setting)),
];

const POLICIES: Readonly<Record<KeyPurpose, (setting: PipelineSetting) => Statement[]>> = {
  data: dataKeyPolicy,
  models: modelsKeyPolicy,
  logs: logsKeyPolicy,
  signing: signingKeyPolicy,
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
        signs: purpose === "signing",
        deletionWindowInDays: deletionWindowInDays(spec),
        dataOnDestroy,
        tags,
      },
      { parent },
    );
  return fromKinds(KEY_PURPOSES, key);
}
