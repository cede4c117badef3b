import { allow, bucketArn, type RoleSurroundings } from "./grants.ts";
import type { DataBucket } from "./names.ts";
import type { Statement } from "./policy-document.ts";

/** What Lambda does through a function's role to feed it from the pipeline's queue of this name. */
export const consume = ({ setting: { arns, names } }: RoleSurroundings, queue: string): Statement =>
  allow({
    Sid: "ConsumeQueue",
    Action: [
      "sqs:ChangeMessageVisibility",
      "sqs:DeleteMessage",
      "sqs:GetQueueAttributes",
      "sqs:ReceiveMessage",
    ],
    Resource: arns.queue(names.named(queue)),
  });

/** Reading objects below these prefixes, and listing just them. */
export function readBelow(
  around: RoleSurroundings,
  kind: DataBucket,
  prefixes: readonly string[],
): Statement[] {
  const arn = bucketArn(around, kind);
  const title = kind.charAt(0).toUpperCase() + kind.slice(1);
  return [
    allow({
      Sid: `Read${title}`,
      Action: ["s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectTagging"],
      Resource: prefixes.map((prefix) => `${arn}/${prefix}*`),
    }),
    allow({
      Sid: `List${title}`,
      Action: "s3:ListBucket",
      Resource: arn,
      Condition: { StringLike: { "s3:prefix": prefixes.map((prefix) => `${prefix}*`) } },
    }),
  ];
}

/** The secret's value, through the key that only Secrets Manager may use for these roles. */
export const readSecret = (
  { setting: { account, arns, names }, keys }: RoleSurroundings,
  more: readonly string[] = [],
): Statement[] => [
  allow({
    Sid: "UseSecret",
    Action: ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue", ...more],
    Resource: arns.secret(names.secret),
  }),
  allow({
    Sid: "OpenSecret",
    Action: more.length === 0 ? ["kms:Decrypt"] : ["kms:Decrypt", "kms:GenerateDataKey"],
    Resource: keys.data,
    Condition: {
      StringEquals: { "kms:ViaService": `secretsmanager.${account.region}.amazonaws.com` },
    },
  }),
];
