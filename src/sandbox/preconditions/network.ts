import { AwsError } from "../aws-error.ts";
import { contains, overlaps, parseCidr } from "../cidr.ts";
import type { StoredResource } from "../store.ts";
import { valuesAt } from "../values.ts";
import { find, type Intent, named, type Preconditions, text, types } from "./intent.ts";

// https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
const quotas = { vpcs: 5, internetGateways: 5, addresses: 5, rulesOfAGroup: 60, interfaceEndpoints: 50 };

export const networkPreconditions: Preconditions = {
  "ec2/vpc": (intent) => withinQuota(intent, "VpcLimitExceeded", "VPCs", quotas.vpcs),
  "ec2/internetGateway": (intent) =>
    withinQuota(intent, "InternetGatewayLimitExceeded", "internet gateways", quotas.internetGateways),
  "ec2/eip": (intent) => withinQuota(intent, "AddressLimitExceeded", "elastic addresses", quotas.addresses),
  "ec2/subnet": subnetFits,
  "ec2/natGateway": async (intent) => {
    const subnet = await named(intent, types.subnet, text(intent.inputs.subnetId));
    if (intent.inputs.connectivityType === "private" || !subnet) return undefined;
    return gatewayOf(intent, text(subnet.outputs.vpcId), "Gateway.NotAttached");
  },
  "ec2/vpcEndpoint": endpointFits,
  "lb/loadBalancer": async (intent) => {
    if (!intent.isNew) return undefined;
    const ids = valuesAt(intent.inputs.subnets, []).map(text);
    const subnets = (await Promise.all(ids.map((id) => named(intent, types.subnet, id)))).filter(isThere);
    const zones = new Set(subnets.map(({ outputs }) => text(outputs.availabilityZone)));
    const isApplication = (intent.inputs.loadBalancerType ?? "application") === "application";
    if (isApplication && subnets.length > 1 && zones.size < subnets.length) {
      return new AwsError(
        "InvalidConfigurationRequest",
        `A load balancer cannot be attached to multiple subnets in the same Availability Zone: ${[...zones].join(", ")}`,
      );
    }
    const vpc = text(subnets[0]?.outputs.vpcId);
    return intent.inputs.internal === true || vpc === ""
      ? undefined
      : gatewayOf(intent, vpc, "InvalidSubnet");
  },
  "vpc/securityGroupIngressRule": groupRoom,
  "vpc/securityGroupEgressRule": groupRoom,
};

async function withinQuota(
  intent: Intent,
  code: string,
  what: string,
  limit: number,
): Promise<AwsError | undefined> {
  if (!intent.isNew) return undefined;
  const count = await intent.store.count(intent.type.token, intent.account, intent.region);
  if (count < limit) return undefined;
  return new AwsError(
    code,
    `${intent.region} of ${intent.account} has ${count} ${what}, AWS allows ${limit}: remove one, share one, or ask AWS for more`,
  );
}

async function gatewayOf(intent: Intent, vpcId: string, code: string): Promise<AwsError | undefined> {
  const [own] = await find(intent, "aws:ec2/internetGateway:InternetGateway", "vpcId", vpcId);
  const [attached] = await find(
    intent,
    "aws:ec2/internetGatewayAttachment:InternetGatewayAttachment",
    "vpcId",
    vpcId,
  );
  if (own ?? attached) return undefined;
  return new AwsError(
    code,
    `Network ${vpcId} has no Internet gateway attached: create it first (dependsOn), or stay internal`,
  );
}

async function groupRoom(intent: Intent): Promise<AwsError | undefined> {
  if (!intent.isNew) return undefined;
  const group = text(intent.inputs.securityGroupId);
  const rules = await find(intent, intent.type.token, "securityGroupId", group);
  if (rules.length < quotas.rulesOfAGroup) return undefined;
  return new AwsError(
    "RulesPerSecurityGroupLimitExceeded",
    `The maximum number of rules per security group has been reached: ${group} has ${rules.length}, AWS allows ${quotas.rulesOfAGroup}: use a prefix list or another group`,
  );
}

async function subnetFits(intent: Intent): Promise<AwsError | undefined> {
  // The range of an existing subnet can't be changed.
  if (!intent.isNew) return undefined;
  const { vpcId, cidrBlock } = intent.inputs;
  const wanted = parseCidr(text(cidrBlock));
  const vpc = await named(intent, types.vpc, text(vpcId));
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

async function endpointFits(intent: Intent): Promise<AwsError | undefined> {
  const { inputs, isNew, region } = intent;
  const service = text(inputs.serviceName);
  const [, , ofRegion = ""] = service.split(".");
  if (
    service.startsWith("com.amazonaws.") &&
    ofRegion !== region &&
    !isGlobalService(service) &&
    inputs.serviceRegion === undefined
  ) {
    return new AwsError(
      "InvalidServiceName",
      `The Vpc Endpoint Service '${service}' does not exist in ${region}: name the region's own service`,
    );
  }
  const subnets = await Promise.all(
    valuesAt(inputs.subnetIds, []).map((id) => named(intent, types.subnet, text(id))),
  );
  const zones = subnets.filter(isThere).map(({ outputs }) => text(outputs.availabilityZone));
  if (new Set(zones).size < zones.length) {
    return new AwsError(
      "DuplicateSubnetsInSameZone",
      `Found another VPC endpoint subnet in the availability zone of ${zones.join(", ")}: name one subnet for each zone`,
    );
  }
  if (inputs.privateDnsEnabled !== true) return undefined;
  const vpcId = text(inputs.vpcId);
  const vpc = await named(intent, types.vpc, vpcId);
  if (vpc && (vpc.outputs.enableDnsHostnames !== true || vpc.outputs.enableDnsSupport === false)) {
    return new AwsError(
      "InvalidParameter",
      `Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for ${vpcId}`,
    );
  }
  const others = isNew ? await find(intent, intent.type.token, "vpcId", vpcId) : [];
  const rival = others.find(
    ({ outputs }) => outputs.serviceName === service && outputs.privateDnsEnabled === true,
  );
  if (!rival) return undefined;
  return new AwsError(
    "InvalidParameter",
    `private-dns-enabled cannot be set because there is already a conflicting DNS domain for ${service} in the VPC ${vpcId}: share ${rival.aws_id}`,
  );
}

function isGlobalService(service: string): boolean {
  return /^com\.amazonaws\.(iam|s3-global|route53|organizations)/.test(service);
}

function isThere(row: StoredResource | undefined): row is StoredResource {
  return row !== undefined;
}
