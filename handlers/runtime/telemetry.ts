import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics } from "@aws-lambda-powertools/metrics";
import { Tracer } from "@aws-lambda-powertools/tracer";
import type { OwnMetric } from "../../programs/metrics.ts";
import { type Environment, variables } from "./environment.ts";

export interface Telemetry {
  /** JSON lines. Never give it rows, values of columns, request bodies or anything else of the data's content. */
  readonly logger: Logger;
  /** Embedded metric format: published by being logged, so no permission is needed. Ends with `publishStoredMetrics()`. */
  readonly metrics: Metrics;
  readonly tracer: Tracer;
}

/** Logger, metrics and tracer of a function, under the pipeline's namespace and without dimensions: alarms name none. */
export function createTelemetry(functionName: string, env: Environment): Telemetry {
  const { AIDLC_METRIC_NAMESPACE: namespace } = variables(env, ["AIDLC_METRIC_NAMESPACE"]);
  const metrics = new Metrics({ namespace });
  return {
    logger: new Logger({ serviceName: functionName }),
    metrics,
    tracer: new Tracer({ serviceName: functionName, enabled: env.AWS_LAMBDA_FUNCTION_NAME !== undefined }),
  };
}

/** Names of the pipeline's own metrics: alarms and dashboards name no others. */
export type { OwnMetric };
