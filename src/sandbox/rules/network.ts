import { parseCidr } from "../cidr.ts";
import { valuesAt } from "../values.ts";
import { atMost, failure, isGiven, objectsOf, type Rules, repeated, textOf, textsAt } from "./rule.ts";

// https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
const rulesOfAGroup = 60;
const groupsOfAnInterface = 5;
const rulesOfANetworkAcl = 20;

/** VPCs and what belongs to them, roles and their sessions. */
export const networkRules: Rules = {
  *"ec2/vpc"(inputs) {
    yield* prefixLength("cidrBlock", inputs.cidrBlock);
  },
  *"ec2/subnet"(inputs) {
    yield* prefixLength("cidrBlock", inputs.cidrBlock);
  },
  *"ec2/securityGroup"(inputs) {
    for (const name of ["ingress", "egress"]) {
      yield* atMost(
        name,
        objectsOf(inputs[name]).length,
        rulesOfAGroup,
        "rules",
        "use prefix lists or several groups",
      );
      for (const [index, rule] of objectsOf(inputs[name]).entries()) {
        const sources = ["cidrBlocks", "ipv6CidrBlocks", "prefixListIds", "securityGroups"];
        if (rule.self !== true && !sources.some((source) => isGiven(rule[source])))
          yield failure([name, index], `must name a peer: one of ${sources.join(", ")}, self`);
      }
    }
    const name = textOf(inputs.name);
    if (name?.startsWith("sg-")) yield failure("name", `must not begin with "sg-": rename "${name}"`);
    const description = textOf(inputs.description);
    if (description !== undefined && !/^[a-zA-Z0-9 ._\-:/()#,@[\]+=&;{}!$*]*$/.test(description))
      yield failure("description", `has characters that AWS refuses: "${description}"`);
  },
  "vpc/securityGroupIngressRule": groupRule,
  "vpc/securityGroupEgressRule": groupRule,
  *"ec2/vpcEndpoint"(inputs) {
    const type = textOf(inputs.vpcEndpointType) ?? "Gateway";
    const isGateway = type === "Gateway";
    if (isGateway) {
      for (const name of ["subnetIds", "securityGroupIds", "privateDnsEnabled"])
        if (isGiven(inputs[name]) && inputs[name] !== false)
          yield failure(name, "is not for gateway endpoints: leave it out");
      const service = textOf(inputs.serviceName);
      if (service !== undefined && !/\.(s3|dynamodb|s3express)$/.test(service))
        yield failure("vpcEndpointType", `${service} has no gateway endpoint: use Interface`);
    } else if (isGiven(inputs.routeTableIds))
      yield failure("routeTableIds", `is not for endpoints of the type ${type}: leave it out`);
    yield* atMost(
      "securityGroupIds",
      valuesAt(inputs.securityGroupIds, []).length,
      groupsOfAnInterface,
      "groups",
      "merge some",
    );
  },
  *"ec2/networkAcl"(inputs) {
    for (const name of ["ingress", "egress"]) {
      const rules = objectsOf(inputs[name]);
      yield* atMost(name, rules.length, rulesOfANetworkAcl, "rules", "merge some");
      for (const number of repeated(rules.map(({ ruleNo }) => String(ruleNo))))
        yield failure(name, `has two rules of the number ${number}: give each its own`);
      for (const rule of rules)
        if (typeof rule.ruleNo === "number" && (rule.ruleNo < 1 || rule.ruleNo > 32_766))
          yield failure(name, `rule numbers are 1 to 32766, not ${rule.ruleNo}`);
    }
  },
  *"ec2/flowLog"(inputs) {
    const isToLogs = (textOf(inputs.logDestinationType) ?? "cloud-watch-logs") === "cloud-watch-logs";
    if (isToLogs && !isGiven(inputs.iamRoleArn))
      yield failure("iamRoleArn", "is required for CloudWatch Logs: set it");
    const interval = inputs.maxAggregationInterval;
    if (typeof interval === "number" && ![60, 600].includes(interval))
      yield failure("maxAggregationInterval", `must be 60 or 600, not ${interval}`);
  },
  *"iam/role"(inputs) {
    const names = textsAt(inputs, "managedPolicyArns");
    yield* atMost("managedPolicyArns", names.length, 10, "policies", "merge some");
    const trust = textOf(inputs.assumeRolePolicy);
    if (trust?.includes('"Resource"'))
      yield failure("assumeRolePolicy", "MalformedPolicyDocument: Has prohibited field Resource");
    if (trust?.includes('"Statement"') && !/"(Not)?Principal"/.test(trust))
      yield failure("assumeRolePolicy", "MalformedPolicyDocument: AssumeRole policy must name a Principal");
  },
};

function* prefixLength(name: string, value: Parameters<typeof textOf>[0]) {
  const range = textOf(value);
  if (range === undefined) return;
  const length = Number(range.split("/")[1]);
  if (!parseCidr(range) || length < 16 || length > 28)
    yield failure(name, `must be a range of /16 to /28, not "${range}"`);
}

function* groupRule(inputs: Parameters<Rules[string]>[0]) {
  const peers = ["cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId"].filter((name) =>
    isGiven(inputs[name]),
  );
  if (peers.length !== 1)
    yield failure(
      peers[0] ?? "cidrIpv4",
      `exactly one of cidrIpv4, cidrIpv6, prefixListId, referencedSecurityGroupId must be set, ${peers.length || "none"} is`,
    );
  const [from, to] = [inputs.fromPort, inputs.toPort];
  if (typeof from === "number" && typeof to === "number" && from > to && inputs.ipProtocol !== "icmp")
    yield failure("fromPort", `must not exceed toPort, ${to}, not ${from}`);
  if (["tcp", "udp"].includes(String(inputs.ipProtocol)) && (!isGiven(from) || !isGiven(to)))
    yield failure("fromPort", `and toPort are required by ${String(inputs.ipProtocol)}: set both`);
  if (inputs.ipProtocol === "-1" && (isGiven(from) || isGiven(to)))
    yield failure("fromPort", "and toPort mean nothing with all protocols: leave them out");
}
