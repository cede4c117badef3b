import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import { policyDocument, type Statement } from "../policy-document.ts";
import { CONTINUOUS_BACKUP_DAYS, IRREPLACEABLE, MONTHLY_BACKUP_DAYS } from "../recovery.ts";
import { pipelineTags, type Tags } from "../tags.ts";
import { EventAlert } from "./event-alert.ts";
import type { PipelineAlerts } from "./pipeline-alerts.ts";
import type { PipelineBuckets } from "./pipeline-buckets.ts";
import type { PipelineRoles } from "./pipeline-roles.ts";
import { backupKey } from "./recovery-keys.ts";

export interface BackupsArgs {
  readonly setting: PipelineSetting;
  readonly buckets: PipelineBuckets;
  readonly roles: PipelineRoles;
  readonly alerts: PipelineAlerts;
  readonly tags: Tags;
}

/** Who holds a credential can't make a backup disappear at once. */
const LEAST_DAYS = 7;

/**
 * Backups of what can't be made again: to any second of the last weeks, and monthly ones. The vault's lock is in governance mode:
 * in compliance mode nobody, not even AWS, could delete the vault of a pipeline that shall go with its data.
 */
export class Backups extends pulumi.ComponentResource {
  readonly vaultArn: pulumi.Output<string>;

  constructor(name: string, args: BackupsArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:Backups", name, {}, opts);
    const { setting, tags } = args;
    const vault = this.vault(setting, tags);
    this.vaultArn = vault.arn;
    this.plan(args, vault.name);
    this.tellFailures(args, vault.name);
    // The restore role waits for the day when it is needed: whoever restores then names it.
    args.roles.of("restore");
    this.registerOutputs({ vaultArn: vault.arn });
  }

  private vault(setting: PipelineSetting, tags: Tags): aws.backup.Vault {
    const { names, dataOnDestroy } = setting;
    const keep = { parent: this, retainOnDelete: dataOnDestroy === "retain" };
    const vault = new aws.backup.Vault(
      "backups",
      {
        name: names.short("backups"),
        kmsKeyArn: backupKey(setting, tags, this).arn,
        forceDestroy: dataOnDestroy === "delete",
        tags,
      },
      keep,
    );
    new aws.backup.VaultLockConfiguration(
      "backups-lock",
      { backupVaultName: vault.name, minRetentionDays: LEAST_DAYS, maxRetentionDays: MONTHLY_BACKUP_DAYS },
      keep,
    );
    new aws.backup.VaultPolicy(
      "backups-policy",
      { backupVaultName: vault.name, policy: policyDocument([denyDeletion(setting)]) },
      keep,
    );
    return vault;
  }

  private plan({ setting, buckets, roles, tags }: BackupsArgs, vaultName: pulumi.Output<string>): void {
    const { arns, names, spec } = setting;
    const { expireAfterDays } = spec.dataset.retention;
    // A backup never outlives the data's own retention, but for the lock's least.
    const kept = (days: number) => ({ deleteAfter: Math.max(LEAST_DAYS, Math.min(days, expireAfterDays)) });
    // Of what they hold, as everything else; the provider tags plan and vault only.
    const recoveryPointTags = { ...pipelineTags(setting), ...tags };
    const plan = new aws.backup.Plan(
      "backups-plan",
      {
        name: names.short("backups"),
        rules: [
          {
            ruleName: "continuous",
            targetVaultName: vaultName,
            schedule: "cron(0 2 * * ? *)",
            enableContinuousBackup: true,
            recoveryPointTags,
            lifecycle: kept(CONTINUOUS_BACKUP_DAYS),
          },
          {
            ruleName: "monthly",
            targetVaultName: vaultName,
            schedule: "cron(0 4 1 * ? *)",
            recoveryPointTags,
            lifecycle: kept(MONTHLY_BACKUP_DAYS),
          },
        ],
        tags,
      },
      { parent: this },
    );
    new aws.backup.Selection(
      "backups-selection",
      {
        planId: plan.id,
        name: names.short("buckets"),
        iamRoleArn: roles.of("backup").readyArn,
        // By name and not by tag: a changed tag would end the backups silently, and whether tags count at all depends on a
        // setting of the account. Backup wants old versions to be kept.
        resources: IRREPLACEABLE.map((kind) => buckets[kind].versionedName.apply(arns.bucket)),
      },
      { parent: this },
    );
  }

  private tellFailures(
    { setting: { names, team, pipeline }, roles, alerts, tags }: BackupsArgs,
    backupVaultName: pulumi.Output<string>,
  ): void {
    new EventAlert(
      "backup-failed",
      {
        name: names.named("backup-failed"),
        description: "A backup did not come about",
        pattern: {
          source: ["aws.backup"],
          "detail-type": ["Backup Job State Change"],
          detail: { state: ["ABORTED", "EXPIRED", "FAILED"], backupVaultName: [backupVaultName] },
        },
        topicArn: alerts.topics.critical.publishableArn,
        roleArn: roles.of("alerts").readyArn,
        deadLetterQueueArn: alerts.deadLetters.sendableArn,
        message: {
          paths: { what: "$.detail.resourceArn", state: "$.detail.state" },
          text: `Backup of <what> of ${team}/${pipeline}: <state>`,
        },
        tags,
      },
      { parent: this },
    );
  }
}

/** Only the role that provisions the pipeline takes backups away; where the account names none, no role of any pipeline does. */
function denyDeletion({ account, arns, names }: PipelineSetting): Statement {
  return {
    Sid: "DenyDeletion",
    Effect: "Deny",
    Principal: "*",
    Action: [
      "backup:DeleteBackupVault",
      "backup:DeleteBackupVaultAccessPolicy",
      "backup:DeleteRecoveryPoint",
      "backup:PutBackupVaultAccessPolicy",
      "backup:UpdateRecoveryPointLifecycle",
    ],
    Resource: [arns.vault(names.short("backups")), arns.regional("backup", "recovery-point:*")],
    Condition:
      account.roleArn === undefined
        ? { ArnLike: { "aws:PrincipalArn": arns.role("*") } }
        : { ArnNotEquals: { "aws:PrincipalArn": account.roleArn } },
  };
}
