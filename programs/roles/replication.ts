import { allow, bucketArn, useRecoveryKey } from "../grants.ts";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import { IRREPLACEABLE } from "../recovery.ts";
import type { RoleDefinition } from "./role-definition.ts";
import { trustedWhereNamed } from "./trust.ts";

const sources = ({ arns, names }: PipelineSetting) =>
  IRREPLACEABLE.map((kind) => arns.bucket(names.bucket(kind)));

/** Only pipelines with a replica region have the role. */
function replicaRegion({ spec }: PipelineSetting): string {
  const { replicaRegion } = spec.dataset;
  if (replicaRegion === undefined)
    throw new Error("There is nothing to replicate to without a replica region");
  return replicaRegion;
}

export const replication: RoleDefinition = {
  description: "Copies what can't be made again to the replica region",
  trust: trustedWhereNamed("s3.amazonaws.com", sources),
  keyUses: ["data", "models"],
  grants: (around) => {
    const { account, arns, names } = around.setting;
    const region = replicaRegion(around.setting);
    return [
      allow({
        Sid: "ReadReplication",
        Action: ["s3:GetReplicationConfiguration", "s3:ListBucket"],
        Resource: sources(around.setting),
      }),
      allow({
        Sid: "ReadSources",
        Action: ["s3:GetObjectVersionAcl", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionTagging"],
        Resource: IRREPLACEABLE.map((kind) => `${bucketArn(around, kind)}/*`),
      }),
      allow({
        Sid: "WriteReplicas",
        Action: ["s3:ReplicateDelete", "s3:ReplicateObject", "s3:ReplicateTags"],
        Resource: IRREPLACEABLE.map((kind) => `${arns.bucket(names.replicaBucket(kind, region))}/*`),
      }),
      allow({
        Sid: "OpenSources",
        Action: "kms:Decrypt",
        Resource: [around.keys.data, around.keys.models],
        Condition: { StringEquals: { "kms:ViaService": `s3.${account.region}.amazonaws.com` } },
      }),
      useRecoveryKey(around, "replicas", {
        sid: "EncryptReplicas",
        region,
        action: ["kms:Encrypt", "kms:GenerateDataKey"],
        condition: { StringEquals: { "kms:ViaService": `s3.${region}.amazonaws.com` } },
      }),
    ];
  },
};
