import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { FunctionName } from "../functions/index.ts";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import { onBehalfOf } from "../policy-document.ts";
import { PREFIX } from "../storage-layout.ts";
import { HandlerFunction, type HandlerFunctionArgs } from "./handler-function.ts";
import type { PipelineBuckets } from "./pipeline-buckets.ts";
import { UnprocessedQueue } from "./unprocessed-queue.ts";
import { failedValidationJobs, ValidationJobs } from "./validation-jobs.ts";
import { WorkQueue } from "./work-queue.ts";

export interface IngestionArgs extends HandlerFunctionArgs {
  readonly buckets: PipelineBuckets;
}

/** Functions that work on every accepted object; their queues are named like them. */
type AcceptedConsumer = Extract<FunctionName, "baseline" | "features">;

/**
 * The way of the data: an object in `raw` is validated; what was accepted becomes part of the baseline and, where the spec asks for
 * them, records of the feature group.
 */
export class Ingestion extends pulumi.ComponentResource {
  readonly functions: Readonly<Partial<Record<FunctionName, HandlerFunction>>>;
  readonly ingestQueue: WorkQueue;
  readonly unprocessed: UnprocessedQueue;

  constructor(name: string, args: IngestionArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:Ingestion", name, {}, opts);
    const { setting, tags } = args;
    this.unprocessed = new UnprocessedQueue(
      "unprocessed",
      {
        name: setting.names.named("unprocessed"),
        arn: setting.arns.queue(setting.names.named("unprocessed")),
        tags,
      },
      { parent: this },
    );
    const validate = new HandlerFunction("validate", args, { parent: this });
    this.ingestQueue = this.ingest(validate, args);
    if (setting.spec.dataset.validationImage !== undefined) {
      new ValidationJobs("validation-jobs", { ...args, queue: this.ingestQueue }, { parent: this });
    }
    const consumers: readonly AcceptedConsumer[] =
      setting.spec.dataset.featureStore === undefined ? ["baseline"] : ["baseline", "features"];
    const accepted = this.distribute(consumers, args);
    this.unprocessed.takeOnlyFrom([this.ingestQueue.arn, ...accepted.map(({ queue }) => queue.arn)]);
    this.functions = {
      validate,
      ...Object.fromEntries(accepted.map(({ kind, handler }) => [kind, handler])),
    };
    this.registerOutputs({});
  }

  /** From the bucket to the validation. */
  private ingest(handler: HandlerFunction, { setting, buckets, tags }: IngestionArgs): WorkQueue {
    const { account, arns, names, spec } = setting;
    const queue = new WorkQueue(
      "ingest",
      {
        setting,
        part: "ingest",
        consumer: { kind: "validate", handler },
        senders: [
          {
            Sid: "RawObjects",
            Principal: { Service: "s3.amazonaws.com" },
            Condition: onBehalfOf(account.accountId, arns.bucket(names.bucket("raw"))),
          },
          ...(spec.dataset.validationImage === undefined ? [] : [failedValidationJobs(setting)]),
        ],
        unprocessedArn: this.unprocessed.arn,
        // S3 tells a new configuration by a message of its own, {"Service": "Amazon S3", "Event": "s3:TestEvent", …}.
        without: "Event",
        batch: { size: 5, windowSeconds: 0 },
        tags,
      },
      { parent: this },
    );
    // The one notification resource of this bucket: a second would take its place.
    new aws.s3.BucketNotification(
      "raw-notification",
      {
        bucket: buckets.raw.guardedName,
        queues: [{ id: "ingest", queueArn: queue.sendableArn, events: ["s3:ObjectCreated:*"] }],
        // AWS Backup follows a bucket's changes through EventBridge, and would turn this on behind the program's back.
        eventbridge: setting.spec.dataset.replicaRegion !== undefined,
      },
      { parent: this },
    );
    return queue;
  }

  /** From the accepted objects to everyone who works on them: S3 notifies only one, EventBridge any number. */
  private distribute(consumers: readonly AcceptedConsumer[], args: IngestionArgs) {
    const { setting, buckets, alerts, tags } = args;
    const { arns, names, team, pipeline } = setting;
    new aws.s3.BucketNotification(
      "validated-notification",
      { bucket: buckets.validated.guardedName, eventbridge: true },
      { parent: this },
    );
    const rule = new aws.cloudwatch.EventRule(
      "accepted",
      {
        name: names.named("accepted"),
        description: `Data of ${team}/${pipeline} passed validation`,
        eventPattern: acceptedPattern(setting),
        tags,
      },
      { parent: this },
    );
    return consumers.map((kind) => {
      const handler = new HandlerFunction(kind, args, { parent: this });
      const queue = new WorkQueue(
        `${kind}-queue`,
        {
          setting,
          part: kind,
          consumer: { kind, handler },
          senders: [
            {
              Sid: "AcceptedObjects",
              Principal: { Service: "events.amazonaws.com" },
              Condition: { ArnEquals: { "aws:SourceArn": arns.rule(names.named("accepted")) } },
            },
          ],
          unprocessedArn: this.unprocessed.arn,
          // Many objects make one new baseline.
          batch: { size: 100, windowSeconds: 300 },
          tags,
        },
        { parent: this },
      );
      new aws.cloudwatch.EventTarget(
        `accepted-${kind}`,
        {
          rule: rule.name,
          targetId: kind,
          arn: queue.sendableArn,
          deadLetterConfig: { arn: alerts.deadLetters.sendableArn },
        },
        { parent: this },
      );
      return { kind, handler, queue };
    });
  }
}

const acceptedPattern = ({ names }: PipelineSetting) =>
  JSON.stringify({
    source: ["aws.s3"],
    "detail-type": ["Object Created"],
    detail: {
      bucket: { name: [names.bucket("validated")] },
      object: { key: [{ prefix: PREFIX.acceptedData }] },
    },
  });
