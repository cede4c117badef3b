import { benign, cost, data, ifLess, lost, security, type TypeRules, unknown, wholly } from "./rule.ts";

const readable = security("high", "Who may read or write the data was changed");
const enciphered = security("high", "How the data is enciphered was changed");
const kept = data("high", "How long data is kept, or whether it can be brought back, was changed");
const copied = data("high", "Whether the data has a copy elsewhere was changed");
const announced = security("medium", "Whom the storage tells of what happens in it was changed");

/** Buckets, keys, secrets, queues, backups, tables: what holds data, and what protects it. */
export const storageRules: Readonly<Record<string, TypeRules>> = {
  "aws:s3/bucket:Bucket": {
    holds: "its objects",
    properties: [
      [/^(policy|acl|grants)/, readable],
      [/^serverSideEncryptionConfiguration/, enciphered],
      [/^(versioning|lifecycleRules|objectLock)/, kept],
      [/^replicationConfiguration/, copied],
      [/^logging/, security("high", "Whether access to the bucket is logged was changed")],
      [/^(acceleration|requestPayer)/, cost("low", "What the bucket's traffic costs was changed")],
      [/^forceDestroy/, benign("It is no property of the bucket on AWS")],
    ],
    otherwise: unknown("medium", "A property of the bucket was changed"),
  },
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": wholly(
    security("critical", "The bucket may be opened to everybody"),
  ),
  "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock": wholly(
    security("critical", "Every bucket of the account may be opened to everybody"),
  ),
  "aws:s3/bucketPolicy:BucketPolicy": wholly(readable),
  "aws:s3/bucketAcl:BucketAcl": wholly(readable),
  "aws:s3/bucketOwnershipControls:BucketOwnershipControls": wholly(readable),
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration":
    wholly(enciphered),
  "aws:s3/bucketVersioning:BucketVersioning": wholly(
    data("critical", "What is overwritten or deleted can't be brought back without versions"),
  ),
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": {
    properties: [
      [/(transitions|Transitions)/, cost("low", "When data moves to cheaper storage was changed")],
      [/abortIncompleteMultipartUpload/, cost("low", "What unfinished uploads cost was changed")],
    ],
    otherwise: kept,
  },
  "aws:s3/bucketReplicationConfig:BucketReplicationConfig": wholly(copied),
  "aws:s3/bucketLogging:BucketLogging": wholly(
    security("high", "Whether access to the bucket is logged was changed"),
  ),
  "aws:s3/bucketNotification:BucketNotification": wholly(announced),
  "aws:s3/inventory:Inventory": wholly(security("medium", "What proves the bucket's contents was changed")),
  "aws:s3/bucketObjectv2:BucketObjectv2": wholly(
    security("high", "A file that the pipeline runs or obeys was changed"),
  ),
  "aws:kms/key:Key": {
    holds: "everything enciphered with it",
    properties: [
      [/^policy/, security("critical", "Who may use or give away the key was changed")],
      [/^enableKeyRotation|^rotationPeriod/, security("high", "Whether the key is renewed was changed")],
      [/^isEnabled/, data("critical", "What is enciphered with the key can't be read while it is disabled")],
      [/^deletionWindowInDays/, benign("It is no property of the key on AWS")],
    ],
    otherwise: security("high", "A property of the key was changed"),
  },
  "aws:kms/replicaKey:ReplicaKey": {
    holds: "everything enciphered with it",
    properties: [
      [/^enabled/, data("critical", "What is enciphered with the key can't be read while it is disabled")],
    ],
    otherwise: security("critical", "Who may use or give away the key was changed"),
  },
  "aws:kms/alias:Alias": wholly(security("high", "The name of a key leads to another one")),
  "aws:secretsmanager/secret:Secret": {
    holds: "the secret",
    properties: [
      [/^policy/, security("critical", "Who may read the secret was changed")],
      [/^replicas/, copied],
      [/^recoveryWindowInDays|^forceOverwrite/, benign("It is no property of the secret on AWS")],
    ],
    otherwise: security("high", "A property of the secret was changed"),
  },
  "aws:secretsmanager/secretPolicy:SecretPolicy": wholly(
    security("critical", "Who may read the secret was changed"),
  ),
  "aws:secretsmanager/secretRotation:SecretRotation": wholly(
    security("high", "Whether the secret is renewed was changed"),
  ),
  "aws:backup/vault:Vault": {
    holds: "its recovery points",
    properties: [
      [
        /^recoveryPoints$/,
        ({ before, after }) =>
          Number(before ?? 0) > 0 && Number(after ?? 0) === 0
            ? lost("The vault holds no recovery point any more")
            : benign("AWS counts them, and deletes those whose time has come"),
      ],
    ],
    otherwise: enciphered,
  },
  "aws:backup/vaultLockConfiguration:VaultLockConfiguration": wholly(
    data("critical", "Recovery points may be deleted before their time"),
  ),
  "aws:backup/vaultPolicy:VaultPolicy": wholly(
    security("critical", "Who may delete or copy recovery points was changed"),
  ),
  "aws:backup/plan:Plan": wholly(data("high", "When backups are made, or how long they stay, was changed")),
  "aws:backup/selection:Selection": wholly(data("high", "What is backed up was changed")),
  "aws:glue/catalogDatabase:CatalogDatabase": wholly(data("medium", "The catalog of the data was changed")),
  "aws:glue/catalogTable:CatalogTable": wholly(
    data("medium", "What the data is said to look like was changed"),
  ),
  "aws:glue/crawler:Crawler": {
    properties: [
      [/^(role|securityConfiguration)/, security("high", "What the crawler may do was changed")],
      [/^schedule/, cost("low", "When the crawler runs was changed")],
    ],
    otherwise: data("medium", "What the crawler does to the catalog was changed"),
  },
  "aws:glue/dataCatalogEncryptionSettings:DataCatalogEncryptionSettings": wholly(enciphered),
  "aws:glue/securityConfiguration:SecurityConfiguration": wholly(enciphered),
  "aws:lakeformation/*": wholly(security("critical", "Who may read the data lake was changed")),
  "aws:sqs/queue:Queue": {
    holds: "the messages that wait in it",
    properties: [
      [/^policy/, readable],
      [/^(kmsMasterKeyId|kmsDataKeyReuse|sqsManagedSseEnabled)/, enciphered],
      [/^messageRetentionSeconds/, ifLess(kept, benign("Messages stay longer"))],
      [/^redrive/, data("high", "Where messages go that fail was changed")],
    ],
    otherwise: unknown("medium", "How the queue hands out messages was changed"),
  },
  "aws:sqs/queuePolicy:QueuePolicy": wholly(readable),
  "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": wholly(
    data("medium", "Which queues may put failed messages here was changed"),
  ),
  "aws:ecr/repository:Repository": {
    holds: "its images",
    properties: [
      [/^imageTagMutability/, security("high", "A tag may come to mean another image")],
      [/^(imageScanningConfiguration)/, security("medium", "Whether images are scanned was changed")],
      [/^encryptionConfigurations/, enciphered],
      [/^forceDelete/, benign("It is no property of the repository on AWS")],
    ],
    otherwise: unknown("medium", "A property of the repository was changed"),
  },
  "aws:ecr/repositoryPolicy:RepositoryPolicy": wholly(
    security("high", "Who may push or pull images was changed"),
  ),
  "aws:ecr/lifecyclePolicy:LifecyclePolicy": wholly(data("medium", "How long images are kept was changed")),
  "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration": wholly(
    security("medium", "Whether images are scanned was changed"),
  ),
};
