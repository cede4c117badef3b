import { queueMetric } from "../metrics.ts";
import { DATA_BUCKETS, type PipelineNames } from "../names.ts";
import { endpointNames } from "../serving/endpoints.ts";
import { PREDICTOR } from "../serving/function-names.ts";
import { endpointMetric, endpointUse, functionMetric } from "../serving/metrics.ts";
import { queueGraphs } from "./data-graphs.ts";
import { DAY, type DashboardArgs, type Graph, type Layer, type Series, search } from "./graph.ts";

/** Jobs have a name of their own at each execution, so they are searched for by the pipeline's hash. */
const jobGraph = (names: PipelineNames, title: string, metric: string): Graph => ({
  title,
  series: (["TrainingJobs", "ProcessingJobs"] as const).map((kind) =>
    search(
      `"/aws/sagemaker/${kind}",Host`,
      names.hash,
      metric,
      "Average",
      kind === "TrainingJobs" ? "training" : "processing",
    ),
  ),
  periodSeconds: 60,
});

const storage = (names: PipelineNames, kind: (typeof DATA_BUCKETS)[number]): Series => ({
  label: kind,
  metric: {
    namespace: "AWS/S3",
    name: "BucketSizeBytes",
    dimensions: { BucketName: names.bucket(kind), StorageType: "StandardStorage" },
    statistic: "Average",
  },
});

const undelivered = (names: PipelineNames, severity: "warning" | "critical"): Series => ({
  label: `${severity} not delivered`,
  metric: {
    namespace: "AWS/SNS",
    name: "NumberOfNotificationsFailed",
    dimensions: { TopicName: names.named(severity) },
    statistic: "Sum",
  },
});

const taskMetric = (names: PipelineNames, namespace: string, name: string, label: string): Series => ({
  label,
  metric: {
    namespace,
    name,
    dimensions: { ClusterName: names.named("serving"), ServiceName: names.named(PREDICTOR) },
    statistic: "Average",
  },
});

function endpointGraphs(
  names: PipelineNames,
  mode: DashboardArgs["spec"]["serving"]["mode"],
): readonly Graph[] {
  const endpoints = endpointNames(mode, names);
  const use = (name: Parameters<typeof endpointUse>[1]): Series[] =>
    endpoints.map((endpoint) => ({
      metric: endpointUse(endpoint, name),
      label: `${name} ${endpoint.slice(names.prefix.length + 1)}`,
    }));
  if (mode === "realtime") {
    return [
      { title: "CPU of the endpoint (%)", series: use("CPUUtilization"), periodSeconds: 60 },
      {
        title: "Memory and disk of the endpoint (%)",
        series: [...use("MemoryUtilization"), ...use("DiskUtilization")],
        periodSeconds: 60,
      },
    ];
  }
  return [
    {
      title: "Memory and concurrency of the endpoints (%)",
      series: [
        ...use("MemoryUtilization"),
        ...endpoints.map((endpoint) => ({
          metric: endpointMetric(endpoint, "ServerlessConcurrentExecutionsUtilization", "Maximum"),
          label: `concurrency ${endpoint.slice(names.prefix.length + 1)}`,
        })),
      ],
      periodSeconds: 60,
    },
  ];
}

function taskGraphs(names: PipelineNames): readonly Graph[] {
  const insights = "ECS/ContainerInsights";
  const balancer = "AWS/ApplicationELB,LoadBalancer";
  return [
    {
      title: "CPU and memory of tasks (%)",
      series: [
        taskMetric(names, "AWS/ECS", "CPUUtilization", "CPU"),
        taskMetric(names, "AWS/ECS", "MemoryUtilization", "memory"),
      ],
      periodSeconds: 60,
    },
    {
      title: "Network and disk of tasks (bytes)",
      series: [
        taskMetric(names, insights, "NetworkRxBytes", "received"),
        taskMetric(names, insights, "NetworkTxBytes", "sent"),
        taskMetric(names, insights, "EphemeralStorageUtilized", "disk (GB)"),
        search(balancer, names.short(PREDICTOR), "ProcessedBytes", "Sum", "load balancer"),
      ],
      periodSeconds: 60,
    },
    {
      title: "Health of tasks",
      series: [
        taskMetric(names, insights, "RunningTaskCount", "running"),
        ...["HealthyHostCount", "UnHealthyHostCount"].map((metric) =>
          search(
            "AWS/ApplicationELB,LoadBalancer,TargetGroup",
            names.short(PREDICTOR),
            metric,
            "Average",
            "",
          ),
        ),
      ],
      periodSeconds: 60,
    },
  ];
}

function servingGraphs({ names, spec }: DashboardArgs): readonly Graph[] {
  const { mode } = spec.serving;
  if (mode === "ecs") return taskGraphs(names);
  if (mode !== "lambda") return endpointGraphs(names, mode);
  const predictor = names.named(PREDICTOR);
  return [
    {
      title: "Busy functions of the model",
      series: [
        { metric: functionMetric(predictor, "ConcurrentExecutions", "Maximum"), label: "busy" },
        { metric: functionMetric(predictor, "Throttles"), label: "refused" },
      ],
    },
  ];
}

export function infrastructureLayer(args: DashboardArgs): Layer {
  const { names, spec } = args;
  return {
    heading:
      "Infrastructure — jobs, storage, what runs the model, delivery of alerts. SageMaker publishes no network metrics; see the flow logs.",
    graphs: [
      jobGraph(names, "CPU of jobs (%)", "CPUUtilization"),
      jobGraph(names, "Memory of jobs (%)", "MemoryUtilization"),
      jobGraph(names, "Disk of jobs (%)", "DiskUtilization"),
      ...servingGraphs(args),
      {
        title: "Functions: busy and refused",
        series: [
          { metric: functionMetric(names.named("gate"), "ConcurrentExecutions", "Maximum"), label: "gate" },
          { metric: functionMetric(names.named("gate"), "Throttles"), label: "gate refused" },
          {
            metric: functionMetric(names.named("validate"), "ConcurrentExecutions", "Maximum"),
            label: "validate",
          },
          { metric: functionMetric(names.named("validate"), "Throttles"), label: "validate refused" },
        ],
      },
      ...queueGraphs(names, spec),
      {
        title: "Stored bytes",
        series: DATA_BUCKETS.map((kind) => storage(names, kind)),
        periodSeconds: DAY,
      },
      {
        title: "Health of alerts",
        series: [
          undelivered(names, "warning"),
          undelivered(names, "critical"),
          {
            label: "dead letters",
            metric: queueMetric(names.named("dead-letters"), "ApproximateNumberOfMessagesVisible"),
          },
        ],
      },
    ],
  };
}
