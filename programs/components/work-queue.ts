import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { FUNCTIONS, type FunctionName } from "../functions/index.ts";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import { denyPlainHttp, policyDocument, type Statement } from "../policy-document.ts";
import type { Tags } from "../tags.ts";
import type { HandlerFunction } from "./handler-function.ts";

export interface WorkQueueArgs {
  readonly setting: PipelineSetting;
  /** Part of the queue's name, by which its consumer's role knows it. */
  readonly part: string;
  readonly consumer: { readonly kind: FunctionName; readonly handler: HandlerFunction };
  /** Who may send; the resource is the queue. */
  readonly senders: readonly Pick<Statement, "Sid" | "Principal" | "Condition">[];
  /** Where messages go that were given back five times. */
  readonly unprocessedArn: pulumi.Input<string>;
  /** Messages without this key at their top; others are dropped. */
  readonly without?: string;
  readonly batch: { readonly size: number; readonly windowSeconds: number };
  readonly tags: Tags;
}

const FOUR_DAYS = 4 * 24 * 3600;
const ATTEMPTS = 5;

/** Functions that one queue starts at the same time: enough to keep up, few enough to leave the account's pool alone. */
const CONCURRENCY = 5;

/**
 * A queue that feeds a function. Nothing is lost: what the function does not confirm comes back, and what it never confirms waits
 * among the unprocessed. SQS's own encryption, because S3 and EventBridge name no source to KMS when they write to a queue.
 */
export class WorkQueue extends pulumi.ComponentResource {
  readonly arn: pulumi.Output<string>;
  readonly url: pulumi.Output<string>;
  /** Known once senders may send. */
  readonly sendableArn: pulumi.Output<string>;

  constructor(name: string, args: WorkQueueArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:WorkQueue", name, {}, opts);
    const { setting, part, consumer, batch, tags } = args;
    const { arns, names } = setting;
    const queue = new aws.sqs.Queue(
      name,
      {
        name: names.named(part),
        sqsManagedSseEnabled: true,
        // Less than the dead-letter queue's, which counts a message's age from its first arrival.
        messageRetentionSeconds: FOUR_DAYS,
        receiveWaitTimeSeconds: 20,
        // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
        visibilityTimeoutSeconds: 6 * FUNCTIONS[consumer.kind].timeoutSeconds + batch.windowSeconds,
        redrivePolicy: pulumi.jsonStringify({
          deadLetterTargetArn: args.unprocessedArn,
          maxReceiveCount: ATTEMPTS,
        }),
        tags,
      },
      { parent: this },
    );
    const policy = new aws.sqs.QueuePolicy(
      `${name}-policy`,
      { queueUrl: queue.url, policy: queuePolicy(arns.queue(names.named(part)), args.senders) },
      { parent: this },
    );
    new aws.lambda.EventSourceMapping(
      `${name}-consumer`,
      {
        eventSourceArn: queue.arn,
        functionName: consumer.handler.arn,
        batchSize: batch.size,
        maximumBatchingWindowInSeconds: batch.windowSeconds,
        functionResponseTypes: ["ReportBatchItemFailures"],
        scalingConfig: { maximumConcurrency: CONCURRENCY },
        ...(args.without !== undefined && {
          filterCriteria: {
            filters: [{ pattern: JSON.stringify({ body: { [args.without]: [{ exists: false }] } }) }],
          },
        }),
        // Without a name of its own, none could be told from the others by a repair.
        tags: { ...tags, Name: names.named(part) },
      },
      { parent: this },
    );
    this.arn = queue.arn;
    this.url = queue.url;
    this.sendableArn = pulumi.all([queue.arn, policy.id]).apply(([arn]) => arn);
    this.registerOutputs({ arn: queue.arn });
  }
}

function queuePolicy(queueArn: string, senders: WorkQueueArgs["senders"]): string {
  return policyDocument([
    ...senders.map(
      (sender): Statement => ({ ...sender, Effect: "Allow", Action: "sqs:SendMessage", Resource: queueArn }),
    ),
    denyPlainHttp("sqs:SendMessage", queueArn),
  ]);
}
