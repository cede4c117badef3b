import type pg from "pg";
import { AwsError } from "../aws-error.ts";
import type { AwsOperation, Caller } from "../aws-json-routes.ts";
import { randomToken } from "../identifiers.ts";
import { type Input, oneOf, optionalText, pageRequest, requiredText, seconds } from "./input.ts";
import { processingOperations } from "./processing-operations.ts";
import { servingOperations } from "./serving-operations.ts";
import * as store from "./store.ts";

const approvals = ["Approved", "Rejected", "PendingManualApproval"];

// What a model package keeps of its creation, to be given back as it came.
const packageDetails = [
  "ModelPackageDescription",
  "InferenceSpecification",
  "ModelMetrics",
  "DriftCheckBaselines",
  "MetadataProperties",
  "CustomerMetadataProperties",
  "Domain",
  "Task",
  "SamplePayloadUrl",
  "ModelCard",
  "ApprovalDescription",
  "SourceUri",
];

/** By the name in X-Amz-Target. */
export const operations: Readonly<Record<string, AwsOperation>> = {
  DescribePipeline: async ({ pool, caller }, input) => {
    const pipeline = await getPipeline(pool, caller, requiredText(input, "PipelineName"));
    const { outputs } = pipeline;
    return {
      PipelineArn: pipeline.arn,
      PipelineName: pipeline.aws_id,
      PipelineDisplayName: outputs.pipelineDisplayName,
      PipelineDefinition: outputs.pipelineDefinition,
      PipelineDescription: outputs.pipelineDescription,
      RoleArn: outputs.roleArn,
      PipelineStatus: "Active",
      CreationTime: seconds(pipeline.created_at),
      LastModifiedTime: seconds(pipeline.updated_at),
    };
  },

  StartPipelineExecution: async ({ pool, caller }, input) => {
    const pipeline = await getPipeline(pool, caller, requiredText(input, "PipelineName"));
    const arn = await store.insertExecution(pool, pipeline, {
      arn: `${pipeline.arn}/execution/${randomToken(12, "lower alnum")}`,
      displayName: optionalText(input, "PipelineExecutionDisplayName"),
      description: optionalText(input, "PipelineExecutionDescription"),
      parameters: input.PipelineParameters,
      clientToken: optionalText(input, "ClientRequestToken"),
    });
    return { PipelineExecutionArn: arn };
  },

  ListPipelineExecutions: async ({ pool, caller }, input) => {
    const pipeline = await getPipeline(pool, caller, requiredText(input, "PipelineName"));
    const { rows, nextToken } = await store.listExecutions(pool, pipeline, pageRequest(input));
    return {
      PipelineExecutionSummaries: rows.map((row) => ({
        PipelineExecutionArn: row.arn,
        PipelineExecutionDisplayName: row.display_name ?? undefined,
        PipelineExecutionDescription: row.description ?? undefined,
        PipelineExecutionStatus: row.status,
        StartTime: seconds(row.started_at),
      })),
      NextToken: nextToken,
    };
  },

  DescribePipelineExecution: async ({ pool }, input) => {
    const arn = requiredText(input, "PipelineExecutionArn");
    const execution = await store.findExecution(pool, arn);
    if (!execution) throw missingExecution(arn);
    await store.completeStop(pool, store.EXECUTIONS, arn);
    return {
      PipelineArn: arn.split("/execution/")[0],
      PipelineExecutionArn: execution.arn,
      PipelineExecutionDisplayName: execution.display_name ?? undefined,
      PipelineExecutionDescription: execution.description ?? undefined,
      PipelineExecutionStatus: execution.status,
      CreationTime: seconds(execution.started_at),
      LastModifiedTime: seconds(execution.updated_at),
    };
  },

  StopPipelineExecution: async ({ pool }, input) => {
    const arn = requiredText(input, "PipelineExecutionArn");
    requiredText(input, "ClientRequestToken");
    const execution = await store.findExecution(pool, arn);
    if (!execution) throw missingExecution(arn);
    if (!(await store.requestStop(pool, store.EXECUTIONS, arn)) && execution.status !== "Stopping") {
      throw new AwsError(
        "ValidationException",
        `Only pipeline executions with status Executing can be stopped; ${arn} is ${execution.status}.`,
      );
    }
    return { PipelineExecutionArn: arn };
  },

  ...processingOperations,
  ...servingOperations,

  DescribeModelPackageGroup: async ({ pool, caller }, input) => {
    const group = await getGroup(pool, caller, requiredText(input, "ModelPackageGroupName"));
    return { ...groupSummary(group), CreatedBy: {} };
  },

  ListModelPackageGroups: async ({ pool, caller }, input) => {
    const { rows, nextToken } = await store.listResources(
      pool,
      store.groupType,
      caller,
      optionalText(input, "NameContains"),
      pageRequest(input),
    );
    return { ModelPackageGroupSummaryList: rows.map(groupSummary), NextToken: nextToken };
  },

  CreateModelPackage: async ({ pool, caller }, input) => {
    const group = await getGroup(pool, caller, requiredText(input, "ModelPackageGroupName"));
    const approval = oneOf(input, "ModelApprovalStatus", approvals) ?? "PendingManualApproval";
    return { ModelPackageArn: await store.insertModelPackage(pool, group, approval, pick(input)) };
  },

  DescribeModelPackage: async ({ pool, caller }, input) => {
    const found = await getModelPackage(pool, caller, requiredText(input, "ModelPackageName"));
    return {
      ...packageSummary(found),
      ...found.details,
      ModelPackageStatusDetails: { ValidationStatuses: [] },
    };
  },

  UpdateModelPackage: async ({ pool, caller }, input) => {
    const found = await getModelPackage(pool, caller, requiredText(input, "ModelPackageArn"));
    const approval = oneOf(input, "ModelApprovalStatus", approvals);
    await store.updateModelPackage(pool, found.arn, approval, pick(input));
    return { ModelPackageArn: found.arn };
  },

  DeleteModelPackage: async ({ pool, caller }, input) => {
    const found = await getModelPackage(pool, caller, requiredText(input, "ModelPackageName"));
    await store.deleteModelPackage(pool, found.arn);
    return {};
  },

  ListModelPackages: async ({ pool, caller }, input) => {
    const group = await getGroup(pool, caller, requiredText(input, "ModelPackageGroupName"));
    const approval = oneOf(input, "ModelApprovalStatus", approvals);
    const { rows, nextToken } = await store.listModelPackages(pool, group, approval, pageRequest(input));
    return { ModelPackageSummaryList: rows.map(packageSummary), NextToken: nextToken };
  },
};

const missingExecution = (arn: string) =>
  new AwsError("ResourceNotFound", `Pipeline execution with ARN ${arn} does not exist.`);

async function getPipeline(pool: pg.Pool, caller: Caller, name: string): Promise<store.Resource> {
  const pipeline = await store.findResource(pool, store.pipelineType, caller, name);
  if (pipeline) return pipeline;
  throw new AwsError("ResourceNotFound", `Pipeline '${name}' does not exist.`);
}

async function getGroup(pool: pg.Pool, caller: Caller, name: string): Promise<store.Resource> {
  const group = await store.findResource(pool, store.groupType, caller, name);
  if (group) return group;
  throw new AwsError("ValidationException", `Model Package Group ${name} does not exist.`);
}

async function getModelPackage(pool: pg.Pool, caller: Caller, name: string): Promise<store.ModelPackage> {
  const found = await store.findModelPackage(pool, caller, name);
  if (found) return found;
  throw new AwsError("ValidationException", `ModelPackage ${name} does not exist.`);
}

function groupSummary(group: store.Resource): Record<string, unknown> {
  return {
    ModelPackageGroupName: group.aws_id,
    ModelPackageGroupArn: group.arn,
    ModelPackageGroupDescription: group.outputs.modelPackageGroupDescription,
    ModelPackageGroupStatus: "Completed",
    CreationTime: seconds(group.created_at),
  };
}

function packageSummary(row: store.ModelPackage): Record<string, unknown> {
  return {
    ModelPackageGroupName: row.group_name,
    ModelPackageVersion: row.version,
    ModelPackageArn: row.arn,
    ModelPackageDescription: row.details.ModelPackageDescription,
    ModelPackageStatus: "Completed",
    ModelApprovalStatus: row.approval_status,
    CreationTime: seconds(row.created_at),
    LastModifiedTime: seconds(row.updated_at),
  };
}

function pick(input: Input): Record<string, unknown> {
  return Object.fromEntries(
    packageDetails.filter((name) => input[name] !== undefined).map((name) => [name, input[name]]),
  );
}
