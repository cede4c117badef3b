import { queueMetric } from "../metrics.ts";
import type { PipelineNames } from "../names.ts";
import type { PipelineSpec } from "../spec.ts";
import { type Graph, HOUR, search } from "./graph.ts";

/** What waits between the steps of the data's way, and what fell out of it. */
export function queueGraphs(names: PipelineNames, { dataset, monitoring }: PipelineSpec): readonly Graph[] {
  const queues = ["ingest", "baseline", ...(dataset.featureStore === undefined ? [] : ["features"])];
  return [
    {
      title: "Waiting objects",
      series: [...queues, "unprocessed"].map((part) => ({
        metric: queueMetric(names.named(part), "ApproximateNumberOfMessagesVisible"),
        label: part,
      })),
    },
    {
      title: "Age of the oldest waiting object (s)",
      series: queues.map((part) => ({
        metric: queueMetric(names.named(part), "ApproximateAgeOfOldestMessage"),
        label: part,
      })),
      limit: { label: "warning", value: monitoring.alarms.waitingMinutes * 60 },
    },
  ];
}

/** Every function of the pipeline, found by the hash in its name. */
export function functionGraphs(names: PipelineNames): readonly Graph[] {
  const each = (metric: string, statistic: string) =>
    search("AWS/Lambda,FunctionName", names.hash, metric, statistic, "", 300);
  return [
    {
      title: "Errors and throttles of functions",
      series: [each("Errors", "Sum"), each("Throttles", "Sum")],
      periodSeconds: HOUR,
    },
    { title: "Duration of functions, p95 (ms)", series: [each("Duration", "p95")] },
  ];
}
