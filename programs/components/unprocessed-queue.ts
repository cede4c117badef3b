import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { denyPlainHttp, policyDocument } from "../policy-document.ts";
import type { Tags } from "../tags.ts";

const FOURTEEN_DAYS = 14 * 24 * 3600;

/** What a work queue's function gave back too often. From here SQS moves a message back to the queue that it came from. */
export class UnprocessedQueue extends pulumi.ComponentResource {
  readonly arn: pulumi.Output<string>;
  readonly url: pulumi.Output<string>;

  readonly #name: string;

  constructor(
    name: string,
    args: { readonly name: string; readonly arn: string; readonly tags: Tags },
    opts: pulumi.ComponentResourceOptions,
  ) {
    super("aidlc:component:UnprocessedQueue", name, {}, opts);
    this.#name = name;
    const queue = new aws.sqs.Queue(
      name,
      {
        name: args.name,
        messageRetentionSeconds: FOURTEEN_DAYS,
        sqsManagedSseEnabled: true,
        tags: args.tags,
      },
      { parent: this },
    );
    new aws.sqs.QueuePolicy(
      `${name}-policy`,
      {
        queueUrl: queue.url,
        // SQS itself moves messages here and needs no permission of the policy.
        policy: policyDocument([denyPlainHttp("sqs:SendMessage", args.arn)]),
      },
      { parent: this },
    );
    this.arn = queue.arn;
    this.url = queue.url;
    this.registerOutputs({ arn: queue.arn });
  }

  /** No other queue may name this one as its dead-letter queue. */
  takeOnlyFrom(sourceQueueArns: readonly pulumi.Input<string>[]): void {
    new aws.sqs.RedriveAllowPolicy(
      `${this.#name}-sources`,
      {
        queueUrl: this.url,
        redriveAllowPolicy: pulumi.jsonStringify({ redrivePermission: "byQueue", sourceQueueArns }),
      },
      { parent: this },
    );
  }
}
