import type * as pulumi from "@pulumi/pulumi";
import { arnsIn } from "../arns.ts";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import { IRREPLACEABLE } from "../recovery.ts";
import type { Tags } from "../tags.ts";
import { EncryptionKey } from "./encryption-key.ts";
import { administration, backups, backupVaults, replicaWrites, teamDecrypts } from "./key-policy.ts";
import { deletionWindowInDays } from "./pipeline-keys.ts";

/**
 * The key of the replicas, in their region. Not a multi-region key's replica: whether a key is one can't be changed, so the
 * pipeline's keys would have to be replaced when it gets replicas, and what it wrote before could not be read without the old
 * ones. S3 encrypts each replica anew under this key, so nothing depends on a key of the region that was lost.
 */
export function replicaKey(
  { account, arns, names, spec, team, pipeline, dataOnDestroy }: PipelineSetting,
  region: string,
  tags: Tags,
  parent: pulumi.Resource,
): EncryptionKey {
  const bucketArns = IRREPLACEABLE.map((kind) => arns.bucket(names.replicaBucket(kind, region)));
  const there = arnsIn({ accountId: account.accountId, region });
  return new EncryptionKey(
    "replicas-key",
    {
      alias: names.recoveryKeyAlias("replicas"),
      region,
      description: `AIDLC ${team}/${pipeline}: replicas of data and models in ${account.region}`,
      policy: [
        administration(there),
        replicaWrites(there, { region, bucketArns, roleArn: arns.role(names.named("replication")) }),
        // Who recovers is not known beforehand: a person or a role with the team's tag, as far as its own policy goes.
        teamDecrypts(there, { region, bucketArns, team }),
      ],
      deletionWindowInDays: deletionWindowInDays(spec),
      dataOnDestroy,
      tags,
    },
    { parent },
  );
}

/** The key of the backups: they stay readable when a key of the pipeline is lost or abused. */
export function backupKey(
  { account, arns, names, spec, team, pipeline, dataOnDestroy }: PipelineSetting,
  tags: Tags,
  parent: pulumi.Resource,
): EncryptionKey {
  const { accountId } = account;
  return new EncryptionKey(
    "backups-key",
    {
      alias: names.recoveryKeyAlias("backups"),
      description: `AIDLC ${team}/${pipeline}: backups of data and models`,
      policy: [
        administration(arns),
        backupVaults(arns, accountId, account.region),
        ...backups(arns, [
          arns.role(names.named("backup")),
          arns.role(names.named("restore")),
          `arn:${arns.partition}:iam::${accountId}:role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup`,
        ]),
      ],
      deletionWindowInDays: deletionWindowInDays(spec),
      dataOnDestroy,
      tags,
    },
    { parent },
  );
}
