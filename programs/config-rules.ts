export interface ManagedRule {
  /** Its part of the rule's name. */
  readonly name: string;
  /** AWS's identifier: https://docs.aws.amazon.com/config/latest/developerguide/managed-rules-by-aws-config.html */
  readonly identifier: string;
  readonly description: string;
}

/** Managed rules that keep watching, in whatever is in the account, what the programs do for what they create. */
export const CONFIG_RULES: readonly ManagedRule[] = [
  {
    name: "s3-public-read",
    identifier: "S3_BUCKET_PUBLIC_READ_PROHIBITED",
    description: "No bucket can be read by everybody",
  },
  {
    name: "s3-public-write",
    identifier: "S3_BUCKET_PUBLIC_WRITE_PROHIBITED",
    description: "No bucket can be written by everybody",
  },
  {
    name: "s3-tls-only",
    identifier: "S3_BUCKET_SSL_REQUESTS_ONLY",
    description: "Buckets refuse plain HTTP",
  },
  {
    name: "s3-encryption",
    identifier: "S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED",
    description: "Buckets encrypt what they hold",
  },
  {
    name: "encrypted-volumes",
    identifier: "ENCRYPTED_VOLUMES",
    description: "Volumes in use are encrypted",
  },
  {
    name: "ebs-default-encryption",
    identifier: "EC2_EBS_ENCRYPTION_BY_DEFAULT",
    description: "New volumes are encrypted without being asked",
  },
  {
    name: "imdsv2",
    identifier: "EC2_IMDSV2_CHECK",
    description: "Instances give credentials to holders of a session token only",
  },
  {
    name: "closed-default-groups",
    identifier: "VPC_DEFAULT_SECURITY_GROUP_CLOSED",
    description: "Default security groups let nothing in or out",
  },
  {
    name: "flow-logs",
    identifier: "VPC_FLOW_LOGS_ENABLED",
    description: "Networks have flow logs",
  },
  {
    name: "no-admin-policies",
    identifier: "IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS",
    description: "No customer policy allows everything",
  },
  {
    name: "key-rotation",
    identifier: "CMK_BACKING_KEY_ROTATION_ENABLED",
    description: "Customer keys are rotated yearly",
  },
  {
    name: "trail-all-regions",
    identifier: "MULTI_REGION_CLOUD_TRAIL_ENABLED",
    description: "A trail records all regions",
  },
  {
    name: "trail-validation",
    identifier: "CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED",
    description: "Log files of trails can be validated",
  },
  {
    name: "notebook-no-internet",
    identifier: "SAGEMAKER_NOTEBOOK_NO_DIRECT_INTERNET_ACCESS",
    description: "Notebooks have no way to the internet of their own",
  },
  {
    name: "notebook-key",
    identifier: "SAGEMAKER_NOTEBOOK_INSTANCE_KMS_KEY_CONFIGURED",
    description: "Notebooks are encrypted with a customer key",
  },
  {
    name: "endpoint-key",
    identifier: "SAGEMAKER_ENDPOINT_CONFIGURATION_KMS_KEY_CONFIGURED",
    description: "Volumes of endpoints are encrypted with a customer key",
  },
  {
    name: "lambda-not-public",
    identifier: "LAMBDA_FUNCTION_PUBLIC_ACCESS_PROHIBITED",
    description: "No function can be called by everybody",
  },
  {
    name: "image-scanning",
    identifier: "ECR_PRIVATE_IMAGE_SCANNING_ENABLED",
    description: "Repositories scan what is pushed",
  },
];

/**
 * What the change-triggered rules look at, and who may use it: enough for them, a fraction of what "everything" costs.
 * Periodic rules ask AWS themselves and need nothing recorded.
 */
const RECORDED_TYPES: readonly string[] = [
  "AWS::EC2::Instance",
  "AWS::EC2::SecurityGroup",
  "AWS::EC2::Volume",
  "AWS::ECR::Repository",
  "AWS::KMS::Key",
  "AWS::Lambda::Function",
  "AWS::S3::Bucket",
];

const RECORDED_IAM_TYPES: readonly string[] = ["AWS::IAM::Policy", "AWS::IAM::Role"];

/**
 * Where AWS Config came after February 2022: it records no IAM types there
 * (https://docs.aws.amazon.com/config/latest/developerguide/select-resources.html).
 */
const REGIONS_WITHOUT_IAM_TYPES: readonly string[] = [
  "ap-east-2",
  "ap-south-2",
  "ap-southeast-3",
  "ap-southeast-4",
  "ap-southeast-5",
  "ap-southeast-6",
  "ap-southeast-7",
  "ca-west-1",
  "eu-central-2",
  "eu-south-2",
  "il-central-1",
  "me-central-1",
  "mx-central-1",
];

export const recordsIam = (region: string): boolean => !REGIONS_WITHOUT_IAM_TYPES.includes(region);

export const recordedTypes = (region: string): readonly string[] => [
  ...RECORDED_TYPES,
  ...(recordsIam(region) ? RECORDED_IAM_TYPES : []),
];
