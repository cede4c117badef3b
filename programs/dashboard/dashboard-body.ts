import { applicationLayer } from "./application-layer.ts";
import { businessLayer } from "./business-layer.ts";
import { type DashboardArgs, graphProperties, type Layer } from "./graph.ts";
import { infrastructureLayer } from "./infrastructure-layer.ts";
import { modelLayer } from "./model-layer.ts";

const COLUMNS = 24;
const GRAPH = { width: 8, height: 6 } as const;
const TEXT_HEIGHT = 1;
const ALARMS_HEIGHT = 4;
const PER_ROW = COLUMNS / GRAPH.width;

function layerWidgets({ heading, graphs }: Layer, top: number, region: string): object[] {
  const text = { type: "text", x: 0, y: top, width: COLUMNS, height: TEXT_HEIGHT };
  return [
    { ...text, properties: { markdown: `## ${heading}` } },
    ...graphs.map((graph, index) => ({
      type: "metric",
      x: (index % PER_ROW) * GRAPH.width,
      y: top + TEXT_HEIGHT + Math.floor(index / PER_ROW) * GRAPH.height,
      ...GRAPH,
      properties: graphProperties(graph, region),
    })),
  ];
}

/**
 * The dashboard in its four layers. Every metric is one that AWS publishes for resources of this pipeline, or one of `OWN_METRICS`,
 * which the components named there publish, or one that the team said it publishes.
 */
export function dashboardBody(args: DashboardArgs): string {
  const widgets: object[] = [
    {
      type: "alarm",
      x: 0,
      y: 0,
      width: COLUMNS,
      height: ALARMS_HEIGHT,
      properties: { title: "Alarms", alarms: args.alarmArns },
    },
  ];
  let top = ALARMS_HEIGHT;
  for (const layer of [
    infrastructureLayer(args),
    applicationLayer(args),
    modelLayer(args),
    businessLayer(args),
  ]) {
    widgets.push(...layerWidgets(layer, top, args.region));
    top += TEXT_HEIGHT + Math.ceil(layer.graphs.length / PER_ROW) * GRAPH.height;
  }
  return JSON.stringify({ widgets });
}
