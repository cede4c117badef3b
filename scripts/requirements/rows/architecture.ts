import type { Requirement } from "../requirement.ts";

export const ARCHITECTURE: readonly Requirement[] = [
  {
    id: "A1",
    promise:
      "Jobs run in a VPC with minimal security groups: public subnets in learning, private ones in at least two zones in production; shared by the account's pipelines unless one asks for its own",
    from: "learning",
    keptBy: ["foundation", "resources"],
    policies: ["compute-no-public-address"],
    pipeline: ["ec2/securityGroup:SecurityGroup", "vpc/securityGroupEgressRule:SecurityGroupEgressRule"],
    foundation: ["ec2/vpc:Vpc", "ec2/subnet:Subnet", "ec2/defaultSecurityGroup:DefaultSecurityGroup"],
    tests: [
      [
        "programs/foundation.test.ts",
        "shares a network with public subnets in two zones and a free way to S3, without a NAT gateway",
      ],
      [
        "programs/foundation.test.ts",
        "has private subnets in two zones, each with a table of its own, and none of them a way to the internet",
      ],
      [
        "programs/pipeline.test.ts",
        "gives a dedicated pipeline a network of its own, in its architecture phase",
      ],
    ],
  },
  {
    id: "A2",
    promise:
      "Private jobs reach AWS through VPC endpoints with policies: S3, SageMaker API and Runtime, ECR, KMS, Secrets Manager, STS, CloudWatch",
    from: "production",
    keptBy: ["resources"],
    foundation: ["ec2/vpcEndpoint:VpcEndpoint"],
    tests: [
      [
        "programs/foundation.test.ts",
        "has every service inside that private compute calls, behind one security group",
      ],
      ["programs/foundation.test.ts", "lets nobody of another account through an endpoint"],
      [
        "programs/endpoint-coverage.test.ts",
        "find every call that their roles allow let through by the network's endpoints",
      ],
    ],
  },
  {
    id: "A3",
    promise:
      "Data is classified in the spec; whatever holds data is tagged with its class, and higher classes force stricter settings",
    from: "learning",
    keptBy: ["spec", "policy"],
    policies: ["data-classification-tagged"],
    tests: [
      [
        "programs/pipeline.test.ts",
        "works in its own account and region only, with owner tags on everything",
      ],
      ["programs/protection-rules.test.ts", "is not for restricted data"],
    ],
  },
  {
    id: "A4",
    promise:
      "Compliance frameworks (GDPR, HIPAA, SOC 2, PCI DSS) are chosen in the spec, with the controls that each brings",
    from: "learning",
    keptBy: ["spec", "reports"],
    tests: [
      ["programs/protection-rules.test.ts", "names the clause that demands it"],
      ["programs/protection-rules.test.ts", "brings every control that pipelines have, between them all"],
    ],
    notYet: "the report",
  },
  {
    id: "A5",
    promise:
      "A threat model is generated from the pipeline's real graph (STRIDE, attacks on models, MITRE ATLAS)",
    from: "learning",
    keptBy: ["documents"],
    notYet: "the document",
  },
  {
    id: "A6",
    promise: "Architecture and data-flow diagrams with security boundaries are generated from the real graph",
    from: "learning",
    keptBy: ["documents"],
    notYet: "the documents",
  },
  {
    id: "A7",
    promise: "Incident-response plan and runbooks are generated with the pipeline's real names",
    from: "learning",
    keptBy: ["documents"],
    notYet: "the documents",
  },
  {
    id: "A8",
    promise:
      "Production survives the loss of a region: replicated buckets under a key of the replica region, and backups; learning documents its recovery",
    from: "production",
    keptBy: ["resources", "documents"],
    policies: ["s3-replicated-to-another-region"],
    pipeline: [
      "s3/bucketReplicationConfig:BucketReplicationConfig",
      ["s3/bucket:Bucket", /replica/],
      "backup/plan:Plan",
    ],
    tests: [
      ["programs/recovery.test.ts", "%s has one in the replica region, under the key of that region"],
      ["programs/recovery.test.ts", "raise the critical alarm when one could not be made"],
      [
        "programs/recovery.test.ts",
        "take what can't be made again back to any second, and are kept monthly for a year",
      ],
    ],
    notYet: "the recovery plan as a document",
  },
  {
    id: "A9",
    promise: "A monthly budget alerts at 50, 80 and 100 % and on the forecast",
    from: "learning",
    keptBy: ["resources"],
    policies: ["budget-with-alerts"],
    pipeline: ["budgets/budget:Budget"],
    tests: [
      [
        "programs/pipeline.test.ts",
        "limits cost and alerts at 50, 80 and 100 % and on the forecast, counting this pipeline's tags together",
      ],
    ],
  },
];
