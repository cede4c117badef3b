import {
  DescribePipelineCommand,
  ListModelPackagesCommand,
  ListPipelineExecutionsCommand,
  type SageMakerClient,
} from "@aws-sdk/client-sagemaker";
import type { AccountClients } from "../aws/account-clients.ts";
import { redactText } from "../redaction.ts";

export type SageMakerClients = AccountClients<SageMakerClient>;

export interface SageMakerStatus {
  unavailable?: string;
  pipeline?: { name: string; arn: string; status: string; lastModifiedAt?: string };
  executions: { arn: string; status: string; startedAt?: string }[];
  modelPackages: { arn: string; version?: number; status: string; approval?: string; createdAt?: string }[];
}

const newest = { SortBy: "CreationTime", SortOrder: "Descending", MaxResults: 10 } as const;

/** Asks SageMaker for a pipeline, its newest executions and model packages. Never throws: an answer that can't be had is named. */
export async function readSageMaker(
  client: SageMakerClient,
  names: { readonly pipeline: string; readonly modelPackageGroup: string },
): Promise<SageMakerStatus> {
  try {
    const [pipeline, executions, packages] = await Promise.all([
      client.send(new DescribePipelineCommand({ PipelineName: names.pipeline })),
      client.send(new ListPipelineExecutionsCommand({ PipelineName: names.pipeline, ...newest })),
      client.send(
        new ListModelPackagesCommand({ ModelPackageGroupName: names.modelPackageGroup, ...newest }),
      ),
    ]);
    return {
      pipeline: {
        name: pipeline.PipelineName ?? names.pipeline,
        arn: pipeline.PipelineArn ?? "",
        status: pipeline.PipelineStatus ?? "Unknown",
        ...moment("lastModifiedAt", pipeline.LastModifiedTime),
      },
      executions: (executions.PipelineExecutionSummaries ?? []).map((execution) => ({
        arn: execution.PipelineExecutionArn ?? "",
        status: execution.PipelineExecutionStatus ?? "Unknown",
        ...moment("startedAt", execution.StartTime),
      })),
      modelPackages: (packages.ModelPackageSummaryList ?? []).map((item) => ({
        arn: item.ModelPackageArn ?? "",
        status: item.ModelPackageStatus ?? "Unknown",
        ...(item.ModelPackageVersion === undefined ? {} : { version: item.ModelPackageVersion }),
        ...(item.ModelApprovalStatus === undefined ? {} : { approval: item.ModelApprovalStatus }),
        ...moment("createdAt", item.CreationTime),
      })),
    };
  } catch (error) {
    const { name, message } = error as Error;
    return {
      unavailable: redactText(`SageMaker did not answer: ${name}: ${message}`),
      executions: [],
      modelPackages: [],
    };
  }
}

function moment<Key extends string>(key: Key, date: Date | undefined): { [K in Key]?: string } {
  return (date === undefined ? {} : { [key]: date.toISOString() }) as { [K in Key]?: string };
}
