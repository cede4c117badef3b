import { AwsError } from "./aws-error.ts";
import { contains, overlaps, parseCidr } from "./cidr.ts";
import { missingTrust } from "./role-trust.ts";
import type { ResourceType } from "./schema.ts";
import type { ResourceStore, StoredResource } from "./store.ts";
import { isMap, type PropertyMap, type PropertyValue, valuesAt } from "./values.ts";

export interface Intent {
  readonly type: ResourceType;
  readonly inputs: PropertyMap;
  readonly account: string;
  readonly region: string;
  /** Otherwise it exists and is to be changed. */
  readonly isNew: boolean;
  readonly store: ResourceStore;
}

type Precondition = (intent: Intent) => Promise<AwsError | undefined>;

const types = {
  bucketPolicy: "aws:s3/bucketPolicy:BucketPolicy",
  bucketVersioning: "aws:s3/bucketVersioning:BucketVersioning",
  publicAccessBlock: "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
  queuePolicy: "aws:sqs/queuePolicy:QueuePolicy",
  queue: "aws:sqs/queue:Queue",
  topicPolicy: "aws:sns/topicPolicy:TopicPolicy",
  lambdaPermission: "aws:lambda/permission:Permission",
  lambda: "aws:lambda/function:Function",
  key: "aws:kms/key:Key",
  keyPolicy: "aws:kms/keyPolicy:KeyPolicy",
  recorder: "aws:cfg/recorder:Recorder",
  deliveryChannel: "aws:cfg/deliveryChannel:DeliveryChannel",
  vpc: "aws:ec2/vpc:Vpc",
  subnet: "aws:ec2/subnet:Subnet",
  apiMethod: "aws:apigateway/method:Method",
  apiAccount: "aws:apigateway/account:Account",
  securityHub: "aws:securityhub/account:Account",
  rolePolicyAttachment: "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
} as const;

const policiesOfARole = 10;

/** What must be in place first, beyond the references themselves: a program that forgets the order fails here as on AWS. */
const preconditions: Readonly<Record<string, Precondition>> = {
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
  "s3/bucketNotification": async (intent) => {
    const queues = valuesAt(intent.inputs, ["queues", "queueArn"]);
    const topics = valuesAt(intent.inputs, ["topics", "topicArn"]);
    const functions = valuesAt(intent.inputs, ["lambdaFunctions", "lambdaFunctionArn"]);
    const isAllowed = await Promise.all([
      ...queues.map((arn) => queueAllows(intent, text(arn), "s3.amazonaws.com")),
      ...topics.map((arn) => topicAllows(intent, text(arn), "s3.amazonaws.com")),
      ...functions.map((arn) => functionAllows(intent, text(arn), "s3.amazonaws.com")),
    ]);
    const refused = [...queues, ...topics, ...functions].filter((_, index) => !isAllowed[index]);
    if (refused.length === 0) return undefined;
    return new AwsError(
      "InvalidArgument",
      `Unable to validate the following destination configurations: ${refused.join(", ")}: allow s3.amazonaws.com by its policy or permission first (dependsOn)`,
    );
  },
  "s3/bucketPolicy": async (intent) => {
    if (!isPublic(intent.inputs.policy)) return undefined;
    const [block] = await find(intent, types.publicAccessBlock, "bucket", text(intent.inputs.bucket));
    if (block?.outputs.blockPublicPolicy !== true) return undefined;
    return new AwsError(
      "AccessDenied",
      "public policies are blocked by the BlockPublicPolicy block public access setting: grant to named principals",
    );
  },
  "cloudtrail/trail": async (intent) => {
    const bucket = text(intent.inputs.s3BucketName);
    const [policy] = await find(intent, types.bucketPolicy, "bucket", bucket);
    if (text(policy?.outputs.policy).includes("cloudtrail.amazonaws.com")) return undefined;
    return new AwsError(
      "InsufficientS3BucketPolicyException",
      `Incorrect S3 bucket policy is detected for bucket: ${bucket}: allow cloudtrail.amazonaws.com first (dependsOn)`,
    );
  },
  "cloudwatch/logGroup": async (intent) => {
    const arn = text(intent.inputs.kmsKeyId);
    if (arn === "" || (await keyAllows(intent, arn, "logs."))) return undefined;
    return new AwsError(
      "AccessDeniedException",
      `The specified KMS key does not exist or is not allowed to be used with Arn '${arn}': allow logs.${intent.region}.amazonaws.com in the key's policy`,
    );
  },
  "cfg/deliveryChannel": async (intent) =>
    missing(intent, types.recorder, "NoAvailableConfigurationRecorderException", "a configuration recorder"),
  "cfg/rule": async (intent) =>
    missing(intent, types.recorder, "NoAvailableConfigurationRecorderException", "a configuration recorder"),
  "cfg/recorderStatus": async (intent) =>
    intent.inputs.isEnabled === true
      ? missing(intent, types.deliveryChannel, "NoAvailableDeliveryChannelException", "a delivery channel")
      : undefined,
  "securityhub/standardsSubscription": async (intent) =>
    missing(intent, types.securityHub, "InvalidAccessException", "Security Hub enabled"),
  "apigateway/deployment": async (intent) => {
    const methods = await find(intent, types.apiMethod, "restApi", text(intent.inputs.restApi));
    if (methods.length > 0) return undefined;
    return new AwsError(
      "BadRequestException",
      "The REST API doesn't contain any methods: create one first (dependsOn)",
    );
  },
  "apigateway/stage": async (intent) => {
    if (!isMap(intent.inputs.accessLogSettings)) return undefined;
    const [settings] = await intent.store.list(types.apiAccount, intent.account, intent.region);
    if (text(settings?.outputs.cloudwatchRoleArn) !== "") return undefined;
    return new AwsError(
      "BadRequestException",
      "CloudWatch Logs role ARN must be set in account settings to enable logging: create aws.apigateway.Account first",
    );
  },
  "iam/rolePolicyAttachment": async (intent) => {
    const role = text(intent.inputs.role);
    const attached = await find(intent, types.rolePolicyAttachment, "role", role);
    if (
      attached.filter(({ outputs }) => outputs.policyArn !== intent.inputs.policyArn).length < policiesOfARole
    )
      return undefined;
    return new AwsError(
      "LimitExceeded",
      `Cannot exceed quota for PoliciesPerRole: ${policiesOfARole}: merge the policies of "${role}"`,
    );
  },
  "ec2/subnet": subnetFits,
  "lambda/eventSourceMapping": async (intent) => {
    const queues = await intent.store.list(types.queue, intent.account, intent.region);
    const queue = queues.find(({ arn }) => arn === intent.inputs.eventSourceArn);
    const functions = await intent.store.list(types.lambda, intent.account, intent.region);
    const name = text(intent.inputs.functionName);
    const fn = functions.find(({ aws_id, arn }) => aws_id === name || arn === name);
    const visibility = Number(queue?.outputs.visibilityTimeoutSeconds ?? 30);
    const timeout = Number(fn?.outputs.timeout ?? 3);
    if (!queue || !fn || visibility >= timeout) return undefined;
    return new AwsError(
      "InvalidParameterValueException",
      `Queue visibility timeout: ${visibility} seconds is less than Function timeout: ${timeout} seconds`,
    );
  },
};

/** Throws AWS's error when the resource can't be created or changed like this yet. Most types need no look at the database. */
export async function assertPossible(intent: Intent): Promise<void> {
  const kind = intent.type.token.split(":")[1] ?? "";
  const error = (await preconditions[kind]?.(intent)) ?? (await missingTrust(kind, intent));
  if (error) throw error;
}

const find = (intent: Intent, type: string, property: string, value: string): Promise<StoredResource[]> =>
  intent.store.listByProperty(type, intent.account, property, value);

function text(value: PropertyValue | undefined): string {
  return typeof value === "string" ? value : "";
}

function bucketOfArn(value: PropertyValue): string {
  return text(value).replace(/^arn:[^:]*:s3:::/, "");
}

async function hasVersioning(intent: Intent, bucket: string): Promise<boolean> {
  const [versioning] = await intent.store.listByProperty(types.bucketVersioning, null, "bucket", bucket);
  const setting = versioning?.outputs.versioningConfiguration;
  return isMap(setting) && setting.status === "Enabled";
}

async function missing(
  intent: Intent,
  type: string,
  code: string,
  what: string,
): Promise<AwsError | undefined> {
  const existing = await intent.store.list(type, intent.account, intent.region);
  if (existing.length > 0) return undefined;
  return new AwsError(
    code,
    `${intent.region} of ${intent.account} has not ${what} yet: create it first (dependsOn)`,
  );
}

async function queueAllows(intent: Intent, arn: string, principal: string): Promise<boolean> {
  const queues = await intent.store.list(types.queue, intent.account, intent.region);
  const queue = queues.find((one) => one.arn === arn);
  // Another account's queue can't be looked into.
  if (!queue) return true;
  const [policy] = await find(intent, types.queuePolicy, "queueUrl", queue.aws_id);
  return (text(queue.outputs.policy) + text(policy?.outputs.policy)).includes(principal);
}

async function topicAllows(intent: Intent, arn: string, principal: string): Promise<boolean> {
  const [policy] = await find(intent, types.topicPolicy, "arn", arn);
  const topic = await intent.store.findByAwsId("aws:sns/topic:Topic", intent.account, intent.region, arn);
  return !topic || (text(topic.outputs.policy) + text(policy?.outputs.policy)).includes(principal);
}

async function functionAllows(intent: Intent, arn: string, principal: string): Promise<boolean> {
  const fn = await intent.store.findByAwsId(types.lambda, intent.account, intent.region, arn);
  if (!fn) return true;
  const byArn = await find(intent, types.lambdaPermission, "function", arn);
  const byName = await find(intent, types.lambdaPermission, "function", fn.aws_id);
  return [...byArn, ...byName].some(({ outputs }) => outputs.principal === principal);
}

async function keyAllows(intent: Intent, arn: string, service: string): Promise<boolean> {
  const key = await intent.store.findByAwsId(types.key, intent.account, intent.region, arn);
  if (!key) return true;
  const [policy] = await find(intent, types.keyPolicy, "keyId", key.aws_id);
  return (text(key.outputs.policy) + text(policy?.outputs.policy)).includes(service);
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

async function subnetFits(intent: Intent): Promise<AwsError | undefined> {
  // The range of an existing subnet can't be changed.
  if (!intent.isNew) return undefined;
  const { vpcId, cidrBlock } = intent.inputs;
  const wanted = parseCidr(text(cidrBlock));
  const vpc = await intent.store.findByAwsId(types.vpc, intent.account, intent.region, text(vpcId));
  const whole = parseCidr(text(vpc?.outputs.cidrBlock));
  if (!wanted || !whole) return undefined;
  if (!contains(whole, wanted)) {
    return new AwsError(
      "InvalidSubnet.Range",
      `The CIDR '${text(cidrBlock)}' is invalid: it lies outside of the VPC's ${text(vpc?.outputs.cidrBlock)}`,
    );
  }
  const others = await find(intent, types.subnet, "vpcId", text(vpcId));
  for (const other of others) {
    const taken = parseCidr(text(other.outputs.cidrBlock));
    if (taken && overlaps(taken, wanted)) {
      return new AwsError(
        "InvalidSubnet.Conflict",
        `The CIDR '${text(cidrBlock)}' conflicts with another subnet (${other.aws_id})`,
      );
    }
  }
  return undefined;
}
