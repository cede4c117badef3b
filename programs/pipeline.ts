import * as pulumi from "@pulumi/pulumi";
import type { JobNetwork } from "./components/pipeline-roles.ts";
import { fromKinds } from "./from-kinds.ts";
import type { PipelineInput } from "./inputs.ts";
import { BUCKETS, KEY_PURPOSES, LOG_GROUPS, PIPELINE_ROLES, REPOSITORIES } from "./names.ts";
import type { PipelineOutputs } from "./outputs.ts";
import { Architecture } from "./phases/architecture.ts";
import { Compliance } from "./phases/compliance.ts";
import { Deployment } from "./phases/deployment.ts";
import { Infrastructure } from "./phases/infrastructure.ts";
import { Learning } from "./phases/learning.ts";
import { type PipelineSetting, pipelineSetting } from "./phases/pipeline-setting.ts";
import { accountProvider } from "./provider.ts";
import { TRAINING_MANIFEST } from "./storage-layout.ts";
import { pipelineTags } from "./tags.ts";

export type { PipelineInput } from "./inputs.ts";
export type { PipelineOutputs } from "./outputs.ts";

type Promised<T> = { [Key in keyof T]: pulumi.Input<T[Key]> };

interface Phases {
  readonly architecture: Architecture;
  readonly infrastructure: Infrastructure;
  readonly deployment: Deployment;
  readonly learning: Learning;
  readonly budgetName: pulumi.Output<string>;
}

/** The inline program of one pipeline. Its outputs are `PipelineOutputs`. */
export function pipelineProgram(input: PipelineInput): () => Promise<Record<string, unknown>> {
  return async () => {
    const setting = pipelineSetting(input);
    const { account, team, pipeline } = setting;
    const opts = { provider: accountProvider(account, `aidlc-${team}-${pipeline}`, pipelineTags(setting)) };
    const architecture = new Architecture(setting, opts);
    const network: JobNetwork = {
      subnetIds: [...architecture.subnetIds],
      securityGroupId: architecture.securityGroupId,
    };
    const infrastructure = new Infrastructure(setting, network, opts);
    const budget = architecture.limitCost(setting, infrastructure.alerts);
    const deployment = new Deployment(setting, { infrastructure, network }, opts);
    const learning = new Learning(setting, { infrastructure, deployment }, opts);
    new Compliance(setting, infrastructure, opts);
    return {
      ...pipelineOutputs(setting, {
        architecture,
        infrastructure,
        deployment,
        learning,
        budgetName: budget.name,
      }),
    };
  };
}

function pipelineOutputs(setting: PipelineSetting, phases: Phases): Promised<PipelineOutputs> {
  const { account, arns, names } = setting;
  const { architecture, infrastructure, deployment, learning } = phases;
  const { keys, roles, repositories, alerts } = infrastructure;
  const { pipeline, modelPackageGroup } = deployment.training;
  const always = PIPELINE_ROLES.filter((role) => role !== "schedule");
  return {
    accountId: account.accountId,
    region: account.region,
    buckets: fromKinds(BUCKETS, (kind) => ({
      name: names.bucket(kind),
      arn: arns.bucket(names.bucket(kind)),
    })),
    keys: pulumi.output(
      fromKinds(KEY_PURPOSES, (purpose) => ({ arn: keys[purpose].arn, alias: names.keyAlias(purpose) })),
    ),
    roles: pulumi.output({
      ...fromKinds(always, (role) => roles[role].arn),
      ...(roles.schedule !== undefined && { schedule: roles.schedule.arn }),
    }),
    repositories: pulumi.output(
      fromKinds(REPOSITORIES, (kind) => ({ url: repositories[kind].url, arn: repositories[kind].arn })),
    ),
    training: pulumi.output({
      pipelineName: pipeline.pipelineName,
      pipelineArn: pipeline.arn,
      modelPackageGroupName: modelPackageGroup.modelPackageGroupName,
      modelPackageGroupArn: modelPackageGroup.arn,
      inputManifestUri: `s3://${names.bucket("validated")}/${TRAINING_MANIFEST}`,
    }),
    network: pulumi
      .all([architecture.network, architecture.securityGroupId])
      .apply(([network, jobSecurityGroupId]) => ({ ...network, jobSecurityGroupId })),
    topics: pulumi.output({
      warning: alerts.topics.warning.publishableArn,
      critical: alerts.topics.critical.publishableArn,
    }),
    deadLetterQueue: pulumi.output({ arn: alerts.deadLetters.sendableArn, url: alerts.deadLetters.url }),
    logGroups: fromKinds(LOG_GROUPS, names.logGroup),
    metricNamespace: names.metricNamespace,
    parameterPrefix: names.parameter("").slice(0, -1),
    dashboard: {
      name: names.prefix,
      url: `https://${account.region}.console.aws.amazon.com/cloudwatch/home?region=${account.region}#dashboards/dashboard/${names.prefix}`,
    },
    alarmArns: pulumi.all(learning.alarms.arns),
    budgetName: phases.budgetName,
  };
}
