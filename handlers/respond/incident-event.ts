import Type, { type Static, type TSchema } from "typebox";
import { Value } from "typebox/value";

/** What SNS hands to a function (https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html); the message is an event of EventBridge. */
const Delivery = Type.Object({
  Records: Type.Array(
    Type.Object({
      Sns: Type.Object({
        MessageId: Type.String({ pattern: "^[A-Za-z0-9-]{1,64}$" }),
        Message: Type.String(),
      }),
    }),
  ),
});

const event = <const Source extends string, const Kind extends string, Detail extends TSchema>(
  source: Source,
  kind: Kind,
  detail: Detail,
) =>
  Type.Object({
    id: Type.String({ pattern: "^[A-Za-z0-9-]{1,64}$" }),
    time: Type.String(),
    source: Type.Literal(source),
    "detail-type": Type.Literal(kind),
    detail,
  });

const text = Type.Optional(Type.String());

/** https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings_eventbridge.html */
const Threat = event(
  "aws.guardduty",
  "GuardDuty Finding",
  Type.Object({
    id: Type.String(),
    type: Type.String(),
    severity: Type.Number(),
    resource: Type.Object({
      accessKeyDetails: Type.Optional(Type.Object({ userName: text, userType: text })),
      lambdaDetails: Type.Optional(Type.Object({ functionName: text })),
      s3BucketDetails: Type.Optional(
        Type.Array(
          Type.Object({
            name: text,
            s3ObjectDetails: Type.Optional(Type.Array(Type.Object({ key: text, versionId: text }))),
          }),
        ),
      ),
    }),
  }),
);

/** https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format.html */
const Findings = event(
  "aws.securityhub",
  "Security Hub Findings - Imported",
  Type.Object({
    findings: Type.Array(
      Type.Object({
        Id: Type.String(),
        Types: Type.Optional(Type.Array(Type.String())),
        Severity: Type.Optional(Type.Object({ Label: text })),
        Resources: Type.Array(Type.Object({ Type: Type.String(), Id: Type.String() })),
      }),
    ),
  }),
);

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html */
const AlarmChange = event(
  "aws.cloudwatch",
  "CloudWatch Alarm State Change",
  Type.Object({ alarmName: Type.String(), state: Type.Object({ value: Type.String() }) }),
);

const CallDetail = Type.Object({
  eventName: Type.String(),
  eventID: text,
  userIdentity: Type.Object({
    sessionContext: Type.Optional(
      Type.Object({ sessionIssuer: Type.Optional(Type.Object({ type: text, userName: text })) }),
    ),
  }),
});

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html */
const KeyTampering = event("aws.kms", "AWS API Call via CloudTrail", CallDetail);
const GuardTampering = event("aws.s3", "AWS API Call via CloudTrail", CallDetail);

const IncidentEvent = Type.Union([Threat, Findings, AlarmChange, KeyTampering, GuardTampering]);

export type IncidentEvent = Static<typeof IncidentEvent>;

/** An event that no rule can be about; its id is that of the message. */
export interface UnknownEvent {
  readonly id: string;
  readonly source: "unknown";
}

/** The events of a delivery. Throws what `Value.Parse` throws for what SNS did not send; an event of no known form is unknown. */
export function incidentEvents(delivery: unknown): readonly (IncidentEvent | UnknownEvent)[] {
  return Value.Parse(Delivery, delivery).Records.map(
    ({ Sns: { MessageId, Message } }) => incidentEvent(Message) ?? { id: MessageId, source: "unknown" },
  );
}

function incidentEvent(message: string): IncidentEvent | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(message);
  } catch {
    return undefined;
  }
  return Value.Check(IncidentEvent, parsed) ? parsed : undefined;
}
