import type { PipelineNames } from "./names.ts";
import type { Statement } from "./policy-document.ts";

/** Marks an object that nobody may read but who looks into it. */
export const QUARANTINED_TAG = "aidlc:quarantined";

/** Components that must reach a quarantined object: who sets it apart, who keeps copies, and who erases people from it. */
const EXEMPT = ["respond", "backup", "restore", "erase"] as const;

/** Nor may its mark be taken away by whoever may tag objects. */
export function quarantineDenial(
  bucketArn: string,
  roleArn: (role: string) => string,
  provisionerArn: string | undefined,
): Statement {
  return {
    Sid: "DenyQuarantined",
    Effect: "Deny",
    Principal: "*",
    Action: [
      "s3:DeleteObjectTagging",
      "s3:DeleteObjectVersionTagging",
      "s3:GetObject",
      "s3:GetObjectVersion",
      "s3:PutObjectTagging",
      "s3:PutObjectVersionTagging",
    ],
    Resource: `${bucketArn}/*`,
    Condition: {
      StringEquals: { [`s3:ExistingObjectTag/${QUARANTINED_TAG}`]: "true" },
      ArnNotEquals: {
        "aws:PrincipalArn": [
          ...EXEMPT.map(roleArn),
          ...(provisionerArn === undefined ? [] : [provisionerArn]),
        ],
      },
    },
  };
}

/** Runbooks of AWS Systems Manager by what they do; each takes one of this pipeline's own names. */
export const containmentRunbooks = (names: PipelineNames) => ({
  revoke: names.named("revoke-role"),
  disable: names.named("disable"),
});

/** Cuts off a role at once, sessions that it has already given included, until somebody detaches the policy. */
export const CUT_OFF: Statement = {
  Sid: "CutOff",
  Effect: "Deny",
  Action: "*",
  Resource: "*",
};

interface Step {
  readonly service: "iam" | "lambda";
  readonly api: "AttachRolePolicy" | "PutFunctionConcurrency";
  readonly inputs: Readonly<Record<string, string | number>>;
}

/** A runbook of one step (https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-executeawsapi.html). */
export function runbook(what: {
  readonly description: string;
  readonly assumeRole: string;
  readonly target: { readonly name: string; readonly prefix: string };
  readonly step: Step;
}): string {
  const { description, assumeRole, target, step } = what;
  return JSON.stringify({
    schemaVersion: "0.3",
    description,
    assumeRole,
    parameters: {
      [target.name]: {
        type: "String",
        description: "One of this pipeline's own",
        allowedPattern: `^${target.prefix}-[a-z0-9-]{1,15}$`,
      },
    },
    mainSteps: [
      {
        name: "contain",
        action: "aws:executeAwsApi",
        inputs: { Service: step.service, Api: step.api, ...step.inputs },
        isEnd: true,
      },
    ],
  });
}
