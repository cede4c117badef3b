import { createHash } from "node:crypto";
import { GetObjectCommand, NoSuchKey, S3Client } from "@aws-sdk/client-s3";
import {
  ConflictException,
  ListPipelineExecutionsCommand,
  type PipelineExecutionSummary,
  SageMakerClient,
  StartPipelineExecutionCommand,
} from "@aws-sdk/client-sagemaker";
import Type from "typebox";
import { Value } from "typebox/value";
import { Training } from "../../programs/spec/training.ts";
import { TRAINING_MANIFEST } from "../../programs/storage-layout.ts";
import { ManifestError, presentKeys } from "../manifests/accepted-objects.ts";
import { awsClient } from "../runtime/aws.ts";
import { type Environment, variables } from "../runtime/environment.ts";
import { createSettings } from "../runtime/settings.ts";
import { createTelemetry } from "../runtime/telemetry.ts";
import { decide, newest } from "./decide.ts";

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html */
const AlarmEvent = Type.Object({
  id: Type.String({ minLength: 1 }),
  time: Type.String({ minLength: 1 }),
  "detail-type": Type.Literal("CloudWatch Alarm State Change"),
  detail: Type.Object({
    alarmName: Type.String({ minLength: 1 }),
    state: Type.Object({ value: Type.Enum(["ALARM", "OK", "INSUFFICIENT_DATA"]) }),
  }),
});

/** The document `training/retraining`. */
const Retraining = Type.Object({
  causes: Training.properties.retrainOn,
  cooldownHours: Training.properties.retrainCooldownHours,
});

export type StartAnswer =
  | { readonly outcome: "started"; readonly executionArn: string }
  | {
      readonly outcome: "skipped";
      readonly reason: "no_alarm" | "no_cause" | "running" | "cooling_down" | "no_accepted_data";
    };

/** The part of the pipeline's name behind the prefix that alarms share with it. */
const PIPELINE_PART = "training";

/**
 * Starts a training when an alarm asks for one. Idempotent: an event that comes again finds the training under way or cooling down, and
 * alarms at the same moment ask with one token, so that SageMaker starts one training for all of them.
 */
export function createHandler(env: Environment, now: () => number = Date.now) {
  const { AIDLC_TRAINING_PIPELINE: pipeline, AIDLC_VALIDATED_BUCKET: validated } = variables(env, [
    "AIDLC_TRAINING_PIPELINE",
    "AIDLC_VALIDATED_BUCKET",
  ]);
  const prefix = pipeline.slice(0, -PIPELINE_PART.length);
  const { logger } = createTelemetry("start-training", env);
  const settings = createSettings(env);
  const sagemaker = awsClient(SageMakerClient, env);
  const s3 = awsClient(S3Client, env);

  return async (event: unknown): Promise<StartAnswer> => {
    const { id, time, detail } = Value.Parse(AlarmEvent, event);
    const skipped = (reason: Extract<StartAnswer, { outcome: "skipped" }>["reason"]): StartAnswer => {
      logger.info("No training is started", { alarm: detail.alarmName, event: id, reason });
      return { outcome: "skipped", reason };
    };
    if (detail.state.value !== "ALARM") return skipped("no_alarm");
    const alarm = detail.alarmName.startsWith(prefix) ? detail.alarmName.slice(prefix.length) : "";
    const [retraining, executions] = await Promise.all([
      settings.document("training/retraining", Retraining),
      latestExecutions(sagemaker, pipeline),
    ]);
    const decision = decide(alarm, retraining, executions, now());
    if (decision.outcome === "skip") return skipped(decision.reason);
    if (!(await hasAcceptedData(s3, validated))) return skipped("no_accepted_data");
    try {
      const { PipelineExecutionArn: executionArn = "" } = await sagemaker.send(
        new StartPipelineExecutionCommand({
          PipelineName: pipeline,
          PipelineExecutionDescription: `Alarm ${alarm} (${decision.cause}) at ${time}, event ${id}`,
          PipelineParameters: [{ Name: "Trigger", Value: `alarm ${alarm}` }],
          ClientRequestToken: tokenAfter(pipeline, newest(executions)),
        }),
      );
      logger.info("Started a training", { alarm, cause: decision.cause, event: id, executionArn });
      return { outcome: "started", executionArn };
    } catch (error) {
      // Another alarm was faster with the same token.
      if (error instanceof ConflictException) return skipped("running");
      throw error;
    }
  };
}

/** One token for the training that follows this one. */
const tokenAfter = (pipeline: string, previous: PipelineExecutionSummary | undefined): string =>
  createHash("sha256")
    .update(JSON.stringify([pipeline, previous?.PipelineExecutionArn ?? null]))
    .digest("hex");

async function latestExecutions(
  sagemaker: SageMakerClient,
  pipeline: string,
): Promise<readonly PipelineExecutionSummary[]> {
  const { PipelineExecutionSummaries: executions = [] } = await sagemaker.send(
    new ListPipelineExecutionsCommand({
      PipelineName: pipeline,
      SortBy: "CreationTime",
      SortOrder: "Descending",
      MaxResults: 100,
    }),
  );
  return executions;
}

/** Whether the manifest lists accepted objects that are there: without any, a training would fail at its first step. */
async function hasAcceptedData(s3: S3Client, bucket: string): Promise<boolean> {
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: TRAINING_MANIFEST }));
    await presentKeys(s3, bucket, (await Body?.transformToString()) ?? "");
    return true;
  } catch (error) {
    if (error instanceof NoSuchKey || error instanceof ManifestError) return false;
    throw error;
  }
}
