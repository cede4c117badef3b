import {
  InvokeCommand,
  LambdaClient,
  LambdaServiceException,
  ResourceNotFoundException,
} from "@aws-sdk/client-lambda";
import { awsClient } from "../runtime/aws.ts";
import type { Environment } from "../runtime/environment.ts";
import { type Model, versionIn } from "./model.ts";
import { GateProblem } from "./problems.ts";

/** What a Lambda image answers: the body, or API Gateway's form of an answer where the program has one for HTTP. */
interface ProxyAnswer {
  readonly statusCode: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const isProxyAnswer = (value: unknown): value is ProxyAnswer =>
  typeof value === "object" &&
  value !== null &&
  typeof (value as ProxyAnswer).statusCode === "number" &&
  typeof (value as ProxyAnswer).body === "string";

/** A model in a Lambda function behind an alias, which CodeDeploy shifts. `alias` is its ARN. */
export function functionModel(env: Environment, alias: string): Model {
  const lambda = awsClient(LambdaClient, env);
  const [endpoint = "", variant = ""] = alias.split(":").slice(-2);
  return {
    ask: async ({ body, timeoutMs }) => {
      try {
        const { FunctionError, Payload } = await lambda.send(
          new InvokeCommand({ FunctionName: alias, Payload: Buffer.from(body) }),
          { abortSignal: AbortSignal.timeout(timeoutMs) },
        );
        if (FunctionError !== undefined) {
          throw new GateProblem("model_failed", "The model's function failed", { retryAfterSeconds: 5 });
        }
        const text = Payload?.transformToString() ?? "";
        return { source: { endpoint, variant }, contentType: "application/json", ...answerIn(text) };
      } catch (error) {
        throw asProblem(error);
      }
    },
    check: async (timeoutMs) => {
      try {
        // Says whether the function is there and may be asked, without asking it.
        await lambda.send(new InvokeCommand({ FunctionName: alias, InvocationType: "DryRun" }), {
          abortSignal: AbortSignal.timeout(timeoutMs),
        });
      } catch (error) {
        throw asProblem(error);
      }
    },
  };
}

function answerIn(text: string): { readonly text: string; readonly modelVersion?: number } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return { text };
  }
  if (!isProxyAnswer(parsed)) return { text };
  const { statusCode, body, headers = {} } = parsed;
  if (statusCode >= 400) throw failedWith(statusCode);
  const [, attributes] =
    Object.entries(headers).find(([name]) => name.toLowerCase() === "x-amzn-sagemaker-custom-attributes") ??
    [];
  return { text: body, ...versionIn(attributes) };
}

/** The status that a model's program answered with. */
export function failedWith(status: number): GateProblem {
  const detail = `The model's program answers with status ${status}`;
  if (status === 503 || status === 429) {
    return new GateProblem("model_unavailable", detail, { retryAfterSeconds: 5 });
  }
  return status < 500
    ? new GateProblem("model_refused", detail)
    : new GateProblem("model_failed", detail, { retryAfterSeconds: 5 });
}

function asProblem(cause: unknown): unknown {
  if (cause instanceof GateProblem) return cause;
  const retry = { cause, retryAfterSeconds: 5 };
  const { name } = cause as Error;
  if (cause instanceof ResourceNotFoundException) {
    return new GateProblem("no_model", "Release a version first", { cause, retryAfterSeconds: 60 });
  }
  if (name === "AbortError" || name === "TimeoutError") {
    return new GateProblem("model_timeout", "Ask again, or for fewer rows", retry);
  }
  const refused = cause instanceof LambdaServiceException && cause.$fault === "client";
  // A missing permission is nothing that waiting helps against, and must ring.
  if (refused && name !== "TooManyRequestsException") return cause;
  return new GateProblem("model_unavailable", "The model's function takes no requests now", retry);
}
