import type { Statement } from "../policy-document.ts";

/**
 * Denials that every bucket carries: no plain HTTP, no TLS below 1.2, and no principal of another account whatever an
 * Allow may say. AWS services that deliver logs act as service principals and are exempt from the last.
 */
export function transportDenials(bucketArn: string, accountId: string): Statement[] {
  const everything = {
    Effect: "Deny",
    Principal: "*",
    Action: "s3:*",
    Resource: [bucketArn, `${bucketArn}/*`],
  } as const;
  return [
    { Sid: "DenyPlainHttp", ...everything, Condition: { Bool: { "aws:SecureTransport": "false" } } },
    { Sid: "DenyOldTls", ...everything, Condition: { NumericLessThan: { "s3:TlsVersion": "1.2" } } },
    {
      Sid: "DenyOtherAccounts",
      ...everything,
      Condition: {
        StringNotEqualsIfExists: { "aws:PrincipalAccount": accountId },
        BoolIfExists: { "aws:PrincipalIsAWSService": "false" },
      },
    },
  ];
}

/**
 * Denials of a wrong algorithm or a wrong key, not of an absent header: clients that say nothing get the bucket's
 * default, which is this key. Asking for `aws:kms` without naming a key would take the AWS managed one, so that is
 * denied too (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html).
 */
export function kmsDenials(bucketArn: string, keyArn: string): Statement[] {
  const upload = {
    Effect: "Deny",
    Principal: "*",
    Action: "s3:PutObject",
    Resource: `${bucketArn}/*`,
  } as const;
  const algorithm = "s3:x-amz-server-side-encryption";
  const key = "s3:x-amz-server-side-encryption-aws-kms-key-id";
  return [
    {
      Sid: "DenyWrongAlgorithm",
      ...upload,
      Condition: { Null: { [algorithm]: "false" }, StringNotEquals: { [algorithm]: "aws:kms" } },
    },
    {
      Sid: "DenyWrongKey",
      ...upload,
      Condition: { Null: { [key]: "false" }, ArnNotEquals: { [key]: keyArn } },
    },
    {
      Sid: "DenyManagedKey",
      ...upload,
      Condition: { Null: { [key]: "true" }, StringEquals: { [algorithm]: "aws:kms" } },
    },
    {
      Sid: "DenyCustomerProvidedKeys",
      ...upload,
      Condition: { Null: { [`${algorithm}-customer-algorithm`]: "false" } },
    },
  ];
}

/** A log bucket takes SSE-S3 only: services that deliver logs may not be able to use a customer key. */
export function sseS3Denials(bucketArn: string): Statement[] {
  const algorithm = "s3:x-amz-server-side-encryption";
  return [
    {
      Sid: "DenyWrongAlgorithm",
      Effect: "Deny",
      Principal: "*",
      Action: "s3:PutObject",
      Resource: `${bucketArn}/*`,
      Condition: { Null: { [algorithm]: "false" }, StringNotEquals: { [algorithm]: "AES256" } },
    },
  ];
}

/** S3 writes the access logs and inventories of these buckets here. */
export function s3LogDelivery(
  logBucketArn: string,
  accountId: string,
  sourceBucketArns: readonly string[],
): Statement[] {
  const fromSources = {
    StringEquals: { "aws:SourceAccount": accountId },
    ArnLike: { "aws:SourceArn": sourceBucketArns },
  };
  return [
    {
      Sid: "AccessLogDelivery",
      Effect: "Allow",
      Principal: { Service: "logging.s3.amazonaws.com" },
      Action: "s3:PutObject",
      Resource: `${logBucketArn}/access/*`,
      Condition: fromSources,
    },
    {
      Sid: "InventoryDelivery",
      Effect: "Allow",
      Principal: { Service: "s3.amazonaws.com" },
      Action: "s3:PutObject",
      Resource: `${logBucketArn}/inventory/*`,
      Condition: {
        ...fromSources,
        StringEquals: { ...fromSources.StringEquals, "s3:x-amz-acl": "bucket-owner-full-control" },
      },
    },
  ];
}
