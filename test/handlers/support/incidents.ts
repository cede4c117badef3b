import { randomUUID } from "node:crypto";

/** An event as EventBridge publishes it to the topic, and as SNS hands it on to a function. */
export function aDelivery(event: object | string) {
  return {
    Records: [
      {
        EventSource: "aws:sns",
        EventVersion: "1.0",
        EventSubscriptionArn:
          "arn:aws:sns:eu-west-1:123456789012:incidents:2bcfbf39-05c3-41de-beaa-fcfcc21c8f55",
        Sns: {
          Type: "Notification",
          MessageId: randomUUID(),
          TopicArn: "arn:aws:sns:eu-west-1:123456789012:incidents",
          Subject: null,
          Message: typeof event === "string" ? event : JSON.stringify(event),
          Timestamp: "2026-03-01T05:02:29.000Z",
          SignatureVersion: "1",
          Signature: "EXAMPLE",
          SigningCertUrl: "EXAMPLE",
          UnsubscribeUrl: "EXAMPLE",
          MessageAttributes: {},
        },
      },
    ],
  };
}

const envelope = (source: string, kind: string, detail: object) => ({
  version: "0",
  id: randomUUID(),
  "detail-type": kind,
  source,
  account: "123456789012",
  time: "2026-03-01T05:02:28Z",
  region: "eu-west-1",
  resources: [],
  detail,
});

/** As GuardDuty tells EventBridge of a finding (https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings_eventbridge.html). */
export function aThreat(change: {
  readonly type: string;
  readonly severity: number;
  readonly resource: object;
}) {
  const id = randomUUID().replaceAll("-", "");
  return envelope("aws.guardduty", "GuardDuty Finding", {
    schemaVersion: "2.0",
    accountId: "123456789012",
    region: "eu-west-1",
    partition: "aws",
    id,
    arn: `arn:aws:guardduty:eu-west-1:123456789012:detector/a12abc34d567e8fa901bc2d34e56789f0/finding/${id}`,
    ...change,
    service: {
      serviceName: "guardduty",
      detectorId: "a12abc34d567e8fa901bc2d34e56789f0",
      resourceRole: "TARGET",
      eventFirstSeen: "2026-03-01T04:58:01Z",
      eventLastSeen: "2026-03-01T04:58:01Z",
      archived: false,
      count: 1,
    },
    createdAt: "2026-03-01T05:00:00.000Z",
    updatedAt: "2026-03-01T05:00:00.000Z",
    title: "A finding",
    description: "What it says.",
  });
}

export const anAccessKey = (userName: string, userType = "AssumedRole") => ({
  accessKeyId: "ASIAAAAAAAAAAAAAAAAA",
  principalId: "AROAAAAAAAAAAAAAAAAAA:session",
  userType,
  userName,
});

/** As Security Hub tells EventBridge of an imported finding. */
export const aFinding = (types: readonly string[], resources: readonly { Type: string; Id: string }[]) =>
  envelope("aws.securityhub", "Security Hub Findings - Imported", {
    findings: [
      {
        SchemaVersion: "2018-10-08",
        Id: `arn:aws:securityhub:eu-west-1:123456789012:finding/${randomUUID()}`,
        ProductArn: "arn:aws:securityhub:eu-west-1::product/aws/inspector",
        ProductName: "Inspector",
        GeneratorId: "rule",
        AwsAccountId: "123456789012",
        Types: types,
        CreatedAt: "2026-03-01T05:00:00Z",
        UpdatedAt: "2026-03-01T05:00:00Z",
        Severity: { Label: "CRITICAL", Normalized: 90 },
        Title: "A finding",
        Description: "What it says.",
        Resources: resources.map((resource) => ({ ...resource, Partition: "aws", Region: "eu-west-1" })),
        RecordState: "ACTIVE",
        Workflow: { Status: "NEW" },
      },
    ],
  });

export const anAlarm = (alarmName: string) =>
  envelope("aws.cloudwatch", "CloudWatch Alarm State Change", {
    alarmName,
    state: { value: "ALARM", reason: "Threshold crossed", timestamp: "2026-03-01T05:02:28.000+0000" },
    previousState: { value: "OK" },
    configuration: { metrics: [] },
  });

/** A change of a bucket's protection as CloudTrail has it, by a session of this role, or of a user of this name. */
export const aTampering = (role: string, issuer: "Role" | "User" = "Role") =>
  envelope("aws.s3", "AWS API Call via CloudTrail", {
    eventVersion: "1.11",
    userIdentity: {
      type: "AssumedRole",
      principalId: "AROAAAAAAAAAAAAAAAAAA:session",
      arn: `arn:aws:sts::123456789012:assumed-role/${role}/session`,
      accountId: "123456789012",
      sessionContext: {
        sessionIssuer: {
          type: issuer,
          principalId: "AROAAAAAAAAAAAAAAAAAA",
          arn: `arn:aws:iam::123456789012:role/${role}`,
          accountId: "123456789012",
          userName: role,
        },
        attributes: { creationDate: "2026-03-01T04:00:00Z", mfaAuthenticated: "false" },
      },
    },
    eventTime: "2026-03-01T05:02:28Z",
    eventSource: "s3.amazonaws.com",
    eventName: "DeleteBucketPolicy",
    awsRegion: "eu-west-1",
    requestParameters: { bucketName: "raw" },
    eventID: randomUUID(),
    eventType: "AwsApiCall",
  });
