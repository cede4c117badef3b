import type { StoredResource } from "../store.ts";
import { isMap, type PropertyValue, valuesAt } from "../values.ts";

/** A type of CloudFormation over a type of the provider: its primary identifier and its properties. */
export interface CloudFormationType {
  readonly type: string;
  readonly identifier: (row: StoredResource) => string;
  /** CloudFormation's property → path in the outputs. */
  readonly properties: Readonly<Record<string, string>>;
  /** Tags are a list of pairs nearly everywhere, a map for Security Hub. */
  readonly tags?: "list" | "map";
  readonly more?: (row: StoredResource) => Readonly<Record<string, unknown>>;
  /** Parts of a whole, which a list must name: CloudFormation's property, and the path of its value in the outputs. */
  readonly partOf?: { readonly property: string; readonly path: string };
  /** The account has it once for all regions. */
  readonly isGlobal?: true;
}

const byId = (row: StoredResource): string => row.aws_id;
const byName = (row: StoredResource): string => row.name ?? row.aws_id;
const byArn = (row: StoredResource): string => row.arn ?? row.aws_id;

function partOfApi(type: string, properties: Readonly<Record<string, string>>): CloudFormationType {
  return {
    type: `aws:apigateway/${type}`,
    identifier: (row) => `${String(row.outputs.restApi)}|${row.aws_id}`,
    properties: { RestApiId: "restApi", ...properties },
    partOf: { property: "RestApiId", path: "restApi" },
  };
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/ names each property. */
export const cloudFormationTypes: Readonly<Record<string, CloudFormationType>> = {
  "AWS::AccessAnalyzer::Analyzer": {
    type: "aws:accessanalyzer/analyzer:Analyzer",
    identifier: byArn,
    properties: { AnalyzerName: "analyzerName", Arn: "arn", Type: "type" },
    tags: "list",
  },
  "AWS::ApiGateway::Account": {
    type: "aws:apigateway/account:Account",
    identifier: byId,
    properties: { CloudWatchRoleArn: "cloudwatchRoleArn" },
    more: (row) => ({ Id: row.aws_id }),
  },
  "AWS::ApiGateway::Authorizer": partOfApi("authorizer:Authorizer", { AuthorizerId: "id", Name: "name" }),
  "AWS::ApiGateway::Deployment": partOfApi("deployment:Deployment", { DeploymentId: "id" }),
  "AWS::ApiGateway::RequestValidator": partOfApi("requestValidator:RequestValidator", {
    RequestValidatorId: "id",
    Name: "name",
  }),
  "AWS::ApiGateway::Resource": partOfApi("resource:Resource", {
    ResourceId: "id",
    ParentId: "parentId",
    PathPart: "pathPart",
  }),
  "AWS::Backup::BackupSelection": {
    type: "aws:backup/selection:Selection",
    identifier: (row) => `${row.aws_id}_${String(row.outputs.planId)}`,
    properties: { BackupPlanId: "planId" },
    more: (row) => ({ BackupSelection: { SelectionName: row.outputs.name }, SelectionId: row.aws_id }),
    partOf: { property: "BackupPlanId", path: "planId" },
  },
  "AWS::CloudFront::ResponseHeadersPolicy": {
    type: "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy",
    identifier: byId,
    properties: {},
    more: (row) => ({ Id: row.aws_id, ResponseHeadersPolicyConfig: { Name: row.outputs.name } }),
    isGlobal: true,
  },
  "AWS::CloudTrail::Trail": {
    type: "aws:cloudtrail/trail:Trail",
    identifier: byName,
    properties: {
      Arn: "arn",
      EnableLogFileValidation: "enableLogFileValidation",
      IncludeGlobalServiceEvents: "includeGlobalServiceEvents",
      IsLogging: "enableLogging",
      IsMultiRegionTrail: "isMultiRegionTrail",
      IsOrganizationTrail: "isOrganizationTrail",
      KMSKeyId: "kmsKeyId",
      S3BucketName: "s3BucketName",
      TrailName: "name",
    },
    tags: "list",
  },
  "AWS::Config::ConfigurationRecorder": {
    type: "aws:cfg/recorder:Recorder",
    identifier: byName,
    properties: { Name: "name", RoleARN: "roleArn" },
    more: (row) => {
      const group = row.outputs.recordingGroup;
      if (!isMap(group)) return {};
      return {
        RecordingGroup: {
          AllSupported: group.allSupported,
          IncludeGlobalResourceTypes: group.includeGlobalResourceTypes,
        },
      };
    },
  },
  "AWS::Config::DeliveryChannel": {
    type: "aws:cfg/deliveryChannel:DeliveryChannel",
    identifier: byName,
    properties: {
      Name: "name",
      S3BucketName: "s3BucketName",
      S3KeyPrefix: "s3KeyPrefix",
      SnsTopicARN: "snsTopicArn",
    },
  },
  "AWS::ECR::RegistryScanningConfiguration": {
    type: "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration",
    identifier: byId,
    properties: { ScanType: "scanType" },
    more: (row) => ({
      RegistryId: row.account,
      Rules: valuesAt(row.outputs, ["rules"]).map((rule) => ({
        RepositoryFilters: valuesAt(rule, ["repositoryFilters"]).map((filter) => ({
          Filter: valuesAt(filter, ["filter"])[0],
          FilterType: valuesAt(filter, ["filterType"])[0],
        })),
        ScanFrequency: valuesAt(rule, ["scanFrequency"])[0],
      })),
    }),
  },
  "AWS::GuardDuty::Detector": {
    type: "aws:guardduty/detector:Detector",
    identifier: byId,
    properties: { Enable: "enable", FindingPublishingFrequency: "findingPublishingFrequency" },
    tags: "list",
    more: (row) => ({ Id: row.aws_id }),
  },
  "AWS::IAM::ServiceLinkedRole": {
    type: "aws:iam/serviceLinkedRole:ServiceLinkedRole",
    identifier: (row) => row.arn?.split("/").at(-1) ?? row.aws_id,
    properties: { AWSServiceName: "awsServiceName", CustomSuffix: "customSuffix" },
    more: (row) => ({ RoleName: row.arn?.split("/").at(-1) }),
    isGlobal: true,
  },
  "AWS::Lambda::LayerVersion": {
    type: "aws:lambda/layerVersion:LayerVersion",
    identifier: byArn,
    properties: { Description: "description", LayerName: "layerName", LayerVersionArn: "arn" },
    partOf: { property: "LayerName", path: "layerName" },
  },
  "AWS::Logs::LogGroup": {
    type: "aws:cloudwatch/logGroup:LogGroup",
    identifier: byName,
    properties: {
      KmsKeyId: "kmsKeyId",
      LogGroupClass: "logGroupClass",
      LogGroupName: "name",
      RetentionInDays: "retentionInDays",
    },
    tags: "list",
    more: (row) => ({ Arn: `${row.arn ?? ""}:*` }),
  },
  "AWS::SNS::Subscription": {
    type: "aws:sns/topicSubscription:TopicSubscription",
    identifier: byArn,
    properties: { Endpoint: "endpoint", Protocol: "protocol", SubscriptionArn: "arn", TopicArn: "topic" },
    partOf: { property: "TopicArn", path: "topic" },
  },
  "AWS::SecurityHub::Hub": {
    type: "aws:securityhub/account:Account",
    identifier: (row) => `arn:aws:securityhub:${row.region}:${row.account}:hub/default`,
    properties: {
      AutoEnableControls: "autoEnableControls",
      ControlFindingGenerator: "controlFindingGenerator",
      EnableDefaultStandards: "enableDefaultStandards",
    },
    tags: "map",
    more: (row) => ({
      ARN: `arn:aws:securityhub:${row.region}:${row.account}:hub/default`,
      SubscribedAt: row.created_at.toISOString(),
    }),
  },
};

/** What Cloud Control calls the properties of a resource: CloudFormation's names, as JSON text. */
export function propertiesOf(type: CloudFormationType, row: StoredResource): string {
  const properties: Record<string, unknown> = {};
  for (const [name, path] of Object.entries(type.properties)) {
    const [value] = valuesAt(row.outputs, path.split("."));
    if (value !== undefined && value !== "") properties[name] = value;
  }
  const tags = tagsOf(row.outputs.tagsAll, type.tags);
  return JSON.stringify({ ...properties, ...type.more?.(row), ...(tags !== undefined && { Tags: tags }) });
}

function tagsOf(tags: PropertyValue | undefined, form: "list" | "map" | undefined): unknown {
  if (form === undefined || !isMap(tags) || Object.keys(tags).length === 0) return undefined;
  if (form === "map") return tags;
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}
