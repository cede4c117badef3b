import { AwsError } from "../aws-error.ts";
import { isMap, type PropertyMap, type PropertyValue, valuesAt } from "../values.ts";
import { functionAllows, keyAllows, queueAllows, topicAllows } from "./consent.ts";
import { find, type Intent, named, type Preconditions, text, types } from "./intent.ts";

export const storagePreconditions: Preconditions = {
  "s3/bucketReplicationConfig": async (intent) => {
    const destinations = valuesAt(intent.inputs, ["rules", "destination", "bucket"]).map(bucketOfArn);
    for (const bucket of [text(intent.inputs.bucket), ...destinations]) {
      if (await hasVersioning(intent, bucket)) continue;
      return new AwsError(
        "InvalidRequest",
        `Versioning must be 'Enabled' on the bucket "${bucket}" to apply a replication configuration: enable it first (dependsOn)`,
      );
    }
    return undefined;
  },
  "s3/bucketObjectLockConfiguration": async (intent) => {
    const bucket = text(intent.inputs.bucket);
    if (await hasVersioning(intent, bucket)) return undefined;
    return new AwsError(
      "InvalidBucketState",
      `Versioning must be 'Enabled' on the bucket "${bucket}" to apply an object lock configuration: enable it first (dependsOn)`,
    );
  },
  "s3/bucketNotification": notificationConsent,
  "s3/bucketPolicy": async (intent) => {
    if (!isPublic(intent.inputs.policy)) return undefined;
    const [block] = await find(intent, types.publicAccessBlock, "bucket", text(intent.inputs.bucket));
    if (block?.outputs.blockPublicPolicy !== true) return undefined;
    return new AwsError(
      "AccessDenied",
      "public policies are blocked by the BlockPublicPolicy block public access setting: grant to named principals",
    );
  },
  "s3/bucketAcl": async (intent) => {
    const bucket = text(intent.inputs.bucket);
    if (await takesAcls(intent, bucket)) return undefined;
    return new AwsError(
      "AccessControlListNotSupported",
      `The bucket "${bucket}" does not allow ACLs: give it aws.s3.BucketOwnershipControls other than BucketOwnerEnforced first, or leave the ACL out`,
    );
  },
  "kms/replicaKey": async (intent) => {
    const arn = text(intent.inputs.primaryKeyArn);
    const [, , , region] = arn.split(":");
    const primary = await intent.store.findAnywhere(types.key, intent.account, arn);
    if (region === intent.region) {
      return new AwsError(
        "ValidationException",
        `A replica can't be in its primary's region, ${region}: give it the resource option region`,
      );
    }
    if (!primary || primary.outputs.multiRegion === true) return undefined;
    return new AwsError(
      "UnsupportedOperationException",
      `${arn} is not a multi-Region primary key: create it with multiRegion`,
    );
  },
  "secretsmanager/secretRotation": async (intent) => {
    const arn = text(intent.inputs.rotationLambdaArn);
    if (arn === "" || (await functionAllows(intent, arn, "secretsmanager.amazonaws.com"))) return undefined;
    return new AwsError(
      "AccessDeniedException",
      `Secrets Manager cannot invoke the specified Lambda function ${arn}: create an aws.lambda.Permission for secretsmanager.amazonaws.com first (dependsOn)`,
    );
  },
  "sqs/queue": deadLetterKind,
  "sqs/redrivePolicy": deadLetterKind,
};

/** CloudFront's standard logs and canned ACLs need it: new buckets have ACLs switched off. */
export async function takesAcls(intent: Intent, bucket: string): Promise<boolean> {
  const found = await intent.store.findAnywhere(types.bucket, intent.account, bucket);
  if (!found) return true;
  const [controls] = await find(intent, types.bucketOwnership, "bucket", bucket);
  const rule = controls?.outputs.rule;
  return isMap(rule) && rule.objectOwnership !== "BucketOwnerEnforced";
}

/** A part of a bucket is set through the bucket's own region. */
export async function bucketRegionError(intent: Intent): Promise<AwsError | undefined> {
  const bucket = text(intent.inputs.bucket);
  if (bucket === "" || !intent.type.token.startsWith("aws:s3/bucket") || !intent.type.inputs.has("region"))
    return undefined;
  const found = await intent.store.findAnywhere(types.bucket, intent.account, bucket);
  if (!found || found.region === intent.region || intent.type.token === types.bucket) return undefined;
  return new AwsError(
    "PermanentRedirect",
    `The bucket "${bucket}" is in ${found.region}, but this goes to ${intent.region}: give it the same region as the bucket`,
  );
}

function bucketOfArn(value: PropertyValue): string {
  return text(value).replace(/^arn:[^:]*:s3:::/, "");
}

async function hasVersioning(intent: Intent, bucket: string): Promise<boolean> {
  const [versioning] = await intent.store.listByProperty(types.bucketVersioning, null, "bucket", bucket);
  const setting = versioning?.outputs.versioningConfiguration;
  return isMap(setting) && setting.status === "Enabled";
}

const s3 = "s3.amazonaws.com";

/** S3 sends a test message to each destination as soon as it is named. */
async function notificationConsent(intent: Intent): Promise<AwsError | undefined> {
  const queues = valuesAt(intent.inputs, ["queues", "queueArn"]).map(text);
  const topics = valuesAt(intent.inputs, ["topics", "topicArn"]).map(text);
  const functions = valuesAt(intent.inputs, ["lambdaFunctions", "lambdaFunctionArn"]).map(text);
  const destinations = [...queues, ...topics, ...functions];
  const isAllowed = await Promise.all([
    ...queues.map((arn) => queueAllows(intent, arn, s3)),
    ...topics.map((arn) => topicAllows(intent, arn, s3)),
    ...functions.map((arn) => functionAllows(intent, arn, s3)),
  ]);
  const refused = destinations.filter((_, index) => !isAllowed[index]);
  if (refused.length > 0) {
    return new AwsError(
      "InvalidArgument",
      `Unable to validate the following destination configurations: ${refused.join(", ")}: allow ${s3} by its policy or permission first (dependsOn)`,
    );
  }
  for (const [type, arn] of [
    ...queues.map((one) => [types.queue, one]),
    ...topics.map((one) => [types.topic, one]),
  ] as const) {
    const destination = await named(intent, type ?? "", arn ?? "");
    const key = text(destination?.outputs.kmsMasterKeyId);
    if (key === "" || (!key.startsWith("alias/aws/") && (await keyAllows(intent, key, s3)))) continue;
    return new AwsError(
      "InvalidArgument",
      `Unable to validate the following destination configurations: ${arn}: its key "${key}" doesn't let ${s3} encrypt, use a key of your own that allows it`,
    );
  }
  return undefined;
}

/** Whether a policy lets everybody in: an Allow to every principal without a condition. */
function isPublic(policy: PropertyValue | undefined): boolean {
  if (typeof policy !== "string") return false;
  const document: { Statement?: unknown } = JSON.parse(policy);
  return [document.Statement].flat().some((statement) => {
    const { Effect, Principal, Condition } = statement as Record<string, unknown>;
    const principals = isMap(Principal as PropertyValue)
      ? Object.values(Principal as PropertyMap).flat()
      : [Principal];
    return Effect === "Allow" && Condition === undefined && principals.includes("*");
  });
}

async function deadLetterKind(intent: Intent): Promise<AwsError | undefined> {
  const [, arn] = /"deadLetterTargetArn"\s*:\s*"([^"]+)"/.exec(text(intent.inputs.redrivePolicy)) ?? [];
  if (arn === undefined) return undefined;
  const isFifo = text(intent.inputs.name || intent.inputs.queueUrl).endsWith(".fifo");
  if (arn.endsWith(".fifo") === isFifo) return undefined;
  return new AwsError(
    "InvalidParameterValue",
    `Value for parameter RedrivePolicy is invalid: the dead-letter queue ${arn} must be ${isFifo ? "FIFO too" : "a standard queue too"}`,
  );
}
