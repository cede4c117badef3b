import { document, one, type PolicyCases } from "./policy-cases.ts";

const vpc = one("ec2/vpc:Vpc", "network", { cidrBlock: "10.64.0.0/16" });
const rule = (kind: "Ingress" | "Egress", properties: object) =>
  one(`vpc/securityGroup${kind}Rule:SecurityGroup${kind}Rule`, "rule", {
    securityGroupId: "sg-1",
    ipProtocol: "tcp",
    ...properties,
  });
const endpoint = (properties: object) => one("ec2/vpcEndpoint:VpcEndpoint", "s3", properties);
const services = (...names: readonly string[]) =>
  names.map((name) => endpoint({ serviceName: `com.amazonaws.eu-west-1.${name}` }));
const tags = {
  "aidlc:classification": "internal",
  "aidlc:team": "fraud",
  "aidlc:pipeline": "churn",
  "aidlc:owner": "ada@example.com",
};
const provider = (change: object = {}) => ({
  ...one("unused", "aws", { defaultTags: JSON.stringify({ tags: { ...tags, ...change } }) }),
  type: "pulumi:providers:aws",
});
const bucket = one("s3/bucket:Bucket", "raw", { tags: { "aidlc:phase": "infrastructure" } });
const budget = (...percents: readonly number[]) =>
  one("budgets/budget:Budget", "budget", {
    notifications: [
      ...percents.map((threshold) => ({ notificationType: "ACTUAL", threshold })),
      { notificationType: "FORECASTED", threshold: 100 },
    ],
  });

export const architectureCases: PolicyCases = {
  "vpc-default-security-group-closed": {
    broken: [vpc],
    kept: [
      vpc,
      one("ec2/defaultSecurityGroup:DefaultSecurityGroup", "default", {
        vpcId: "network-id",
        ingress: [],
        egress: [],
      }),
    ],
  },
  "vpc-flow-logs-enabled": {
    broken: [vpc, one("ec2/flowLog:FlowLog", "log", { vpcId: "network-id", trafficType: "REJECT" })],
    kept: [vpc, one("ec2/flowLog:FlowLog", "log", { vpcId: "network-id", trafficType: "ALL" })],
  },
  "security-group-no-public-ingress": {
    broken: [rule("Ingress", { cidrIpv4: "0.0.0.0/0", fromPort: 22, toPort: 22 })],
    kept: [
      rule("Ingress", { cidrIpv4: "10.64.0.0/16", fromPort: 443, toPort: 443 }),
      one("ec2/securityGroup:SecurityGroup", "closed", { ingress: [] }),
    ],
  },
  "security-group-restricted-egress": {
    broken: [
      one("ec2/securityGroup:SecurityGroup", "open", {
        egress: [{ protocol: "-1", cidrBlocks: ["0.0.0.0/0"] }],
      }),
    ],
    kept: [rule("Egress", { prefixListId: "pl-1", fromPort: 443, toPort: 443 })],
  },
  "subnet-no-automatic-public-address": {
    broken: [one("ec2/subnet:Subnet", "public", { mapPublicIpOnLaunch: true })],
    kept: [one("ec2/subnet:Subnet", "public", { mapPublicIpOnLaunch: false })],
  },
  "compute-no-public-address": {
    broken: [one("ecs/service:Service", "serving", { networkConfiguration: { assignPublicIp: true } })],
    kept: [one("ecs/service:Service", "serving", { networkConfiguration: { assignPublicIp: false } })],
  },
  "vpc-private-endpoints": {
    broken: services("s3", "sts"),
    kept: services(
      "s3",
      "sagemaker.api",
      "sagemaker.runtime",
      "ecr.api",
      "ecr.dkr",
      "kms",
      "secretsmanager",
      "sts",
      "logs",
      "monitoring",
    ),
    context: { program: "foundation", profile: "production" },
  },
  "vpc-endpoint-policy-restricted": {
    broken: [endpoint({ serviceName: "com.amazonaws.eu-west-1.s3" })],
    kept: [
      endpoint({
        policy: document({
          Effect: "Allow",
          Principal: "*",
          Action: "s3:GetObject",
          Resource: "*",
          Condition: { StringEquals: { "aws:ResourceAccount": "111122223333" } },
        }),
      }),
    ],
  },
  "data-classification-tagged": {
    broken: [provider({ "aidlc:classification": "secret" }), bucket],
    kept: [provider(), bucket],
  },
  "owner-tagged": { broken: [provider({ "aidlc:owner": "" }), bucket], kept: [provider(), bucket] },
  "budget-with-alerts": { broken: [budget(50, 100)], kept: [budget(50, 80, 100)] },
};
