import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Tags } from "../tags.ts";

export interface JobSecurityGroupArgs {
  readonly name: string;
  readonly vpcId: pulumi.Input<string>;
  readonly s3PrefixListId: pulumi.Input<string>;
  /** Whether the instances of one training job must reach each other. */
  readonly distributed: boolean;
  readonly tags: Tags;
}

/** Jobs reach S3 and nothing else, and nobody reaches them. */
export class JobSecurityGroup extends pulumi.ComponentResource {
  readonly id: pulumi.Output<string>;

  constructor(name: string, args: JobSecurityGroupArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:JobSecurityGroup", name, {}, opts);
    const group = new aws.ec2.SecurityGroup(
      name,
      {
        name: args.name,
        description: "SageMaker jobs: S3 through the gateway endpoint only",
        vpcId: args.vpcId,
        tags: { ...args.tags, Name: args.name },
      },
      { parent: this },
    );
    new aws.vpc.SecurityGroupEgressRule(
      `${name}-to-s3`,
      {
        securityGroupId: group.id,
        description: "S3 through the gateway endpoint",
        prefixListId: args.s3PrefixListId,
        ipProtocol: "tcp",
        fromPort: 443,
        toPort: 443,
        tags: args.tags,
      },
      { parent: this },
    );
    if (args.distributed) this.joinInstances(name, group.id, args.tags);
    this.id = group.id;
    this.registerOutputs({ id: group.id });
  }

  /** All protocols: encrypted traffic between the instances is ESP and IKE, frameworks add ports of their own. */
  private joinInstances(name: string, groupId: pulumi.Output<string>, tags: Tags): void {
    const peers = {
      securityGroupId: groupId,
      referencedSecurityGroupId: groupId,
      description: "Instances of one training job",
      ipProtocol: "-1",
      tags,
    };
    new aws.vpc.SecurityGroupEgressRule(`${name}-to-peers`, peers, { parent: this });
    new aws.vpc.SecurityGroupIngressRule(`${name}-from-peers`, peers, { parent: this });
  }
}
