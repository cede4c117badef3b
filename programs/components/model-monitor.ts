import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { modelMonitorImage } from "../model-monitor-image.ts";
import { modelMonitorSchedule } from "../model-monitor-schedule.ts";
import { shortHash } from "../names.ts";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import { PREFIX } from "../storage-layout.ts";
import type { Tags } from "../tags.ts";
import type { PipelineBuckets } from "./pipeline-buckets.ts";
import type { PipelineKeys } from "./pipeline-keys.ts";
import type { JobNetwork, PipelineRoles } from "./pipeline-roles.ts";

export interface ModelMonitorArgs {
  readonly setting: PipelineSetting;
  readonly endpointName: string;
  readonly keys: PipelineKeys;
  readonly roles: PipelineRoles;
  readonly buckets: PipelineBuckets;
  readonly network: JobNetwork;
  readonly tags: Tags;
}

const INSTANCE_TYPE = "ml.m5.xlarge";
const MAX_RUNTIME_SECONDS = 3300;

/** SageMaker's own monitor of a living endpoint's data, for accounts that still have it. */
export class ModelMonitor extends pulumi.ComponentResource {
  constructor(name: string, args: ModelMonitorArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:ModelMonitor", name, {}, opts);
    const { setting, tags } = args;
    const { names, spec } = setting;
    const scheduleExpression = modelMonitorSchedule(spec.monitoring.schedule);
    if (scheduleExpression === undefined) {
      throw new RangeError(`Model Monitor can't run at ${spec.monitoring.schedule}: hourly or daily only`);
    }
    const definition = this.definition(name, args);
    new aws.sagemaker.MonitoringSchedule(
      `${name}-schedule`,
      {
        name: names.named("data-quality"),
        monitoringScheduleConfig: {
          monitoringType: "DataQuality",
          monitoringJobDefinitionName: definition.name,
          scheduleConfig: { scheduleExpression },
        },
        tags,
      },
      { parent: this },
    );
    this.registerOutputs({});
  }

  private definition(name: string, args: ModelMonitorArgs): aws.sagemaker.DataQualityJobDefinition {
    const { setting, endpointName, keys, roles, buckets, network, tags } = args;
    const { account, names, spec } = setting;
    const baselines = pulumi.interpolate`s3://${buckets.validated.guardedName}/${PREFIX.baselines}model-monitor`;
    return new aws.sagemaker.DataQualityJobDefinition(
      name,
      {
        // A definition can't be changed: the schedule moves on to a new one, which needs a name of its own.
        name: names.named(`dq-${shortHash(endpointName, spec.profile, JSON.stringify(spec.network))}`),
        roleArn: roles.of("model-monitor").readyArn,
        dataQualityAppSpecification: { imageUri: modelMonitorImage(account.region) },
        dataQualityBaselineConfig: {
          constraintsResource: { s3Uri: pulumi.interpolate`${baselines}/constraints.json` },
          statisticsResource: { s3Uri: pulumi.interpolate`${baselines}/statistics.json` },
        },
        dataQualityJobInput: {
          endpointInput: { endpointName, localPath: "/opt/ml/processing/input/endpoint" },
        },
        dataQualityJobOutputConfig: {
          kmsKeyId: keys.data.arn,
          monitoringOutputs: {
            s3Output: {
              localPath: "/opt/ml/processing/output",
              s3UploadMode: "EndOfJob",
              s3Uri: pulumi.interpolate`s3://${buckets.predictions.guardedName}/${PREFIX.monitoring}data-quality`,
            },
          },
        },
        jobResources: {
          clusterConfig: {
            instanceCount: 1,
            instanceType: INSTANCE_TYPE,
            volumeSizeInGb: 30,
            volumeKmsKeyId: keys.data.arn,
          },
        },
        networkConfig: {
          enableInterContainerTrafficEncryption: true,
          enableNetworkIsolation: true,
          vpcConfig: { subnets: network.subnetIds, securityGroupIds: [network.securityGroupId] },
        },
        stoppingCondition: { maxRuntimeInSeconds: MAX_RUNTIME_SECONDS },
        tags,
      },
      { parent: this },
    );
  }
}
