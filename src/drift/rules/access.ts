import { cost, security, type TypeRules, unknown, wholly } from "./rule.ts";

const reach = security("high", "Who reaches whom on the network was changed");
const exposed = security("critical", "What the network lets in or out was changed");
const told = security("high", "What is recorded of the account was changed");

/** Identities, the network, and what watches over both. */
export const accessRules: Readonly<Record<string, TypeRules>> = {
  "aws:iam/role:Role": {
    properties: [
      [/^assumeRolePolicy/, security("critical", "Who may become the role was changed")],
      [/^permissionsBoundary/, security("critical", "How far the role's rights may go was changed")],
      [/^(inlinePolicies|managedPolicyArns)/, security("critical", "What the role may do was changed")],
      [/^maxSessionDuration/, security("medium", "How long a session of the role lasts was changed")],
    ],
    otherwise: security("high", "A property of the role was changed"),
  },
  "aws:iam/*": wholly(security("critical", "What an identity may do was changed")),
  "aws:organizations/*": wholly(security("critical", "What accounts may do at all was changed")),
  "aws:ec2/securityGroup:SecurityGroup": wholly(exposed),
  "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": wholly(exposed),
  "aws:vpc/*": wholly(exposed),
  "aws:ec2/networkAcl:NetworkAcl": wholly(exposed),
  "aws:ec2/internetGateway:InternetGateway": wholly(exposed),
  "aws:ec2/route:Route": wholly(exposed),
  "aws:ec2/routeTable:RouteTable": wholly(exposed),
  "aws:ec2/routeTableAssociation:RouteTableAssociation": wholly(reach),
  "aws:ec2/subnet:Subnet": {
    properties: [[/^mapPublicIpOnLaunch|^assignIpv6/, exposed]],
    otherwise: reach,
  },
  "aws:ec2/vpc:Vpc": wholly(reach),
  "aws:ec2/vpcEndpoint:VpcEndpoint": {
    properties: [[/^policy/, security("high", "What may be done through the endpoint was changed")]],
    otherwise: reach,
  },
  "aws:ec2/flowLog:FlowLog": wholly(security("high", "Whether traffic is recorded was changed")),
  "aws:ec2/instanceMetadataDefaults:InstanceMetadataDefaults": wholly(
    security("high", "How instances get their credentials was changed"),
  ),
  "aws:ebs/*": wholly(security("high", "How volumes and snapshots are protected was changed")),
  "aws:wafv2/*": wholly(security("high", "Which requests are refused was changed")),
  "aws:cloudtrail/trail:Trail": wholly(security("critical", "What is recorded of the account was changed")),
  "aws:cfg/*": wholly(told),
  "aws:guardduty/*": wholly(security("high", "Whether threats are looked for was changed")),
  "aws:securityhub/*": wholly(security("high", "Whether findings are gathered was changed")),
  "aws:accessanalyzer/*": wholly(security("high", "Whether access from outside is found was changed")),
  "aws:xray/encryptionConfig:EncryptionConfig": wholly(
    security("medium", "How traces are enciphered was changed"),
  ),
  "aws:xray/*": wholly(cost("low", "Which requests are traced was changed")),
  "aws:fis/*": wholly(security("high", "What a failure drill does was changed")),
  "aws:ssm/document:Document": wholly(security("high", "What an automation does was changed")),
  "aws:ssm/parameter:Parameter": {
    properties: [[/^(type|keyId)/, security("high", "How the parameter is protected was changed")]],
    otherwise: security("high", "A setting that the pipeline's functions obey was changed"),
  },
  "aws:budgets/budget:Budget": wholly(
    cost("medium", "What the pipeline may cost, or who is told, was changed"),
  ),
  "aws:scheduler/scheduleGroup:ScheduleGroup": wholly(unknown("low", "The group of schedules was changed")),
};
