import type { FunctionDefinition } from "../functions/function-definition.ts";
import { FUNCTIONS } from "../functions/index.ts";
import { ALWAYS, each, IN_PRODUCTION, type Policy, RECOMMENDED } from "./policy.ts";
import type { Stack } from "./stack.ts";
import { at, list, missing, properties, text } from "./values.ts";

const FUNCTION = "aws:lambda/function:Function";
const REPOSITORY = "aws:ecr/repository:Repository";
const LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup";

/** Images, instances, functions, and what else computes or keeps. */
export const runtimePolicies: readonly Policy[] = [
  {
    id: "ecr-scan-on-push",
    title: "Every image repository scans what is pushed",
    text: "A container with a known hole is found before it sees data.",
    phase: "infrastructure",
    severity: "high",
    levels: ALWAYS,
    controls: { config: ["ecr-private-image-scanning-enabled"], fsbp: ["ECR.1"], nist: ["RA-5", "SI-2"] },
    remedy: "Set imageScanningConfiguration.scanOnPush",
    check: each(
      [REPOSITORY],
      ({ properties: bag }) => at(bag, "imageScanningConfiguration.scanOnPush") !== true,
    ),
  },
  {
    id: "ecr-tags-immutable",
    title: "No image tag can be moved to another image",
    text: "What was tested and approved under a tag must be what runs under it.",
    phase: "infrastructure",
    severity: "high",
    levels: ALWAYS,
    controls: {
      config: ["ecr-private-tag-immutability-enabled"],
      fsbp: ["ECR.2"],
      nist: ["CM-2", "CM-3", "SI-7"],
    },
    remedy: "Set imageTagMutability to IMMUTABLE",
    check: each([REPOSITORY], ({ properties: bag }) => bag.imageTagMutability !== "IMMUTABLE"),
  },
  {
    id: "ecr-customer-key",
    title: "Every image repository is encrypted with a customer managed key",
    text: "Images hold code and, with some frameworks, weights.",
    phase: "infrastructure",
    severity: "medium",
    levels: ALWAYS,
    controls: {
      config: ["ecr-repository-cmk-encryption-enabled"],
      fsbp: ["ECR.5"],
      nist: ["SC-28", "SC-12"],
    },
    remedy: "Set encryptionConfigurations to KMS with a key of the stack; it can't be changed later",
    check: each([REPOSITORY], ({ properties: bag }) => {
      return !list(bag.encryptionConfigurations).some(
        (one) => at(one, "encryptionType") === "KMS" && !missing(at(one, "kmsKey")),
      );
    }),
  },
  {
    id: "ecr-lifecycle-configured",
    title: "Every image repository ends old images",
    text: "Images that nobody runs cost money and collect known holes.",
    phase: "infrastructure",
    severity: "low",
    levels: RECOMMENDED,
    controls: { config: ["ecr-private-lifecycle-policy-configured"], fsbp: ["ECR.3"], nist: ["CM-2"] },
    remedy: "Give the repository a LifecyclePolicy",
    check: each(
      [REPOSITORY],
      (repository, stack) =>
        stack.referring("aws:ecr/lifecyclePolicy:LifecyclePolicy", "repository", repository).length === 0,
    ),
  },
  {
    id: "ebs-encrypted",
    title: "Every volume is encrypted, and the account encrypts by default",
    text: "Notebooks and instances keep copies of data on volumes that outlive them as snapshots.",
    phase: "infrastructure",
    severity: "high",
    levels: ALWAYS,
    controls: {
      config: ["encrypted-volumes", "ec2-ebs-encryption-by-default"],
      fsbp: ["EC2.3", "EC2.7"],
      cis: ["2.2.1"],
      nist: ["SC-28", "SC-28(1)"],
    },
    remedy: "Set encrypted on the volume; leave EncryptionByDefault of the foundation enabled",
    check: (stack) => [
      ...each(["aws:ebs/encryptionByDefault:EncryptionByDefault"], ({ properties: bag }) =>
        bag.enabled === undefined ? undefined : bag.enabled !== true,
      )(stack),
      ...each(["aws:ebs/volume:Volume"], ({ properties: bag }) => bag.encrypted !== true)(stack),
      ...each(["aws:ec2/launchTemplate:LaunchTemplate"], ({ properties: bag }) =>
        list(bag.blockDeviceMappings).some((mapping) => {
          const encrypted = at(mapping, "ebs.encrypted");
          return encrypted !== true && encrypted !== "true";
        }),
      )(stack),
      ...missingFromFoundation(stack, "aws:ebs/encryptionByDefault:EncryptionByDefault"),
    ],
  },
  {
    id: "ec2-imdsv2-required",
    title: "Instance metadata is read with a session token only (IMDSv2)",
    text: "A request forged through an application can't read the role's credentials from IMDSv2.",
    phase: "infrastructure",
    severity: "high",
    levels: ALWAYS,
    controls: { config: ["ec2-imdsv2-check"], fsbp: ["EC2.8"], cis: ["5.6"], nist: ["AC-3", "AC-6"] },
    remedy:
      "Require tokens: metadataOptions.httpTokens, or minimumInstanceMetadataServiceVersion 2 for notebooks",
    check: (stack) => [
      ...each(
        ["aws:ec2/instanceMetadataDefaults:InstanceMetadataDefaults"],
        ({ properties: bag }) => bag.httpTokens !== "required",
      )(stack),
      ...each(
        ["aws:ec2/instance:Instance", "aws:ec2/launchTemplate:LaunchTemplate"],
        ({ properties: bag }) => at(bag, "metadataOptions.httpTokens") !== "required",
      )(stack),
      ...each(
        ["aws:sagemaker/notebookInstance:NotebookInstance"],
        ({ properties: bag }) =>
          at(bag, "instanceMetadataServiceConfiguration.minimumInstanceMetadataServiceVersion") !== "2",
      )(stack),
      ...missingFromFoundation(stack, "aws:ec2/instanceMetadataDefaults:InstanceMetadataDefaults"),
    ],
  },
  {
    id: "lambda-tracing-enabled",
    title: "Every function is traced by X-Ray",
    text: "A request that is slow or wrong can be followed through every function it passed.",
    phase: "learning",
    severity: "low",
    levels: ALWAYS,
    controls: { fsbp: ["Lambda.7"], nist: ["AU-12", "SI-4"] },
    remedy: "Set tracingConfig.mode to Active",
    check: each([FUNCTION], ({ properties: bag }) => at(bag, "tracingConfig.mode") !== "Active"),
  },
  {
    id: "lambda-dead-letter-queue",
    title: "What a function fails on waits in a dead-letter queue",
    text: "An event that failed three times is lost for ever otherwise; a batch of data would just not arrive.",
    phase: "infrastructure",
    severity: "medium",
    levels: ALWAYS,
    controls: { config: ["lambda-dlq-check"], nist: ["SI-11", "AU-5"] },
    remedy: "Set deadLetterConfig, or an event invoke configuration with a failure destination",
    check: each([FUNCTION], (fn, stack) => {
      const destinations = stack
        .referring("aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig", "functionName", fn)
        .some(({ properties: bag }) => !missing(at(bag, "destinationConfig.onFailure.destination")));
      return missing(at(fn.properties, "deadLetterConfig.targetArn")) && !destinations;
    }),
  },
  {
    id: "lambda-in-vpc",
    title: "Functions run in the account's network",
    text: "In the VPC a function reaches AWS by endpoints whose policies keep data in the account, and nothing else.",
    phase: "infrastructure",
    severity: "medium",
    levels: IN_PRODUCTION,
    controls: { config: ["lambda-inside-vpc"], fsbp: ["Lambda.3"], nist: ["SC-7", "AC-4"] },
    remedy: "Set vpcConfig with private subnets",
    check: each(
      [FUNCTION],
      ({ name, properties: bag }) => !mustReachOutside(name) && missing(at(bag, "vpcConfig.subnetIds")),
    ),
  },
  {
    id: "lambda-log-group-managed",
    title: "Every function's log group is the stack's own",
    text: "Lambda would create one without key or retention, and again after the stack was destroyed.",
    phase: "infrastructure",
    severity: "medium",
    levels: ALWAYS,
    controls: { nist: ["AU-9", "AU-11"] },
    remedy: "Create the log group first and name it in loggingConfig.logGroup",
    check: each([FUNCTION], (fn, stack) => {
      const named = at(fn.properties, "loggingConfig.logGroup");
      const byDefault = text(fn.properties.name);
      return !stack
        .ofType(LOG_GROUP)
        .some(
          (group) =>
            stack.refersTo(named, group) ||
            (byDefault !== undefined && stack.refersTo(`/aws/lambda/${byDefault}`, group)),
        );
    }),
  },
  {
    id: "lambda-no-open-function-url",
    title: "No function has a URL without authentication",
    text: "Such a URL lets the whole internet run the function, past API, throttling and firewall.",
    phase: "infrastructure",
    severity: "critical",
    levels: ALWAYS,
    controls: { fsbp: ["Lambda.1"], nist: ["AC-3"] },
    remedy: "Set authorizationType to AWS_IAM, or serve through the API",
    check: each(
      ["aws:lambda/functionUrl:FunctionUrl"],
      ({ properties: bag }) => bag.authorizationType !== "AWS_IAM",
    ),
  },
  {
    id: "glue-security-configuration",
    title: "Glue jobs and crawlers have a security configuration that encrypts everything",
    text: "Without one, outputs, bookmarks and logs of a job lie in plain text.",
    phase: "infrastructure",
    severity: "high",
    levels: ALWAYS,
    controls: { nist: ["SC-28"] },
    remedy: "Name a SecurityConfiguration with KMS for S3, CloudWatch and bookmarks",
    check: (stack) => [
      ...each(["aws:glue/job:Job", "aws:glue/crawler:Crawler"], ({ properties: bag }) =>
        missing(bag.securityConfiguration),
      )(stack),
      ...each(["aws:glue/securityConfiguration:SecurityConfiguration"], ({ properties: bag }) => {
        const encryption = at(bag, "encryptionConfiguration");
        const open = [
          ["cloudwatchEncryption.cloudwatchEncryptionMode", "SSE-KMS"],
          ["jobBookmarksEncryption.jobBookmarksEncryptionMode", "CSE-KMS"],
          ["s3Encryption.s3EncryptionMode", "SSE-KMS"],
        ].filter(([path = "", mode]) => at(encryption, path) !== mode);
        return open.map(([path, mode]) => `${path} is not ${mode}`);
      })(stack),
    ],
  },
  {
    id: "feature-store-customer-key",
    title: "Feature groups encrypt both stores with a customer managed key",
    text: "Features are data of the same class as what they were made from.",
    phase: "infrastructure",
    severity: "high",
    levels: ALWAYS,
    controls: { nist: ["SC-28"] },
    remedy: "Set kmsKeyId in the online and offline store's security configuration",
    check: each(["aws:sagemaker/featureGroup:FeatureGroup"], ({ properties: bag }) => [
      at(bag, "onlineStoreConfig.enableOnlineStore") === true &&
        missing(at(bag, "onlineStoreConfig.securityConfig.kmsKeyId")) &&
        "The online store has no key",
      Object.keys(properties(bag.offlineStoreConfig)).length > 0 &&
        missing(at(bag, "offlineStoreConfig.s3StorageConfig.kmsKeyId")) &&
        "The offline store has no key",
    ]),
  },
  {
    id: "dynamodb-protected",
    title: "Tables are encrypted with a customer managed key and can be restored to any second",
    text: "A table holds the state of what the data and models went through; a wrong write must be reversible.",
    phase: "infrastructure",
    severity: "medium",
    levels: ALWAYS,
    controls: {
      config: ["dynamodb-pitr-enabled", "dynamodb-table-encrypted-kms"],
      fsbp: ["DynamoDB.2"],
      nist: ["CP-9", "SC-28"],
    },
    remedy: "Set serverSideEncryption with a key, and pointInTimeRecovery",
    check: each(["aws:dynamodb/table:Table"], ({ properties: bag }) => [
      missing(at(bag, "serverSideEncryption.kmsKeyArn")) && "It has no customer key",
      at(bag, "pointInTimeRecovery.enabled") !== true && "It has no point-in-time recovery",
    ]),
  },
  {
    id: "backup-plan-covers-data",
    title: "Data is backed up by a plan into an encrypted vault",
    text: "Versions die with the bucket and replicas follow its deletions; a backup in a vault does neither.",
    phase: "infrastructure",
    severity: "medium",
    levels: IN_PRODUCTION,
    controls: {
      config: ["s3-resources-protected-by-backup-plan", "backup-recovery-point-encrypted"],
      fsbp: ["Backup.1"],
      nist: ["CP-9", "CP-10"],
    },
    remedy: "Add a backup plan, a selection of the data buckets, and a vault with a customer key",
    check: (stack) => [
      ...each(["aws:backup/vault:Vault"], ({ properties: bag }) =>
        missing(bag.kmsKeyArn) ? "The vault has no customer key" : undefined,
      )(stack),
      ...(stack.program === "pipeline" &&
      (stack.ofType("aws:backup/plan:Plan").length === 0 ||
        stack.ofType("aws:backup/selection:Selection").length === 0)
        ? [{ detail: "No backup plan selects anything" }]
        : []),
    ],
  },
];

function missingFromFoundation(stack: Stack, type: string) {
  return stack.program === "foundation" && stack.ofType(type).length === 0
    ? [{ detail: `The foundation has no ${type}` }]
    : [];
}

/** What has no endpoint in a network, such as IAM or an issuer of tokens, is asked by functions that touch no data. */
function mustReachOutside(name: string): boolean {
  const functions: Readonly<Record<string, FunctionDefinition>> = FUNCTIONS;
  return functions[name]?.reachesInternet === true;
}
