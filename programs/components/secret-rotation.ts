import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { HandlerFunction, type HandlerFunctionArgs } from "./handler-function.ts";

export interface SecretRotationArgs extends HandlerFunctionArgs {
  /** Of the secret, once its policy is in force. */
  readonly secretArn: pulumi.Input<string>;
}

const EVERY_DAYS = 90;

/** Rotates a secret every quarter by a function that Secrets Manager may call for this secret only. */
export class SecretRotation extends pulumi.ComponentResource {
  constructor(name: string, args: SecretRotationArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:SecretRotation", name, {}, opts);
    const rotate = new HandlerFunction("rotate-secret", args, { parent: this });
    const permission = new aws.lambda.Permission(
      `${name}-permission`,
      {
        statementId: "rotation",
        action: "lambda:InvokeFunction",
        function: rotate.function.name,
        principal: "secretsmanager.amazonaws.com",
        sourceAccount: args.setting.account.accountId,
        sourceArn: args.secretArn,
      },
      { parent: this },
    );
    new aws.secretsmanager.SecretRotation(
      name,
      {
        secretId: args.secretArn,
        // Secrets Manager refuses a function that it may not call.
        rotationLambdaArn: pulumi.all([rotate.arn, permission.id]).apply(([arn]) => arn),
        rotationRules: { automaticallyAfterDays: EVERY_DAYS },
        // A new secret has no value yet: its first user makes one.
        rotateImmediately: false,
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
