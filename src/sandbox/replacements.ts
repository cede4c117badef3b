import type { DiffRequest } from "./diff.ts";
import type { Path, PropertyValue } from "./values.ts";

/** A condition under which a change of one input replaces the resource, given the values of before and after. */
type Condition = (
  before: PropertyValue | undefined,
  after: PropertyValue | undefined,
  request: DiffRequest,
) => boolean;

const decreases: Condition = (before, after) =>
  typeof before === "number" && typeof after === "number" && after < before;

/** Security-group rules are changed in place, unless they get another kind of source or target. */
const comesOrGoes: Condition = (before, after) => (before === undefined) !== (after === undefined);

const isNetworkLoadBalancer = (request: DiffRequest): boolean =>
  request.oldOutputs.loadBalancerType === "network" || request.news.loadBalancerType === "network";

const conditions: Readonly<Record<string, Readonly<Record<string, Condition>>>> = {
  "ec2/vpc": { instanceTenancy: (_, after) => after !== "default" },
  "ec2/vpcEndpoint": { privateDnsEnabled: (_, __, { news }) => news.vpcEndpointType !== "Interface" },
  "ecs/service": { capacityProviderStrategies: (_, __, { news }) => news.forceNewDeployment !== true },
  "lb/loadBalancer": {
    securityGroups: (before, after, request) =>
      isNetworkLoadBalancer(request) && comesOrGoes(before, after, request),
    subnets: (before, after, request) =>
      isNetworkLoadBalancer(request) &&
      Array.isArray(before) &&
      Array.isArray(after) &&
      after.length < before.length,
  },
  "sagemaker/featureGroup": { onlineStoreConfig: comesOrGoes },
  "sagemaker/notebookInstance": { volumeSize: decreases },
  "ssm/parameter": { tier: (before, after) => before === "Advanced" && after !== "Advanced" },
  "vpc/securityGroupEgressRule": ruleSources(),
  "vpc/securityGroupIngressRule": ruleSources(),
};

function ruleSources(): Record<string, Condition> {
  return {
    cidrIpv4: comesOrGoes,
    cidrIpv6: comesOrGoes,
    prefixListId: comesOrGoes,
    referencedSecurityGroupId: comesOrGoes,
  };
}

export function replacesConditionally(token: string, path: Path, request: DiffRequest): boolean {
  const [name] = path;
  const condition = conditions[token.split(":")[1] ?? ""]?.[String(name)];
  if (!condition) return false;
  const before = request.oldInputs[String(name)];
  const after = request.news[String(name)];
  return condition(before, after, request);
}
