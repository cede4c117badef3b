import { AwsError } from "../aws-error.ts";
import { isMap, valuesAt } from "../values.ts";
import { bucketAllows, functionAllows, keyAllows, topicAllows } from "./consent.ts";
import { find, type Intent, missing, type Preconditions, text, types } from "./intent.ts";
import { roleAllows } from "./permissions.ts";

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const policiesOfARole = 10;
const inlineCharactersOfARole = 10_240;
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-quotas.html
const analyzersOfAType = 1;
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html
const trailsOfARegion = 5;
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
const logQuotas = { resourcePolicies: 10, subscriptionFilters: 2 };

const config = "config.amazonaws.com";
const noRecorder = ["NoAvailableConfigurationRecorderException", "a configuration recorder"] as const;

/** Config, CloudTrail, logs, Security Hub, Lake Formation and IAM. */
export const governancePreconditions: Preconditions = {
  "cfg/deliveryChannel": async (intent) =>
    (await missing(intent, types.recorder, ...noRecorder)) ?? undeliverable(intent),
  "cfg/conformancePack": (intent) => missing(intent, types.recorder, ...noRecorder),
  "cfg/rule": async (intent) => {
    const source = intent.inputs.source;
    const arn = isMap(source) && source.owner === "CUSTOM_LAMBDA" ? text(source.sourceIdentifier) : "";
    if (arn !== "" && !(await functionAllows(intent, arn, config))) {
      return new AwsError(
        "InsufficientPermissionsException",
        `The AWS Config service does not have permission to invoke ${arn}: create an aws.lambda.Permission for ${config} first (dependsOn)`,
      );
    }
    return missing(intent, types.recorder, ...noRecorder);
  },
  "cfg/recorderStatus": async (intent) =>
    intent.inputs.isEnabled === true
      ? missing(intent, types.deliveryChannel, "NoAvailableDeliveryChannelException", "a delivery channel")
      : undefined,
  "backup/framework": (intent) => missing(intent, types.recorder, ...noRecorder),
  "cloudtrail/trail": trailFits,
  "cloudwatch/logGroup": async (intent) => {
    const arn = text(intent.inputs.kmsKeyId);
    if (arn === "" || (await keyAllows(intent, arn, "logs."))) return undefined;
    return new AwsError(
      "AccessDeniedException",
      `The specified KMS key does not exist or is not allowed to be used with Arn '${arn}': allow logs.${intent.region}.amazonaws.com in the key's policy`,
    );
  },
  "cloudwatch/logResourcePolicy": async (intent) => {
    const count = await intent.store.count(intent.type.token, intent.account, intent.region);
    if (!intent.isNew || count < logQuotas.resourcePolicies) return undefined;
    return limit(
      "LimitExceededException",
      `${intent.region} has ${count} log resource policies`,
      logQuotas.resourcePolicies,
      "merge them",
    );
  },
  "securityhub/standardsSubscription": (intent) => hub(intent),
  "securityhub/findingAggregator": (intent) => hub(intent),
  "accessanalyzer/analyzer": async (intent) => {
    if (!intent.isNew) return undefined;
    const type = text(intent.inputs.type) || "ACCOUNT";
    const all = await intent.store.list(intent.type.token, intent.account, intent.region);
    const same = all.filter(({ outputs }) => outputs.type === type);
    if (same.length < analyzersOfAType) return undefined;
    return limit(
      "ServiceQuotaExceededException",
      `${intent.region} has ${same.length} analyzer of the type ${type}`,
      analyzersOfAType,
      `adopt ${same[0]?.name}`,
    );
  },
  "lakeformation/permissions": async (intent) => {
    const [arn] = valuesAt(intent.inputs, ["dataLocation", "arn"]).map(text);
    if (arn === undefined || arn === "") return undefined;
    const locations = await intent.store.list(
      "aws:lakeformation/resource:Resource",
      intent.account,
      intent.region,
    );
    if (locations.some(({ outputs }) => arn === outputs.arn || arn.startsWith(`${text(outputs.arn)}/`)))
      return undefined;
    return new AwsError(
      "EntityNotFoundException",
      `The location ${arn} is not registered with Lake Formation: create aws.lakeformation.Resource first (dependsOn)`,
    );
  },
  "iam/rolePolicyAttachment": async (intent) => {
    const role = text(intent.inputs.role);
    const attached = await find(intent, types.rolePolicyAttachment, "role", role);
    const others = attached.filter(({ outputs }) => outputs.policyArn !== intent.inputs.policyArn);
    if (others.length < policiesOfARole) return undefined;
    return new AwsError(
      "LimitExceeded",
      `Cannot exceed quota for PoliciesPerRole: ${policiesOfARole}: merge the policies of "${role}"`,
    );
  },
  "iam/rolePolicy": async (intent) => {
    const role = text(intent.inputs.role);
    const all = await find(intent, types.rolePolicy, "role", role);
    const others = all
      .filter(({ outputs }) => outputs.name !== intent.inputs.name)
      .map(({ outputs }) => outputs.policy);
    const size = [...others, intent.inputs.policy].reduce(
      (sum: number, policy) => sum + text(policy).replace(/\s/g, "").length,
      0,
    );
    if (size <= inlineCharactersOfARole) return undefined;
    return new AwsError(
      "LimitExceeded",
      `Maximum policy size of ${inlineCharactersOfARole} bytes exceeded for role ${role}: its inline policies have ${size} characters, use managed policies`,
    );
  },
};

function limit(code: string, state: string, most: number, remedy: string): AwsError {
  return new AwsError(code, `${state}, AWS allows ${most}: ${remedy}`);
}

function hub(intent: Intent): Promise<AwsError | undefined> {
  return missing(intent, types.securityHub, "InvalidAccessException", "Security Hub enabled");
}

/** Config writes a test object with its role: the bucket's policy or the role's own must let it. */
async function undeliverable(intent: Intent): Promise<AwsError | undefined> {
  const bucket = text(intent.inputs.s3BucketName);
  if (await bucketAllows(intent, bucket, config)) return undefined;
  const [recorder] = await intent.store.list(types.recorder, intent.account, intent.region);
  const role = text(recorder?.outputs.roleArn);
  if (!role.includes("/aws-service-role/") && (await roleAllows(intent, role, "s3:PutObject")))
    return undefined;
  return new AwsError(
    "InsufficientDeliveryPolicyException",
    `Insufficient delivery policy to s3 bucket: ${bucket}, unable to write to bucket: allow ${config} by the bucket's policy first (dependsOn)`,
  );
}

async function trailFits(intent: Intent): Promise<AwsError | undefined> {
  const principal = "cloudtrail.amazonaws.com";
  const bucket = text(intent.inputs.s3BucketName);
  if (!(await bucketAllows(intent, bucket, principal))) {
    return new AwsError(
      "InsufficientS3BucketPolicyException",
      `Incorrect S3 bucket policy is detected for bucket: ${bucket}: allow ${principal} first (dependsOn)`,
    );
  }
  const key = text(intent.inputs.kmsKeyId);
  if (key !== "" && !(await keyAllows(intent, key, principal))) {
    return new AwsError(
      "InsufficientEncryptionPolicyException",
      `Insufficient permissions to access S3 bucket ${bucket} or KMS key ${key}: allow ${principal} in the key's policy`,
    );
  }
  const topic = text(intent.inputs.snsTopicName);
  if (topic.startsWith("arn:") && !(await topicAllows(intent, topic, principal))) {
    return new AwsError(
      "InsufficientSnsTopicPolicyException",
      `SNS Topic does not exist or the topic policy is incorrect: allow ${principal} to publish to ${topic} first (dependsOn)`,
    );
  }
  const trails = intent.isNew
    ? await intent.store.count(intent.type.token, intent.account, intent.region)
    : 0;
  if (trails < trailsOfARegion) return undefined;
  return limit(
    "MaximumNumberOfTrailsExceededException",
    `${intent.region} has ${trails} trails`,
    trailsOfARegion,
    "adopt one",
  );
}
