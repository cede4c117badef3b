import type { Requirement } from "../requirement.ts";

export const INFRASTRUCTURE: readonly Requirement[] = [
  {
    id: "I1",
    promise:
      "Separate buckets for raw, quarantined and validated data, features, models, predictions and access logs",
    from: "learning",
    keptBy: ["resources"],
    pipeline: [["s3/bucket:Bucket", /^(raw|quarantine|validated|features|models|predictions|access-logs)$/]],
    tests: [
      ["programs/pipeline.test.ts", "consists of these resources, each in its phase"],
      ["programs/protections.test.ts", "%s has its protections, its key, access logs and an inventory"],
    ],
  },
  {
    id: "I2",
    promise:
      "Data is encrypted with the pipeline's own key and bucket keys; uploads under another key, without TLS or with TLS older than 1.2 are denied",
    from: "learning",
    keptBy: ["resources", "policy"],
    policies: [
      "s3-encrypted-with-customer-key",
      "s3-bucket-key-enabled",
      "s3-deny-wrong-encryption",
      "s3-deny-insecure-transport",
      "s3-deny-outdated-tls",
    ],
    pipeline: [
      "s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
      "s3/bucketPolicy:BucketPolicy",
    ],
    tests: [
      ["programs/protections.test.ts", "%s has its protections, its key, access logs and an inventory"],
      [
        "programs/protections.test.ts",
        "never deny an upload that says nothing of encryption: the bucket's default applies",
      ],
    ],
  },
  {
    id: "I3",
    promise: "Buckets are versioned, closed to the public and to ACLs, with access logs and an inventory",
    from: "learning",
    keptBy: ["resources"],
    policies: [
      "s3-versioning-enabled",
      "s3-public-access-blocked",
      "s3-acl-disabled",
      "s3-access-logging-enabled",
      "s3-inventory-enabled",
    ],
    pipeline: [
      "s3/bucketVersioning:BucketVersioning",
      "s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
      "s3/bucketOwnershipControls:BucketOwnershipControls",
      "s3/bucketLogging:BucketLogging",
      "s3/inventory:Inventory",
    ],
    tests: [
      ["programs/protections.test.ts", "%s has its protections, its key, access logs and an inventory"],
    ],
  },
  {
    id: "I4",
    promise:
      "Data is archived after 90 and deleted after 365 days unless the spec says otherwise; unfinished uploads and old versions go as well",
    from: "learning",
    keptBy: ["resources"],
    policies: ["s3-lifecycle-configured"],
    pipeline: ["s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"],
    tests: [
      [
        "programs/protections.test.ts",
        "validated archives data so that trainings read it at once, and neither manifests nor baselines",
      ],
      [
        "programs/protections.test.ts",
        "models archives and expires replaced artifacts only: the registry refers to current ones",
      ],
    ],
  },
  {
    id: "I5",
    promise: "Keys for data, models and logs rotate; who administers a key can't decrypt with it",
    from: "learning",
    keptBy: ["resources"],
    policies: ["kms-key-rotation-enabled", "kms-administration-separated-from-use"],
    pipeline: [["kms/key:Key", /^(data|models|logs)-key$/]],
    tests: [["programs/policies.test.ts", "separate administration of the %s key from its use"]],
  },
  {
    id: "I6",
    promise:
      "Each component has a role of its own with exactly what it needs, under a permissions boundary, and services act only for this account",
    from: "learning",
    keptBy: ["resources", "foundation", "policy"],
    policies: [
      "iam-no-wildcard-action-on-wildcard-resource",
      "iam-role-has-permissions-boundary",
      "iam-confused-deputy-prevented",
      "iam-pass-role-restricted",
    ],
    pipeline: ["iam/role:Role", "iam/rolePolicy:RolePolicy"],
    foundation: [["iam/policy:Policy", /^boundary$/]],
    tests: [
      ["programs/roles.test.ts", "reach no bucket, table, key or secret of anybody else"],
      ["programs/roles.test.ts", "may do nothing that the boundary forbids"],
      ["programs/policies.test.ts", "allow no wildcard action on a wildcard resource"],
      ["programs/policies.test.ts", "let a service act only for resources of this account"],
    ],
  },
  {
    id: "I7",
    promise:
      "Every arriving file is validated (schema, nulls, duplicates, drift, anomalies) and goes to validated or quarantine, with metrics, alerts and a dead-letter queue",
    from: "learning",
    keptBy: ["handlers"],
    policies: ["events-have-dead-letters", "lambda-dead-letter-queue"],
    pipeline: [
      ["lambda/function:Function", /^validate$/],
      "lambda/eventSourceMapping:EventSourceMapping",
      "s3/bucketNotification:BucketNotification",
      ["sqs/queue:Queue", /dead-letters/],
    ],
    tests: [
      [
        "programs/components/ingestion.test.ts",
        "begins with every new object in raw, which only this bucket may announce",
      ],
      [
        "programs/components/ingestion.test.ts",
        "loses nothing: what fails five times waits among the unprocessed, longer than it could wait before",
      ],
      [
        "handlers/validate.aws.test.ts",
        "copies good data with what is known of it, and lists it for training",
      ],
      [
        "handlers/validate.aws.test.ts",
        "quarantines bad data whole, with reasons and masked samples, and tells",
      ],
      ["handlers/validate.aws.test.ts", "gives %s a verdict instead of failing"],
      ["handlers/validate.aws.test.ts", "warns of accepted data that drifts from the baseline"],
      ["handlers/validate.aws.test.ts", "tells of an object that is too large, and leaves it where it is"],
      [
        "handlers/validate.aws.test.ts",
        "hands an object that is too large over to one processing job, however often it is told",
      ],
      [
        "handlers/validate-process.aws.test.ts",
        "comes in a process of its own to the verdict and the copy that the function comes to",
      ],
      ["handlers/dataset/checks.test.ts", "%s in one row is found"],
    ],
    notYet:
      "files above 10 GB of text or 6 GB of Parquet need dataset.validationImage, an image that somebody builds; without it they stay in raw, and the critical topic is told",
  },
  {
    id: "I8",
    promise:
      "A processing step prepares data and features; a Feature Store group where the spec asks for one",
    from: "learning",
    keptBy: ["resources", "handlers"],
    policies: ["feature-store-customer-key"],
    pipeline: ["sagemaker/pipeline:Pipeline", "sagemaker/featureGroup:FeatureGroup"],
    tests: [
      [
        "programs/pipeline-definition.test.ts",
        "processes, trains, evaluates, and registers behind the quality gate",
      ],
      ["programs/components/ingestion.test.ts", "makes no features where the spec asks for no feature group"],
      [
        "programs/components/declared-features.test.ts",
        "are fitted by a function that the pipeline's definition calls, and its role alone may",
      ],
      ["handlers/fit-transform.aws.test.ts", "keeps the parameters under their digest: %s"],
      ["programs/pipeline-definition.test.ts", "are a channel of %s by an own image"],
      ["handlers/features/skew.test.ts", "have the same features of every one of the %s, to the last bit"],
      ["handlers/models/feature-input.test.ts", "is sent the very numbers that the query gives to training"],
      [
        "handlers/gate.aws.test.ts",
        "gives each of two versions that share the traffic its own features, and an own image the rows",
      ],
      ["handlers/features.aws.test.ts", "are put once, however often their object is told of"],
    ],
  },
  {
    id: "I9",
    promise: "Every object's version, checksum, schema, source and run can be traced",
    from: "learning",
    keptBy: ["handlers"],
    tests: [
      [
        "handlers/validate.aws.test.ts",
        "copies good data with what is known of it, and lists it for training",
      ],
      [
        "handlers/register-model.aws.test.ts",
        "records data, code, images, hyperparameters, metrics and jobs of a version",
      ],
      [
        "handlers/register-model.aws.test.ts",
        "names the versions that the training read, not those that came since",
      ],
      [
        "handlers/register-model.aws.test.ts",
        "puts the version into SageMaker's graph, with an edge from each thing that it came from",
      ],
    ],
  },
  {
    id: "I10",
    promise: "A drift baseline is computed from accepted data, stored and versioned",
    from: "learning",
    keptBy: ["handlers"],
    tests: [
      [
        "handlers/baseline.aws.test.ts",
        "makes one version of all objects in a batch, and the next from the one before",
      ],
      ["handlers/baseline.aws.test.ts", "merges an object once, however often it is told of"],
      ["handlers/dataset/profile.test.ts", "of three million flights are the same in one piece and in two"],
    ],
  },
  {
    id: "I11",
    promise:
      "The data is in the Glue catalogue, crawled and transformed by Glue, its use granted by Lake Formation",
    from: "learning",
    keptBy: ["resources"],
    policies: ["glue-security-configuration", "lakeformation-no-open-grants"],
    pipeline: [
      "glue/catalogDatabase:CatalogDatabase",
      "glue/crawler:Crawler",
      "glue/job:Job",
      "lakeformation/resource:Resource",
      "lakeformation/permissions:Permissions",
    ],
    tests: [
      ["programs/components/data-catalog.test.ts", "describes accepted data as the spec declares it"],
      [
        "programs/components/data-catalog.test.ts",
        "lends its role's access only to who was opted in, whatever the account grants to everybody",
      ],
    ],
  },
  {
    id: "I12",
    promise: "Images are scanned on push, immutable, encrypted, and old ones go",
    from: "learning",
    keptBy: ["resources"],
    policies: ["ecr-scan-on-push", "ecr-tags-immutable", "ecr-customer-key", "ecr-lifecycle-configured"],
    pipeline: ["ecr/repository:Repository", "ecr/lifecyclePolicy:LifecyclePolicy"],
    tests: [
      ["programs/policies/programs.test.ts", "no policy refuses what the programs make in the profile %s:"],
      ["programs/delivery/buildspecs.test.ts", "is built and pushed under a new tag"],
    ],
  },
  {
    id: "I13",
    promise: "The pipeline has a secret of its own; production rotates it",
    from: "learning",
    keptBy: ["resources"],
    policies: ["secretsmanager-customer-key", "secretsmanager-rotation-enabled"],
    pipeline: ["secretsmanager/secret:Secret"],
    productionPipeline: ["secretsmanager/secretRotation:SecretRotation"],
    tests: [
      [
        "programs/components/pipeline-secret.test.ts",
        "opens its value to the roles that say so, whatever else IAM allows",
      ],
      [
        "programs/incidents.test.ts",
        "happens every quarter, by a function that Secrets Manager calls for this secret only",
      ],
      [
        "handlers/rotate-secret.aws.test.ts",
        "gets its first key from whoever needs one first, and both of two who come together get the same",
      ],
      ["handlers/rotate-secret.aws.test.ts", "gets a newer key by a rotation, before those that it held"],
    ],
  },
  {
    id: "I14",
    promise: "Logs are encrypted and kept for 30 days unless the spec says otherwise",
    from: "learning",
    keptBy: ["resources"],
    policies: ["log-group-encrypted", "log-group-retention-set"],
    pipeline: ["cloudwatch/logGroup:LogGroup"],
    foundation: ["cloudwatch/logGroup:LogGroup"],
    tests: [
      ["programs/pipeline.test.ts", "keeps logs as long as it says"],
      ["programs/functions.test.ts", "each write to an encrypted log group that exists before them"],
    ],
  },
  {
    id: "I15",
    promise: "Warnings and critical alerts go to encrypted topics with the team's addresses",
    from: "learning",
    keptBy: ["resources"],
    policies: ["alerts-have-subscribers"],
    pipeline: ["sns/topic:Topic", "sns/topicSubscription:TopicSubscription"],
    tests: [
      [
        "programs/pipeline.test.ts",
        "subscribes every address to both topics, named by the address and not by its place",
      ],
    ],
  },
  {
    id: "I16",
    promise: "Volumes are encrypted by default and instances answer IMDSv2 only",
    from: "learning",
    keptBy: ["foundation", "policy"],
    policies: ["ebs-encrypted", "ec2-imdsv2-required"],
    foundation: [
      "ebs/encryptionByDefault:EncryptionByDefault",
      "ec2/instanceMetadataDefaults:InstanceMetadataDefaults",
    ],
    tests: [
      ["programs/foundation.test.ts", "hardens the account: encrypted volumes, IMDSv2, no public buckets"],
    ],
  },
  {
    id: "I17",
    promise: "Data buckets are backed up into a vault",
    from: "production",
    keptBy: ["resources"],
    policies: ["backup-plan-covers-data"],
    pipeline: ["backup/vault:Vault", "backup/plan:Plan", "backup/selection:Selection"],
    tests: [
      [
        "programs/recovery.test.ts",
        "lie under a key of their own, behind a lock that can be lifted and a policy that denies deletion",
      ],
    ],
  },
];
