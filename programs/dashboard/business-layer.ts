import { ownMetric } from "../metrics.ts";
import { DAY, type DashboardArgs, type Graph, type Layer, type Series, search } from "./graph.ts";

/** What the team itself counts. */
function ownGraphs({ names, spec }: DashboardArgs): readonly Graph[] {
  return spec.monitoring.businessMetrics.map(({ name, title, statistic }) => ({
    title,
    series: [{ metric: { namespace: names.metricNamespace, name, dimensions: {}, statistic }, label: name }],
    periodSeconds: DAY,
  }));
}

export function businessLayer(args: DashboardArgs): Layer {
  const { names, spec } = args;
  const hidden = (name: "BusinessValue" | "Cost" | "Predictions", id: string): Series => ({
    metric: ownMetric(names, name),
    label: id,
    id,
    visible: false,
  });
  const byVariant = (metric: string, statistic: string) =>
    search(`"${names.metricNamespace}",Variant`, "", metric, statistic, "", DAY);
  return {
    heading: "Business — what predictions are worth and what they cost",
    graphs: [
      {
        title: "Value (USD)",
        series: [{ metric: ownMetric(names, "BusinessValue"), label: "value" }],
        periodSeconds: DAY,
      },
      {
        title: "Cost this month (USD)",
        series: [{ metric: ownMetric(names, "Cost"), label: "cost" }],
        periodSeconds: DAY,
        limit: { label: "budget", value: spec.budget.monthlyUsd },
      },
      {
        title: "Cost per prediction (USD) and return on investment",
        series: [
          hidden("BusinessValue", "value"),
          hidden("Cost", "cost"),
          hidden("Predictions", "predictions"),
          { expression: "cost / predictions", label: "cost per prediction" },
          { expression: "(value - cost) / cost", label: "return" },
        ],
        periodSeconds: 30 * DAY,
      },
      {
        title: "A/B: value by variant (USD)",
        series: [byVariant("BusinessValue", "Sum")],
        periodSeconds: DAY,
      },
      {
        title: "A/B: predictions and confidence by variant",
        series: [byVariant("Predictions", "Sum"), byVariant("PredictionConfidence", "Average")],
        periodSeconds: DAY,
      },
      ...ownGraphs(args),
    ],
  };
}
