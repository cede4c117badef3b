import { beforeAll, describe, expect, it } from "vitest";
import { foundationProgram } from "../../programs/foundation.ts";
import { ACCOUNT } from "./support/inputs.ts";
import { policyDocuments } from "./support/policy-documents.ts";
import { awsResources, ofType, type Run, resource, runProgram } from "./support/run-program.ts";

const foundation = (rest: Partial<Parameters<typeof foundationProgram>[0]> = {}) =>
  runProgram(foundationProgram({ account: ACCOUNT, ...rest }));

describe("a foundation", () => {
  let run: Run;
  beforeAll(async () => {
    run = await foundation();
  });

  const inputs = (type: string, name: string) => resource(run, type, name).inputs;

  it("tells everything that a pipeline takes", () => {
    expect(run.outputs).toEqual({
      accountId: "111122223333",
      region: "eu-west-1",
      network: {
        vpcId: "network-id",
        cidr: "10.64.0.0/16",
        subnetIds: ["network-public-1-id", "network-public-2-id"],
        s3PrefixListId: "pl-6da54004",
      },
      permissionsBoundaryArn: "arn:aws:test:::boundary",
      trailArn: "arn:aws:test:::trail",
      auditBucket: {
        name: "aidlc-audit-111122223333-eu-west-1",
        arn: "arn:aws:s3:::aidlc-audit-111122223333-eu-west-1",
      },
      auditKeyArn: "arn:aws:test:::audit-key",
      jobLogGroups: { processing: "/aws/sagemaker/ProcessingJobs", training: "/aws/sagemaker/TrainingJobs" },
    });
  });

  it("records all regions with validated, encrypted log files, and objects of data buckets but not of log buckets", () => {
    const trail = inputs("cloudtrail/trail:Trail", "trail");
    expect(trail).toMatchObject({
      isMultiRegionTrail: true,
      includeGlobalServiceEvents: true,
      enableLogFileValidation: true,
      kmsKeyId: "arn:aws:test:::audit-key",
      s3BucketName: "aidlc-audit-111122223333-eu-west-1",
    });
    const selectors = trail.advancedEventSelectors as readonly {
      readonly fieldSelectors: readonly {
        readonly field: string;
        readonly startsWiths?: readonly string[];
      }[];
    }[];
    const recorded = selectors.flatMap(({ fieldSelectors }) =>
      fieldSelectors.flatMap(({ startsWiths = [] }) => startsWiths),
    );
    expect(recorded).toEqual(
      ["raw", "quarantine", "validated", "features", "models", "predictions"].map(
        (kind) => `arn:aws:s3:::aidlc-${kind}-`,
      ),
    );
  });

  it("hardens the account: encrypted volumes, IMDSv2, no public buckets", () => {
    expect(inputs("ebs/encryptionByDefault:EncryptionByDefault", "ebs-encryption")).toEqual({
      enabled: true,
    });
    expect(
      inputs("ec2/instanceMetadataDefaults:InstanceMetadataDefaults", "instance-metadata"),
    ).toMatchObject({
      httpTokens: "required",
    });
    expect(inputs("s3/accountPublicAccessBlock:AccountPublicAccessBlock", "public-access")).toMatchObject({
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    });
  });

  it("shares a network with public subnets in two zones and a free way to S3, without a NAT gateway", () => {
    expect(
      ofType(run, "ec2/subnet:Subnet").map(({ inputs: subnet }) => [
        subnet.cidrBlock,
        subnet.availabilityZone,
      ]),
    ).toEqual([
      ["10.64.0.0/18", "eu-west-1a"],
      ["10.64.64.0/18", "eu-west-1b"],
    ]);
    expect(inputs("ec2/route:Route", "network-internet-route")).toMatchObject({
      destinationCidrBlock: "0.0.0.0/0",
    });
    expect(inputs("ec2/vpcEndpoint:VpcEndpoint", "network-s3")).toMatchObject({
      vpcEndpointType: "Gateway",
      serviceName: "com.amazonaws.eu-west-1.s3",
    });
    expect(run.resources.map(({ type }) => type)).not.toContain("aws:ec2/natGateway:NatGateway");
  });

  it("locks the default security group and gives nothing a public address by itself", () => {
    const type = "ec2/defaultSecurityGroup:DefaultSecurityGroup";
    expect(inputs(type, "network-default-security-group")).toMatchObject({ ingress: [], egress: [] });
    expect(ofType(run, "ec2/subnet:Subnet").map(({ inputs: subnet }) => subnet.mapPublicIpOnLaunch)).toEqual([
      false,
      false,
    ]);
  });

  it("keeps flow logs in the audit bucket", () => {
    expect(inputs("ec2/flowLog:FlowLog", "network-flow-log")).toMatchObject({
      trafficType: "ALL",
      logDestination: "arn:aws:s3:::aidlc-audit-111122223333-eu-west-1/flow-logs/",
    });
  });

  it("opens the audit key to auditors only, and to no administrator", () => {
    const key = policyDocuments(run).find(({ resource: { name } }) => name === "audit-key");
    expect(key?.statements.find(({ Sid }) => Sid === "Auditors")?.Condition).toMatchObject({
      StringEquals: { "aws:PrincipalTag/aidlc:auditor": "true" },
    });
  });

  it("keeps to its own name tags", () => {
    const provider = run.resources.find(({ type }) => type === "pulumi:providers:aws");
    expect(JSON.parse(String(provider?.inputs.defaultTags))).toEqual({
      tags: { "aidlc:managed-by": "aidlc", "aidlc:foundation": "111122223333.eu-west-1" },
    });
  });

  it("puts each resource into a phase", () => {
    const phases = new Set(awsResources(run).map(({ typeChain }) => typeChain[0]));
    expect(phases).toEqual(
      new Set(["aidlc:phase:Architecture", "aidlc:phase:Infrastructure", "aidlc:phase:Compliance"]),
    );
  });
});

describe("an account that was there before", () => {
  it("keeps its trail and its log groups", async () => {
    const trailArn = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/company";
    const run = await foundation({ existing: { trailArn, sageMakerLogGroups: true } });
    expect(ofType(run, "cloudtrail/trail:Trail")).toEqual([]);
    expect(ofType(run, "cloudwatch/logGroup:LogGroup")).toEqual([]);
    expect(run.outputs.trailArn).toBe(trailArn);
  });

  it("is not weakened when its foundation goes", async () => {
    const retained = awsResources(await foundation()).filter(({ retainOnDelete }) => retainOnDelete);
    expect(retained.map(({ type }) => type)).toEqual(
      expect.arrayContaining([
        "aws:ebs/encryptionByDefault:EncryptionByDefault",
        "aws:ec2/instanceMetadataDefaults:InstanceMetadataDefaults",
        "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock",
        "aws:s3/bucket:Bucket",
        "aws:kms/key:Key",
      ]),
    );
  });

  it("is left empty where everything is to go", async () => {
    const run = await foundation({ dataOnDestroy: "delete" });
    expect(run.resources.some(({ retainOnDelete }) => retainOnDelete)).toBe(false);
    expect(ofType(run, "s3/bucket:Bucket").every(({ inputs }) => inputs.forceDestroy === true)).toBe(true);
  });
});
