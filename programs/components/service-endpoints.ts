import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { arnsIn } from "../arns.ts";
import { endpointName, INTERFACE_ENDPOINTS } from "../endpoint-policies.ts";
import { policyDocument } from "../policy-document.ts";
import type { Tags } from "../tags.ts";

export interface ServiceEndpointsArgs {
  readonly name: string;
  readonly vpcId: pulumi.Input<string>;
  readonly cidr: string;
  readonly subnetIds: readonly pulumi.Input<string>[];
  readonly accountId: string;
  readonly region: string;
  readonly tags: (part: string) => Tags;
}

/** AWS's services inside the network, for subnets that have no other way to them, under one security group. */
export class ServiceEndpoints extends pulumi.ComponentResource {
  readonly securityGroupId: pulumi.Output<string>;

  constructor(name: string, args: ServiceEndpointsArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:ServiceEndpoints", name, {}, opts);
    const { accountId, region, tags, vpcId } = args;
    const group = new aws.ec2.SecurityGroup(
      name,
      {
        name: `${args.name}-endpoints`,
        description: "Interface endpoints: HTTPS from within the network",
        vpcId,
        tags: tags("endpoints"),
      },
      { parent: this },
    );
    new aws.vpc.SecurityGroupIngressRule(
      `${name}-from-network`,
      {
        securityGroupId: group.id,
        description: "HTTPS from within the network",
        cidrIpv4: args.cidr,
        ipProtocol: "tcp",
        fromPort: 443,
        toPort: 443,
        tags: tags("endpoints"),
      },
      { parent: this },
    );
    const around = { arns: arnsIn({ accountId, region }), accountId, region };
    for (const { service, policy } of INTERFACE_ENDPOINTS) {
      const part = endpointName(service);
      new aws.ec2.VpcEndpoint(
        `${name}-${part}`,
        {
          vpcId,
          vpcEndpointType: "Interface",
          serviceName: `com.amazonaws.${region}.${service}`,
          subnetIds: [...args.subnetIds],
          securityGroupIds: [group.id],
          privateDnsEnabled: true,
          policy: policyDocument(policy(around)),
          tags: tags(part),
        },
        { parent: this },
      );
    }
    this.securityGroupId = group.id;
    this.registerOutputs({ securityGroupId: group.id });
  }
}
