import * as pulumi from "@pulumi/pulumi";
import { containmentRunbooks } from "./containment.ts";
import { fromKinds } from "./from-kinds.ts";
import { FUNCTION_NAMES } from "./functions/index.ts";
import type { PipelineInput } from "./inputs.ts";
import { BUCKETS, KEY_PURPOSES, REPOSITORIES } from "./names.ts";
import type { PipelineOutputs } from "./outputs.ts";
import { Architecture } from "./phases/architecture.ts";
import { Compliance } from "./phases/compliance.ts";
import { Deployment } from "./phases/deployment.ts";
import { Infrastructure } from "./phases/infrastructure.ts";
import { Learning } from "./phases/learning.ts";
import { type PipelineSetting, pipelineSetting } from "./phases/pipeline-setting.ts";
import { accountProvider } from "./provider.ts";
import { IRREPLACEABLE } from "./recovery.ts";
import { PREFIX, TRAINING_MANIFEST } from "./storage-layout.ts";
import { pipelineTags } from "./tags.ts";

export type { PipelineInput } from "./inputs.ts";
export type { PipelineOutputs } from "./outputs.ts";

type Promised<T> = { [Key in keyof T]: pulumi.Input<T[Key]> };

interface Phases {
  readonly architecture: Architecture;
  readonly infrastructure: Infrastructure;
  readonly deployment: Deployment;
  readonly learning: Learning;
  readonly compliance: Compliance;
  readonly budgetName: pulumi.Output<string>;
}

/** The inline program of one pipeline. Its outputs are `PipelineOutputs`. */
export function pipelineProgram(input: PipelineInput): () => Promise<Record<string, unknown>> {
  return async () => {
    const setting = pipelineSetting(input);
    const opts = { provider: accountProvider(setting.account, pipelineTags(setting)) };
    const architecture = new Architecture(setting, opts);
    const network = architecture.jobNetwork;
    const infrastructure = new Infrastructure(setting, network, opts);
    const budget = architecture.limitCost(setting, infrastructure.alerts);
    const deployment = new Deployment(
      setting,
      { infrastructure, network, surroundings: architecture.network },
      opts,
    );
    const learning = new Learning(setting, { infrastructure, deployment, network }, opts);
    const compliance = new Compliance(setting, { infrastructure, network }, opts);
    return {
      ...pipelineOutputs(setting, {
        architecture,
        infrastructure,
        deployment,
        learning,
        compliance,
        budgetName: budget.name,
      }),
    };
  };
}

function pipelineOutputs(setting: PipelineSetting, phases: Phases): Promised<PipelineOutputs> {
  const { account, arns, names } = setting;
  const { architecture, infrastructure, deployment, learning } = phases;
  const { keys, roles, repositories, alerts } = infrastructure;
  const { pipeline } = deployment.training;
  const { group } = deployment.registry;
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
    roles: roles.arns(),
    functions: Object.fromEntries(
      FUNCTION_NAMES.filter((kind) => roles.has(kind)).map((kind) => {
        const name = names.named(kind);
        return [kind, { name, arn: arns.function(name) }];
      }),
    ),
    ...dataOutputs(infrastructure),
    repositories: pulumi.output(
      fromKinds(REPOSITORIES, (kind) => ({ url: repositories[kind].url, arn: repositories[kind].arn })),
    ),
    training: pulumi.output({
      pipelineName: pipeline.pipelineName,
      pipelineArn: pipeline.arn,
      modelPackageGroupName: group.modelPackageGroupName,
      modelPackageGroupArn: group.arn,
      inputManifestUri: `s3://${names.bucket("validated")}/${TRAINING_MANIFEST}`,
    }),
    delivery: pulumi.output({
      pipelineName: deployment.delivery.pipeline.name,
      sourceUri: `s3://${setting.foundation.artifacts.bucket.name}/${names.sourceKey}`,
      releaseMachineArn: deployment.releases.machine.arn,
      experimentsArn: deployment.experiments.app.arn,
      releasesUri: `s3://${names.bucket("models")}/${PREFIX.releases}`,
      ...(deployment.notebook !== undefined && { notebookName: deployment.notebook.instance.name }),
    }),
    network: pulumi
      .all([architecture.network, architecture.jobNetwork.securityGroupId])
      .apply(([network, jobSecurityGroupId]) => ({ ...network, jobSecurityGroupId })),
    ...recoveryOutputs(setting, infrastructure),
    ...productionOutputs(setting, phases),
    topics: pulumi.output({
      warning: alerts.topics.warning.publishableArn,
      critical: alerts.topics.critical.publishableArn,
    }),
    deadLetterQueue: pulumi.output({ arn: alerts.deadLetters.sendableArn, url: alerts.deadLetters.url }),
    logGroupPrefix: names.logGroup("").slice(0, -1),
    metricNamespace: names.metricNamespace,
    parameterPrefix: names.parameter("").slice(0, -1),
    dashboard: {
      name: names.prefix,
      url: `https://${account.region}.console.aws.amazon.com/cloudwatch/home?region=${account.region}#dashboards/dashboard/${names.prefix}`,
    },
    alarmArns: pulumi.all([...learning.alarms.arns, ...deployment.serving.alarmArns]),
    serving: deployment.serving.outputs(),
    budgetName: phases.budgetName,
  };
}

function recoveryOutputs(
  { arns, names, spec }: PipelineSetting,
  { recovery }: Infrastructure,
): Pick<Promised<PipelineOutputs>, "recovery"> {
  const { replicaRegion: region } = spec.dataset;
  if (recovery === undefined || region === undefined) return {};
  const { replication, backups } = recovery;
  const replicas = fromKinds(IRREPLACEABLE, (kind) => {
    const name = names.replicaBucket(kind, region);
    return { name, arn: arns.bucket(name) };
  });
  return {
    recovery: pulumi
      .all([replication.keyArn, backups.vaultArn])
      .apply(([replicaKeyArn, vaultArn]) => ({ region, replicas, replicaKeyArn, vaultArn })),
  };
}

/** What the data side tells. */
function dataOutputs({ data }: Infrastructure) {
  const { ingestion, catalog, secret, featureGroup } = data;
  return {
    ingestion: pulumi.output({
      queue: { arn: ingestion.ingestQueue.sendableArn, url: ingestion.ingestQueue.url },
      unprocessed: { arn: ingestion.unprocessed.arn, url: ingestion.unprocessed.url },
    }),
    catalog: pulumi.output({
      databaseName: catalog.database.name,
      acceptedTableName: catalog.table.name,
      compactionJobName: catalog.job.name,
      crawlerName: catalog.crawler.name,
    }),
    secretArn: secret.guardedArn,
    ...(featureGroup !== undefined && {
      featureGroup: pulumi.output({
        name: featureGroup.group.featureGroupName,
        arn: featureGroup.group.arn,
      }),
    }),
  };
}

function productionOutputs(
  { names }: PipelineSetting,
  { learning: { drills }, compliance: { incidents } }: Phases,
): Pick<Promised<PipelineOutputs>, "incidents" | "drills"> {
  return {
    ...(incidents && {
      incidents: pulumi
        .all([incidents.topicArn, incidents.responderArn])
        .apply(([topicArn, responderArn]) => ({
          topicArn,
          responderArn,
          runbooks: containmentRunbooks(names),
        })),
    }),
    ...(drills && { drills: pulumi.output(drills.templateIds) }),
  };
}
