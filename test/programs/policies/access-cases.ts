import { document, one, type PolicyCases } from "./policy-cases.ts";

const allow = (statement: object) => ({ Sid: "Own", Effect: "Allow", Resource: "*", ...statement });
const policy = (...statements: readonly object[]) =>
  one("iam/rolePolicy:RolePolicy", "training-role-policy", { policy: document(...statements) });
const role = (properties: object, statement: object = {}) =>
  one("iam/role:Role", "training-role", {
    assumeRolePolicy: document({
      Effect: "Allow",
      Principal: { Service: "sagemaker.amazonaws.com" },
      Action: "sts:AssumeRole",
      ...statement,
    }),
    ...properties,
  });
const ours = { StringEquals: { "aws:SourceAccount": "111122223333" } };
const key = (...statements: readonly object[]) =>
  one("kms/key:Key", "data-key", { enableKeyRotation: true, policy: document(...statements) });
const secret = (properties: object) => one("secretsmanager/secret:Secret", "settings", properties);

export const accessCases: PolicyCases = {
  "kms-key-rotation-enabled": {
    broken: [one("kms/key:Key", "data-key", {})],
    kept: [
      one("kms/key:Key", "data-key", { enableKeyRotation: true }),
      one("kms/key:Key", "signing-key", { customerMasterKeySpec: "ECC_NIST_P256" }),
    ],
  },
  "kms-administration-separated-from-use": {
    broken: [key(allow({ Action: ["kms:PutKeyPolicy", "kms:Decrypt"] }))],
    kept: [key(allow({ Action: "kms:PutKeyPolicy" }), allow({ Action: "kms:Decrypt", Condition: ours }))],
  },
  "iam-role-has-permissions-boundary": {
    broken: [role({})],
    kept: [role({ permissionsBoundary: "arn:aws:iam::111122223333:policy/aidlc/boundary" })],
  },
  "iam-no-wildcard-action-on-wildcard-resource": {
    broken: [policy(allow({ Action: ["s3:*"] }))],
    kept: [
      policy(allow({ Action: ["s3:GetObject"] }), allow({ Action: "s3:*", Resource: "arn:aws:s3:::a" })),
    ],
  },
  "iam-no-broad-managed-policies": {
    broken: [role({ managedPolicyArns: ["arn:aws:iam::aws:policy/AmazonS3FullAccess"] })],
    kept: [role({ managedPolicyArns: ["arn:aws:iam::aws:policy/service-role/AWSGlueServiceRole"] })],
  },
  "iam-no-long-lived-credentials": {
    broken: [one("iam/accessKey:AccessKey", "robot", { user: "robot" })],
    kept: [role({})],
  },
  "iam-confused-deputy-prevented": {
    broken: [role({})],
    kept: [role({}, { Condition: ours }), role({}, { Principal: { Service: "lambda.amazonaws.com" } })],
  },
  "iam-role-trusts-no-strangers": {
    broken: [role({}, { Principal: { AWS: "arn:aws:iam::999988887777:root" } })],
    kept: [
      role({}),
      role(
        {},
        {
          Principal: { AWS: "arn:aws:iam::999988887777:root" },
          Condition: { StringEquals: { "sts:ExternalId": "x" } },
        },
      ),
    ],
  },
  "iam-pass-role-restricted": {
    broken: [policy(allow({ Action: "iam:PassRole" }))],
    kept: [
      policy(
        allow({
          Action: "iam:PassRole",
          Resource: "arn:aws:iam::111122223333:role/aidlc/training",
          Condition: { StringEquals: { "iam:PassedToService": "sagemaker.amazonaws.com" } },
        }),
      ),
    ],
  },
  "secretsmanager-customer-key": {
    broken: [secret({ name: "aidlc/settings" })],
    kept: [secret({ kmsKeyId: "arn:aws:kms:eu-west-1:111122223333:key/1" })],
  },
  "secretsmanager-rotation-enabled": {
    broken: [secret({})],
    kept: [
      secret({}),
      one("secretsmanager/secretRotation:SecretRotation", "rotation", { secretId: "settings-id" }),
    ],
  },
  "lambda-permission-names-its-source": {
    broken: [one("lambda/permission:Permission", "from-s3", { principal: "s3.amazonaws.com" })],
    kept: [
      one("lambda/permission:Permission", "from-s3", {
        principal: "s3.amazonaws.com",
        sourceArn: "arn:aws:s3:::aidlc-raw",
      }),
    ],
  },
  "lakeformation-no-open-grants": {
    broken: [
      one("lakeformation/permissions:Permissions", "all", {
        principal: "IAM_ALLOWED_PRINCIPALS",
        permissions: ["SELECT"],
      }),
    ],
    kept: [
      one("lakeformation/permissions:Permissions", "etl", {
        principal: "arn:aws:iam::111122223333:role/aidlc/etl",
        permissions: ["SELECT"],
      }),
    ],
  },
};
