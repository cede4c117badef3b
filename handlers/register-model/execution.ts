import {
  DescribeHyperParameterTuningJobCommand,
  DescribePipelineExecutionCommand,
  DescribeProcessingJobCommand,
  DescribeTrainingJobCommand,
  ListPipelineExecutionStepsCommand,
  type PipelineExecutionStep,
  type SageMakerClient,
} from "@aws-sdk/client-sagemaker";
import type { LineageDocument } from "../models/lineage-document.ts";
import type { Gaps } from "./gaps.ts";

type Execution = NonNullable<LineageDocument["execution"]>;
type Job = NonNullable<LineageDocument["jobs"]["train"]>;

/** How a version was trained, as SageMaker remembers it. */
export interface TrainingRun {
  readonly execution: Execution | null;
  readonly jobs: LineageDocument["jobs"];
  readonly searchArn: string | null;
  readonly hyperparameters: Readonly<Record<string, string>>;
  /** Where the training job put its artifact. */
  readonly artifactUri: string | null;
  /** The manifest that the first job read, and when it began to. */
  readonly manifest: { readonly uri: string; readonly readAt: Date } | null;
}

/** Follows an execution to its jobs. What SageMaker does not know (any more) is a gap. */
export async function followExecution(
  sagemaker: SageMakerClient,
  executionArn: string,
  gaps: Gaps,
): Promise<TrainingRun> {
  const steps = await stepsOf(sagemaker, executionArn);
  if (steps === undefined) gaps.add("execution_unknown", executionArn);
  const jobArn = (name: string) =>
    jobOf((steps ?? []).find(({ StepName }) => StepName === name)) ?? undefined;
  const searchArn = jobArn("Tune") ?? null;
  const trainingJob = searchArn === null ? nameOf(jobArn("Train")) : await bestJob(sagemaker, searchArn);
  const [process, training, evaluate] = await Promise.all([
    processingJob(sagemaker, nameOf(jobArn("Process"))),
    trainingJob === undefined ? undefined : describeTraining(sagemaker, trainingJob),
    processingJob(sagemaker, nameOf(jobArn("Evaluate"))),
  ]);
  for (const [step, job] of Object.entries({ process, train: training, evaluate })) {
    if (job === undefined) gaps.add("job_unknown", step);
  }
  return {
    execution: steps === undefined ? null : { arn: executionArn, steps: steps.map(stepView) },
    jobs: { process: process?.job ?? null, train: training?.job ?? null, evaluate: evaluate?.job ?? null },
    searchArn,
    hyperparameters: training?.hyperparameters ?? {},
    artifactUri: training?.artifactUri ?? null,
    manifest: process?.manifest ?? null,
  };
}

async function stepsOf(
  sagemaker: SageMakerClient,
  PipelineExecutionArn: string,
): Promise<readonly PipelineExecutionStep[] | undefined> {
  const found = await orUnknown(
    sagemaker.send(new DescribePipelineExecutionCommand({ PipelineExecutionArn })),
  );
  if (found === undefined) return undefined;
  const steps: PipelineExecutionStep[] = [];
  let NextToken: string | undefined;
  do {
    const page = await sagemaker.send(
      new ListPipelineExecutionStepsCommand({ PipelineExecutionArn, SortOrder: "Ascending", NextToken }),
    );
    steps.push(...(page.PipelineExecutionSteps ?? []));
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  return steps;
}

const jobOf = (step: PipelineExecutionStep | undefined): string | undefined =>
  step?.Metadata?.ProcessingJob?.Arn ?? step?.Metadata?.TrainingJob?.Arn ?? step?.Metadata?.TuningJob?.Arn;

const nameOf = (arn: string | undefined): string | undefined => arn?.split("/").at(-1);

const moment = (date: Date | undefined): string | null => date?.toISOString() ?? null;

const stepView = (step: PipelineExecutionStep): Execution["steps"][number] => ({
  name: step.StepName ?? "",
  status: step.StepStatus ?? "",
  startedAt: moment(step.StartTime),
  endedAt: moment(step.EndTime),
  jobArn: jobOf(step) ?? null,
});

async function processingJob(sagemaker: SageMakerClient, name: string | undefined) {
  if (name === undefined) return undefined;
  const found = await orUnknown(
    sagemaker.send(new DescribeProcessingJobCommand({ ProcessingJobName: name })),
  );
  if (found === undefined) return undefined;
  const startedAt = found.ProcessingStartTime ?? found.CreationTime;
  const uri = found.ProcessingInputs?.find(({ S3Input }) => S3Input?.S3DataType === "ManifestFile")?.S3Input
    ?.S3Uri;
  const job: Job = {
    arn: found.ProcessingJobArn ?? "",
    image: found.AppSpecification?.ImageUri ?? "",
    startedAt: moment(startedAt),
  };
  return { job, manifest: uri === undefined || startedAt === undefined ? null : { uri, readAt: startedAt } };
}

async function describeTraining(sagemaker: SageMakerClient, name: string) {
  const found = await orUnknown(sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName: name })));
  if (found === undefined) return undefined;
  const job: Job = {
    arn: found.TrainingJobArn ?? "",
    image: found.AlgorithmSpecification?.TrainingImage ?? "",
    startedAt: moment(found.TrainingStartTime ?? found.CreationTime),
  };
  return {
    job,
    hyperparameters: found.HyperParameters ?? {},
    artifactUri: found.ModelArtifacts?.S3ModelArtifacts ?? null,
  };
}

/** The job of a search whose model was evaluated and registered. */
async function bestJob(sagemaker: SageMakerClient, searchArn: string): Promise<string | undefined> {
  const found = await orUnknown(
    sagemaker.send(
      new DescribeHyperParameterTuningJobCommand({ HyperParameterTuningJobName: nameOf(searchArn) }),
    ),
  );
  return found?.BestTrainingJob?.TrainingJobName;
}

/** SageMaker has no class for things that it does not know: it says so by one of these codes. */
async function orUnknown<Answer>(asked: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await asked;
  } catch (error) {
    const { name } = error as { name?: string };
    if (name === "ResourceNotFound" || name === "ValidationException") return undefined;
    throw error;
  }
}
