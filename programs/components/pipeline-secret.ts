import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import { policyDocument } from "../policy-document.ts";
import { PIPELINE_ROLES, ROLES } from "../roles/index.ts";
import type { Tags } from "../tags.ts";
import type { PipelineKeys } from "./pipeline-keys.ts";

const RECOVERY_DAYS = 30;

/**
 * The pipeline's own secret: a random key, with which proofs and metrics name people without naming them. The program plants no
 * value, since it would stand in the state; the first component that needs one makes it. Only roles whose definition says
 * `secret` reach the value, whatever else IAM may allow in the account.
 */
export class PipelineSecret extends pulumi.ComponentResource {
  readonly secret: aws.secretsmanager.Secret;
  /** Known once the policy is in force. */
  readonly guardedArn: pulumi.Output<string>;

  constructor(
    name: string,
    args: { readonly setting: PipelineSetting; readonly keys: PipelineKeys; readonly tags: Tags },
    opts: pulumi.ComponentResourceOptions,
  ) {
    super("aidlc:component:PipelineSecret", name, {}, opts);
    const { setting, keys, tags } = args;
    const { names, team, pipeline, dataOnDestroy } = setting;
    const keep = { parent: this, retainOnDelete: dataOnDestroy === "retain" };
    this.secret = new aws.secretsmanager.Secret(
      name,
      {
        name: names.secret,
        description: `Random key of AIDLC ${team}/${pipeline} for pseudonyms`,
        kmsKeyId: keys.data.arn,
        // A deleted secret's name stays taken until it is gone for good.
        recoveryWindowInDays: dataOnDestroy === "delete" ? 0 : RECOVERY_DAYS,
        tags,
      },
      keep,
    );
    const policy = new aws.secretsmanager.SecretPolicy(
      `${name}-policy`,
      { secretArn: this.secret.arn, blockPublicPolicy: true, policy: secretPolicy(setting) },
      keep,
    );
    this.guardedArn = policy.secretArn;
    this.registerOutputs({ arn: this.secret.arn });
  }
}

function secretPolicy({ account, arns, names }: PipelineSetting): string {
  const users = PIPELINE_ROLES.filter((role) => ROLES[role].keyUses.includes("secret")).map((role) =>
    arns.role(names.named(role)),
  );
  // In the policy of a secret "*" is the secret itself.
  const everybody = { Effect: "Deny", Principal: "*", Resource: "*" } as const;
  return policyDocument([
    {
      ...everybody,
      Sid: "DenyPlainHttp",
      Action: "secretsmanager:*",
      Condition: { Bool: { "aws:SecureTransport": "false" } },
    },
    {
      ...everybody,
      Sid: "DenyOtherAccounts",
      Action: "secretsmanager:*",
      Condition: {
        StringNotEqualsIfExists: { "aws:PrincipalAccount": account.accountId },
        BoolIfExists: { "aws:PrincipalIsAWSService": "false" },
      },
    },
    {
      ...everybody,
      Sid: "DenyValueToOthers",
      Action: [
        "secretsmanager:BatchGetSecretValue",
        "secretsmanager:GetSecretValue",
        "secretsmanager:PutSecretValue",
        "secretsmanager:UpdateSecretVersionStage",
      ],
      Condition: {
        ArnNotLike: { "aws:PrincipalArn": users },
        // Replication and rotation are Secrets Manager's own work.
        BoolIfExists: { "aws:PrincipalIsAWSService": "false" },
      },
    },
  ]);
}
