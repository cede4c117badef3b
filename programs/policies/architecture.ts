import { TAG } from "../tags.ts";
import { statementsIn } from "./documents.ts";
import { ALWAYS, each, IN_PRODUCTION, lacks, type Policy, PRODUCTION_ONLY, throughout } from "./policy.ts";
import type { Stack, StackResource } from "./stack.ts";
import { at, list, missing, text, texts } from "./values.ts";

const GROUP = "aws:ec2/securityGroup:SecurityGroup";
const EVERYWHERE = ["0.0.0.0/0", "::/0"];

/** What compute in private subnets needs to reach without the internet. */
const ENDPOINTS = [
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
];

/** What data, or what was learned from it, lies in. */
const DATA_BEARING = [
  "aws:s3/bucket:Bucket",
  "aws:kms/key:Key",
  "aws:ecr/repository:Repository",
  "aws:sns/topic:Topic",
  "aws:sqs/queue:Queue",
  "aws:cloudwatch/logGroup:LogGroup",
  "aws:secretsmanager/secret:Secret",
  "aws:dynamodb/table:Table",
  "aws:glue/catalogDatabase:CatalogDatabase",
  "aws:sagemaker/featureGroup:FeatureGroup",
  "aws:sagemaker/modelPackageGroup:ModelPackageGroup",
  "aws:sagemaker/notebookInstance:NotebookInstance",
  "aws:backup/vault:Vault",
];

const CLASSES = ["public", "internal", "confidential", "restricted"];

interface Opening {
  readonly resource: StackResource;
  readonly group: unknown;
  readonly cidrs: readonly string[];
  readonly fromPort: unknown;
  readonly toPort: unknown;
}

/** Every way in or out that the stack's security groups give, whichever resource says so. */
function openings(stack: Stack, direction: "ingress" | "egress"): readonly Opening[] {
  const one = (resource: StackResource, group: unknown, rule: unknown): Opening => ({
    resource,
    group,
    cidrs: ["cidrIpv4", "cidrIpv6", "cidrBlocks", "ipv6CidrBlocks"].flatMap((name) => texts(at(rule, name))),
    fromPort: at(rule, "fromPort"),
    toPort: at(rule, "toPort"),
  });
  const rules =
    direction === "ingress"
      ? "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
      : "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule";
  return [
    ...[GROUP, "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"]
      .flatMap((type) => stack.ofType(type))
      .flatMap((group) => list(group.properties[direction]).map((rule) => one(group, group.names[0], rule))),
    ...stack
      .ofType("aws:ec2/securityGroupRule:SecurityGroupRule")
      .filter(({ properties: bag }) => bag.type === direction)
      .map((rule) => one(rule, rule.properties.securityGroupId, rule.properties)),
    ...stack.ofType(rules).map((rule) => one(rule, rule.properties.securityGroupId, rule.properties)),
  ];
}

/** HTTPS from everywhere is what a load balancer that faces the internet is for. */
function servesTheInternet({ group, fromPort, toPort }: Opening, stack: Stack): boolean {
  if (fromPort !== 443 || toPort !== 443) return false;
  return stack
    .ofType("aws:lb/loadBalancer:LoadBalancer")
    .some(
      ({ properties: bag }) =>
        bag.internal !== true &&
        stack
          .ofType(GROUP)
          .some(
            (candidate) =>
              stack.refersTo(group, candidate) &&
              list(bag.securityGroups).some((id) => stack.refersTo(id, candidate)),
          ),
    );
}

export const architecturePolicies: readonly Policy[] = [
  {
    id: "vpc-default-security-group-closed",
    title: "The default security group of every VPC allows nothing",
    text: "What names no group gets the default one; closed, it reaches nothing and nothing reaches it.",
    phase: "architecture",
    severity: "high",
    levels: ALWAYS,
    controls: {
      config: ["vpc-default-security-group-closed"],
      fsbp: ["EC2.2"],
      cis: ["5.4"],
      nist: ["SC-7", "AC-4"],
    },
    remedy: "Adopt it as a DefaultSecurityGroup without rules",
    check: (stack) => [
      ...each(["aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"], ({ properties: bag }) => [
        list(bag.ingress).length > 0 && "It has ingress rules",
        list(bag.egress).length > 0 && "It has egress rules",
      ])(stack),
      ...each(
        ["aws:ec2/vpc:Vpc"],
        (vpc) =>
          stack.referring("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "vpcId", vpc).length === 0 &&
          "Its default group is left as AWS made it",
      )(stack),
    ],
  },
  {
    id: "vpc-flow-logs-enabled",
    title: "Every VPC logs its traffic",
    text: "Without flow logs nobody can say afterwards where data went.",
    phase: "architecture",
    severity: "medium",
    levels: ALWAYS,
    controls: { config: ["vpc-flow-logs-enabled"], fsbp: ["EC2.6"], cis: ["3.7"], nist: ["AU-12", "SI-4"] },
    remedy: "Give the VPC a FlowLog for ALL traffic",
    check: each(
      ["aws:ec2/vpc:Vpc"],
      (vpc, stack) =>
        !stack
          .referring("aws:ec2/flowLog:FlowLog", "vpcId", vpc)
          .some(({ properties: bag }) => bag.trafficType === "ALL"),
    ),
  },
  {
    id: "security-group-no-public-ingress",
    title: "No security group lets the internet in",
    text: "Jobs, notebooks and functions take no connections; the API and the load balancer in front of a service do.",
    phase: "architecture",
    severity: "critical",
    levels: ALWAYS,
    controls: {
      config: ["vpc-sg-open-only-to-authorized-ports", "restricted-ssh"],
      fsbp: ["EC2.18", "EC2.19"],
      cis: ["5.2", "5.3"],
      nist: ["SC-7", "AC-4"],
    },
    remedy: "Allow the security group or the prefix list that needs to come in, on its port",
    check: throughout((stack) =>
      openings(stack, "ingress")
        .filter((opening) => opening.cidrs.some((cidr) => EVERYWHERE.includes(cidr)))
        .filter((opening) => !servesTheInternet(opening, stack))
        .map(({ resource, cidrs }) => ({ resource, detail: `From ${cidrs.join(", ")}` })),
    ),
  },
  {
    id: "security-group-restricted-egress",
    title: "No security group lets everything out",
    text: "An egress to everywhere is the way on which data leaves.",
    phase: "architecture",
    severity: "high",
    levels: ALWAYS,
    controls: { nist: ["SC-7(5)", "AC-4"] },
    remedy: "Allow the prefix list of S3, the endpoints' group, and nothing else",
    check: throughout((stack) =>
      openings(stack, "egress")
        .filter((opening) => opening.cidrs.some((cidr) => EVERYWHERE.includes(cidr)))
        .map(({ resource, cidrs }) => ({ resource, detail: `To ${cidrs.join(", ")}` })),
    ),
  },
  {
    id: "subnet-no-automatic-public-address",
    title: "No subnet gives out public addresses by itself",
    text: "Whatever starts in it would be on the internet without anybody having asked for it.",
    phase: "architecture",
    severity: "medium",
    levels: ALWAYS,
    controls: { config: ["subnet-auto-assign-public-ip-disabled"], fsbp: ["EC2.15"], nist: ["SC-7"] },
    remedy: "Set mapPublicIpOnLaunch to false",
    check: each(["aws:ec2/subnet:Subnet"], ({ properties: bag }) => bag.mapPublicIpOnLaunch === true),
  },
  {
    id: "compute-no-public-address",
    title: "No container or instance has a public address",
    text: "In private subnets nothing is reached from outside but through API or load balancer.",
    phase: "architecture",
    severity: "high",
    levels: IN_PRODUCTION,
    controls: { config: ["ec2-instance-no-public-ip"], fsbp: ["EC2.9", "ECS.2"], nist: ["SC-7"] },
    remedy: "Run it in the foundation's private subnets without a public address",
    check: (stack) => [
      ...each(
        ["aws:ecs/service:Service"],
        ({ properties: bag }) => at(bag, "networkConfiguration.assignPublicIp") === true,
      )(stack),
      ...each(
        ["aws:ec2/instance:Instance"],
        ({ properties: bag }) => bag.associatePublicIpAddress === true,
      )(stack),
    ],
  },
  {
    id: "vpc-private-endpoints",
    title: "A production network reaches AWS by endpoints",
    text: "Private subnets have no other way to S3, SageMaker, ECR, KMS, Secrets Manager, STS and CloudWatch, and traffic stays within AWS.",
    phase: "architecture",
    severity: "medium",
    levels: PRODUCTION_ONLY,
    controls: { config: ["service-vpc-endpoint-enabled"], fsbp: ["EC2.10"], nist: ["SC-7", "AC-4"] },
    remedy: `Give the VPC endpoints for ${ENDPOINTS.join(", ")}`,
    check: lacks((stack) => {
      if (stack.program !== "foundation") return undefined;
      const services = stack
        .ofType("aws:ec2/vpcEndpoint:VpcEndpoint")
        .map(({ properties: bag }) => bag.serviceName);
      const absent = ENDPOINTS.filter(
        (name) => !services.some((service) => text(service)?.endsWith(`.${name}`)),
      );
      return absent.length > 0 ? `No endpoint for ${absent.join(", ")}` : undefined;
    }),
  },
  {
    id: "vpc-endpoint-policy-restricted",
    title: "Every VPC endpoint has a policy that says whose resources it reaches",
    text: "By the default policy an endpoint carries data to anybody's bucket.",
    phase: "architecture",
    severity: "high",
    levels: ALWAYS,
    controls: { nist: ["SC-7", "AC-4"] },
    remedy: "Give the endpoint a policy bound to this account by aws:ResourceAccount or aws:PrincipalAccount",
    check: each(["aws:ec2/vpcEndpoint:VpcEndpoint"], (endpoint) => {
      const statements = statementsIn(endpoint, { [endpoint.type]: "policy" });
      if (statements.length === 0) return "It has the default policy";
      return statements
        .filter(
          ({ effect, everybody, resources, conditions }) =>
            effect === "Allow" && everybody && resources.includes("*") && conditions.length === 0,
        )
        .map(({ sid }) => `Statement ${sid} lets everybody reach everything`);
    }),
  },
  {
    id: "data-classification-tagged",
    title: "Everything that holds data carries its classification",
    text: "Who finds a bucket or a queue must see from it how its content is to be treated.",
    phase: "architecture",
    severity: "medium",
    levels: ALWAYS,
    controls: { config: ["required-tags"], nist: ["RA-2", "AC-16"] },
    remedy: "Set dataClassification in the spec; the provider tags everything by it",
    check: (stack) =>
      // A foundation holds audit records of every class.
      stack.program === "foundation"
        ? []
        : each(DATA_BEARING, (resource) => {
            const classification = stack.tagsOf(resource)[TAG.classification];
            return !CLASSES.includes(String(classification));
          })(stack),
  },
  {
    id: "owner-tagged",
    title: "Everything of a pipeline names its team, pipeline and owner",
    text: "Costs, alarms and access reviews find their people by these tags.",
    phase: "architecture",
    severity: "low",
    levels: ALWAYS,
    controls: { config: ["required-tags"], nist: ["CM-8"] },
    remedy: "Create it with the pipeline's provider, which adds the tags",
    check: (stack) =>
      stack.program === "foundation"
        ? []
        : each(DATA_BEARING, (resource) => {
            const tags = stack.tagsOf(resource);
            const absent = [TAG.team, TAG.pipeline, TAG.owner].filter((name) => missing(tags[name]));
            return absent.length > 0 ? `It has no ${absent.join(", ")}` : undefined;
          })(stack),
  },
  {
    id: "budget-with-alerts",
    title: "Every pipeline has a budget that alerts at 50, 80 and 100 % and on the forecast",
    text: "A forgotten endpoint or notebook is noticed on its first day and not on the bill.",
    phase: "architecture",
    severity: "medium",
    levels: ALWAYS,
    controls: { nist: ["SA-2"] },
    remedy: "Set budget.monthlyUsd in the spec; the program makes the budget and its alerts",
    check: lacks((stack) => {
      if (stack.program !== "pipeline") return undefined;
      const budgets = stack.ofType("aws:budgets/budget:Budget");
      if (budgets.length === 0) return "It has no budget";
      const notifications = budgets.flatMap(({ properties: bag }) => list(bag.notifications));
      const alerts = (type: string, threshold?: number) =>
        notifications.some(
          (one) =>
            at(one, "notificationType") === type &&
            (threshold === undefined || at(one, "threshold") === threshold),
        );
      const absent = [
        ...[50, 80, 100].filter((percent) => !alerts("ACTUAL", percent)).map((percent) => `${percent} %`),
        ...(alerts("FORECASTED") ? [] : ["the forecast"]),
      ];
      return absent.length > 0 ? `No alert at ${absent.join(", ")}` : undefined;
    }),
  },
];
