import { describe, expect, it } from "vitest";
import { discoverSingletons, type KnownFoundation } from "../../../src/accounts/discovery.ts";
import { cloudControl, type Inventory } from "./cloud-control.ts";

const account = { accountId: "111122223333", region: "eu-west-1" };
const ownTag = { Key: "aidlc:foundation", Value: "111122223333.eu-west-1" };
const hub = "arn:aws:securityhub:eu-west-1:111122223333:hub/default";

const discover = (inventory: Inventory, known: Partial<KnownFoundation> = {}) =>
  discoverSingletons(cloudControl(inventory), {
    account,
    securityServices: true,
    existing: {},
    before: [],
    recorded: [],
    ...known,
  });

async function verdict(singleton: string, inventory: Inventory, known?: Partial<KnownFoundation>) {
  const { singletons } = await discover(inventory, known);
  const found = singletons.find((record) => record.singleton === singleton);
  return found && [found.ownership, found.id];
}

describe("in an account that has nothing yet", () => {
  it("everything will be the foundation's own", async () => {
    const { singletons, unlisted } = await discover({});
    expect(new Set(singletons.map(({ ownership, id }) => `${ownership} ${id}`))).toEqual(
      new Set(["owned null"]),
    );
    expect(unlisted).toEqual([]);
  });

  it("security services are only looked for where they are wanted", async () => {
    const { singletons } = await discover({}, { securityServices: false });
    expect(singletons.map(({ singleton }) => singleton)).not.toContain("guardDuty");
    expect((await discover({})).singletons.map(({ singleton }) => singleton)).toContain("guardDuty");
  });
});

describe("what others made", () => {
  it.each([
    ["configRecorder", { "AWS::Config::ConfigurationRecorder": { default: { Name: "default" } } }, "default"],
    [
      "configDeliveryChannel",
      { "AWS::Config::DeliveryChannel": { default: { Name: "default" } } },
      "default",
    ],
    ["guardDuty", { "AWS::GuardDuty::Detector": { d1: { Id: "d1", Enable: true } } }, "d1"],
    ["securityHub", { "AWS::SecurityHub::Hub": { [hub]: { ARN: hub } } }, hub],
    [
      "accessAnalyzer",
      { "AWS::AccessAnalyzer::Analyzer": { "arn:a": { AnalyzerName: "company", Type: "ACCOUNT" } } },
      "arn:a",
    ],
    [
      "apiGatewayRole",
      { "AWS::ApiGateway::Account": { "111122223333": { CloudWatchRoleArn: "arn:aws:iam::1:role/logs" } } },
      "arn:aws:iam::1:role/logs",
    ],
    [
      "registryScanning",
      {
        "AWS::ECR::RegistryScanningConfiguration": {
          "111122223333": { Rules: [{ ScanFrequency: "MANUAL" }] },
        },
      },
      "111122223333",
    ],
    [
      "configServiceRole",
      { "AWS::IAM::ServiceLinkedRole": { AWSServiceRoleForConfig: { RoleName: "AWSServiceRoleForConfig" } } },
      "AWSServiceRoleForConfig",
    ],
    [
      "trainingLogGroup",
      {
        "AWS::Logs::LogGroup": {
          "/aws/sagemaker/TrainingJobs": { LogGroupName: "/aws/sagemaker/TrainingJobs" },
        },
      },
      "/aws/sagemaker/TrainingJobs",
    ],
  ])("is used as it is: %s", async (singleton, inventory, id) => {
    expect(await verdict(singleton, inventory)).toEqual(["adopted", id]);
  });

  it("doesn't count where it can't do the foundation's work", async () => {
    const unused = { "arn:a": { AnalyzerName: "company", Type: "ACCOUNT_UNUSED_ACCESS" } };
    expect(await verdict("accessAnalyzer", { "AWS::AccessAnalyzer::Analyzer": unused })).toEqual([
      "owned",
      null,
    ]);
    const noRole = { "111122223333": { Id: "x" } };
    expect(await verdict("apiGatewayRole", { "AWS::ApiGateway::Account": noRole })).toEqual(["owned", null]);
    const noRules = { "111122223333": { ScanType: "BASIC", Rules: [] } };
    const scanning = { "AWS::ECR::RegistryScanningConfiguration": noRules };
    expect(await verdict("registryScanning", scanning)).toEqual(["owned", null]);
  });

  it("is found on every page", async () => {
    const many = Object.fromEntries(
      ["a", "b", "c", "d", "e"].map((name) => [name, { Type: "ORGANIZATION" }]),
    );
    const inventory = {
      "AWS::AccessAnalyzer::Analyzer": { ...many, "arn:last": { AnalyzerName: "company", Type: "ACCOUNT" } },
    };
    expect(await verdict("accessAnalyzer", inventory)).toEqual(["adopted", "arn:last"]);
  });

  it("counts without being looked up where the registration names it", async () => {
    const existing = { guardDuty: "named", xrayEncryption: "alias/company" };
    const inventory = { "AWS::GuardDuty::Detector": { error: "AccessDeniedException" } };
    expect(await verdict("guardDuty", inventory, { existing })).toEqual(["adopted", "named"]);
    expect(await verdict("xrayEncryption", inventory, { existing })).toEqual(["adopted", "alias/company"]);
  });
});

describe("what the foundation made", () => {
  const recorded = (type: string, awsId: string, outputs: object = {}) => ({
    recorded: [{ type, awsId, outputs }],
  });

  it.each([
    [
      "guardDuty",
      { "AWS::GuardDuty::Detector": { d1: { Id: "d1" } } },
      recorded("aws:guardduty/detector:Detector", "d1"),
    ],
    [
      "securityHub",
      { "AWS::SecurityHub::Hub": { [hub]: { ARN: hub } } },
      recorded("aws:securityhub/account:Account", "111122223333", { arn: hub }),
    ],
    [
      "configServiceRole",
      { "AWS::IAM::ServiceLinkedRole": { AWSServiceRoleForConfig: {} } },
      recorded("aws:iam/serviceLinkedRole:ServiceLinkedRole", "arn:x", { name: "AWSServiceRoleForConfig" }),
    ],
    ["configRecorder", { "AWS::Config::ConfigurationRecorder": { "aidlc-eu-west-1": {} } }, {}],
    ["guardDuty", { "AWS::GuardDuty::Detector": { d1: { Tags: [ownTag] } } }, {}],
    [
      "processingLogGroup",
      { "AWS::Logs::LogGroup": { "/aws/sagemaker/ProcessingJobs": { Tags: [ownTag] } } },
      {},
    ],
    [
      "apiGatewayRole",
      {
        "AWS::ApiGateway::Account": {
          "111122223333": {
            CloudWatchRoleArn: "arn:aws:iam::111122223333:role/aidlc/aidlc-apigateway-logs-eu-west-1",
          },
        },
      },
      {},
    ],
  ])("stays its own, by its state, name or tag: %s", async (singleton, inventory, known) => {
    expect((await verdict(singleton, inventory, known))?.[0]).toBe("owned");
  });

  it("stays its own even if nothing but an earlier look can tell", async () => {
    const since = new Date();
    const before = [{ singleton: "securityHub", ownership: "owned", id: null, since }] as const;
    const inventory = { "AWS::SecurityHub::Hub": { [hub]: { ARN: hub } } };
    expect(await verdict("securityHub", inventory, { before })).toEqual(["owned", hub]);
  });

  it("is made again when it was deleted, and is somebody else's when they made another", async () => {
    const known = recorded("aws:guardduty/detector:Detector", "gone");
    expect(await verdict("guardDuty", {}, known)).toEqual(["owned", null]);
    const inventory = { "AWS::GuardDuty::Detector": { another: { Id: "another" } } };
    expect(await verdict("guardDuty", inventory, known)).toEqual(["adopted", "another"]);
  });
});

describe("a trail", () => {
  const complete = {
    Arn: "arn:aws:cloudtrail:eu-west-1:111122223333:trail/company",
    IsMultiRegionTrail: true,
    EnableLogFileValidation: true,
    IsLogging: true,
    EventSelectors: [
      {
        ReadWriteType: "All",
        IncludeManagementEvents: true,
        DataResources: [{ Type: "AWS::S3::Object", Values: ["arn:aws:s3"] }],
      },
    ],
  };
  const of = (change: object) =>
    verdict("trail", { "AWS::CloudTrail::Trail": { company: { ...complete, ...change } } });
  const advanced = (...more: object[]) => ({
    EventSelectors: undefined,
    AdvancedEventSelectors: [
      { FieldSelectors: [{ Field: "eventCategory", Equals: ["Management"] }] },
      {
        FieldSelectors: [
          { Field: "eventCategory", Equals: ["Data"] },
          { Field: "resources.type", Equals: ["AWS::S3::Object"] },
          ...more,
        ],
      },
    ],
  });

  it("that records everything is used", async () => {
    expect(await of({})).toEqual(["adopted", complete.Arn]);
    expect(await of(advanced())).toEqual(["adopted", complete.Arn]);
  });

  it.each([
    ["one region", { IsMultiRegionTrail: false }],
    ["nothing just now", { IsLogging: false }],
    ["files that nobody can validate", { EnableLogFileValidation: false }],
    ["no objects", { EventSelectors: [{ ReadWriteType: "All", IncludeManagementEvents: true }] }],
    ["writes only", { EventSelectors: [{ ...complete.EventSelectors[0], ReadWriteType: "WriteOnly" }] }],
    ["objects of one bucket", advanced({ Field: "resources.ARN", StartsWith: ["arn:aws:s3:::company"] })],
  ])("that records %s is left alone, and the foundation makes its own", async (_what, change) => {
    expect(await of(change)).toEqual(["owned", null]);
  });
});

describe("an account that does not answer", () => {
  it("is told by type where AWS has no list", async () => {
    const inventory = { "AWS::Config::ConfigurationRecorder": { error: "UnsupportedActionException" } };
    const { singletons, unlisted } = await discover(inventory);
    expect(unlisted).toEqual(["AWS::Config::ConfigurationRecorder"]);
    expect(singletons.map(({ singleton }) => singleton)).not.toContain("configRecorder");
  });

  it("ends the look with the type, the reason and the remedy", async () => {
    const inventory = { "AWS::GuardDuty::Detector": { error: "AccessDeniedException" } };
    await expect(discover(inventory)).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(
        /AWS::GuardDuty::Detector.*AccessDeniedException.*cloudformation:ListResources/,
      ),
    });
  });
});
