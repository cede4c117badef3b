import type { PipelineNames } from "../names.ts";
import { DAY, type Graph, search } from "./graph.ts";

/** How releases of models and deliveries of code end. */
export function deliveryGraphs(names: PipelineNames): readonly Graph[] {
  const releases = (metric: string, label: string) =>
    search("AWS/States,StateMachineArn", `"${names.named("release")}"`, metric, "Sum", label, DAY);
  const builds = (project: "scan" | "images" | "test") => ({
    metric: {
      namespace: "AWS/CodeBuild",
      name: "FailedBuilds",
      dimensions: { ProjectName: names.named(project) },
      statistic: "Sum",
    },
    label: `failed: ${project}`,
  });
  return [
    {
      title: "Releases",
      series: [
        releases("ExecutionsSucceeded", "released"),
        releases("ExecutionsFailed", "refused or rolled back"),
        releases("ExecutionsTimedOut", "out of time"),
      ],
      periodSeconds: DAY,
    },
    {
      title: "Scans, builds and tests of code",
      series: [builds("scan"), builds("images"), builds("test")],
      periodSeconds: DAY,
    },
  ];
}
