import { setTimeout } from "node:timers/promises";
import { S3Client } from "@aws-sdk/client-s3";
import { SageMakerClient } from "@aws-sdk/client-sagemaker";
import type { Context } from "aws-lambda";
import { type ModelVersion, versionOfEvent } from "../models/model-package.ts";
import { createAlerts } from "../runtime/alerts.ts";
import { awsClient } from "../runtime/aws.ts";
import { type Environment, variables } from "../runtime/environment.ts";
import { createSettings } from "../runtime/settings.ts";
import { createTelemetry } from "../runtime/telemetry.ts";
import { reject, warn } from "./decision.ts";
import { NotReady, type RecordedFacts, recordedFacts } from "./facts.ts";
import { type GateDocument, gateDocuments } from "./gate-document.ts";
import { judge, Limits, QualityGate } from "./rules.ts";

/** Recording and signing begin at the same event and take from seconds to minutes, by the artifact's size. */
const POLL_MS = 10_000;
/** Kept for what comes after the wait. */
const RESERVE_MS = 30_000;

export interface Judged {
  readonly modelPackageArn: string;
  readonly outcome: GateDocument["outcome"];
}

/**
 * Cross-checks a version as soon as it is recorded and signed, writes down once what it found, and turns down a version that fails
 * and that nobody decided on yet. It never approves. Where the records don't come in time it throws `NotReady`, which leaves
 * the version undecided.
 */
export function createHandler(env: Environment, wait: (ms: number) => Promise<unknown> = setTimeout) {
  const {
    AIDLC_MODELS_BUCKET: bucket,
    AIDLC_VALIDATED_BUCKET: validatedBucket,
    AIDLC_MODEL_GROUP: group,
  } = variables(env, ["AIDLC_MODELS_BUCKET", "AIDLC_VALIDATED_BUCKET", "AIDLC_MODEL_GROUP"]);
  const { logger } = createTelemetry("evaluate-gate", env);
  const settings = createSettings(env);
  const alerts = createAlerts(env);
  const s3 = awsClient(S3Client, env);
  const sagemaker = awsClient(SageMakerClient, env);
  const gates = gateDocuments(s3, bucket);

  async function awaitFacts(model: ModelVersion, context: Context): Promise<RecordedFacts> {
    for (;;) {
      try {
        return await recordedFacts(s3, bucket, model, group);
      } catch (error) {
        const mayWait = context.getRemainingTimeInMillis() > POLL_MS + RESERVE_MS;
        if (!(error instanceof NotReady && mayWait)) throw error;
        await wait(POLL_MS);
      }
    }
  }

  async function evaluate(model: ModelVersion, context: Context): Promise<GateDocument> {
    const facts = await awaitFacts(model, context);
    const gate = await settings.document("training/quality-gate", QualityGate);
    const limits = await settings.document("monitoring/thresholds", Limits);
    const findings = judge({ ...facts, gate, limits, validatedBucket });
    const isFailed = findings.some(({ result }) => result === "failed");
    const document = await gates.keep(model, {
      version: 1,
      modelPackageArn: model.arn,
      outcome: isFailed ? "rejected" : "passed",
      gate,
      releasedModelPackageArn: facts.released?.modelPackageArn ?? null,
      findings,
    });
    const hasWarnings = document.findings.some(({ result }) => result === "warning");
    if (document.outcome === "passed" && hasWarnings) await warn(alerts, model, document);
    return document;
  }

  return async (event: unknown, context: Context): Promise<Judged> => {
    const model = versionOfEvent(event, group);
    const document = (await gates.read(model)) ?? (await evaluate(model, context));
    if (document.outcome === "rejected") await reject({ sagemaker, alerts }, model, document);
    logger.info("Model is judged", { modelPackageArn: model.arn, outcome: document.outcome });
    return { modelPackageArn: model.arn, outcome: document.outcome };
  };
}
