import type { Requirement } from "../requirement.ts";

export const LEARNING: readonly Requirement[] = [
  {
    id: "L1",
    promise: "Dashboards show infrastructure, application, model and business metrics",
    from: "learning",
    keptBy: ["resources"],
    policies: ["metrics-on-dashboard"],
    pipeline: ["cloudwatch/dashboard:Dashboard"],
    tests: [
      ["programs/dashboard/dashboard-body.test.ts", "has the four layers in their order"],
      [
        "programs/dashboard/dashboard-body.test.ts",
        "shows metrics that services publish, or that the pipeline's own namespace defines",
      ],
      [
        "handlers/runtime/telemetry.test.ts",
        "publishes metrics in the pipeline's namespace and without dimensions, as alarms name them",
      ],
      ["handlers/publish-cost.aws.test.ts", "publishes what the pipeline's budget counted this month"],
    ],
  },
  {
    id: "L2",
    promise: "Alarms on what matters only, composite ones against noise, anomaly detection on predictions",
    from: "learning",
    keptBy: ["resources"],
    policies: ["alarm-reaches-somebody"],
    pipeline: ["cloudwatch/metricAlarm:MetricAlarm", "cloudwatch/compositeAlarm:CompositeAlarm"],
    tests: [
      ["programs/alarms.test.ts", "%s watches its metric and tells %s"],
      ["programs/alarms.test.ts", "compares predictions with the band that they usually keep to"],
      [
        "programs/serving/release-guard.test.ts",
        "rings after three bad minutes of five, by the spec's limits, and leaves telling to the combined alarm",
      ],
    ],
  },
  {
    id: "L3",
    promise: "Data quality, model quality, bias and drift are monitored daily",
    from: "learning",
    keptBy: ["handlers", "resources"],
    policies: ["model-is-monitored"],
    pipeline: [
      ["lambda/function:Function", /^monitor$/],
      ["scheduler/schedule:Schedule", /(quality|bias|drift)-schedule$/],
    ],
    tests: [
      [
        "programs/components/monitors.test.ts",
        "run at the spec's time, each told its kind, through the schedules' role",
      ],
      ["programs/components/monitors.test.ts", "look for bias where segments are named"],
      ["handlers/monitor.aws.test.ts", "reports on two days of all kinds"],
      [
        "handlers/monitor-requests.aws.test.ts",
        "tells what breaks the schema by column and count, never the values",
      ],
      [
        "handlers/monitor-labels.aws.test.ts",
        "is measured on labels that come later, against the gate and what was registered",
      ],
      [
        "handlers/monitor-labels.aws.test.ts",
        "is the difference of quality between a segment's values, and reported in Clarify's form",
      ],
      ["handlers/monitor.aws.test.ts", "of one input column is found by name"],
    ],
  },
  {
    id: "L4",
    promise: "Requests and predictions are captured",
    from: "learning",
    keptBy: ["resources"],
    policies: ["endpoint-captures-data"],
    pipeline: [["s3/bucket:Bucket", /^predictions$/]],
    tests: [
      [
        "programs/serving/identities.test.ts",
        "captures by itself on a real-time endpoint only; elsewhere the gate does",
      ],
      [
        "programs/components/monitors.test.ts",
        "expire when the spec says, whatever is kept of other predictions",
      ],
      [
        "handlers/gate.aws.test.ts",
        "captures request and answer, in the form of data capture, once for an id",
      ],
      ["handlers/gate.aws.test.ts", "leaves the capture to the endpoint"],
    ],
  },
  {
    id: "L5",
    promise: "X-Ray traces requests through API and functions",
    from: "learning",
    keptBy: ["resources"],
    policies: ["lambda-tracing-enabled", "api-stage-traced"],
    pipeline: ["apigateway/stage:Stage", "lambda/function:Function"],
    tests: [
      ["programs/functions.test.ts", "each keep what they could not do, tell of errors and are traced"],
      [
        "programs/serving/prediction-api.test.ts",
        "logs requests without their bodies, traces them and caches nothing",
      ],
    ],
  },
  {
    id: "L6",
    promise: "Models are retrained on schedule, on drift and on degradation",
    from: "learning",
    keptBy: ["resources", "handlers"],
    pipeline: [
      ["scheduler/schedule:Schedule", /^retraining$/],
      ["lambda/function:Function", /^start-training$/],
      ["cloudwatch/eventRule:EventRule", /^retraining-on-alarm$/],
    ],
    tests: [
      [
        "programs/pipeline.test.ts",
        "starts the pipeline on schedule through a role of its own and keeps what was not delivered",
      ],
      [
        "programs/components/retraining.test.ts",
        "reaches its function by this rule only, and waits among the dead letters otherwise",
      ],
      ["handlers/start-training.aws.test.ts", "starts one training, which knows why it was started"],
      ["handlers/start-training.aws.test.ts", "starts none again until the last one is old enough"],
    ],
  },
  {
    id: "L7",
    promise: "Requests are validated; adversarial and extraction patterns are detected",
    from: "learning",
    keptBy: ["handlers"],
    tests: [
      [
        "handlers/gate.aws.test.ts",
        "refuses a request that breaks the schema with every place that does, and asks no model",
      ],
      [
        "handlers/gate.aws.test.ts",
        "counts whoever probes as suspicious and refuses the abuse, also from another session of a role",
      ],
      ["handlers/gate/watch.test.ts", "suspects, then refuses whoever varies a row a little again and again"],
      [
        "handlers/gate/watch.test.ts",
        "suspects nobody who asks about real penguins, in the file's order or in any other",
      ],
    ],
  },
  {
    id: "L8",
    promise: "A model that becomes worse than its registered baseline raises an alarm",
    from: "learning",
    keptBy: ["handlers", "resources"],
    pipeline: [["cloudwatch/metricAlarm:MetricAlarm", /model-quality/]],
    tests: [
      ["programs/alarms.test.ts", "calls a model degraded when it is worse and its data or its output moved"],
      [
        "handlers/monitor-labels.aws.test.ts",
        "is measured on labels that come later, against the gate and what was registered",
      ],
      [
        "handlers/monitor/statistics.test.ts",
        "is lost by the share of what was registered, in the direction of the gate",
      ],
    ],
  },
  {
    id: "L9",
    promise: "Failure drills with stop conditions",
    from: "production",
    keptBy: ["resources"],
    policies: ["failure-drill-stops-on-alarm"],
    pipeline: ["fis/experimentTemplate:ExperimentTemplate"],
    tests: [
      ["programs/drills.test.ts", "throttle, terminate and delay, each by a runbook that FIS limits in time"],
      [
        "programs/drills.test.ts",
        "end when something is lost or the model fails, and write an encrypted log",
      ],
    ],
  },
];
