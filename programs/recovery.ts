import type { DataBucket } from "./names.ts";

/**
 * What nothing else can make again, and what is therefore replicated and backed up: what the team brought, the accepted data with the
 * manifests that tell which of it trained which model, the models, and what was predicted from them. Features are computed from
 * validated data, and quarantine waits for somebody to look at it.
 */
export const IRREPLACEABLE = [
  "raw",
  "validated",
  "models",
  "predictions",
] as const satisfies readonly DataBucket[];
export type Irreplaceable = (typeof IRREPLACEABLE)[number];

/** S3 Replication Time Control knows this one limit; it is the recovery point objective of replicas. */
export const REPLICATION_MINUTES = 15;

/** The longest that AWS Backup can take S3 back to any second. */
export const CONTINUOUS_BACKUP_DAYS = 35;

/** How long monthly backups are kept, unless the data itself is not kept so long. */
export const MONTHLY_BACKUP_DAYS = 365;
