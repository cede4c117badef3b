import type { Failure } from "../check.ts";
import { atMost, failure } from "../rules/rule.ts";
import { isMap, type PropertyMap, type PropertyValue } from "../values.ts";

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html: 500 widgets, 500 metrics a widget, 2,500 in all.
const widgetsOfADashboard = 500;
const metricsOfAWidget = 500;
const metricsOfADashboard = 2500;
const bodyBytes = 1_048_576;
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
const columns = 24;
const widgetTypes = new Set(["metric", "text", "log", "alarm", "explorer", "custom", "chart"]);

/** What CloudWatch says against a dashboard's body. */
export function* dashboardFailures(body: PropertyValue, text: string): Iterable<Failure> {
  const path = "dashboardBody";
  yield* atMost(path, Buffer.byteLength(text), bodyBytes, "bytes", "use several dashboards");
  const widgets = isMap(body) && Array.isArray(body.widgets) ? body.widgets.filter(isMap) : undefined;
  if (!widgets) return yield failure(path, "must be an object with a list of widgets");
  yield* atMost(path, widgets.length, widgetsOfADashboard, "widgets", "use several dashboards");
  let total = 0;
  for (const [index, widget] of widgets.entries()) {
    yield* widgetFailures(widget, index);
    const count = metricsOf(widget);
    total += count;
    yield* atMost(path, count, metricsOfAWidget, `metrics in widget ${index}`, "split the widget");
  }
  yield* atMost(path, total, metricsOfADashboard, "metrics in all", "use several dashboards");
}

function* widgetFailures(widget: PropertyMap, index: number): Iterable<Failure> {
  const path = "dashboardBody";
  if (!widgetTypes.has(String(widget.type)))
    yield failure(path, `widget ${index} has the unknown type "${String(widget.type)}"`);
  if (!isMap(widget.properties)) return yield failure(path, `widget ${index} has no properties`);
  const { x = 0, width = 6 } = widget;
  if (typeof x === "number" && typeof width === "number" && (width < 1 || x + width > columns))
    yield failure(path, `widget ${index} reaches column ${x + width}, a dashboard has ${columns}`);
  if (widget.type === "metric" && typeof widget.properties.region !== "string")
    yield failure(path, `widget ${index} must name its region`);
  if (
    widget.type === "metric" &&
    !["metrics", "annotations"].some((name) => name in objectOf(widget.properties))
  )
    yield failure(path, `widget ${index} must have metrics or annotations`);
  if (widget.type === "text" && typeof widget.properties.markdown !== "string")
    yield failure(path, `widget ${index} must have markdown`);
  if (widget.type === "alarm" && !Array.isArray(widget.properties.alarms))
    yield failure(path, `widget ${index} must list alarms`);
}

function objectOf(value: PropertyValue | undefined): PropertyMap {
  return isMap(value) ? value : {};
}

function metricsOf(widget: PropertyMap): number {
  const { metrics } = objectOf(widget.properties);
  return Array.isArray(metrics) ? metrics.length : 0;
}
