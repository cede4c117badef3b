import { type CloudWatchClient, GetMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import type { OwnMetric } from "../runtime/telemetry.ts";
import type { CountedPredictions } from "./data-quality.ts";

const DAY_SECONDS = 24 * 3600;

/** Predictions that the gate counted, by its metric. Without dimensions, as everything that the pipeline publishes of itself. */
export function createCountedPredictions(
  cloudWatch: CloudWatchClient,
  namespace: string,
): CountedPredictions {
  return async (from, to) => {
    const { MetricDataResults: [result] = [] } = await cloudWatch.send(
      new GetMetricDataCommand({
        StartTime: from,
        EndTime: to,
        MetricDataQueries: [
          {
            Id: "predictions",
            MetricStat: {
              Metric: { Namespace: namespace, MetricName: "Predictions" satisfies OwnMetric },
              Period: Math.min(DAY_SECONDS, (to.getTime() - from.getTime()) / 1000),
              Stat: "Sum",
            },
          },
        ],
      }),
    );
    const values = result?.Values ?? [];
    return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
  };
}
