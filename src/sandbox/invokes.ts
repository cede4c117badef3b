import { createHash } from "node:crypto";
import { AwsError } from "./aws-error.ts";
import { checkBag, type Failure } from "./check.ts";
import { type ProviderConfiguration, partitionOf } from "./configuration.ts";
import { zoneIdPrefix } from "./output-rules.ts";
import { policyDocument } from "./policy-document.ts";
import type { Schema } from "./schema.ts";
import type { ResourceStore, StoredResource } from "./store.ts";
import { type PropertyMap, type PropertyValue, unknownValue } from "./values.ts";
import type { Properties } from "./wire.ts";

export interface InvokeContext {
  readonly schema: Schema;
  readonly store: ResourceStore;
  readonly configuration: ProviderConfiguration;
}

type Invoke = (context: InvokeContext, args: PropertyMap) => PropertyMap | Promise<PropertyMap>;

const regionOf = (context: InvokeContext, args: PropertyMap): string => {
  const region = args.region ?? args.name;
  return typeof region === "string" ? region : context.configuration.region;
};

const invokes: Readonly<Record<string, Invoke>> = {
  "aws:index/getCallerIdentity:getCallerIdentity": ({ configuration: { account, partition } }) => {
    const userId = `AROA${createHash("sha256").update(account).digest("hex").slice(0, 17).toUpperCase()}`;
    return {
      accountId: account,
      arn: `arn:${partition}:sts::${account}:assumed-role/sandbox/aidlc`,
      id: account,
      userId: `${userId}:aidlc`,
    };
  },
  "aws:index/getPartition:getPartition": ({ configuration: { partition, dnsSuffix } }) => ({
    dnsSuffix,
    id: partition,
    partition,
    reverseDnsPrefix: dnsSuffix.split(".").reverse().join("."),
  }),
  "aws:index/getRegion:getRegion": (context, args) => {
    const region = regionOf(context, args);
    const endpoint = `ec2.${region}.${partitionOf(region).dnsSuffix}`;
    return { description: regionTitles[region] ?? region, endpoint, id: region, name: region, region };
  },
  "aws:index/getAvailabilityZones:getAvailabilityZones": getAvailabilityZones,
  "aws:iam/getPolicyDocument:getPolicyDocument": (_, args) => policyDocument(args),
  "aws:ec2/getVpc:getVpc": getVpc,
  "aws:kms/getKey:getKey": getKey,
  "aws:lakeformation/getDataLakeSettings:getDataLakeSettings": getDataLakeSettings,
  "aws:ssm/getParameter:getParameter": getParameter,
  "aws:elb/getServiceAccount:getServiceAccount": (context, args) => {
    const region = regionOf(context, args);
    const id = loadBalancingAccounts[region];
    if (id === undefined) {
      throw new AwsError(
        "InvalidRegion",
        `${region} has no load-balancing account: grant logdelivery.elasticloadbalancing.amazonaws.com instead`,
      );
    }
    return { arn: `arn:${context.configuration.partition}:iam::${id}:root`, id, region };
  },
};

/** Outputs that the provider marks as secret. */
const secretOutputs: Readonly<Record<string, readonly string[]>> = {
  "aws:ssm/getParameter:getParameter": ["value"],
};

/** Answers one of the provider's functions; wrong arguments come back as failures, AWS's refusals as errors. */
export async function invoke(
  context: InvokeContext,
  token: string,
  args: Properties,
): Promise<Properties | { failures: readonly Failure[] }> {
  const type = context.schema.invoke(token);
  const answer = invokes[token];
  if (!type || !answer) {
    throw new AwsError(
      "UnknownFunction",
      `The sandbox doesn't know the function ${token}: docs/sandbox.md lists those it does`,
    );
  }
  const { failures, inputs } = checkBag(context.schema, type.inputs, args.values, token);
  if (failures.length > 0) return { failures };
  const values = await answer(context, inputs);
  return { values, secrets: (secretOutputs[token] ?? []).map((name) => [name]) };
}

function getAvailabilityZones(context: InvokeContext, args: PropertyMap): PropertyMap {
  const region = regionOf(context, args);
  const excludedNames = texts(args.excludeNames);
  const excludedIds = texts(args.excludeZoneIds);
  const count = region === "us-east-1" ? 6 : 3;
  const zones = [..."abcdef"]
    .slice(0, count)
    .map((letter, index) => ({ name: region + letter, id: `${zoneIdPrefix(region)}-az${index + 1}` }))
    .filter(({ name, id }) => !excludedNames.includes(name) && !excludedIds.includes(id))
    // Every zone of the sandbox is available; another state matches none.
    .filter(() => args.state === undefined || args.state === "available");
  return {
    ...args,
    groupNames: [region],
    id: region,
    names: zones.map(({ name }) => name),
    region,
    zoneIds: zones.map(({ id }) => id),
  };
}

async function getVpc(context: InvokeContext, args: PropertyMap): Promise<PropertyMap> {
  const region = regionOf(context, args);
  const id = args.id;
  const vpcs = await context.store.list("aws:ec2/vpc:Vpc", context.configuration.account, region);
  const matching = vpcs.filter(
    ({ aws_id, outputs }) =>
      (id === undefined || aws_id === id) &&
      (args.cidrBlock === undefined || outputs.cidrBlock === args.cidrBlock) &&
      // Accounts of the sandbox have no default VPC.
      args.default !== true,
  );
  const [vpc] = matching;
  if (!vpc)
    throw new AwsError(
      "NotFound",
      `no matching EC2 VPC found in ${region}: create one or correct the arguments`,
    );
  if (matching.length > 1)
    throw new AwsError("TooManyResults", "multiple EC2 VPCs matched; use additional constraints");
  const { outputs } = vpc;
  return {
    ...pick(outputs, [
      "arn",
      "cidrBlock",
      "dhcpOptionsId",
      "enableDnsHostnames",
      "enableDnsSupport",
      "instanceTenancy",
      "mainRouteTableId",
      "ownerId",
    ]),
    cidrBlockAssociations: [
      { associationId: `${vpc.aws_id}-cidr`, cidrBlock: outputs.cidrBlock ?? "", state: "associated" },
    ],
    default: false,
    enableNetworkAddressUsageMetrics: false,
    id: vpc.aws_id,
    ipv6AssociationId: "",
    ipv6CidrBlock: "",
    ipv6CidrBlockAssociations: [],
    region,
    state: "available",
    tags: outputs.tagsAll ?? {},
  };
}

async function getDataLakeSettings(context: InvokeContext, args: PropertyMap): Promise<PropertyMap> {
  const region = regionOf(context, args);
  const { account } = context.configuration;
  const type = "aws:lakeformation/dataLakeSettings:DataLakeSettings";
  const [written] = await context.store.list(type, account, region);
  const toEverybody = [{ permissions: ["ALL"], principal: "IAM_ALLOWED_PRINCIPALS" }];
  const settings: PropertyMap = written?.outputs ?? {
    createDatabaseDefaultPermissions: toEverybody,
    createTableDefaultPermissions: toEverybody,
  };
  return {
    catalogId: args.catalogId ?? account,
    id: account,
    region,
    parameters: { CROSS_ACCOUNT_VERSION: "1", SET_CONTEXT: "TRUE" },
    ...Object.fromEntries(dataLakeLists.map((name) => [name, settings[name] ?? []])),
    allowExternalDataFiltering: settings.allowExternalDataFiltering ?? false,
    allowFullTableExternalDataAccess: settings.allowFullTableExternalDataAccess ?? false,
  };
}

const dataLakeLists = [
  "admins",
  "authorizedSessionTagValueLists",
  "createDatabaseDefaultPermissions",
  "createTableDefaultPermissions",
  "externalDataFilteringAllowLists",
  "readOnlyAdmins",
  "trustedResourceOwners",
];

async function getKey(context: InvokeContext, args: PropertyMap): Promise<PropertyMap> {
  const region = regionOf(context, args);
  const { account } = context.configuration;
  const keyId = String(args.keyId);
  const key = await findKey(context, region, keyId);
  if (!key)
    throw new AwsError("NotFoundException", `Key '${keyId}' does not exist in ${region}: correct keyId`);
  return {
    arn: key.arn ?? "",
    awsAccountId: account,
    cloudHsmClusterId: "",
    creationDate: key.created_at.toISOString(),
    customKeyStoreId: "",
    customerMasterKeySpec: key.outputs.customerMasterKeySpec ?? "SYMMETRIC_DEFAULT",
    deletionDate: "",
    description: key.outputs.description ?? "",
    enabled: key.outputs.isEnabled ?? true,
    expirationModel: "",
    id: key.aws_id,
    keyId,
    keyManager: "CUSTOMER",
    keySpec: key.outputs.customerMasterKeySpec ?? "SYMMETRIC_DEFAULT",
    keyState: "Enabled",
    keyUsage: key.outputs.keyUsage ?? "ENCRYPT_DECRYPT",
    multiRegion: key.outputs.multiRegion ?? false,
    multiRegionConfigurations: [],
    origin: "AWS_KMS",
    pendingDeletionWindowInDays: 0,
    region,
    validTo: "",
    xksKeyConfigurations: [],
  };
}

async function findKey(
  context: InvokeContext,
  region: string,
  keyId: string,
): Promise<StoredResource | undefined> {
  const { account } = context.configuration;
  const aliasName = /(?:^|:)(alias\/.+)$/.exec(keyId)?.[1];
  if (aliasName === undefined) return context.store.findByAwsId("aws:kms/key:Key", account, region, keyId);
  const alias = await context.store.findByAwsId("aws:kms/alias:Alias", account, region, aliasName);
  const target = alias?.outputs.targetKeyId;
  return typeof target === "string"
    ? context.store.findByAwsId("aws:kms/key:Key", account, region, target)
    : undefined;
}

async function getParameter(context: InvokeContext, args: PropertyMap): Promise<PropertyMap> {
  const region = regionOf({ ...context }, { ...pick(args, ["region"]) });
  const name = String(args.name);
  const row = await context.store.findByAwsId(
    "aws:ssm/parameter:Parameter",
    context.configuration.account,
    region,
    name,
  );
  if (!row)
    throw new AwsError(
      "ParameterNotFound",
      `Parameter "${name}" does not exist in ${region}: create it or correct the name`,
    );
  const value = row.outputs.value ?? row.outputs.insecureValue ?? "";
  const isSecure = row.outputs.type === "SecureString";
  return {
    arn: row.arn ?? "",
    id: name,
    insecureValue: isSecure ? "" : value,
    name,
    region,
    type: row.outputs.type ?? "String",
    value: args.withDecryption === false && isSecure ? unknownIfSecret(value) : value,
    version: row.outputs.version ?? 1,
    withDecryption: args.withDecryption ?? true,
  };
}

function unknownIfSecret(value: PropertyValue): PropertyValue {
  return value === unknownValue ? value : "AQICAHencrypted";
}

function texts(value: PropertyValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function pick(map: PropertyMap, names: readonly string[]): PropertyMap {
  return Object.fromEntries(Object.entries(map).filter(([name]) => names.includes(name)));
}

const regionTitles: Readonly<Record<string, string>> = {
  "us-east-1": "US East (N. Virginia)",
  "us-east-2": "US East (Ohio)",
  "us-west-1": "US West (N. California)",
  "us-west-2": "US West (Oregon)",
  "ca-central-1": "Canada (Central)",
  "eu-west-1": "Europe (Ireland)",
  "eu-west-2": "Europe (London)",
  "eu-west-3": "Europe (Paris)",
  "eu-central-1": "Europe (Frankfurt)",
  "eu-north-1": "Europe (Stockholm)",
  "ap-northeast-1": "Asia Pacific (Tokyo)",
  "ap-south-1": "Asia Pacific (Mumbai)",
  "ap-southeast-1": "Asia Pacific (Singapore)",
  "ap-southeast-2": "Asia Pacific (Sydney)",
  "sa-east-1": "South America (Sao Paulo)",
};

// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
const loadBalancingAccounts: Readonly<Record<string, string>> = {
  "us-east-1": "127311923021",
  "us-east-2": "033677994240",
  "us-west-1": "027434742980",
  "us-west-2": "797873946194",
  "ca-central-1": "985666609251",
  "eu-central-1": "054676820928",
  "eu-west-1": "156460612806",
  "eu-west-2": "652711504416",
  "eu-west-3": "009996457667",
  "eu-north-1": "897822967062",
  "ap-northeast-1": "582318560864",
  "ap-south-1": "718504428378",
  "ap-southeast-1": "114774131450",
  "ap-southeast-2": "783225319266",
  "sa-east-1": "507241528517",
};
