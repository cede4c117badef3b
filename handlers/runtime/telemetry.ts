import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics } from "@aws-lambda-powertools/metrics";
import type { EmfOutput } from "@aws-lambda-powertools/metrics/types";
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

/**
 * Metrics without a dimension. Powertools adds the service's name as one, and no set of dimensions once that is cleared, with which
 * CloudWatch would find no metric: one empty set is what stands for none
 * (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
 */
class DimensionlessMetrics extends Metrics {
  override serializeMetrics(): EmfOutput {
    const { _aws, service: _, ...values } = super.serializeMetrics();
    const directives = _aws.CloudWatchMetrics.map((directive) => ({
      ...directive,
      Dimensions: [[]] satisfies [string[]],
    }));
    return { ...values, _aws: { ..._aws, CloudWatchMetrics: directives } };
  }
}

/** Logger, metrics and tracer of a function, under the pipeline's namespace and without dimensions: alarms name none. */
export function createTelemetry(functionName: string, env: Environment): Telemetry {
  const { AIDLC_METRIC_NAMESPACE: namespace } = variables(env, ["AIDLC_METRIC_NAMESPACE"]);
  const metrics = new DimensionlessMetrics({ namespace });
  return {
    logger: new Logger({ serviceName: functionName }),
    metrics,
    tracer: new Tracer({ serviceName: functionName, enabled: env.AWS_LAMBDA_FUNCTION_NAME !== undefined }),
  };
}

/** Names of the pipeline's own metrics: alarms and dashboards name no others. */
export type { OwnMetric };
