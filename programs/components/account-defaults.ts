import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { AccountSetting } from "../phases/account-setting.ts";

/**
 * Settings that harden the account for everything in it. Destroying the foundation must not weaken the account, so they stay
 * unless everything goes.
 *
 * Encryption by default takes AWS's own keys: a customer key as an account's default locks out every service and every person
 * that may not use it. What pipelines create names its own key.
 */
export class AccountDefaults extends pulumi.ComponentResource {
  constructor(name: string, setting: AccountSetting, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:AccountDefaults", name, {}, opts);
    const keep = { parent: this, retainOnDelete: setting.dataOnDestroy === "retain" };
    this.instances(keep);
    this.buckets(setting, keep);
    this.images(setting, keep);
    this.traces(setting, keep);
    this.catalog(setting, keep);
    this.registerOutputs({});
  }

  private instances(keep: pulumi.CustomResourceOptions): void {
    new aws.ebs.EncryptionByDefault("ebs-encryption", { enabled: true }, keep);
    new aws.ebs.SnapshotBlockPublicAccess("ebs-snapshots", { state: "block-all-sharing" }, keep);
    new aws.ec2.InstanceMetadataDefaults(
      "instance-metadata",
      // Two hops reach a container on the instance; the session token stays required.
      { httpTokens: "required", httpPutResponseHopLimit: 2 },
      keep,
    );
  }

  private buckets({ account }: AccountSetting, keep: pulumi.CustomResourceOptions): void {
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

  private images({ existing, profile }: AccountSetting, keep: pulumi.CustomResourceOptions): void {
    if (existing.registryScanning !== undefined) return;
    const filters = [{ filter: "aidlc/*", filterType: "WILDCARD" }];
    new aws.ecr.RegistryScanningConfiguration(
      "image-scanning",
      // Amazon Inspector's scan also covers language packages and goes on for as long as an image lives; it costs per image.
      profile === "production"
        ? {
            scanType: "ENHANCED",
            rules: [{ scanFrequency: "CONTINUOUS_SCAN", repositoryFilters: filters }],
          }
        : { scanType: "BASIC", rules: [{ scanFrequency: "SCAN_ON_PUSH", repositoryFilters: filters }] },
      keep,
    );
  }

  private traces({ existing }: AccountSetting, keep: pulumi.CustomResourceOptions): void {
    if (existing.xrayEncryption !== undefined) return;
    new aws.xray.EncryptionConfig(
      "xray-encryption",
      { type: "KMS", keyId: "alias/aws/xray" },
      // X-Ray answers with the ARN of the key behind the alias.
      { ...keep, ignoreChanges: ["keyId"] },
    );
  }

  private catalog({ existing }: AccountSetting, keep: pulumi.CustomResourceOptions): void {
    if (existing.catalogEncryption !== undefined) return;
    new aws.glue.DataCatalogEncryptionSettings(
      "catalog-encryption",
      {
        dataCatalogEncryptionSettings: {
          encryptionAtRest: { catalogEncryptionMode: "SSE-KMS", sseAwsKmsKeyId: "alias/aws/glue" },
          // Would need a customer key that everybody who makes a connection may use; pipelines keep passwords in secrets.
          connectionPasswordEncryption: { returnConnectionPasswordEncrypted: false },
        },
      },
      { ...keep, ignoreChanges: ["dataCatalogEncryptionSettings.encryptionAtRest.sseAwsKmsKeyId"] },
    );
  }
}
