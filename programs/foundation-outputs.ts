import Type, { type Static } from "typebox";

const closed = { additionalProperties: false } as const;

export const NetworkOutputs = Type.Object(
  {
    vpcId: Type.String(),
    cidr: Type.String(),
    subnetIds: Type.Array(Type.String(), { minItems: 1 }),
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
    network: NetworkOutputs,
    permissionsBoundaryArn: Type.String(),
    trailArn: Type.String(),
    auditBucket: Type.Object({ name: Type.String(), arn: Type.String() }, closed),
    auditKeyArn: Type.String(),
    jobLogGroups: Type.Object({ processing: Type.String(), training: Type.String() }, closed),
  },
  closed,
);

export type NetworkOutputs = Static<typeof NetworkOutputs>;
export type FoundationOutputs = Static<typeof FoundationOutputs>;
