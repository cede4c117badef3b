import { ECRClient } from "@aws-sdk/client-ecr";
import { S3Client } from "@aws-sdk/client-s3";
import { SageMakerClient } from "@aws-sdk/client-sagemaker";
import { TAG } from "../../programs/tags.ts";
import { type LineageDocument, lineageDocuments } from "../models/lineage-document.ts";
import { describeModelPackage, type ModelVersion, versionOfEvent } from "../models/model-package.ts";
import { s3Uri } from "../models/objects.ts";
import { createAlerts } from "../runtime/alerts.ts";
import { awsClient } from "../runtime/aws.ts";
import { type Environment, variables } from "../runtime/environment.ts";
import { createTelemetry } from "../runtime/telemetry.ts";
import { traceLineage } from "./lineage.ts";
import { recordGraph } from "./lineage-graph.ts";

export interface Recorded {
  readonly modelPackageArn: string;
  /** Codes of what could not be found. */
  readonly gaps: readonly string[];
}

/**
 * Records where a version came from when it is registered: in SageMaker's lineage graph, then in a document that is written once.
 * A version that has a document keeps it, however often the event comes.
 */
export function createHandler(env: Environment) {
  const names = variables(env, [
    "AIDLC_MODELS_BUCKET",
    "AIDLC_VALIDATED_BUCKET",
    "AIDLC_MODEL_GROUP",
    "AIDLC_TRAINING_PIPELINE",
    "AIDLC_TEAM",
    "AIDLC_PIPELINE",
  ]);
  const { logger } = createTelemetry("register-model", env);
  const alerts = createAlerts(env);
  const s3 = awsClient(S3Client, env);
  const sources = {
    sagemaker: awsClient(SageMakerClient, env),
    s3,
    ecr: awsClient(ECRClient, env),
    modelsBucket: names.AIDLC_MODELS_BUCKET,
    validatedBucket: names.AIDLC_VALIDATED_BUCKET,
    trainingPipeline: names.AIDLC_TRAINING_PIPELINE,
  };
  const tags = [
    { Key: TAG.managedBy, Value: "aidlc" },
    { Key: TAG.team, Value: names.AIDLC_TEAM },
    { Key: TAG.pipeline, Value: names.AIDLC_PIPELINE },
  ];
  const lineages = lineageDocuments(s3, names.AIDLC_MODELS_BUCKET);

  async function record(model: ModelVersion): Promise<LineageDocument> {
    const traced = await traceLineage(sources, await describeModelPackage(sources.sagemaker, model));
    const graph = await recordGraph(sources.sagemaker, traced, tags, (refusal) =>
      alerts.publish("warning", {
        code: "lineage_graph_incomplete",
        title: `Model version ${model.version} is not whole in SageMaker's lineage`,
        detail: { modelPackageArn: model.arn, reason: refusal.name },
        remedy: `Its document ${s3Uri(lineages.placeOf(model))} is: nothing depends on the graph`,
      }),
    );
    return lineages.keep(model, { ...traced, graph });
  }

  return async (event: unknown): Promise<Recorded> => {
    const model = versionOfEvent(event, names.AIDLC_MODEL_GROUP);
    const document = (await lineages.read(model)) ?? (await record(model));
    const outcome = { modelPackageArn: model.arn, gaps: document.gaps.map(({ code }) => code) };
    logger.info("Lineage is recorded", outcome);
    return outcome;
  };
}
