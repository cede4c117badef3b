import { randomInt, randomUUID } from "node:crypto";
import type { ProviderConfiguration } from "./configuration.ts";
import { randomToken } from "./identifiers.ts";
import type { PropertyMap, PropertyValue } from "./values.ts";

/** What the value of an output may depend on. */
export interface Output {
  readonly properties: PropertyMap;
  readonly configuration: ProviderConfiguration;
  readonly region: string;
  readonly id: string;
  readonly arn: string;
  readonly now: Date;
}

export type Rule = (output: Output) => PropertyValue | undefined;

const account: Rule = ({ configuration }) => configuration.account;
const moment: Rule = ({ now }) => now.toISOString();
const id: Rule = (output) => output.id;
const arn: Rule = (output) => output.arn;
const absent: Rule = () => undefined;
const generated =
  (prefix: string): Rule =>
  () =>
    `${prefix}-${randomToken(17, "hex")}`;
const constant =
  (value: PropertyValue): Rule =>
  () =>
    value;

const text = (output: Output, name: string): string => String(output.properties[name] ?? "");

const invokeArn: Rule = ({ arn, region, configuration }) =>
  `arn:${configuration.partition}:apigateway:${region}:lambda:path/2015-03-31/functions/${arn}/invocations`;

const apiExecutionArn = ({ configuration, region }: Output, path: string): string =>
  `arn:${configuration.partition}:execute-api:${region}:${configuration.account}:${path}`;

const privateAddress: Rule = () => `10.0.${randomInt(256)}.${randomInt(4, 255)}`;
// 203.0.113.0/24 and 198.51.100.0/24 are set aside for documentation: nothing answers there.
const publicAddress: Rule = () => `203.0.113.${randomInt(1, 255)}`;

/** By the name of the output, for every type that has it. */
export const outputsByName: Readonly<Record<string, Rule>> = {
  accountId: account,
  allocationId: id,
  apiEndpoint: (o) =>
    `${text(o, "protocolType") === "WEBSOCKET" ? "wss" : "https"}://${o.id}.execute-api.${o.region}.${o.configuration.dnsSuffix}`,
  apiKeyVersion: constant("4"),
  arnSuffix: ({ arn }) => /:loadbalancer\/(.*)$/.exec(arn)?.[1] ?? arn.split(":").at(-1) ?? "",
  arnWithoutRevision: ({ arn }) => arn.replace(/:\d+$/, ""),
  associationId: () => `eipassoc-${randomToken(17, "hex")}`,
  bucketDomainName: (o) => `${text(o, "bucket")}.s3.${o.configuration.dnsSuffix}`,
  bucketRegion: ({ region }) => region,
  bucketRegionalDomainName: (o) => `${text(o, "bucket")}.s3.${o.region}.${o.configuration.dnsSuffix}`,
  callerReference: () => `terraform-${randomUUID()}`,
  codeSha256: () => Buffer.from(randomToken(32, "alnum")).toString("base64"),
  configId: ({ arn }) => arn.split(":").at(-1) ?? "",
  connectionStatus: constant("PENDING"),
  createDate: moment,
  createdDate: moment,
  creationDate: moment,
  dashboardArn: arn,
  defaultNetworkAclId: generated("acl"),
  defaultRouteTableId: generated("rtb"),
  defaultSecurityGroupId: generated("sg"),
  deploymentConfigId: () => randomUUID(),
  deploymentGroupId: () => randomUUID(),
  dhcpOptionsId: generated("dopt"),
  dnsName: (o) => `${text(o, "name")}-${randomInt(1e9)}.${o.region}.elb.${o.configuration.dnsSuffix}`,
  domainName: () => `d${randomToken(13, "lower alnum")}.cloudfront.net`,
  etag: () => `E${randomToken(13, "upper alnum")}`,
  functionArn: (o) => {
    const name = text(o, "functionName");
    if (name.startsWith("arn:")) return name;
    return `arn:${o.configuration.partition}:lambda:${o.region}:${o.configuration.account}:function:${name}`;
  },
  homeRegion: ({ region }) => region,
  invokeArn,
  invokeUrl: (o) => {
    const api = text(o, "restApi") || text(o, "apiId");
    const stage = text(o, "stageName") || text(o, "name");
    return `https://${api}.execute-api.${o.region}.${o.configuration.dnsSuffix}/${stage === "$default" ? "" : stage}`;
  },
  ipv6AssociationId: absent,
  ipv6CidrBlockAssociationId: absent,
  keyId: id,
  keyRotationEnabled: constant(false),
  keySpec: constant("SYMMETRIC_DEFAULT"),
  keyUsage: constant("ENCRYPT_DECRYPT"),
  lastModificationDate: moment,
  lastModified: moment,
  lastModifiedTime: moment,
  layerArn: ({ arn }) => arn.replace(/:\d+$/, ""),
  lockToken: () => randomUUID(),
  mainRouteTableId: generated("rtb"),
  networkInterfaceId: generated("eni"),
  owner: account,
  ownerAccountId: account,
  ownerId: account,
  platformDisplayName: constant("AWS Lambda"),
  policyId: () => `ANPA${randomToken(17, "upper alnum")}`,
  prefixListId: absent,
  privateIp: privateAddress,
  publicIp: publicAddress,
  qualifiedArn: ({ arn }) => `${arn}:$LATEST`,
  qualifiedInvokeArn: (o) => invokeArn({ ...o, arn: `${o.arn}:$LATEST` }),
  registryId: account,
  repositoryUrl: (o) =>
    `${o.configuration.account}.dkr.ecr.${o.region}.${o.configuration.dnsSuffix}/${text(o, "name")}`,
  responseStreamingInvokeArn: (o) =>
    String(invokeArn(o))
      .replace("/2015-03-31/", "/2021-11-15/")
      .replace("/invocations", "/response-streaming-invocations"),
  rootResourceId: () => randomToken(10, "lower alnum"),
  ruleId: ({ arn }) => arn.split("/").at(-1) ?? "",
  secretArn: (o) => text(o, "secretId"),
  securityGroupRuleId: id,
  state: constant("available"),
  status: constant("Deployed"),
  targetKeyArn: (o) => {
    const key = text(o, "targetKeyId");
    if (key.startsWith("arn:")) return key;
    return `arn:${o.configuration.partition}:kms:${o.region}:${o.configuration.account}:key/${key}`;
  },
  uniqueId: () => `AROA${randomToken(17, "upper alnum")}`,
  url: id,
  uuid: id,
  versionId: () => randomUUID().replaceAll("-", ""),
  versionArn: ({ arn }) => `${arn}/${randomToken(10, "alnum")}`,
  webAclArn: constant(""),
  websiteDomain: absent,
  websiteEndpoint: absent,
};

/** Where one type's output differs from that of the others. */
export const outputsByType: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  "apigateway/resource": { path: (o) => `/${text(o, "pathPart")}` },
  "apigateway/restApi": { executionArn: (o) => apiExecutionArn(o, o.id) },
  "apigateway/stage": {
    executionArn: (o) => apiExecutionArn(o, `${text(o, "restApi")}/${text(o, "stageName")}`),
  },
  "apigatewayv2/api": { executionArn: (o) => apiExecutionArn(o, o.id) },
  "apigatewayv2/stage": { executionArn: (o) => apiExecutionArn(o, `${text(o, "apiId")}/${text(o, "name")}`) },
  "backup/plan": { version: () => randomUUID() },
  "cloudfront/distribution": { hostedZoneId: constant("Z2FDTNDATAQYW2") },
  "ec2/defaultSecurityGroup": {
    name: constant("default"),
    namePrefix: absent,
    description: constant("default VPC security group"),
  },
  "ec2/natGateway": { publicIp: publicAddress, networkInterfaceId: generated("eni") },
  "ec2/route": { origin: constant("CreateRoute"), state: constant("active"), instanceId: absent },
  "ec2/vpcEndpoint": {
    dnsEntries: (o) => (text(o, "vpcEndpointType") === "Interface" ? [{ dnsName: endpointDns(o) }] : []),
    networkInterfaceIds: ({ properties }) => {
      const subnets = properties.subnetIds;
      return Array.isArray(subnets) ? subnets.map(() => `eni-${randomToken(17, "hex")}`) : [];
    },
    prefixListId: (o) =>
      text(o, "vpcEndpointType") === "Interface" ? undefined : `pl-${randomToken(8, "hex")}`,
  },
  "iam/accountPasswordPolicy": {
    expirePasswords: ({ properties }) => Number(properties.maxPasswordAge ?? 0) > 0,
  },
  "iam/serviceLinkedRole": {
    name: ({ arn }) => arn.split("/").at(-1),
    path: ({ arn }) => /:role(\/.*\/)/.exec(arn)?.[1],
  },
  "lambda/eventSourceMapping": {
    state: constant("Enabled"),
    lastProcessingResult: constant("No records processed"),
  },
  "lambda/function": { version: constant("$LATEST"), sourceCodeSize: constant(0) },
  "s3/bucket": { hostedZoneId: constant("Z3AQBSTGFJSTF") },
  "sagemaker/notebookInstance": { url: (o) => `${text(o, "name")}.notebook.${o.region}.sagemaker.aws` },
  "sagemaker/mlflowTrackingServer": {
    trackingServerUrl: (o) =>
      `https://t-${randomToken(12, "lower alnum")}.${o.region}.experiments.sagemaker.aws`,
  },
  "scheduler/scheduleGroup": { state: constant("ACTIVE") },
  "secretsmanager/secretVersion": {
    versionId: ({ id }) => id.split("|")[1] ?? "",
    hasSecretStringWo: constant(false),
  },
  "signer/signingProfile": { status: constant("Active"), version: () => randomToken(10, "alnum") },
  "sns/topicSubscription": {
    pendingConfirmation: (o) => ["email", "email-json", "http", "https"].includes(text(o, "protocol")),
  },
  "ssm/parameter": { version: constant(1), hasValueWo: constant(false) },
};

function endpointDns(output: Output): string {
  const service = text(output, "serviceName").split(".").at(-1);
  return `${output.id}-${randomToken(8, "lower alnum")}.${service}.${output.region}.vpce.amazonaws.com`;
}

/** Optional inputs that AWS fills in when the program leaves them out. */
export const filledInputs: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  "backup/vault": { kmsKeyArn: (o) => managedKey(o, "backup") },
  "budgets/budget": { accountId: account },
  "cloudwatch/eventRule": { state: constant("ENABLED") },
  "ec2/securityGroup": {
    name: (o) => text(o, "namePrefix") + randomToken(26, "hex"),
    egress: constant([]),
    ingress: constant([]),
  },
  "ec2/subnet": {
    availabilityZone: ({ region }) => `${region}a`,
    availabilityZoneId: ({ region }) => `${zoneIdPrefix(region)}-az1`,
  },
  "ec2/vpcEndpoint": {
    policy: () =>
      JSON.stringify({ Statement: [{ Action: "*", Effect: "Allow", Principal: "*", Resource: "*" }] }),
  },
  "glue/catalogDatabase": { catalogId: account },
  "glue/catalogTable": { catalogId: account },
  "kms/key": { policy: defaultKeyPolicy },
  "lambda/permission": { statementId: () => `terraform-${randomToken(26, "hex")}` },
  "s3/accountPublicAccessBlock": { accountId: account },
  "secretsmanager/secretVersion": { versionStages: constant(["AWSCURRENT"]) },
  "sns/topic": { policy: absent },
};

function managedKey({ configuration, region }: Output, service: string): string {
  return `arn:${configuration.partition}:kms:${region}:${configuration.account}:alias/aws/${service}`;
}

function defaultKeyPolicy({ configuration }: Output): string {
  const root = `arn:${configuration.partition}:iam::${configuration.account}:root`;
  const statement = {
    Sid: "Enable IAM User Permissions",
    Effect: "Allow",
    Principal: { AWS: root },
    Action: "kms:*",
    Resource: "*",
  };
  return JSON.stringify({ Version: "2012-10-17", Id: "key-default-1", Statement: [statement] });
}

/** `us-east-1` → `use1`, as zone ids begin. */
export function zoneIdPrefix(region: string): string {
  const [area = "", direction = "", number = ""] = region.split("-");
  const short = direction.replace(/(north|south)?(east|west)?(central)?/, (_, a, b, c) =>
    [a, b, c].map((part: string | undefined) => part?.charAt(0) ?? "").join(""),
  );
  return `${area}${short}${number}`;
}

/** Outputs that every update changes. */
export const renewedOutputs: Readonly<Record<string, readonly string[]>> = {
  "cloudfront/distribution": ["etag", "lastModifiedTime"],
  "lambda/function": ["lastModified", "codeSha256"],
  "wafv2/webAcl": ["lockToken"],
};
