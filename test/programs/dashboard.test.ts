import { describe, expect, it } from "vitest";
import { pipelineAlarms } from "../../programs/alarms.ts";
import { arnsIn } from "../../programs/arns.ts";
import { dashboardBody } from "../../programs/dashboard.ts";
import { OWN_METRICS } from "../../programs/metrics.ts";
import { pipelineNames } from "../../programs/names.ts";
import { ACCOUNT, aSpec } from "./support/inputs.ts";

const names = pipelineNames({ account: ACCOUNT, team: "fraud", pipeline: "churn" });
const spec = aSpec();

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

const body = dashboardBody({ names, arns: arnsIn(ACCOUNT), region: ACCOUNT.region, spec });
const { widgets } = JSON.parse(body) as { readonly widgets: readonly Widget[] };

const series = widgets.flatMap(({ properties: { metrics = [] } }) => metrics);
const direct = series.filter(([namespace]) => typeof namespace === "string");
const searches = series.map(([first]) => JSON.stringify(first)).filter((text) => text.includes("SEARCH("));

/** Namespaces of services and the metrics they publish for resources of this pipeline. */
const SERVICE_METRICS: Readonly<Record<string, readonly string[]>> = {
  "AWS/S3": ["BucketSizeBytes"],
  "AWS/SNS": ["NumberOfNotificationsFailed"],
  "AWS/SQS": ["ApproximateNumberOfMessagesVisible"],
  "AWS/Sagemaker/ModelBuildingPipeline": [
    "ExecutionStarted",
    "ExecutionSucceeded",
    "ExecutionFailed",
    "ExecutionStopped",
    "ExecutionDuration",
  ],
};

describe("the dashboard", () => {
  it("has the four layers in their order", () => {
    const headings = widgets.flatMap(({ properties: { markdown } }) =>
      markdown === undefined ? [] : [markdown],
    );
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

  it("searches for this pipeline's jobs only", () => {
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
    expect(shown).toHaveLength(pipelineAlarms(spec, names).length + 1);
    expect(body.length).toBeLessThan(100_000);
  });
});
