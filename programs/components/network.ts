import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { partitionOf } from "../arns.ts";
import { type Cidr, formatCidr, parseCidr, subnet } from "../cidr.ts";
import type { NetworkOutputs } from "../inputs.ts";
import { policyDocument } from "../policy-document.ts";
import type { Tags } from "../tags.ts";
import { PrivateSubnets } from "./private-subnets.ts";
import { ServiceEndpoints } from "./service-endpoints.ts";

export interface NetworkArgs {
  readonly name: string;
  readonly cidr: string;
  readonly region: string;
  readonly accountId: string;
  /** Bucket ARN, with prefix, that takes the flow logs; it must accept them before the first flow log is created. */
  readonly flowLogDestination: pulumi.Input<string>;
  /** Whether it also has private subnets, with AWS's services inside the network. They cost by the hour. */
  readonly isPrivate: boolean;
  readonly tags: Tags;
}

// Quarters of the network: two are public, two are private or stay free for that.
const SUBNET_BITS = 2;
const ZONES = 2;
/** Old zones in which Lambda joins no network and services have no interface endpoints; zone ids are the same in all accounts. */
const LIMITED_ZONES = ["use1-az3", "usw1-az2", "apne1-az3", "cac1-az3"] as const;

/**
 * A VPC with public subnets in two zones, an internet gateway and a gateway endpoint for S3; on demand with private subnets
 * and interface endpoints. Nothing gets a public address by default. There is no NAT gateway: it would cost more than the
 * whole learning profile, and would be the way out that private subnets are made to lack.
 */
export class Network extends pulumi.ComponentResource {
  readonly vpcId: pulumi.Output<string>;
  readonly cidr: string;
  readonly subnetIds: pulumi.Output<string>[];
  readonly privateSubnetIds: pulumi.Output<string>[];
  readonly endpointSecurityGroupId: pulumi.Output<string> | undefined;
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
    const zones = this.zones();
    this.subnetIds = this.publicSubnets(name, args, { vpc, routes, zones, tags });
    const inside = args.isPrivate ? this.privateSubnets(name, args, { vpc, zones, tags }) : undefined;
    this.privateSubnetIds = inside?.subnetIds ?? [];
    this.endpointSecurityGroupId = inside?.securityGroupId;
    const endpoint = new aws.ec2.VpcEndpoint(
      `${name}-s3`,
      {
        vpcId: vpc.id,
        vpcEndpointType: "Gateway",
        serviceName: `com.amazonaws.${args.region}.s3`,
        routeTableIds: [routes.id, ...(inside?.routeTableIds ?? [])],
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

  /** The first of the region's zones by name; local zones are none. */
  private zones(): pulumi.Output<string>[] {
    const names = aws.getAvailabilityZonesOutput(
      {
        state: "available",
        filters: [{ name: "zone-type", values: ["availability-zone"] }],
        excludeZoneIds: [...LIMITED_ZONES],
      },
      { parent: this },
    ).names;
    return Array.from({ length: ZONES }, (_, index) => names.apply((all) => all.toSorted()[index] ?? ""));
  }

  private privateSubnets(
    name: string,
    args: NetworkArgs,
    { vpc, zones, tags }: Omit<Surroundings, "routes">,
  ) {
    const subnets = new PrivateSubnets(
      `${name}-private`,
      { vpcId: vpc.id, range: rangeOf(args), bits: SUBNET_BITS, first: ZONES, zones, tags },
      { parent: this },
    );
    const { accountId, region, cidr } = args;
    const { securityGroupId } = new ServiceEndpoints(
      `${name}-endpoints`,
      { name: args.name, vpcId: vpc.id, cidr, subnetIds: subnets.subnetIds, accountId, region, tags },
      { parent: this },
    );
    return { subnetIds: subnets.subnetIds, routeTableIds: subnets.routeTableIds, securityGroupId };
  }

  private publicSubnets(
    name: string,
    args: NetworkArgs,
    { vpc, routes, zones, tags }: Surroundings,
  ): pulumi.Output<string>[] {
    const range = rangeOf(args);
    return zones.map((zone, index) => {
      const part = `public-${index + 1}`;
      const publicSubnet = new aws.ec2.Subnet(
        `${name}-${part}`,
        {
          vpcId: vpc.id,
          cidrBlock: formatCidr(subnet(range, SUBNET_BITS, index)),
          availabilityZone: zone,
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
      privateSubnetIds: this.privateSubnetIds,
      ...(this.endpointSecurityGroupId !== undefined && {
        endpointSecurityGroupId: this.endpointSecurityGroupId,
      }),
      s3PrefixListId: this.s3PrefixListId,
    });
  }
}

interface Surroundings {
  readonly vpc: aws.ec2.Vpc;
  readonly routes: aws.ec2.RouteTable;
  readonly zones: readonly pulumi.Output<string>[];
  readonly tags: (part: string) => Tags;
}

function rangeOf({ cidr }: NetworkArgs): Cidr {
  const range = parseCidr(cidr);
  if (range === undefined) throw new RangeError(`"${cidr}" is not a network address`);
  return range;
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
        "s3:DeleteObjectVersion",
        "s3:GetBucketLocation",
        "s3:GetObject",
        "s3:GetObjectTagging",
        "s3:GetObjectVersion",
        "s3:GetObjectVersionTagging",
        "s3:ListBucket",
        "s3:ListBucketVersions",
        "s3:ListMultipartUploadParts",
        "s3:PutObject",
        "s3:PutObjectTagging",
        "s3:PutObjectVersionTagging",
        "s3:RestoreObject",
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
