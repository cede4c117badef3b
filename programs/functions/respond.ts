import { containmentRunbooks } from "../containment.ts";
import { allow, bucketArn, publishAlerts, useKeys, write } from "../grants.ts";
import type { FunctionDefinition } from "./function-definition.ts";

/** Where an object can be that a finding names. */
const SUSPECT = ["raw", "validated", "predictions"] as const;

/**
 * Holds no right to change identities or functions itself: it starts runbooks that do one thing each, and whose executions
 * are a record that it can't change.
 */
export const respond: FunctionDefinition = {
  description: "Answers findings, alarms and tampering: sets objects apart, contains roles and functions",
  memoryMb: 512,
  timeoutSeconds: 300,
  environment: ({ names }) => ({
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
          "s3:GetObject",
          "s3:GetObjectTagging",
          "s3:GetObjectVersion",
          "s3:GetObjectVersionTagging",
          "s3:PutObjectTagging",
          "s3:PutObjectVersionTagging",
        ],
        Resource: SUSPECT.map((kind) => `${bucketArn(around, kind)}/*`),
      }),
      write(around, "quarantine"),
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
        Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
        Resource: [
          arns.logGroup(names.logGroup("incidents")),
          `${arns.logGroup(names.logGroup("incidents"))}:log-stream:*`,
        ],
      }),
      ...publishAlerts(around),
    ];
  },
};
