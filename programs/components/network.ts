import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { partitionOf } from "../arns.ts";
import { formatCidr, parseCidr, subnet } from "../cidr.ts";
import type { NetworkOutputs } from "../inputs.ts";
import { policyDocument } from "../policy-document.ts";
import type { Tags } from "../tags.ts";

export interface NetworkArgs {
  readonly name: string;
  readonly cidr: string;
  readonly region: string;
  readonly accountId: string;
  /** Bucket ARN, with prefix, that takes the flow logs; it must accept them before the first flow log is created. */
  readonly flowLogDestination: pulumi.Input<string>;
  readonly tags: Tags;
}

// Quarters of the network: two are public, two stay free for private subnets.
const SUBNET_BITS = 2;
const ZONES = 2;

/**
 * A VPC with public subnets in two zones, an internet gateway and a gateway endpoint for S3. Nothing gets a public
 * address by default; a NAT gateway would cost more than the whole learning profile.
 */
export class Network extends pulumi.ComponentResource {
  readonly vpcId: pulumi.Output<string>;
  readonly cidr: string;
  readonly subnetIds: pulumi.Output<string>[];
  readonly s3PrefixListId: pulumi.Output<string>;

  constructor(name: string, args: NetworkArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:Network", name, {}, opts);
    const within = { parent: this };
    const tags = (part: string) => ({ ...args.tags, Name: `${args.name}-${part}` });
    const vpc = new aws.ec2.Vpc(
      name,
      { cidrBlock: args.cidr, enableDnsSupport: true, enableDnsHostnames: true, tags: tags("vpc") },
      within,
    );
    // Without rules: whatever forgets to name a security group can reach nothing.
    new aws.ec2.DefaultSecurityGroup(
      `${name}-default-security-group`,
      { vpcId: vpc.id, ingress: [], egress: [], tags: tags("default") },
      within,
    );
    const routes = new aws.ec2.RouteTable(
      `${name}-public-routes`,
      { vpcId: vpc.id, tags: tags("public") },
      within,
    );
    const gateway = new aws.ec2.InternetGateway(
      `${name}-gateway`,
      { vpcId: vpc.id, tags: tags("gateway") },
      within,
    );
    new aws.ec2.Route(
      `${name}-internet-route`,
      { routeTableId: routes.id, destinationCidrBlock: "0.0.0.0/0", gatewayId: gateway.id },
      within,
    );
    this.subnetIds = this.publicSubnets(name, args, vpc, routes, tags);
    const endpoint = new aws.ec2.VpcEndpoint(
      `${name}-s3`,
      {
        vpcId: vpc.id,
        vpcEndpointType: "Gateway",
        serviceName: `com.amazonaws.${args.region}.s3`,
        routeTableIds: [routes.id],
        policy: endpointPolicy(args.accountId, args.region),
        tags: tags("s3"),
      },
      within,
    );
    new aws.ec2.FlowLog(
      `${name}-flow-log`,
      {
        vpcId: vpc.id,
        trafficType: "ALL",
        logDestinationType: "s3",
        logDestination: args.flowLogDestination,
        maxAggregationInterval: 600,
        destinationOptions: { fileFormat: "parquet", perHourPartition: true, hiveCompatiblePartitions: true },
        tags: tags("flow-log"),
      },
      within,
    );
    this.vpcId = vpc.id;
    this.cidr = args.cidr;
    this.s3PrefixListId = endpoint.prefixListId;
    this.registerOutputs({ vpcId: vpc.id });
  }

  private publicSubnets(
    name: string,
    args: NetworkArgs,
    vpc: aws.ec2.Vpc,
    routes: aws.ec2.RouteTable,
    tags: (part: string) => Tags,
  ): pulumi.Output<string>[] {
    const range = parseCidr(args.cidr);
    if (range === undefined) throw new RangeError(`"${args.cidr}" is not a network address`);
    const zones = aws.getAvailabilityZonesOutput(
      { state: "available", filters: [{ name: "zone-type", values: ["availability-zone"] }] },
      { parent: this },
    ).names;
    return Array.from({ length: ZONES }, (_, index) => {
      const part = `public-${index + 1}`;
      const publicSubnet = new aws.ec2.Subnet(
        `${name}-${part}`,
        {
          vpcId: vpc.id,
          cidrBlock: formatCidr(subnet(range, SUBNET_BITS, index)),
          availabilityZone: zones.apply((all) => all.toSorted()[index] ?? ""),
          mapPublicIpOnLaunch: false,
          tags: tags(part),
        },
        // A zone that AWS adds later must not move a subnet, which would replace it and every job's network with it.
        { parent: this, ignoreChanges: ["availabilityZone"] },
      );
      new aws.ec2.RouteTableAssociation(
        `${name}-${part}-routes`,
        { subnetId: publicSubnet.id, routeTableId: routes.id },
        { parent: this },
      );
      return publicSubnet.id;
    });
  }

  outputs(): pulumi.Output<NetworkOutputs> {
    return pulumi.output({
      vpcId: this.vpcId,
      cidr: this.cidr,
      subnetIds: this.subnetIds,
      s3PrefixListId: this.s3PrefixListId,
    });
  }
}

/** Only buckets of this account, and AWS's own that hold the layers of container images and built-in algorithms. */
function endpointPolicy(accountId: string, region: string): string {
  return policyDocument([
    {
      Sid: "BucketsOfThisAccount",
      Effect: "Allow",
      Principal: "*",
      Action: [
        "s3:AbortMultipartUpload",
        "s3:DeleteObject",
        "s3:GetBucketLocation",
        "s3:GetObject",
        "s3:GetObjectTagging",
        "s3:GetObjectVersion",
        "s3:ListBucket",
        "s3:ListMultipartUploadParts",
        "s3:PutObject",
        "s3:PutObjectTagging",
      ],
      Resource: "*",
      Condition: { StringEquals: { "aws:ResourceAccount": accountId } },
    },
    {
      Sid: "ImageLayers",
      Effect: "Allow",
      Principal: "*",
      Action: "s3:GetObject",
      Resource: `arn:${partitionOf(region)}:s3:::prod-${region}-starport-layer-bucket/*`,
    },
  ]);
}
