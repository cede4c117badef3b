import { AwsError } from "../aws-error.ts";
import type { ResourceType } from "../schema.ts";
import type { ResourceStore, StoredResource } from "../store.ts";
import type { PropertyMap, PropertyValue } from "../values.ts";

export interface Intent {
  readonly type: ResourceType;
  readonly inputs: PropertyMap;
  readonly account: string;
  readonly region: string;
  /** Otherwise it exists and is to be changed. */
  readonly isNew: boolean;
  readonly store: ResourceStore;
}

/** What must be in place first, beyond the references themselves. Undefined is consent. */
export type Precondition = (intent: Intent) => Promise<AwsError | undefined>;

export type Preconditions = Readonly<Record<string, Precondition>>;

export const types = {
  apiAccount: "aws:apigateway/account:Account",
  apiIntegration: "aws:apigateway/integration:Integration",
  apiMethod: "aws:apigateway/method:Method",
  bucket: "aws:s3/bucket:Bucket",
  bucketOwnership: "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
  bucketPolicy: "aws:s3/bucketPolicy:BucketPolicy",
  bucketVersioning: "aws:s3/bucketVersioning:BucketVersioning",
  deliveryChannel: "aws:cfg/deliveryChannel:DeliveryChannel",
  eventTarget: "aws:cloudwatch/eventTarget:EventTarget",
  key: "aws:kms/key:Key",
  keyPolicy: "aws:kms/keyPolicy:KeyPolicy",
  lambda: "aws:lambda/function:Function",
  lambdaPermission: "aws:lambda/permission:Permission",
  listener: "aws:lb/listener:Listener",
  listenerRule: "aws:lb/listenerRule:ListenerRule",
  publicAccessBlock: "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
  queue: "aws:sqs/queue:Queue",
  queuePolicy: "aws:sqs/queuePolicy:QueuePolicy",
  recorder: "aws:cfg/recorder:Recorder",
  rolePolicy: "aws:iam/rolePolicy:RolePolicy",
  rolePolicyAttachment: "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
  securityHub: "aws:securityhub/account:Account",
  service: "aws:ecs/service:Service",
  subnet: "aws:ec2/subnet:Subnet",
  targetGroup: "aws:lb/targetGroup:TargetGroup",
  taskDefinition: "aws:ecs/taskDefinition:TaskDefinition",
  topic: "aws:sns/topic:Topic",
  topicPolicy: "aws:sns/topicPolicy:TopicPolicy",
  vpc: "aws:ec2/vpc:Vpc",
} as const;

export function text(value: PropertyValue | undefined): string {
  return typeof value === "string" ? value : "";
}

/** Resources of the account by a property of theirs, in whatever region. */
export function find(
  intent: Intent,
  type: string,
  property: string,
  value: string,
): Promise<StoredResource[]> {
  return intent.store.listByProperty(type, intent.account, property, value);
}

/** The resource of this region with such an id or ARN. */
export function named(intent: Intent, type: string, idOrArn: string): Promise<StoredResource | undefined> {
  return intent.store.findByAwsId(type, intent.account, intent.region, idOrArn);
}

/** The error when the region has nothing of a type yet. */
export async function missing(
  intent: Intent,
  type: string,
  code: string,
  what: string,
): Promise<AwsError | undefined> {
  if (await intent.store.hasAny(type, intent.account, intent.region)) return undefined;
  return new AwsError(
    code,
    `${intent.region} of ${intent.account} has not ${what} yet: create it first (dependsOn)`,
  );
}
