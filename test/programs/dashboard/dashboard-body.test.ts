import { describe, expect, it } from "vitest";
import { arnsIn } from "../../../programs/arns.ts";
import { dashboardBody } from "../../../programs/dashboard/dashboard-body.ts";
import { OWN_METRICS } from "../../../programs/metrics.ts";
import { pipelineNames } from "../../../programs/names.ts";
import { SERVING_MODES } from "../../../programs/spec/serving.ts";
import type { PipelineSpec } from "../../../programs/spec.ts";
import { ACCOUNT, aSpec } from "../support/inputs.ts";

const ALARMS = ["run-failed", "release-guard"].map((name) => arnsIn(ACCOUNT).alarm(name));

const names = pipelineNames({ account: ACCOUNT, team: "fraud", pipeline: "churn" });

interface Widget {
  readonly type: "alarm" | "text" | "metric";
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly properties: {
    readonly title?: string;
    readonly markdown?: string;
    readonly alarms?: readonly string[];
    readonly metrics?: readonly (readonly unknown[])[];
  };
}

function dashboard(spec: PipelineSpec) {
  const body = dashboardBody({ names, alarmArns: ALARMS, region: ACCOUNT.region, spec });
  const { widgets } = JSON.parse(body) as { readonly widgets: readonly Widget[] };
  const series = widgets.flatMap(({ properties: { metrics = [] } }) => metrics);
  return {
    body,
    widgets,
    direct: series.filter(([namespace]) => typeof namespace === "string"),
    searches: series.map(([first]) => JSON.stringify(first)).filter((text) => text.includes("SEARCH(")),
    titles: widgets.flatMap(({ properties: { title } }) => title ?? []),
  };
}

/** Namespaces of services and the metrics they publish for resources of a pipeline. */
const SERVICE_METRICS: Readonly<Record<string, readonly string[]>> = {
  "AWS/ApiGateway": ["Count", "4XXError", "5XXError", "Latency", "IntegrationLatency"],
  "AWS/CodeBuild": ["FailedBuilds"],
  "AWS/ECS": ["CPUUtilization", "MemoryUtilization"],
  "AWS/Lambda": ["ConcurrentExecutions", "Duration", "Errors", "Invocations", "Throttles"],
  "AWS/S3": ["BucketSizeBytes"],
  "AWS/SNS": ["NumberOfNotificationsFailed"],
  "AWS/SQS": ["ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"],
  "AWS/SageMaker": [
    "Invocation4XXErrors",
    "Invocation5XXErrors",
    "ModelLatency",
    "ServerlessConcurrentExecutionsUtilization",
  ],
  "AWS/Sagemaker/ModelBuildingPipeline": [
    "ExecutionStarted",
    "ExecutionSucceeded",
    "ExecutionFailed",
    "ExecutionStopped",
    "ExecutionDuration",
  ],
  "ECS/ContainerInsights": [
    "EphemeralStorageUtilized",
    "NetworkRxBytes",
    "NetworkTxBytes",
    "RunningTaskCount",
  ],
  "/aws/sagemaker/Endpoints": ["CPUUtilization", "DiskUtilization", "MemoryUtilization"],
};

describe.each(SERVING_MODES)("the dashboard of mode %s", (mode) => {
  const spec = aSpec({ serving: { mode } });
  const { body, widgets, direct, searches } = dashboard(spec);

  it("has the four layers in their order", () => {
    const headings = widgets.flatMap(({ properties: { markdown } }) => markdown ?? []);
    expect(headings.map((heading) => heading.replace(/^## (\w+).*/, "$1"))).toEqual([
      "Infrastructure",
      "Application",
      "Model",
      "Business",
    ]);
  });

  it("shows metrics that services publish, or that the pipeline's own namespace defines", () => {
    for (const [namespace, metric] of direct) {
      const known =
        namespace === names.metricNamespace
          ? Object.keys(OWN_METRICS)
          : (SERVICE_METRICS[String(namespace)] ?? []);
      expect(known, `${namespace} ${metric}`).toContain(metric);
    }
  });

  it("uses every metric that the pipeline's own namespace defines", () => {
    const shown = new Set(
      direct.filter(([namespace]) => namespace === names.metricNamespace).map(([, metric]) => metric),
    );
    expect(Object.keys(OWN_METRICS).filter((metric) => !shown.has(metric))).toEqual([]);
  });

  it("shows the API's latency by percentiles, and what runs the model", () => {
    const of = (name: string) => direct.filter(([, metric]) => metric === name).map((entry) => entry.at(-1));
    expect(of("Latency")).toEqual(["p50", "p95", "p99"].map((stat) => expect.objectContaining({ stat })));
    const namespaces = new Set(direct.map(([namespace]) => namespace));
    const predictor = direct.some((entry) => entry.includes(names.named("predict")));
    expect({
      endpoint: namespaces.has("/aws/sagemaker/Endpoints"),
      tasks: namespaces.has("ECS/ContainerInsights"),
      predictor,
    }).toEqual({
      endpoint: mode === "serverless" || mode === "realtime",
      tasks: mode === "ecs",
      predictor: mode === "lambda" || mode === "ecs",
    });
  });

  it("searches for what is this pipeline's only", () => {
    expect(searches.length).toBeGreaterThan(5);
    for (const search of searches)
      expect(search).toMatch(new RegExp(`${names.hash}|${names.metricNamespace}`));
  });

  it("lays its widgets out without overlap, within 24 columns", () => {
    const cells = new Set<string>();
    for (const { x, y, width, height } of widgets) {
      expect(x + width).toBeLessThanOrEqual(24);
      for (let column = x; column < x + width; column++) {
        for (let row = y; row < y + height; row++) {
          expect(cells.has(`${column},${row}`)).toBe(false);
          cells.add(`${column},${row}`);
        }
      }
    }
  });

  it("shows every alarm and stays far below a megabyte", () => {
    const shown = widgets.find(({ type }) => type === "alarm")?.properties.alarms ?? [];
    expect(shown).toEqual(ALARMS);
    expect(body.length).toBeLessThan(100_000);
  });
});

describe("the dashboard's business layer", () => {
  it("shows the team's own metrics under the team's own titles", () => {
    const businessMetrics = [{ name: "SavedCalls", title: "Calls saved", statistic: "Sum" as const }];
    const { direct, titles } = dashboard(aSpec({ monitoring: { businessMetrics } }));
    expect(titles).toContain("Calls saved");
    expect(direct).toContainEqual([
      names.metricNamespace,
      "SavedCalls",
      expect.objectContaining({ stat: "Sum" }),
    ]);
  });
});
