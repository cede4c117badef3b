import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { ContainerRepository } from "../components/container-repository.ts";
import { type PipelineAlerts, pipelineAlerts } from "../components/pipeline-alerts.ts";
import { type PipelineBuckets, pipelineBuckets } from "../components/pipeline-buckets.ts";
import { type PipelineKeys, pipelineKeys } from "../components/pipeline-keys.ts";
import { type JobNetwork, type PipelineRoles, pipelineRoles } from "../components/pipeline-roles.ts";
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

  constructor(setting: PipelineSetting, network: JobNetwork, opts: pulumi.ComponentResourceOptions) {
    super("infrastructure", opts);
    const { names, spec, dataOnDestroy } = setting;
    this.keys = pipelineKeys(setting, this.tags, this);
    this.buckets = pipelineBuckets(setting, this.keys, this.tags, this);
    this.roles = pipelineRoles(setting, { keys: this.keys, network }, this.tags, this);
    this.alerts = pipelineAlerts(setting, this.keys.logs.arn, this.tags, this);
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
    this.registerOutputs({});
  }
}
