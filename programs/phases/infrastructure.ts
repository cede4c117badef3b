import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { Backups } from "../components/backups.ts";
import { ContainerRepository } from "../components/container-repository.ts";
import { DataSupply } from "../components/data-supply.ts";
import { type PipelineAlerts, pipelineAlerts } from "../components/pipeline-alerts.ts";
import { type PipelineBuckets, pipelineBuckets } from "../components/pipeline-buckets.ts";
import { type PipelineKeys, pipelineKeys } from "../components/pipeline-keys.ts";
import { type JobNetwork, PipelineRoles } from "../components/pipeline-roles.ts";
import { Replication } from "../components/replication.ts";
import { fromKinds } from "../from-kinds.ts";
import { LOG_GROUPS, type LogGroupKind, REPOSITORIES, type RepositoryKind } from "../names.ts";
import { Phase } from "./phase.ts";
import type { PipelineSetting } from "./pipeline-setting.ts";

/** Keys, storage, identities, images, logs and alert topics. */
export class Infrastructure extends Phase {
  readonly keys: PipelineKeys;
  readonly buckets: PipelineBuckets;
  readonly roles: PipelineRoles;
  readonly repositories: Readonly<Record<RepositoryKind, ContainerRepository>>;
  readonly logGroups: Readonly<Record<LogGroupKind, aws.cloudwatch.LogGroup>>;
  readonly alerts: PipelineAlerts;
  readonly data: DataSupply;
  /** Only where the spec names a replica region, in either profile: what holds data doesn't come and go with the profile. */
  readonly recovery: { readonly replication: Replication; readonly backups: Backups } | undefined;
  /** Of everything that the pipeline does on time: the group carries the tags and is what the schedules' role trusts. */
  readonly schedules: aws.scheduler.ScheduleGroup;

  constructor(setting: PipelineSetting, network: JobNetwork, opts: pulumi.ComponentResourceOptions) {
    super("infrastructure", opts);
    const { names, spec, dataOnDestroy } = setting;
    this.keys = pipelineKeys(setting, this.tags, this);
    this.buckets = pipelineBuckets(setting, this.keys, this.tags, this);
    this.roles = new PipelineRoles(setting, { keys: this.keys, network }, this.tags, this);
    this.alerts = pipelineAlerts(setting, this.keys.logs.arn, this.tags, this);
    this.schedules = new aws.scheduler.ScheduleGroup(
      "schedules",
      { name: names.named("schedules"), tags: this.tags },
      { parent: this },
    );
    this.repositories = fromKinds(
      REPOSITORIES,
      (kind) =>
        new ContainerRepository(
          `${kind}-images`,
          { name: names.repository(kind), keyArn: this.keys.models.arn, dataOnDestroy, tags: this.tags },
          { parent: this },
        ),
    );
    this.logGroups = fromKinds(
      LOG_GROUPS,
      (kind) =>
        new aws.cloudwatch.LogGroup(
          `${kind}-logs`,
          {
            name: names.logGroup(kind),
            kmsKeyId: this.keys.logs.arn,
            retentionInDays: spec.monitoring.logRetentionDays,
            tags: this.tags,
          },
          { parent: this },
        ),
    );
    const { keys, roles, buckets, alerts, tags } = this;
    this.data = new DataSupply(
      "data",
      { setting, keys, roles, buckets, alerts, network, tags },
      { parent: this },
    );
    const { replicaRegion } = spec.dataset;
    this.recovery = replicaRegion === undefined ? undefined : this.recover(setting, replicaRegion);
    this.registerOutputs({});
  }

  private recover(setting: PipelineSetting, region: string) {
    const { buckets, roles, alerts, tags } = this;
    const alarmTopicArn = alerts.topics.critical.publishableArn;
    return {
      replication: new Replication(
        "replication",
        { setting, region, buckets, roles, alarmTopicArn, tags },
        { parent: this },
      ),
      backups: new Backups("backups", { setting, buckets, roles, alerts, tags }, { parent: this }),
    };
  }
}
