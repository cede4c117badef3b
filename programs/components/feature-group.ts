import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { featureDefinitions } from "../catalog-schema.ts";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import { FEATURE_TABLE } from "../roles/feature-store.ts";
import type { PipelineSpec } from "../spec.ts";
import { PREFIX } from "../storage-layout.ts";
import type { Tags } from "../tags.ts";
import type { DataCatalog } from "./data-catalog.ts";
import type { PipelineBuckets } from "./pipeline-buckets.ts";
import type { PipelineKeys } from "./pipeline-keys.ts";
import type { PipelineRoles } from "./pipeline-roles.ts";

export interface FeatureGroupArgs {
  readonly setting: PipelineSetting;
  readonly store: NonNullable<PipelineSpec["dataset"]["featureStore"]>;
  readonly keys: PipelineKeys;
  readonly roles: PipelineRoles;
  readonly buckets: PipelineBuckets;
  readonly catalog: DataCatalog;
  readonly tags: Tags;
}

/** The data set's columns as features: all of their history in S3, and the newest of each record online where asked for. */
export class FeatureGroup extends pulumi.ComponentResource {
  readonly group: aws.sagemaker.FeatureGroup;

  constructor(name: string, args: FeatureGroupArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:FeatureGroup", name, {}, opts);
    const { setting, store, keys, roles, buckets, catalog, tags } = args;
    const { names, spec, team, pipeline } = setting;
    this.group = new aws.sagemaker.FeatureGroup(
      name,
      {
        featureGroupName: names.named("features"),
        description: `Features of AIDLC ${team}/${pipeline}`,
        recordIdentifierFeatureName: store.recordIdentifier,
        eventTimeFeatureName: store.eventTime,
        featureDefinitions: featureDefinitions(spec.dataset),
        roleArn: roles.of("feature-store").readyArn,
        offlineStoreConfig: {
          s3StorageConfig: {
            s3Uri: pulumi.interpolate`s3://${buckets.features.guardedName}/${PREFIX.featureStore}`,
            kmsKeyId: keys.data.arn,
          },
          tableFormat: "Glue",
          dataCatalogConfig: {
            catalog: "AwsDataCatalog",
            database: catalog.database.name,
            tableName: FEATURE_TABLE,
          },
        },
        ...(store.online && {
          onlineStoreConfig: { enableOnlineStore: true, securityConfig: { kmsKeyId: keys.data.arn } },
        }),
        tags,
      },
      // Features can't be changed, and the name is taken until the old group is gone. What it kept offline stays in S3.
      { parent: this, deleteBeforeReplace: true },
    );
    this.registerOutputs({});
  }
}
