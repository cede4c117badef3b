import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { DataOnDestroy } from "../inputs.ts";
import { policyDocument, type Statement } from "../policy-document.ts";
import type { Tags } from "../tags.ts";

export interface EncryptionKeyArgs {
  readonly alias: string;
  readonly description: string;
  readonly policy: readonly Statement[];
  /** Days in which a scheduled deletion can be taken back. */
  readonly deletionWindowInDays: number;
  readonly dataOnDestroy: DataOnDestroy;
  readonly tags: Tags;
}

/** A customer key with yearly rotation and its alias. Retained with the data that only it can open. */
export class EncryptionKey extends pulumi.ComponentResource {
  readonly arn: pulumi.Output<string>;
  readonly keyId: pulumi.Output<string>;

  constructor(name: string, args: EncryptionKeyArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:EncryptionKey", name, {}, opts);
    const keep = { parent: this, retainOnDelete: args.dataOnDestroy === "retain" };
    const key = new aws.kms.Key(
      name,
      {
        description: args.description,
        policy: policyDocument(args.policy),
        enableKeyRotation: true,
        deletionWindowInDays: args.deletionWindowInDays,
        tags: args.tags,
      },
      keep,
    );
    new aws.kms.Alias(`${name}-alias`, { name: args.alias, targetKeyId: key.keyId }, keep);
    this.arn = key.arn;
    this.keyId = key.keyId;
    this.registerOutputs({ arn: key.arn });
  }
}
