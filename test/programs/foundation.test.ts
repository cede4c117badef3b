import { beforeAll, describe, expect, it } from "vitest";
import { INTERFACE_ENDPOINTS } from "../../programs/endpoint-policies.ts";
import { foundationProgram } from "../../programs/foundation.ts";
import { runProgram as runWith } from "../../scripts/programs/run-program.ts";
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
      profile: "learning",
      network: {
        vpcId: "network-id",
        cidr: "10.64.0.0/16",
        subnetIds: ["network-public-1-id", "network-public-2-id"],
        privateSubnetIds: [],
        s3PrefixListId: "pl-6da54004",
      },
      permissionsBoundaryArn: "arn:aws:test:::boundary",
      trailArn: "arn:aws:test:::trail",
      auditBucket: {
        name: "aidlc-audit-111122223333-eu-west-1",
        arn: "arn:aws:s3:::aidlc-audit-111122223333-eu-west-1",
      },
      auditKeyArn: "arn:aws:test:::audit-key",
      artifacts: {
        bucket: {
          name: "aidlc-artifacts-111122223333-eu-west-1",
          arn: "arn:aws:s3:::aidlc-artifacts-111122223333-eu-west-1",
        },
        keyArn: "arn:aws:test:::artifacts-key",
      },
      dataLayerArn: "arn:aws:test:::duckdb",
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

  it("records what its rules judge, once a day, into the audit bucket under the audit key", () => {
    expect(inputs("cfg/recorder:Recorder", "config")).toMatchObject({
      roleArn: "arn:aws:test:::config-service-role",
      recordingMode: { recordingFrequency: "DAILY" },
      recordingGroup: {
        allSupported: false,
        resourceTypes: expect.arrayContaining(["AWS::S3::Bucket", "AWS::IAM::Policy"]),
      },
    });
    expect(inputs("cfg/deliveryChannel:DeliveryChannel", "config-channel")).toMatchObject({
      s3BucketName: "aidlc-audit-111122223333-eu-west-1",
      s3KeyPrefix: "config",
      s3KmsKeyArn: "arn:aws:test:::audit-key",
    });
    expect(inputs("cfg/recorderStatus:RecorderStatus", "config-status")).toEqual({
      name: "aidlc-eu-west-1",
      isEnabled: true,
    });
  });

  it("has a rule for each line of the checklist that AWS manages, each with a name of the foundation's", () => {
    const rules = ofType(run, "cfg/rule:Rule").map(({ inputs: rule }) => rule);
    const identifiers = rules.map(({ source }) => (source as { sourceIdentifier: string }).sourceIdentifier);
    expect(identifiers).toEqual(
      expect.arrayContaining([
        "S3_BUCKET_PUBLIC_READ_PROHIBITED",
        "S3_BUCKET_SSL_REQUESTS_ONLY",
        "ENCRYPTED_VOLUMES",
        "EC2_IMDSV2_CHECK",
        "IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS",
        "CMK_BACKING_KEY_ROTATION_ENABLED",
        "CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED",
        "SAGEMAKER_NOTEBOOK_NO_DIRECT_INTERNET_ACCESS",
        "LAMBDA_FUNCTION_PUBLIC_ACCESS_PROHIBITED",
      ]),
    );
    expect(new Set(identifiers).size).toBe(identifiers.length);
    expect(rules.every(({ name }) => /^aidlc-[a-z0-9-]{1,122}$/.test(String(name)))).toBe(true);
  });

  it("records no IAM types where AWS Config came too late for them", async () => {
    const late = await runProgram(foundationProgram({ account: { ...ACCOUNT, region: "eu-central-2" } }));
    const { recordingGroup } = resource(late, "cfg/recorder:Recorder", "config").inputs;
    expect(JSON.stringify(recordingGroup)).not.toContain("AWS::IAM");
  });

  it("keeps what CI makes below each pipeline's prefix, tells of arrivals, and opens it to pipelines' roles only", () => {
    expect(inputs("s3/bucketNotification:BucketNotification", "artifacts-events")).toEqual({
      bucket: "aidlc-artifacts-111122223333-eu-west-1",
      eventbridge: true,
    });
    const key = policyDocuments(run).find(({ resource: { name } }) => name === "artifacts-key");
    const use = key?.statements.filter(({ Sid }) => Sid !== "Administration") ?? [];
    expect(use.map(({ Sid, Condition }) => [Sid, Condition?.ArnLike?.["aws:PrincipalArn"]])).toEqual([
      ["Builds", ["arn:aws:iam::111122223333:role/aidlc/*"]],
      ["Uploaders", undefined],
      ["JobKeyChecks", ["arn:aws:iam::111122223333:role/aidlc/*"]],
    ]);
    expect(use[1]?.Condition?.StringEquals).toMatchObject({ "aws:PrincipalTag/aidlc:uploader": "true" });
    const scanning = "ecr/registryScanningConfiguration:RegistryScanningConfiguration";
    expect(inputs(scanning, "image-scanning")).toMatchObject({ scanType: "BASIC" });
  });

  it("gives API Gateway a role that can write logs and never anything else", () => {
    const policy = "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs";
    expect(inputs("iam/role:Role", "api-gateway-logging-role")).toMatchObject({
      path: "/aidlc/",
      permissionsBoundary: policy,
    });
    const attachment = "iam/rolePolicyAttachment:RolePolicyAttachment";
    expect(inputs(attachment, "api-gateway-logging-policy").policyArn).toBe(policy);
    expect(inputs("apigateway/account:Account", "api-gateway-logging")).toEqual({
      cloudwatchRoleArn: "arn:aws:test:::api-gateway-logging-role",
    });
  });

  it("encrypts traces and the data catalog, and blocks snapshots that anybody could copy", () => {
    expect(inputs("xray/encryptionConfig:EncryptionConfig", "xray-encryption")).toMatchObject({
      type: "KMS",
    });
    expect(
      inputs("glue/dataCatalogEncryptionSettings:DataCatalogEncryptionSettings", "catalog-encryption"),
    ).toMatchObject({
      dataCatalogEncryptionSettings: { encryptionAtRest: { catalogEncryptionMode: "SSE-KMS" } },
    });
    expect(inputs("ebs/snapshotBlockPublicAccess:SnapshotBlockPublicAccess", "ebs-snapshots")).toEqual({
      state: "block-all-sharing",
    });
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

describe("a production foundation", () => {
  let run: Run;
  beforeAll(async () => {
    run = await foundation({ profile: "production" });
  });

  const inputs = (type: string, name: string) => resource(run, type, name).inputs;

  it("has private subnets in two zones, each with a table of its own, and none of them a way to the internet", () => {
    expect(run.outputs).toMatchObject({
      profile: "production",
      network: {
        privateSubnetIds: ["network-private-1-id", "network-private-2-id"],
        endpointSecurityGroupId: "network-endpoints-id",
      },
    });
    const subnets = ofType(run, "ec2/subnet:Subnet").filter(({ name }) => name.startsWith("network-private"));
    expect(subnets.map(({ inputs: subnet }) => [subnet.cidrBlock, subnet.availabilityZone])).toEqual([
      ["10.64.128.0/18", "eu-west-1a"],
      ["10.64.192.0/18", "eu-west-1b"],
    ]);
    const routes = ofType(run, "ec2/route:Route").map(({ inputs: route }) => route.routeTableId);
    expect(routes).toEqual(["network-public-routes-id"]);
    expect(inputs("ec2/vpcEndpoint:VpcEndpoint", "network-s3").routeTableIds).toEqual([
      "network-public-routes-id",
      "network-private-1-routes-id",
      "network-private-2-routes-id",
    ]);
  });

  it("lets private subnets speak to the network and to S3, and nobody from outside open a shell", () => {
    const { ingress, egress, subnetIds } = inputs("ec2/networkAcl:NetworkAcl", "network-private-acl");
    expect(subnetIds).toEqual(["network-private-1-id", "network-private-2-id"]);
    expect(egress).toMatchObject([
      { cidrBlock: "10.64.0.0/16", protocol: "-1" },
      { cidrBlock: "0.0.0.0/0", protocol: "6", fromPort: 443, toPort: 443 },
    ]);
    const open = (ingress as readonly { cidrBlock: string; fromPort: number; toPort: number }[]).filter(
      ({ cidrBlock }) => cidrBlock === "0.0.0.0/0",
    );
    for (const port of [22, 443, 3389])
      expect(open.filter(({ fromPort, toPort }) => fromPort <= port && port <= toPort)).toEqual([]);
  });

  it("has every service inside that private compute calls, behind one security group", () => {
    const endpoints = ofType(run, "ec2/vpcEndpoint:VpcEndpoint").map(({ inputs: endpoint }) => endpoint);
    const inside = endpoints.filter(({ vpcEndpointType }) => vpcEndpointType === "Interface");
    expect(
      inside.map(({ serviceName }) => String(serviceName).replace("com.amazonaws.eu-west-1.", "")),
    ).toEqual([
      "sagemaker.api",
      "sagemaker.runtime",
      "sagemaker.featurestore-runtime",
      "lambda",
      "codedeploy",
      "ecs",
      "ecr.api",
      "ecr.dkr",
      "kms",
      "secretsmanager",
      "sts",
      "logs",
      "monitoring",
      "ssm",
      "sns",
    ]);
    for (const endpoint of inside) {
      expect(endpoint).toMatchObject({
        privateDnsEnabled: true,
        securityGroupIds: ["network-endpoints-id"],
        subnetIds: ["network-private-1-id", "network-private-2-id"],
      });
    }
    const rule = inputs(
      "vpc/securityGroupIngressRule:SecurityGroupIngressRule",
      "network-endpoints-from-network",
    );
    expect(rule).toMatchObject({ cidrIpv4: "10.64.0.0/16", fromPort: 443, toPort: 443 });
    expect(ofType(run, "vpc/securityGroupEgressRule:SecurityGroupEgressRule")).toEqual([]);
  });

  it("lets nobody of another account through an endpoint", () => {
    const policies = policyDocuments(run).filter(({ resource: { name } }) =>
      name.startsWith("network-endpoints-"),
    );
    expect(policies).toHaveLength(INTERFACE_ENDPOINTS.length);
    for (const { where, statements } of policies) {
      for (const { Condition } of statements) {
        expect(Condition, where).toEqual({ StringEquals: { "aws:PrincipalAccount": "111122223333" } });
      }
    }
  });

  it("records everything at once", () => {
    expect(inputs("cfg/recorder:Recorder", "config")).toMatchObject({
      recordingMode: { recordingFrequency: "CONTINUOUS" },
      recordingGroup: { allSupported: true, includeGlobalResourceTypes: true },
    });
  });

  it("is watched: data in buckets, calls of functions, settings by two standards, access from outside", () => {
    const features = ofType(run, "guardduty/detectorFeature:DetectorFeature").map(({ inputs: feature }) => [
      feature.name,
      feature.status,
    ]);
    expect(Object.fromEntries(features)).toEqual({
      S3_DATA_EVENTS: "ENABLED",
      LAMBDA_NETWORK_LOGS: "ENABLED",
      EBS_MALWARE_PROTECTION: "ENABLED",
      EKS_AUDIT_LOGS: "DISABLED",
      RDS_LOGIN_EVENTS: "DISABLED",
      RUNTIME_MONITORING: "DISABLED",
    });
    const standard = "securityhub/standardsSubscription:StandardsSubscription";
    expect(ofType(run, standard).map(({ inputs: subscription }) => subscription.standardsArn)).toEqual([
      "arn:aws:securityhub:eu-west-1::standards/aws-foundational-security-best-practices/v/1.0.0",
      "arn:aws:securityhub:eu-west-1::standards/cis-aws-foundations-benchmark/v/3.0.0",
    ]);
    expect(inputs("accessanalyzer/analyzer:Analyzer", "access-analyzer")).toMatchObject({ type: "ACCOUNT" });
  });

  it("changes nothing that a learning one has by replacing it", async () => {
    const before = await foundation();
    const kept = new Set(run.resources.map(({ type, name }) => `${type} ${name}`));
    expect(before.resources.filter(({ type, name }) => !kept.has(`${type} ${name}`))).toEqual([]);
    for (const type of ["ec2/vpc:Vpc", "ec2/subnet:Subnet", "s3/bucket:Bucket", "kms/key:Key"]) {
      for (const { name, inputs: old } of ofType(before, type))
        expect(resource(run, type, name).inputs).toEqual(old);
    }
  });
});

describe("a learning foundation with security services", () => {
  it("pays for the buckets' watch only", async () => {
    const run = await foundation({ securityServices: true });
    const enabled = ofType(run, "guardduty/detectorFeature:DetectorFeature").filter(
      ({ inputs }) => inputs.status === "ENABLED",
    );
    expect(enabled.map(({ inputs }) => inputs.name)).toEqual(["S3_DATA_EVENTS"]);
    expect(ofType(await foundation(), "guardduty/detector:Detector")).toEqual([]);
  });
});

describe("Lake Formation's settings", () => {
  const roleArn = "arn:aws:iam::111122223333:role/provisioner";
  const found = {
    admins: ["arn:aws:iam::111122223333:role/zoe", "arn:aws:iam::111122223333:user/ada"],
    readOnlyAdmins: ["arn:aws:iam::111122223333:role/audit"],
    createDatabaseDefaultPermissions: [{ permissions: ["ALL"], principal: "IAM_ALLOWED_PRINCIPALS" }],
    parameters: { CROSS_ACCOUNT_VERSION: "4", SET_CONTEXT: "TRUE" },
  };
  const settingsIn = async (answer: Readonly<Record<string, unknown>>, existing = {}) => {
    const run = await runWith(foundationProgram({ account: { ...ACCOUNT, roleArn }, existing }), {
      create: (_type, name, inputs) => ({ id: name, state: { ...inputs } }),
      call: (token) => (token.endsWith(":getDataLakeSettings") ? answer : { names: ["a", "b"] }),
    });
    return ofType(run, "lakeformation/dataLakeSettings:DataLakeSettings")[0];
  };

  it("get the service's role beside all who were there, and stay when the foundation goes", async () => {
    const settings = await settingsIn(found);
    expect(settings?.retainOnDelete).toBe(true);
    expect(settings?.inputs).toMatchObject({
      ...found,
      admins: ["arn:aws:iam::111122223333:role/provisioner", ...found.admins],
      parameters: { CROSS_ACCOUNT_VERSION: "4" },
    });
  });

  it("are written the same a second time", async () => {
    const once = (await settingsIn(found))?.inputs.admins as string[];
    expect((await settingsIn({ ...found, admins: once }))?.inputs.admins).toEqual(once);
  });

  it("are left alone where the registration says so", async () => {
    expect(await settingsIn(found, { dataLakeSettings: "company" })).toBeUndefined();
  });
});

describe("an account that was there before", () => {
  const trail = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/company";

  it.each([
    ["trail", ["cloudtrail/trail:Trail"]],
    [
      "configRecorder",
      ["cfg/recorder:Recorder", "cfg/recorderStatus:RecorderStatus", "cfg/deliveryChannel:DeliveryChannel"],
    ],
    ["configDeliveryChannel", ["cfg/deliveryChannel:DeliveryChannel"]],
    ["configServiceRole", ["iam/serviceLinkedRole:ServiceLinkedRole"]],
    ["guardDuty", ["guardduty/detector:Detector", "guardduty/detectorFeature:DetectorFeature"]],
    [
      "securityHub",
      ["securityhub/account:Account", "securityhub/standardsSubscription:StandardsSubscription"],
    ],
    ["accessAnalyzer", ["accessanalyzer/analyzer:Analyzer"]],
    ["apiGatewayRole", ["apigateway/account:Account", "iam/role:Role"]],
    ["registryScanning", ["ecr/registryScanningConfiguration:RegistryScanningConfiguration"]],
    ["xrayEncryption", ["xray/encryptionConfig:EncryptionConfig"]],
    ["catalogEncryption", ["glue/dataCatalogEncryptionSettings:DataCatalogEncryptionSettings"]],
  ])("keeps its %s: the foundation has none of its own", async (singleton, types) => {
    const everything = await foundation({ profile: "production" });
    const run = await foundation({ profile: "production", existing: { [singleton]: trail } });
    for (const type of types) {
      expect(ofType(everything, type), type).not.toEqual([]);
      expect(ofType(run, type), type).toEqual([]);
    }
  });

  it("tells pipelines its own trail, and judges what its own recorder records", async () => {
    const run = await foundation({ existing: { trail, configRecorder: "default" } });
    expect(run.outputs.trailArn).toBe(trail);
    expect(ofType(run, "cfg/rule:Rule").length).toBeGreaterThan(10);
  });

  it("keeps each log group of SageMaker that is there", async () => {
    const run = await foundation({ existing: { trainingLogGroup: "/aws/sagemaker/TrainingJobs" } });
    expect(ofType(run, "cloudwatch/logGroup:LogGroup").map(({ name }) => name)).toEqual(["processing-jobs"]);
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
    const retained = run.resources.filter(({ retainOnDelete }) => retainOnDelete);
    // The account has one for all regions.
    expect(retained.map(({ name }) => name)).toEqual(["config-service-role"]);
    expect(ofType(run, "s3/bucket:Bucket").every(({ inputs }) => inputs.forceDestroy === true)).toBe(true);
  });
});
