import { createHash } from "node:crypto";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import type { APIGatewayProxyResult, Context } from "aws-lambda";
import { captureKey } from "../captures/capture-keys.ts";
import { captureLine } from "../captures/capture-record.ts";
import { readPredictions } from "../captures/predictions.ts";
import { awsClient } from "../runtime/aws.ts";
import { type Environment, variables } from "../runtime/environment.ts";
import { createSettings } from "../runtime/settings.ts";
import { createTelemetry, type OwnMetric } from "../runtime/telemetry.ts";
import type { CheckedInput } from "./input-schema.ts";
import type { ModelAnswer } from "./model.ts";
import { planner } from "./plan.ts";
import { GateProblem, problemResult, SAFE_HEADERS } from "./problems.ts";
import { type GateRequest, parseRequest, requestIdOf } from "./request.ts";

/** What the gate needs after the model's answer: to write the capture and to answer itself. */
const RESERVE_MS = 2_000;

/** Longer than the model's own time limits; what is left of the function's time is shorter. */
const MOST_MODEL_MS = 27_000;

/** A caller is refused until what it did fades from the window. */
const REFUSED_SECONDS = 60;

type Remaining = Pick<Context, "getRemainingTimeInMillis">;

/**
 * The handler behind the prediction API. Answers `POST /predictions` with what the model says, unchanged, and the header
 * `X-Inference-Id`; `GET /health` with 200 where the model would answer; anything else that can be explained with problem details.
 * The same request twice gives the same prediction from the same endpoint and, with the same inference id, one capture.
 * Throws where the gate itself is broken: that must ring.
 */
export function createHandler(env: Environment, now: () => number = Date.now) {
  const { AIDLC_PREDICTIONS_BUCKET: bucket } = variables(env, ["AIDLC_PREDICTIONS_BUCKET"]);
  const { logger, metrics } = createTelemetry("gate", env);
  const s3 = awsClient(S3Client, env);
  const plan = planner(env, createSettings(env, now), logger, now);
  const count = (name: OwnMetric, value: number) => metrics.addMetric(name, "Count", value);

  /**
   * An object for each request, written before the answer: once it has answered, Lambda freezes the environment and may never
   * wake it, so what would wait there for company could be lost. A capture that can't be written costs nobody a prediction.
   */
  const capture = async (request: GateRequest, body: string, at: Date, answer: ModelAnswer) => {
    const { inferenceId, requestId } = request;
    const line = captureLine({
      eventId: requestId,
      inferenceId,
      at,
      input: { contentType: "application/json", text: body },
      output: { contentType: answer.contentType, text: answer.text },
      ...(answer.modelVersion !== undefined && { modelVersion: answer.modelVersion }),
    });
    try {
      await s3.send(
        new PutObjectCommand({
          Bucket: bucket,
          Key: captureKey(answer.source, at, inferenceId),
          Body: `${line}\n`,
          ContentType: "application/jsonlines",
        }),
      );
    } catch (error) {
      logger.error("The capture of a prediction is lost", { inferenceId, error: error as Error });
    }
  };

  const predict = async (request: GateRequest, context: Remaining): Promise<APIGatewayProxyResult> => {
    const { check, vectorOf, watch, model, capturePercent } = await plan();
    const { inferenceId, caller } = request;
    const input = check(request.body);
    const judgement = watch.judge({
      caller,
      nowMs: now(),
      rows: input.instances.length,
      outOfRange: input.outOfRange,
      vectors: input.typed.map(vectorOf),
    });
    const { suspicions, refused } = judgement;
    if (refused || suspicions.length > 0) {
      count("SuspiciousRequests", 1);
      logger.warn("The request looks like probing", { inferenceId, caller, suspicions, refused });
    }
    if (refused) {
      throw new GateProblem("too_many_requests", "Ask more slowly, and within the declared ranges", {
        retryAfterSeconds: REFUSED_SECONDS,
      });
    }
    assertValid(input);

    // What was checked and nothing else: of a name that stands there twice, the model could take the other value.
    const { instances } = input;
    const body = JSON.stringify({ instances });
    const rows = instances.length;
    const begunMs = now();
    const timeoutMs = Math.min(MOST_MODEL_MS, Math.max(1, context.getRemainingTimeInMillis() - RESERVE_MS));
    const answer = await model.ask({ inferenceId, instances, body, timeoutMs }).catch((error: unknown) => {
      // What the model can't be asked is no error of a prediction.
      if (!isInvalid(error)) count("PredictionErrors", rows);
      throw error;
    });
    const latencyMs = now() - begunMs;
    const predictions = readPredictions(answer, rows);
    if (isSampled(inferenceId, capturePercent)) await capture(request, body, new Date(begunMs), answer);

    const confidences = (predictions ?? []).flatMap(({ confidence }) => confidence ?? []);
    count("Predictions", rows);
    metrics.addMetric("PredictionLatency", "Milliseconds", latencyMs);
    for (const confidence of confidences) metrics.addMetric("PredictionConfidence", "None", confidence);
    logger.info("Predicted", {
      inferenceId,
      caller,
      rows,
      latencyMs,
      confidence: mean(confidences),
      modelVersion: answer.modelVersion,
      ...answer.source,
    });
    return {
      statusCode: 200,
      headers: { "Content-Type": answer.contentType, "X-Inference-Id": inferenceId, ...SAFE_HEADERS },
      body: answer.text,
    };
  };

  const health = async (): Promise<APIGatewayProxyResult> => {
    await (await plan()).model.check(RESERVE_MS);
    const headers = { "Content-Type": "application/json", ...SAFE_HEADERS };
    return { statusCode: 200, headers, body: JSON.stringify({ status: "ok" }) };
  };

  return async (event: unknown, context: Remaining): Promise<APIGatewayProxyResult> => {
    const requestId = requestIdOf(event);
    try {
      const request = parseRequest(event, new Date(now()));
      return await (request.route === "predict" ? predict(request, context) : health());
    } catch (error) {
      if (!(error instanceof GateProblem)) throw error;
      const cause = error.cause as Error | undefined;
      logger.info("Refused", { requestId, code: error.code, detail: error.message, cause: cause?.name });
      return problemResult(error, requestId);
    } finally {
      // Powertools warns where there are none.
      if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
    }
  };
}

function assertValid({ problems, omitted }: CheckedInput): void {
  if (problems.length === 0) return;
  throw new GateProblem("invalid_request", `${problems.length + omitted} places break the schema`, {
    errors: problems,
    omittedErrors: omitted,
  });
}

const isInvalid = (error: unknown) => error instanceof GateProblem && error.code === "invalid_request";

/** By the id, so that a repeated request is captured whenever the first was. */
function isSampled(inferenceId: string, percent: number): boolean {
  if (percent >= 100) return true;
  const digest = createHash("sha256").update(`capture ${inferenceId}`).digest();
  return digest.readUInt32BE(0) / 2 ** 32 < percent / 100;
}

const mean = (values: readonly number[]): number | undefined =>
  values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
