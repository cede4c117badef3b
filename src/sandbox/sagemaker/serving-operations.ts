import type pg from "pg";
import { AwsError } from "../aws-error.ts";
import type { AwsOperation, Caller } from "../aws-json-routes.ts";
import { valuesAt } from "../values.ts";
import { type Input, optionalText, pageRequest, requiredText, seconds } from "./input.ts";
import * as store from "./store.ts";

/** What releases leave behind: it can be listed and deleted; making it takes a model, which the sandbox can't run. */
export const servingOperations: Readonly<Record<string, AwsOperation>> = {
  ListEndpoints: async ({ pool, caller }, input) => {
    const { rows, nextToken } = await list(pool, store.endpointType, caller, input);
    return { Endpoints: rows.map(endpointSummary), NextToken: nextToken };
  },
  DescribeEndpoint: async ({ pool, caller }, input) => {
    const endpoint = await get(pool, store.endpointType, caller, requiredText(input, "EndpointName"));
    return { ...endpointSummary(endpoint), EndpointConfigName: endpoint.outputs.endpointConfigName };
  },
  DeleteEndpoint: async ({ pool, caller }, input) => {
    const name = requiredText(input, "EndpointName");
    const endpoint = await get(pool, store.endpointType, caller, name);
    if ((await schedulesOf(pool, caller, name)).length > 0) {
      throw new AwsError(
        "ValidationException",
        `Cannot delete endpoint "${endpoint.arn}" with an attached monitoring schedule.`,
      );
    }
    return remove(pool, store.endpointType, endpoint);
  },

  ListEndpointConfigs: async ({ pool, caller }, input) => {
    const { rows, nextToken } = await list(pool, store.endpointConfigType, caller, input);
    return {
      EndpointConfigs: rows.map((row) => ({
        EndpointConfigName: row.aws_id,
        EndpointConfigArn: row.arn,
        CreationTime: seconds(row.created_at),
      })),
      NextToken: nextToken,
    };
  },
  DeleteEndpointConfig: async ({ pool, caller }, input) =>
    remove(
      pool,
      store.endpointConfigType,
      await get(pool, store.endpointConfigType, caller, requiredText(input, "EndpointConfigName")),
    ),

  ListModels: async ({ pool, caller }, input) => {
    const { rows, nextToken } = await list(pool, store.modelType, caller, input);
    return {
      Models: rows.map((row) => ({
        ModelName: row.aws_id,
        ModelArn: row.arn,
        CreationTime: seconds(row.created_at),
      })),
      NextToken: nextToken,
    };
  },
  DeleteModel: async ({ pool, caller }, input) =>
    remove(pool, store.modelType, await get(pool, store.modelType, caller, requiredText(input, "ModelName"))),

  ListMonitoringSchedules: async ({ pool, caller }, input) => {
    const rows = await schedulesOf(pool, caller, optionalText(input, "EndpointName"));
    return {
      MonitoringScheduleSummaries: rows.map((row) => ({
        MonitoringScheduleName: row.aws_id,
        MonitoringScheduleArn: row.arn,
        MonitoringScheduleStatus: "Scheduled",
        CreationTime: seconds(row.created_at),
        LastModifiedTime: seconds(row.updated_at),
      })),
    };
  },
  DeleteMonitoringSchedule: async ({ pool, caller }, input) =>
    remove(
      pool,
      store.scheduleType,
      await get(pool, store.scheduleType, caller, requiredText(input, "MonitoringScheduleName")),
    ),
};

const nouns: Readonly<Record<string, string>> = {
  [store.endpointType]: "endpoint",
  [store.endpointConfigType]: "endpoint configuration",
  [store.modelType]: "model",
  [store.scheduleType]: "monitoring schedule",
};

function list(pool: pg.Pool, type: string, caller: Caller, input: Input) {
  return store.listResources(pool, type, caller, optionalText(input, "NameContains"), pageRequest(input));
}

async function get(pool: pg.Pool, type: string, caller: Caller, name: string): Promise<store.Resource> {
  const found = await store.findResource(pool, type, caller, name);
  if (found) return found;
  throw new AwsError("ValidationException", `Could not find ${nouns[type]} "${name}".`);
}

async function remove(pool: pg.Pool, type: string, resource: store.Resource): Promise<unknown> {
  await store.deleteResource(pool, { ...resource, type });
  return {};
}

/** Of an endpoint, by the job definitions that they run; without one, all. */
async function schedulesOf(
  pool: pg.Pool,
  caller: Caller,
  endpoint: string | undefined,
): Promise<store.Resource[]> {
  const page = { limit: 100, after: null, isDescending: true };
  const { rows } = await store.listResources(pool, store.scheduleType, caller, undefined, page);
  if (endpoint === undefined) return rows;
  const definitions = "aws:sagemaker/dataQualityJobDefinition:DataQualityJobDefinition";
  const watching = await store.listResources(pool, definitions, caller, undefined, page);
  const names = new Set(
    watching.rows
      .filter(({ outputs }) =>
        valuesAt(outputs, ["dataQualityJobInput", "endpointInput", "endpointName"]).includes(endpoint),
      )
      .map((row) => row.aws_id),
  );
  return rows.filter(({ outputs }) =>
    valuesAt(outputs, ["monitoringScheduleConfig", "monitoringJobDefinitionName"]).some((name) =>
      names.has(String(name)),
    ),
  );
}

function endpointSummary(row: store.Resource): Record<string, unknown> {
  return {
    EndpointName: row.aws_id,
    EndpointArn: row.arn,
    EndpointStatus: "InService",
    CreationTime: seconds(row.created_at),
    LastModifiedTime: seconds(row.updated_at),
  };
}
