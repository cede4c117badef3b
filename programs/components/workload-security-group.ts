import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Tags } from "../tags.ts";

export interface WorkloadSecurityGroupArgs {
  readonly name: string;
  /** AWS can't change it: another text makes another group. */
  readonly description: string;
  readonly vpcId: pulumi.Input<string>;
  readonly s3PrefixListId: pulumi.Input<string>;
  /** Group of the interface endpoints, where the network has them. */
  readonly endpointSecurityGroupId?: pulumi.Input<string> | undefined;
  /** Whether the members must reach each other, as the instances of one training job do. */
  readonly peers: boolean;
  readonly tags: Tags;
}

/**
 * Members reach S3 and, where there are any, the interface endpoints, both by HTTPS, and nothing else; nobody reaches them.
 * Names are resolved all the same: security groups do not filter the network's own DNS resolver
 * (https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html).
 */
export class WorkloadSecurityGroup extends pulumi.ComponentResource {
  readonly id: pulumi.Output<string>;

  constructor(name: string, args: WorkloadSecurityGroupArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:WorkloadSecurityGroup", name, {}, opts);
    const { description, vpcId, tags } = args;
    const group = new aws.ec2.SecurityGroup(
      name,
      { name: args.name, description, vpcId, tags: { ...tags, Name: args.name } },
      { parent: this },
    );
    const https = { securityGroupId: group.id, ipProtocol: "tcp", fromPort: 443, toPort: 443 };
    const rule = (part: string) => ({ ...tags, Name: `${args.name}-${part}` });
    new aws.vpc.SecurityGroupEgressRule(
      `${name}-to-s3`,
      {
        ...https,
        description: "S3 through the gateway endpoint",
        prefixListId: args.s3PrefixListId,
        tags: rule("to-s3"),
      },
      { parent: this },
    );
    if (args.endpointSecurityGroupId !== undefined) {
      new aws.vpc.SecurityGroupEgressRule(
        `${name}-to-endpoints`,
        {
          ...https,
          description: "AWS services through the interface endpoints",
          referencedSecurityGroupId: args.endpointSecurityGroupId,
          tags: rule("to-endpoints"),
        },
        { parent: this },
      );
    }
    if (args.peers) this.joinPeers(name, group.id, rule);
    this.id = group.id;
    this.registerOutputs({ id: group.id });
  }

  /** All protocols: encrypted traffic between the instances is ESP and IKE, frameworks add ports of their own. */
  private joinPeers(name: string, groupId: pulumi.Output<string>, tagsOf: (part: string) => Tags): void {
    const peers = {
      securityGroupId: groupId,
      referencedSecurityGroupId: groupId,
      description: "Instances of one training job",
      ipProtocol: "-1",
    };
    new aws.vpc.SecurityGroupEgressRule(
      `${name}-to-peers`,
      { ...peers, tags: tagsOf("to-peers") },
      { parent: this },
    );
    new aws.vpc.SecurityGroupIngressRule(
      `${name}-from-peers`,
      { ...peers, tags: tagsOf("from-peers") },
      { parent: this },
    );
  }
}
