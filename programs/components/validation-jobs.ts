import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { jobBundle } from "../handler-bundle.ts";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import { VALIDATION_PROGRAM } from "../storage-layout.ts";
import type { Tags } from "../tags.ts";
import type { PipelineAlerts } from "./pipeline-alerts.ts";
import type { PipelineBuckets } from "./pipeline-buckets.ts";
import type { PipelineKeys } from "./pipeline-keys.ts";
import type { PipelineRoles } from "./pipeline-roles.ts";
import type { WorkQueue, WorkQueueArgs } from "./work-queue.ts";

export interface ValidationJobsArgs {
  readonly setting: PipelineSetting;
  readonly keys: PipelineKeys;
  readonly roles: PipelineRoles;
  readonly buckets: PipelineBuckets;
  readonly alerts: PipelineAlerts;
  /** Of the function that starts the jobs: it is told of those that failed. */
  readonly queue: WorkQueue;
  readonly tags: Tags;
}

const RULE = "job-failures";

/** The sender that the function's queue must know. */
export const failedValidationJobs = ({ arns, names }: PipelineSetting): WorkQueueArgs["senders"][number] => ({
  Sid: "FailedJobs",
  Principal: { Service: "events.amazonaws.com" },
  Condition: { ArnEquals: { "aws:SourceArn": arns.rule(names.named(RULE)) } },
});

/**
 * What the jobs need that validate objects which are too large for the function: their role, their program, and the way back of those
 * that failed. The function starts them, so none is in the stack.
 */
export class ValidationJobs extends pulumi.ComponentResource {
  constructor(name: string, args: ValidationJobsArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:ValidationJobs", name, {}, opts);
    args.roles.of("validation-job");
    this.program("validation-program", VALIDATION_PROGRAM.file, args);
    this.program("validation-program-child", VALIDATION_PROGRAM.child, args);
    this.returnFailures(args);
    this.registerOutputs({});
  }

  private program(name: string, file: string, { keys, buckets, tags }: ValidationJobsArgs): void {
    new aws.s3.BucketObjectv2(
      name,
      {
        bucket: buckets.models.guardedName,
        key: `${VALIDATION_PROGRAM.folder}${file}`,
        source: jobBundle("validate", file),
        contentType: "text/javascript",
        serverSideEncryption: "aws:kms",
        kmsKeyId: keys.models.arn,
        tags,
        // An object takes ten tags, and a spec may ask for forty.
        overrideProvider: { defaultTags: { tags: {} } },
      },
      { parent: this },
    );
  }

  private returnFailures({ setting, queue, alerts, tags }: ValidationJobsArgs): void {
    const { names, team, pipeline } = setting;
    const rule = new aws.cloudwatch.EventRule(
      RULE,
      {
        name: names.named(RULE),
        description: `A job that validates data of ${team}/${pipeline} came to no verdict`,
        eventPattern: JSON.stringify({
          source: ["aws.sagemaker"],
          "detail-type": ["SageMaker Processing Job State Change"],
          detail: {
            ProcessingJobName: [{ prefix: `${names.jobPrefix("validate")}-` }],
            ProcessingJobStatus: ["Failed", "Stopped"],
          },
        }),
        tags,
      },
      { parent: this },
    );
    new aws.cloudwatch.EventTarget(
      `${RULE}-validate`,
      {
        rule: rule.name,
        targetId: "validate",
        arn: queue.sendableArn,
        deadLetterConfig: { arn: alerts.deadLetters.sendableArn },
      },
      { parent: this },
    );
  }
}
