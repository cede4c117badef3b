import type { Failure } from "./check.ts";
import type { Path, PropertyMap, PropertyValue } from "./values.ts";
import { isMap, isUnknown } from "./values.ts";

/** Inputs that hold an IAM policy document rather than other JSON. */
const policyInputs = new Set([
  "policy",
  "assumeRolePolicy",
  "accessPolicy",
  "policyDocument",
  "resourcePolicy",
]);

const statementMembers = new Set([
  "Sid",
  "Effect",
  "Action",
  "NotAction",
  "Resource",
  "NotResource",
  "Principal",
  "NotPrincipal",
  "Condition",
]);

/** What AWS answers with `MalformedPolicyDocument`; undefined when the document is well formed or no policy at all. */
export function policyFailure(path: Path, document: PropertyValue): string | undefined {
  if (!policyInputs.has(String(path.at(-1))) || !isMap(document)) return undefined;
  // Life-cycle policies of ECR and data-protection policies of log groups have grammars of their own.
  if (!("Statement" in document)) return undefined;
  const version = document.Version;
  if (version !== undefined && version !== "2012-10-17" && version !== "2008-10-17") {
    return `MalformedPolicyDocument: Version must be "2012-10-17", not "${String(version)}"`;
  }
  const statements = Array.isArray(document.Statement) ? document.Statement : [document.Statement];
  if (statements.length === 0) return "MalformedPolicyDocument: the policy has no statement";
  for (const [index, statement] of statements.entries()) {
    const problem = statementFailure(statement);
    if (problem !== undefined) return `MalformedPolicyDocument: statement ${index} ${problem}`;
  }
  return undefined;
}

function statementFailure(statement: PropertyValue | undefined): string | undefined {
  if (!isMap(statement)) return "is not an object";
  const effect = statement.Effect;
  if (effect !== "Allow" && effect !== "Deny")
    return `needs the Effect "Allow" or "Deny", not ${JSON.stringify(effect)}`;
  if (!("Action" in statement) && !("NotAction" in statement)) return "needs an Action or a NotAction";
  const stray = Object.keys(statement).find((member) => !statementMembers.has(member));
  return stray === undefined ? undefined : `has the unknown element "${stray}"`;
}

/**
 * Most characters of a document, white space aside, as AWS counts them where it minds. The sum of a role's own policies is looked at
 * when one is created.
 */
export const sizeLimits: Readonly<Record<string, readonly [property: string, characters: number]>> = {
  // https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html
  "ecr/lifecyclePolicy": ["policy", 30_720],
  "ecr/repositoryPolicy": ["policy", 10_240],
  // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
  "cloudwatch/eventBusPolicy": ["policy", 10_240],
  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
  "cloudwatch/logResourcePolicy": ["policyDocument", 5120],
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
  "iam/policy": ["policy", 6144],
  "iam/role": ["assumeRolePolicy", 2048],
  "iam/rolePolicy": ["policy", 10_240],
  // https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html
  "kms/key": ["policy", 32_768],
  "kms/keyPolicy": ["policy", 32_768],
  "kms/replicaKey": ["policy", 32_768],
  // https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
  "organizations/policy": ["content", 5120],
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies.html
  "s3/bucketPolicy": ["policy", 20_480],
  // https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
  "secretsmanager/secretPolicy": ["policy", 20_480],
  "sns/topicPolicy": ["policy", 20_480],
  // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html
  "sqs/queue": ["policy", 8192],
  "sqs/queuePolicy": ["policy", 8192],
  // https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-limits-endpoints.html
  "ec2/vpcEndpoint": ["policy", 20_480],
  "ec2/vpcEndpointPolicy": ["policy", 20_480],
  "sagemaker/modelPackageGroupPolicy": ["resourcePolicy", 20_480],
  "apigateway/restApi": ["policy", 8192],
  "apigateway/restApiPolicy": ["policy", 8192],
};

export function policySizeFailures(token: string, inputs: PropertyMap): Failure[] {
  const [property, limit] = sizeLimits[token.split(":")[1] ?? ""] ?? [];
  const document = property === undefined ? undefined : inputs[property];
  if (property === undefined || limit === undefined || typeof document !== "string" || isUnknown(document))
    return [];
  const size = document.replace(/\s/g, "").length;
  if (size <= limit) return [];
  return [
    {
      path: [property],
      message: `LimitExceeded: has ${size} characters, AWS allows ${limit}: shorten or split it`,
    },
  ];
}
