import Type, { type Static } from "typebox";
import { PROFILES } from "./profiles.ts";

const closed = { additionalProperties: false } as const;

export const NetworkOutputs = Type.Object(
  {
    vpcId: Type.String(),
    cidr: Type.String(),
    subnetIds: Type.Array(Type.String(), {
      minItems: 1,
      description: "Public subnets, for the profile `learning`.",
    }),
    privateSubnetIds: Type.Array(Type.String(), {
      description:
        "Subnets without a way to the internet, in at least two zones; none in a learning network.",
    }),
    endpointSecurityGroupId: Type.Optional(
      Type.String({
        description: "Security group of the interface endpoints, for egress rules that reach them.",
      }),
    ),
    s3PrefixListId: Type.String({
      description:
        "S3's prefix list of the gateway endpoint, for egress rules that reach S3 and nothing else.",
    }),
  },
  closed,
);

/** What a pipeline takes from its account's foundation. Plain JSON: the service stores it and hands it on. */
export const FoundationOutputs = Type.Object(
  {
    accountId: Type.String(),
    region: Type.String(),
    profile: Type.Enum([...PROFILES]),
    network: NetworkOutputs,
    permissionsBoundaryArn: Type.String(),
    trailArn: Type.String(),
    auditBucket: Type.Object({ name: Type.String(), arn: Type.String() }, closed),
    auditKeyArn: Type.String(),
    artifacts: Type.Object(
      { bucket: Type.Object({ name: Type.String(), arn: Type.String() }, closed), keyArn: Type.String() },
      {
        ...closed,
        description: "Where source bundles arrive and CI keeps its artifacts, below `<team>/<pipeline>/`.",
      },
    ),
    dataLayerArn: Type.String({
      description: "Version of the layer with DuckDB, for functions that read data.",
    }),
    jobLogGroups: Type.Object({ processing: Type.String(), training: Type.String() }, closed),
  },
  closed,
);

export type NetworkOutputs = Static<typeof NetworkOutputs>;
export type FoundationOutputs = Static<typeof FoundationOutputs>;
