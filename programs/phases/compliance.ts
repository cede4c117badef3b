import * as pulumi from "@pulumi/pulumi";
import { EventAlert } from "../components/event-alert.ts";
import { BUCKETS, KEY_PURPOSES } from "../names.ts";
import type { Infrastructure } from "./infrastructure.ts";
import { Phase } from "./phase.ts";
import type { PipelineSetting } from "./pipeline-setting.ts";

const KEY_CHANGES = ["DisableKey", "DisableKeyRotation", "PutKeyPolicy", "ScheduleKeyDeletion"];

const BUCKET_CHANGES = [
  "DeleteBucketEncryption",
  "DeleteBucketLifecycle",
  "DeleteBucketOwnershipControls",
  "DeleteBucketPolicy",
  "DeleteBucketPublicAccessBlock",
  "PutBucketEncryption",
  "PutBucketLifecycle",
  "PutBucketLogging",
  "PutBucketOwnershipControls",
  "PutBucketPolicy",
  "PutBucketPublicAccessBlock",
  "PutBucketVersioning",
];

const MESSAGE_PATHS = { action: "$.detail.eventName", who: "$.detail.userIdentity.arn" };

/**
 * Tells when somebody changes the protection of keys or buckets by hand. The account's trail hands the calls to
 * EventBridge; those of the role that provisions the pipeline are expected.
 */
export class Compliance extends Phase {
  constructor(
    setting: PipelineSetting,
    infrastructure: Infrastructure,
    opts: pulumi.ComponentResourceOptions,
  ) {
    super("compliance", opts);
    const { account, names, team, pipeline } = setting;
    const { keys, alerts, roles } = infrastructure;
    const alert = (kind: "key-tampering" | "guard-tampering", what: string, pattern: pulumi.Input<object>) =>
      new EventAlert(
        kind,
        {
          name: names.named(kind),
          description: `Somebody changed ${what} by hand`,
          pattern,
          topicArn: alerts.topics.critical.publishableArn,
          roleArn: roles.alerts.readyArn,
          deadLetterQueueArn: alerts.deadLetters.sendableArn,
          message: {
            paths: MESSAGE_PATHS,
            text: `Protection of ${team}/${pipeline} was changed: <who> called <action> on ${what}`,
          },
          tags: this.tags,
        },
        { parent: this },
      );
    const call = (source: "kms" | "s3", events: readonly string[], requestParameters: object) => ({
      source: [`aws.${source}`],
      "detail-type": ["AWS API Call via CloudTrail"],
      detail: {
        eventSource: [`${source}.amazonaws.com`],
        eventName: events,
        requestParameters,
        ...(account.roleArn !== undefined && {
          userIdentity: {
            sessionContext: { sessionIssuer: { arn: [{ "anything-but": [account.roleArn] }] } },
          },
        }),
      },
    });
    alert(
      "key-tampering",
      "an encryption key",
      pulumi
        .all(KEY_PURPOSES.flatMap((purpose) => [keys[purpose].keyId, keys[purpose].arn]))
        .apply((keyId) => call("kms", KEY_CHANGES, { keyId })),
    );
    alert(
      "guard-tampering",
      "a bucket",
      call("s3", BUCKET_CHANGES, { bucketName: BUCKETS.map(names.bucket) }),
    );
    this.registerOutputs({});
  }
}
