import type { SageMakerClient } from "@aws-sdk/client-sagemaker";
import {
  InvokeEndpointCommand,
  ModelError,
  ModelNotReadyException,
  SageMakerRuntimeClient,
  SageMakerRuntimeServiceException,
} from "@aws-sdk/client-sagemaker-runtime";
import type { ModelInput } from "../models/feature-input.ts";
import { awsClient } from "../runtime/aws.ts";
import type { Environment } from "../runtime/environment.ts";
import type { Instance } from "./input-schema.ts";
import { type Model, versionIn } from "./model.ts";
import { GateProblem } from "./problems.ts";

const JSON_TYPE = "application/json";

/** An endpoint, and how a version behind it is asked that takes finished features. */
export interface Target {
  readonly endpoint: string;
  readonly features?: (instances: readonly Instance[]) => Promise<ModelInput>;
}

export interface EndpointChoice {
  /** Undefined before the first release. */
  choose(inferenceId: string): Promise<Target | undefined>;
  readonly variant: string;
}

/** A model behind SageMaker endpoints. */
export function endpointModel(env: Environment, { choose, variant }: EndpointChoice): Model {
  const runtime = awsClient(SageMakerRuntimeClient, env);
  let sagemaker: SageMakerClient | undefined;
  const chosen = async (inferenceId: string): Promise<Target> => {
    const target = await choose(inferenceId);
    if (target === undefined) throw noModel();
    return target;
  };
  return {
    ask: async ({ inferenceId, instances, body, timeoutMs }) => {
      const { endpoint, features } = await chosen(inferenceId);
      const input = features === undefined ? { contentType: JSON_TYPE, body } : await features(instances);
      try {
        const answer = await runtime.send(
          new InvokeEndpointCommand({
            EndpointName: endpoint,
            Body: input.body,
            ContentType: input.contentType,
            Accept: JSON_TYPE,
            InferenceId: inferenceId,
          }),
          { abortSignal: AbortSignal.timeout(timeoutMs) },
        );
        return {
          source: { endpoint, variant: answer.InvokedProductionVariant ?? variant },
          contentType: answer.ContentType ?? JSON_TYPE,
          text: answer.Body?.transformToString() ?? "",
          ...versionIn(answer.CustomAttributes),
        };
      } catch (error) {
        throw asProblem(error);
      }
    },
    check: async (timeoutMs) => {
      const { endpoint } = await chosen("");
      // A quarter of the bundle, which a prediction's cold start need not wait for.
      const { DescribeEndpointCommand, SageMakerClient } = await import("@aws-sdk/client-sagemaker");
      sagemaker ??= awsClient(SageMakerClient, env);
      const { EndpointStatus: status = "" } = await sagemaker
        .send(new DescribeEndpointCommand({ EndpointName: endpoint }), {
          abortSignal: AbortSignal.timeout(timeoutMs),
        })
        .catch((error: unknown) => {
          // SageMaker says so where there is no such endpoint.
          if ((error as Error).name === "ValidationException") throw noModel(error);
          throw asProblem(error);
        });
      // While it is updated, what it had goes on answering.
      if (status === "InService" || status === "Updating" || status === "RollingBack") return;
      throw new GateProblem("model_unavailable", "The endpoint is not in service", { retryAfterSeconds: 60 });
    },
  };
}

const noModel = (cause?: unknown) =>
  new GateProblem("no_model", "Release a version first", { cause, retryAfterSeconds: 60 });

function asProblem(cause: unknown): unknown {
  const retry = { cause, retryAfterSeconds: 5 };
  if (cause instanceof ModelError) {
    const status = cause.OriginalStatusCode ?? 500;
    return status < 500
      ? new GateProblem("model_refused", `The model's program answers with status ${status}`, { cause })
      : new GateProblem("model_failed", `The model's program answers with status ${status}`, retry);
  }
  if (cause instanceof ModelNotReadyException) {
    return new GateProblem("model_unavailable", "The endpoint is starting", retry);
  }
  const { name } = cause as Error;
  if (name === "AbortError" || name === "TimeoutError") {
    return new GateProblem("model_timeout", "Ask again, or for fewer rows", retry);
  }
  // Of an endpoint that is not there, or not any more.
  if (name === "ValidationError" || name === "ValidationException") return noModel(cause);
  const refused = cause instanceof SageMakerRuntimeServiceException && cause.$fault === "client";
  // A missing permission is nothing that waiting helps against, and must ring.
  if (refused && name !== "ThrottlingException") return cause;
  return new GateProblem("model_unavailable", "The endpoint takes no requests now", retry);
}
