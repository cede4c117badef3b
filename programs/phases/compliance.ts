import * as pulumi from "@pulumi/pulumi";
import { EventAlert } from "../components/event-alert.ts";
import { functionSchedule } from "../components/function-schedule.ts";
import { HandlerFunction } from "../components/handler-function.ts";
import { IncidentResponse } from "../components/incident-response.ts";
import type { JobNetwork } from "../components/pipeline-roles.ts";
import { BUCKETS, KEY_PURPOSES } from "../names.ts";
import type { Infrastructure } from "./infrastructure.ts";
import { Phase } from "./phase.ts";
import type { PipelineSetting } from "./pipeline-setting.ts";

/**
 * Each night: an audit asks how controls stood in a period. A rate would begin at once
 * (https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html), and tell people what a pipeline lacks that is just being made.
 */
const EVIDENCE_SCHEDULE = "cron(0 4 * * ? *)";

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

/** Calls of root and of IAM users have no session, and a pattern matches only events that have all that it names. */
const anybodyBut = (roleArn: string) => {
  const issued = (arn: object) => ({ userIdentity: { sessionContext: { sessionIssuer: { arn: [arn] } } } });
  return { $or: [issued({ "anything-but": [roleArn] }), issued({ exists: false })] };
};

/**
 * Erases on request, gives evidence every day and on request, and tells when somebody changes the protection of keys or buckets by hand. The
 * account's trail hands the calls to EventBridge; those of the role that provisions the pipeline are expected. In production
 * incidents are answered, too.
 */
export class Compliance extends Phase {
  /** Only in the profile `production`. */
  readonly incidents: IncidentResponse | undefined;

  constructor(
    setting: PipelineSetting,
    { infrastructure, network }: { infrastructure: Infrastructure; network: JobNetwork },
    opts: pulumi.ComponentResourceOptions,
  ) {
    super("compliance", opts);
    const { account, names, team, pipeline } = setting;
    const { keys, alerts, roles } = infrastructure;
    const shared = { setting, keys, roles, alerts, network, tags: this.tags };
    new HandlerFunction("erase", shared, { parent: this });
    functionSchedule(
      "evidence-schedule",
      new HandlerFunction("evidence", shared, { parent: this }),
      { part: "evidence", description: "Reads the state of every control", expression: EVIDENCE_SCHEDULE },
      { ...shared, scheduleGroupName: infrastructure.schedules.name },
      this,
    );
    const alert = (kind: "key-tampering" | "guard-tampering", what: string, pattern: pulumi.Input<object>) =>
      new EventAlert(
        kind,
        {
          name: names.named(kind),
          description: `Somebody changed ${what} by hand`,
          pattern,
          topicArn: alerts.topics.critical.publishableArn,
          roleArn: roles.of("alerts").readyArn,
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
        ...(account.roleArn !== undefined && anybodyBut(account.roleArn)),
      },
    });
    const keyTampering = alert(
      "key-tampering",
      "an encryption key",
      pulumi
        .all(KEY_PURPOSES.flatMap((purpose) => [keys[purpose].keyId, keys[purpose].arn]))
        .apply((keyId) => call("kms", KEY_CHANGES, { keyId })),
    );
    const guardTampering = alert(
      "guard-tampering",
      "a bucket",
      call("s3", BUCKET_CHANGES, { bucketName: BUCKETS.map(names.bucket) }),
    );
    this.incidents =
      setting.spec.profile === "production"
        ? new IncidentResponse(
            "incidents",
            { ...shared, tampering: [keyTampering, guardTampering] },
            { parent: this },
          )
        : undefined;
    this.registerOutputs({});
  }
}
