import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { boundaryStatements } from "../boundary-policy.ts";
import type { FoundationOutputs } from "../inputs.ts";
import { policyDocument } from "../policy-document.ts";
import type { AccountSetting } from "./account-setting.ts";
import { Phase } from "./phase.ts";

export interface AccountInfrastructureArgs extends AccountSetting {
  readonly logsKeyArn: pulumi.Input<string>;
}

const JOB_LOG_RETENTION_DAYS = 30;

/** Settings that harden the account for everything in it, and what all of its pipelines' roles share. */
export class AccountInfrastructure extends Phase {
  readonly boundaryArn: pulumi.Output<string>;
  readonly jobLogGroups: FoundationOutputs["jobLogGroups"];

  constructor(args: AccountInfrastructureArgs, opts: pulumi.ComponentResourceOptions) {
    super("infrastructure", opts);
    this.harden(args);
    const { account, arns, names } = args;
    this.boundaryArn = new aws.iam.Policy(
      "boundary",
      {
        name: names.boundary,
        path: "/aidlc/",
        description: "Permissions boundary of every role of every AIDLC pipeline in this region",
        policy: policyDocument(boundaryStatements(arns, account.accountId, account.region)),
        tags: this.tags,
      },
      { parent: this },
    ).arn;
    this.jobLogGroups = { processing: names.processingLogGroup, training: names.trainingLogGroup };
    if (args.existing.sageMakerLogGroups !== true) this.ownJobLogGroups(args.logsKeyArn);
    this.registerOutputs({});
  }

  /** Destroying the foundation must not weaken the account, so these settings stay unless everything goes. */
  private harden({ account, dataOnDestroy }: AccountInfrastructureArgs): void {
    const keep = { parent: this, retainOnDelete: dataOnDestroy === "retain" };
    // The key stays AWS's own: a customer key as the account's default breaks every service that may not use it.
    new aws.ebs.EncryptionByDefault("ebs-encryption", { enabled: true }, keep);
    new aws.ec2.InstanceMetadataDefaults(
      "instance-metadata",
      // Two hops reach a container on the instance; the session token stays required.
      { httpTokens: "required", httpPutResponseHopLimit: 2 },
      keep,
    );
    new aws.s3.AccountPublicAccessBlock(
      "public-access",
      {
        accountId: account.accountId,
        blockPublicAcls: true,
        blockPublicPolicy: true,
        ignorePublicAcls: true,
        restrictPublicBuckets: true,
      },
      keep,
    );
  }

  /** SageMaker would create these itself at the first job: unencrypted and kept for ever. */
  private ownJobLogGroups(kmsKeyId: pulumi.Input<string>): void {
    for (const [job, name] of Object.entries(this.jobLogGroups)) {
      new aws.cloudwatch.LogGroup(
        `${job}-jobs`,
        { name, kmsKeyId, retentionInDays: JOB_LOG_RETENTION_DAYS, tags: this.tags },
        { parent: this },
      );
    }
  }
}
