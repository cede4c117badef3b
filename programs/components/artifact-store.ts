import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { FoundationOutputs } from "../inputs.ts";
import type { AccountSetting } from "../phases/account-setting.ts";
import type { Tags } from "../tags.ts";
import { EncryptionKey } from "./encryption-key.ts";
import { administration, jobKeyChecks, useThroughS3 } from "./key-policy.ts";
import { type LifecycleRule, ProtectedBucket } from "./protected-bucket.ts";

export interface ArtifactStoreArgs extends AccountSetting {
  readonly logs: { readonly bucket: pulumi.Input<string>; readonly bucketArn: string };
  readonly tags: Tags;
}

// A source bundle outlives the approvals and the soak of its release by far; what is built from it is in the registries.
const LIFECYCLE: readonly LifecycleRule[] = [
  { id: "expire", status: "Enabled", filter: { prefix: "" }, expiration: { days: 365 } },
];

/**
 * Where source bundles arrive, each pipeline's below `<team>/<pipeline>/`, and CI keeps what it makes of them. Arrivals
 * are told to EventBridge, which starts the pipeline they are for.
 */
export class ArtifactStore extends pulumi.ComponentResource {
  readonly outputs: pulumi.Output<FoundationOutputs["artifacts"]>;

  constructor(name: string, args: ArtifactStoreArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:ArtifactStore", name, {}, opts);
    const { account, arns, names, dataOnDestroy, tags } = args;
    const bucketArn = arns.bucket(names.artifactsBucket);
    const key = this.key(name, args, bucketArn);
    const store = new ProtectedBucket(
      name,
      {
        bucket: names.artifactsBucket,
        bucketArn,
        accountId: account.accountId,
        keyArn: key.arn,
        lifecycle: LIFECYCLE,
        logs: { ...args.logs, prefix: "artifacts" },
        dataOnDestroy,
        tags,
      },
      { parent: this },
    );
    new aws.s3.BucketNotification(
      `${name}-events`,
      { bucket: store.bucket.bucket, eventbridge: true },
      { parent: this, retainOnDelete: dataOnDestroy === "retain" },
    );
    this.outputs = pulumi.output({
      bucket: { name: store.guardedName, arn: bucketArn },
      keyArn: key.arn,
    });
    this.registerOutputs({});
  }

  private key(name: string, args: ArtifactStoreArgs, bucketArn: string): EncryptionKey {
    const { account, arns, names, dataOnDestroy, tags } = args;
    const ofPipelines = [arns.role("*")];
    const shared = { region: account.region, bucketArns: [bucketArn] };
    return new EncryptionKey(
      `${name}-key`,
      {
        alias: names.artifactsKeyAlias,
        description: "Source bundles and build artifacts of the account's pipelines",
        policy: [
          administration(arns),
          useThroughS3(arns, {
            ...shared,
            sid: "Builds",
            who: { ArnLike: { "aws:PrincipalArn": ofPipelines } },
          }),
          useThroughS3(arns, {
            ...shared,
            sid: "Uploaders",
            who: { StringEquals: { "aws:PrincipalTag/aidlc:uploader": "true" } },
          }),
          jobKeyChecks(arns, ofPipelines),
        ],
        deletionWindowInDays: 30,
        dataOnDestroy,
        tags,
      },
      { parent: this },
    );
  }
}
