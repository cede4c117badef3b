import { containmentRunbooks } from "../containment.ts";
import { allow, bucketArn, publishAlerts, useKeys } from "../grants.ts";
import { PREFIX, TRAINING_MANIFEST } from "../storage-layout.ts";
import type { FunctionDefinition } from "./function-definition.ts";

/** Where an object can be that a finding names. */
const SUSPECT = ["raw", "validated", "predictions"] as const;

/**
 * Holds no right to change identities or functions itself: it starts runbooks that do one thing each, and whose executions
 * are a record that it can't change.
 */
export const respond: FunctionDefinition = {
  description: "Answers findings, alarms and tampering: sets objects apart, contains roles and functions",
  // One processor: an object of 10 GB is copied and hashed on its way.
  memoryMb: 1769,
  timeoutSeconds: 900,
  environment: ({ names }) => ({
    AIDLC_NAME_PREFIX: names.prefix,
    ...Object.fromEntries(SUSPECT.map((kind) => [`AIDLC_${kind.toUpperCase()}_BUCKET`, names.bucket(kind)])),
    AIDLC_QUARANTINE_BUCKET: names.bucket("quarantine"),
    AIDLC_INCIDENT_LOG_GROUP: names.logGroup("incidents"),
    ...Object.fromEntries(
      Object.entries(containmentRunbooks(names)).map(([kind, name]) => [
        `AIDLC_RUNBOOK_${kind.toUpperCase()}`,
        name,
      ]),
    ),
  }),
  keyUses: ["data", "alerts"],
  grants: (around) => {
    const { arns, names } = around.setting;
    const runbooks = Object.values(containmentRunbooks(names));
    return [
      allow({
        Sid: "SetObjectsApart",
        Action: [
          // To find the newest version; what is done is done to a version.
          "s3:GetObject",
          "s3:GetObjectVersion",
          "s3:GetObjectVersionTagging",
          "s3:PutObjectVersionTagging",
        ],
        Resource: SUSPECT.map((kind) => `${bucketArn(around, kind)}/*`),
      }),
      // S3 says that an object is gone only to who may list its bucket; others may not read it.
      allow({
        Sid: "TellGone",
        Action: "s3:ListBucket",
        Resource: SUSPECT.map((kind) => bucketArn(around, kind)),
      }),
      // Reading it is granted above.
      allow({
        Sid: "DelistObjects",
        Action: "s3:PutObject",
        Resource: `${bucketArn(around, "validated")}/${TRAINING_MANIFEST}`,
      }),
      allow({
        Sid: "CopyToQuarantine",
        Action: ["s3:AbortMultipartUpload", "s3:PutObject"],
        Resource: `${bucketArn(around, "quarantine")}/${PREFIX.incidents}*`,
      }),
      useKeys(around, ["data"]),
      allow({
        Sid: "StartRunbooks",
        Action: "ssm:StartAutomationExecution",
        Resource: runbooks.flatMap((name) => [
          arns.regional("ssm", `document/${name}`),
          arns.regional("ssm", `automation-definition/${name}:*`),
        ]),
      }),
      allow({
        Sid: "FollowRunbooks",
        Action: "ssm:GetAutomationExecution",
        Resource: arns.regional("ssm", "automation-execution/*"),
      }),
      allow({
        Sid: "PassContainment",
        Action: "iam:PassRole",
        Resource: arns.role(names.named("containment")),
        Condition: { StringEquals: { "iam:PassedToService": "ssm.amazonaws.com" } },
      }),
      allow({
        Sid: "RecordIncidents",
        Action: ["logs:CreateLogStream", "logs:GetLogEvents", "logs:PutLogEvents"],
        Resource: [
          arns.logGroup(names.logGroup("incidents")),
          `${arns.logGroup(names.logGroup("incidents"))}:log-stream:*`,
        ],
      }),
      ...publishAlerts(around),
    ];
  },
};
