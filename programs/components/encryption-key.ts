import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { DataOnDestroy } from "../inputs.ts";
import { policyDocument, type Statement } from "../policy-document.ts";
import type { Tags } from "../tags.ts";

export interface EncryptionKeyArgs {
  readonly alias: string;
  /** The account's own unless given. */
  readonly region?: string;
  readonly description: string;
  readonly policy: readonly Statement[];
  /** A pair of keys that signs, instead of one that encrypts. */
  readonly signs?: boolean;
  /** Days in which a scheduled deletion can be taken back. */
  readonly deletionWindowInDays: number;
  readonly dataOnDestroy: DataOnDestroy;
  readonly tags: Tags;
}

/**
 * A customer key and its alias, retained with the data that only it can open or prove. Encryption keys rotate every year;
 * KMS rotates no asymmetric key: a compromised one is replaced, and what it signed is signed again.
 */
export class EncryptionKey extends pulumi.ComponentResource {
  readonly arn: pulumi.Output<string>;
  readonly keyId: pulumi.Output<string>;

  constructor(name: string, args: EncryptionKeyArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:EncryptionKey", name, {}, opts);
    const keep = { parent: this, retainOnDelete: args.dataOnDestroy === "retain" };
    const where = args.region === undefined ? {} : { region: args.region };
    const key = new aws.kms.Key(
      name,
      {
        ...where,
        description: args.description,
        policy: policyDocument(args.policy),
        ...(args.signs === true
          ? { keyUsage: "SIGN_VERIFY", customerMasterKeySpec: "ECC_NIST_P256" }
          : { enableKeyRotation: true }),
        deletionWindowInDays: args.deletionWindowInDays,
        // KMS makes the id up: by this a key is found again whose creation was never answered.
        tags: { ...args.tags, Name: args.alias.replace(/^alias\//, "") },
      },
      keep,
    );
    new aws.kms.Alias(`${name}-alias`, { ...where, name: args.alias, targetKeyId: key.keyId }, keep);
    this.arn = key.arn;
    this.keyId = key.keyId;
    this.registerOutputs({ arn: key.arn });
  }
}
