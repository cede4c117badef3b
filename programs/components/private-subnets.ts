import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { type Cidr, formatCidr, subnet } from "../cidr.ts";
import type { Tags } from "../tags.ts";

export interface PrivateSubnetsArgs {
  readonly vpcId: pulumi.Input<string>;
  /** Of the whole network, which is divided by `bits` prefix bits; the subnets begin at the part with the index `first`. */
  readonly range: Cidr;
  readonly bits: number;
  readonly first: number;
  readonly zones: readonly pulumi.Output<string>[];
  readonly tags: (part: string) => Tags;
}

/** A subnet in each zone whose only ways out are endpoints: no route of theirs leads to the internet. */
export class PrivateSubnets extends pulumi.ComponentResource {
  readonly subnetIds: pulumi.Output<string>[];
  readonly routeTableIds: pulumi.Output<string>[];

  constructor(name: string, args: PrivateSubnetsArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:PrivateSubnets", name, {}, opts);
    const { vpcId, range, bits, first, zones, tags } = args;
    const pairs = zones.map((zone, index) => {
      const part = `private-${index + 1}`;
      const privateSubnet = new aws.ec2.Subnet(
        `${name}-${index + 1}`,
        {
          vpcId,
          cidrBlock: formatCidr(subnet(range, bits, first + index)),
          availabilityZone: zone,
          mapPublicIpOnLaunch: false,
          tags: tags(part),
        },
        // As with the public ones: a zone that AWS adds later must not move a subnet.
        { parent: this, ignoreChanges: ["availabilityZone"] },
      );
      // One for each zone: what one of them is ever given leads nobody in another zone anywhere.
      const routes = new aws.ec2.RouteTable(
        `${name}-${index + 1}-routes`,
        { vpcId, tags: tags(part) },
        { parent: this },
      );
      new aws.ec2.RouteTableAssociation(
        `${name}-${index + 1}-association`,
        { subnetId: privateSubnet.id, routeTableId: routes.id },
        { parent: this },
      );
      return { subnetId: privateSubnet.id, routeTableId: routes.id };
    });
    this.subnetIds = pairs.map(({ subnetId }) => subnetId);
    this.routeTableIds = pairs.map(({ routeTableId }) => routeTableId);
    this.guard(name, args);
    this.registerOutputs({});
  }

  /**
   * The second line behind the security groups. S3's gateway endpoint has public addresses, and a network ACL can't name a
   * prefix list: requests to it go out on 443, its answers come back to the ports that Linux and Lambda call from.
   */
  private guard(name: string, { vpcId, range, tags }: PrivateSubnetsArgs): void {
    const within = { action: "allow", protocol: "-1", fromPort: 0, toPort: 0, cidrBlock: formatCidr(range) };
    // AWS keeps protocols of network ACLs by number; 6 is TCP.
    const tcp = { action: "allow", protocol: "6", cidrBlock: "0.0.0.0/0" };
    new aws.ec2.NetworkAcl(
      `${name}-acl`,
      {
        vpcId,
        subnetIds: this.subnetIds,
        ingress: [
          { ...within, ruleNo: 100 },
          // Without 3389: an open port of remote desktops is what every audit looks for.
          { ...tcp, ruleNo: 110, fromPort: 1024, toPort: 3388 },
          { ...tcp, ruleNo: 120, fromPort: 3390, toPort: 65_535 },
        ],
        egress: [
          { ...within, ruleNo: 100 },
          { ...tcp, ruleNo: 110, fromPort: 443, toPort: 443 },
        ],
        tags: tags("private"),
      },
      { parent: this },
    );
  }
}
