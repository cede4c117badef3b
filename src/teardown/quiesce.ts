import { setTimeout as sleep } from "node:timers/promises";
import {
  DeleteEndpointCommand,
  DeleteEndpointConfigCommand,
  DeleteModelCommand,
  DeleteModelPackageCommand,
  DeleteMonitoringScheduleCommand,
  DescribeEndpointCommand,
  DescribePipelineExecutionCommand,
  DescribeProcessingJobCommand,
  paginateListEndpointConfigs,
  paginateListEndpoints,
  paginateListModelPackages,
  paginateListModels,
  paginateListMonitoringSchedules,
  paginateListPipelineExecutions,
  paginateListProcessingJobs,
  type SageMakerClient,
  SageMakerServiceException,
  StopPipelineExecutionCommand,
  StopProcessingJobCommand,
} from "@aws-sdk/client-sagemaker";
import type { DataOnDestroy } from "../../programs/inputs.ts";
import { digestOf } from "../digest.ts";
import type { EngineEvent } from "../engine/protocol.ts";

export type QuiesceEvent = Extract<EngineEvent, { readonly type: "quiesce" }>;

export interface QuiesceRequest {
  readonly client: SageMakerClient;
  /** Of the names of everything that is the pipeline's; a hyphen follows. */
  readonly prefix: string;
  readonly trainingPipeline: string;
  /** Of the names of the jobs that validate large files; a hyphen follows. */
  readonly validationJobs: string;
  readonly modelPackageGroup: string;
  /** `delete`: the versions of its models go as well, without which AWS keeps their group. */
  readonly data: DataOnDestroy;
  readonly tell: (event: QuiesceEvent) => void;
  readonly signal: AbortSignal;
  /** How often SageMaker is asked how far it is. */
  readonly pollMs: number;
  /** How long all of it may take. */
  readonly patienceMs: number;
}

interface Quiescing extends QuiesceRequest {
  readonly deadlineMs: number;
}

/**
 * Ends what a pipeline has at SageMaker and no stack knows: executions, jobs that validate, and the endpoints, configurations and models of
 * its releases.
 * Each end is told; what has ended already is nothing to it, so it can be called again at any time. Throws when AWS refuses, and when
 * something doesn't end in time.
 */
export async function quiesce(wanted: QuiesceRequest): Promise<void> {
  const request: Quiescing = { ...wanted, deadlineMs: performance.now() + wanted.patienceMs };
  await stopExecutions(request);
  await stopValidationJobs(request);
  await deleteEndpoints(request);
  const { client } = request;
  const own = { NameContains: request.prefix };
  for await (const { EndpointConfigs = [] } of paginateListEndpointConfigs({ client }, own)) {
    for (const name of ownNames(
      request,
      EndpointConfigs.map((config) => config.EndpointConfigName),
    ))
      await end(request, "endpoint configuration", name, () =>
        client.send(new DeleteEndpointConfigCommand({ EndpointConfigName: name })),
      );
  }
  for await (const { Models = [] } of paginateListModels({ client }, own)) {
    for (const name of ownNames(
      request,
      Models.map((model) => model.ModelName),
    ))
      await end(request, "model", name, () => client.send(new DeleteModelCommand({ ModelName: name })));
  }
  if (request.data === "delete") await deleteModelVersions(request);
}

async function stopExecutions(request: Quiescing): Promise<void> {
  const { client, trainingPipeline } = request;
  const live: string[] = [];
  await missingIsNone(async () => {
    const pages = paginateListPipelineExecutions({ client }, { PipelineName: trainingPipeline });
    for await (const { PipelineExecutionSummaries = [] } of pages) {
      for (const { PipelineExecutionArn: arn, PipelineExecutionStatus: status } of PipelineExecutionSummaries)
        if (arn !== undefined && isLive(status)) live.push(arn);
    }
  });
  // All are asked before the first is waited for: each may have minutes of a job to end.
  const stop = async (arn: string) => {
    await end(request, "execution", arn, async () => {
      if ((await statusOf(client, arn)) === "Executing") await client.send(stopping(arn));
      await until(request, `The execution ${arn}`, async () => !isLive(await statusOf(client, arn)));
    });
  };
  await Promise.all(live.map(stop));
}

const isLive = (status: string | undefined) => status === "Executing" || status === "Stopping";

async function statusOf(client: SageMakerClient, arn: string): Promise<string | undefined> {
  const described = await missingIsNone(() =>
    client.send(new DescribePipelineExecutionCommand({ PipelineExecutionArn: arn })),
  );
  return described?.PipelineExecutionStatus;
}

/** The same token each time: asking again after a crash is the same request to AWS. */
function stopping(arn: string): StopPipelineExecutionCommand {
  return new StopPipelineExecutionCommand({ PipelineExecutionArn: arn, ClientRequestToken: digestOf(arn) });
}

/** Jobs of an execution end with it; these are a function's, which began them for files that are too large for it. */
async function stopValidationJobs(request: Quiescing): Promise<void> {
  const { client, validationJobs } = request;
  // A job that somebody stops meanwhile is in both lists.
  const live = new Set<string>();
  for (const StatusEquals of ["InProgress", "Stopping"] as const) {
    const wanted = { NameContains: validationJobs, StatusEquals };
    for await (const { ProcessingJobSummaries = [] } of paginateListProcessingJobs({ client }, wanted)) {
      for (const { ProcessingJobName: name } of ProcessingJobSummaries)
        if (name?.startsWith(`${validationJobs}-`)) live.add(name);
    }
  }
  const stop = async (name: string) => {
    const status = async () =>
      (await missingIsNone(() => client.send(new DescribeProcessingJobCommand({ ProcessingJobName: name }))))
        ?.ProcessingJobStatus;
    await end(request, "processing job", name, async () => {
      if ((await status()) === "InProgress")
        await client.send(new StopProcessingJobCommand({ ProcessingJobName: name }));
      await until(request, `The processing job ${name}`, async () => {
        const now = await status();
        return now !== "InProgress" && now !== "Stopping";
      });
    });
  };
  await Promise.all([...live].map(stop));
}

async function deleteEndpoints(request: Quiescing): Promise<void> {
  const { client, prefix } = request;
  const names: string[] = [];
  for await (const { Endpoints = [] } of paginateListEndpoints({ client }, { NameContains: prefix }))
    names.push(
      ...ownNames(
        request,
        Endpoints.map((endpoint) => endpoint.EndpointName),
      ),
    );
  await Promise.all(names.map((name) => deleteEndpoint(request, name)));
}

// AWS refuses while it creates or updates one, and while a schedule watches one.
const inBetween = new Set(["Creating", "Updating", "SystemUpdating", "RollingBack"]);

async function deleteEndpoint(request: Quiescing, name: string): Promise<void> {
  const { client } = request;
  const status = async () =>
    (await missingIsNone(() => client.send(new DescribeEndpointCommand({ EndpointName: name }))))
      ?.EndpointStatus;
  await end(request, "endpoint", name, async () => {
    const schedules = paginateListMonitoringSchedules({ client }, { EndpointName: name });
    for await (const { MonitoringScheduleSummaries = [] } of schedules) {
      for (const { MonitoringScheduleName } of MonitoringScheduleSummaries)
        await missingIsNone(() =>
          client.send(new DeleteMonitoringScheduleCommand({ MonitoringScheduleName })),
        );
    }
    await until(request, `The endpoint ${name}`, async () => !inBetween.has((await status()) ?? ""));
    if ((await status()) !== "Deleting")
      await missingIsNone(() => client.send(new DeleteEndpointCommand({ EndpointName: name })));
    // Its configuration must outlive it.
    await until(request, `The endpoint ${name}`, async () => (await status()) === undefined);
  });
}

async function deleteModelVersions(request: Quiescing): Promise<void> {
  const { client, modelPackageGroup } = request;
  const arns: string[] = [];
  await missingIsNone(async () => {
    const pages = paginateListModelPackages({ client }, { ModelPackageGroupName: modelPackageGroup });
    for await (const { ModelPackageSummaryList = [] } of pages)
      for (const { ModelPackageArn: arn } of ModelPackageSummaryList) if (arn !== undefined) arns.push(arn);
  });
  for (const arn of arns)
    await end(request, "model version", arn, () =>
      client.send(new DeleteModelPackageCommand({ ModelPackageName: arn })),
    );
}

/** Names that begin with the pipeline's prefix; AWS finds it anywhere in them. */
function ownNames({ prefix }: QuiesceRequest, names: readonly (string | undefined)[]): string[] {
  return names.filter((name) => name !== undefined).filter((name) => name.startsWith(`${prefix}-`));
}

async function end(
  { tell, signal }: QuiesceRequest,
  what: QuiesceEvent["what"],
  name: string,
  work: () => Promise<unknown>,
): Promise<void> {
  signal.throwIfAborted();
  tell({ type: "quiesce", status: "started", what, name });
  await missingIsNone(work);
  tell({ type: "quiesce", status: "done", what, name });
}

async function until(
  { signal, pollMs, patienceMs, deadlineMs }: Quiescing,
  subject: string,
  reached: () => Promise<boolean>,
): Promise<void> {
  while (!(await reached())) {
    if (performance.now() > deadlineMs)
      throw new Error(
        `${subject} did not come to its end within ${patienceMs / 60_000} minutes: look at it on AWS, then repeat the destroy`,
      );
    await sleep(pollMs, undefined, { signal });
  }
}

/** Undefined where AWS says that there is no such thing: SageMaker has three ways to say so. */
async function missingIsNone<Value>(ask: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof SageMakerServiceException)) throw error;
    const { name, message } = error;
    if (name === "ResourceNotFound" || name === "ResourceNotFoundException") return undefined;
    // https://docs.aws.amazon.com/sagemaker/latest/APIReference/CommonErrors.html knows no code of its own for it.
    if (name === "ValidationException" && /could not find|does not exist/i.test(message)) return undefined;
    throw error;
  }
}
