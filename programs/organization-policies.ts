import type { Condition } from "./policy-document.ts";

export interface Guardrails {
  /** Where anything may be done; services that are global are exempt. */
  readonly regions: readonly string[];
  /** ARN patterns of roles that the guardrails let through: the service's own in each account. */
  readonly exemptRoles: readonly string[];
}

interface Denial {
  readonly Sid: string;
  readonly Effect: "Deny";
  readonly Action?: readonly string[];
  readonly NotAction?: readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Condition;
}

export interface ServiceControlPolicy {
  readonly description: string;
  readonly content: string;
}

/** https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html */
const LONGEST = 5120;

/**
 * The organization's guardrails by name. Few: AWS attaches five policies to a target at most, its own among them. Throws when
 * regions or exempt roles are so many that AWS would refuse a policy.
 */
export function guardrails(input: Guardrails): Readonly<Record<string, ServiceControlPolicy>> {
  return {
    records: policy("records", "Nobody leaves the organization, or stops what records and watches", [
      {
        Sid: "StayInTheOrganization",
        Effect: "Deny",
        Action: ["organizations:LeaveOrganization"],
        Resource: "*",
      },
      unlessExempt(input, { Sid: "KeepRecording", Action: RECORDING, Resource: "*" }),
      unlessExempt(input, {
        Sid: "KeepRecords",
        Action: ["s3:DeleteBucket", "s3:DeleteBucketPolicy", "s3:DeleteObject", "s3:DeleteObjectVersion"],
        Resource: ["arn:*:s3:::aidlc-audit-*", "arn:*:s3:::aidlc-audit-*/*"],
      }),
    ]),
    data: policy("data", "No public buckets, no unencrypted volumes", [
      unlessExempt(input, {
        Sid: "KeepBucketsPrivate",
        Action: ["s3:PutAccountPublicAccessBlock", "s3:PutBucketPublicAccessBlock"],
        Resource: "*",
      }),
      {
        Sid: "NoPublicAcls",
        Effect: "Deny",
        Action: ["s3:PutBucketAcl", "s3:PutObject", "s3:PutObjectAcl"],
        Resource: "*",
        Condition: {
          StringEquals: { "s3:x-amz-acl": ["authenticated-read", "public-read", "public-read-write"] },
        },
      },
      {
        Sid: "NoUnencryptedVolumes",
        Effect: "Deny",
        Action: ["ec2:CreateVolume", "ec2:RunInstances"],
        Resource: "arn:*:ec2:*:*:volume/*",
        Condition: { Bool: { "ec2:Encrypted": "false" } },
      },
      unlessExempt(input, {
        Sid: "KeepEncryptionDefaults",
        Action: [
          "ec2:DisableEbsEncryptionByDefault",
          "ec2:DisableSnapshotBlockPublicAccess",
          "ec2:ModifyInstanceMetadataDefaults",
        ],
        Resource: "*",
      }),
    ]),
    regions: policy("regions", "Nothing outside the organization's regions", [
      {
        Sid: "StayInRegions",
        Effect: "Deny",
        NotAction: GLOBAL_SERVICES,
        Resource: "*",
        Condition: {
          StringNotEquals: { "aws:RequestedRegion": input.regions },
          ...exemption(input),
        },
      },
    ]),
  };
}

const RECORDING = [
  "access-analyzer:DeleteAnalyzer",
  "cloudtrail:DeleteTrail",
  "cloudtrail:PutEventSelectors",
  "cloudtrail:StopLogging",
  "cloudtrail:UpdateTrail",
  "config:DeleteConfigRule",
  "config:DeleteConfigurationRecorder",
  "config:DeleteDeliveryChannel",
  "config:PutConfigurationRecorder",
  "config:StopConfigurationRecorder",
  "guardduty:DeleteDetector",
  "guardduty:DisassociateFromAdministratorAccount",
  "guardduty:StopMonitoringMembers",
  "guardduty:UpdateDetector",
  "securityhub:BatchDisableStandards",
  "securityhub:DisableSecurityHub",
  "securityhub:DisassociateFromAdministratorAccount",
];

/** Their endpoints are in one region, or in none that a request names. */
const GLOBAL_SERVICES = [
  "account:*",
  "aws-portal:*",
  "billing:*",
  "budgets:*",
  "ce:*",
  "cloudfront:*",
  "cur:*",
  "health:*",
  "iam:*",
  "organizations:*",
  "pricing:*",
  "route53:*",
  "route53domains:*",
  "s3:GetAccountPublicAccessBlock",
  "s3:GetBucketLocation",
  "s3:ListAllMyBuckets",
  "s3:PutAccountPublicAccessBlock",
  "shield:*",
  "sso:*",
  "sts:*",
  "support:*",
  "tag:*",
  "trustedadvisor:*",
  "waf:*",
];

const exemption = ({ exemptRoles }: Guardrails): Condition =>
  exemptRoles.length === 0 ? {} : { ArnNotLike: { "aws:PrincipalArn": exemptRoles } };

function unlessExempt(input: Guardrails, denial: Omit<Denial, "Effect" | "Condition">): Denial {
  const Condition = exemption(input);
  return { Effect: "Deny", ...denial, ...(Object.keys(Condition).length > 0 && { Condition }) };
}

function policy(name: string, description: string, statements: readonly Denial[]): ServiceControlPolicy {
  const content = JSON.stringify({ Version: "2012-10-17", Statement: statements });
  if (content.length > LONGEST) {
    throw new RangeError(
      `The guardrail ${name} would have ${content.length} characters, and AWS takes ${LONGEST}: name fewer regions or roles, or use patterns`,
    );
  }
  return { description, content };
}
