import Type from "typebox";
import { LOG_RETENTION_DAYS } from "../log-retention.ts";
import { closed, closedWithDefault, fraction } from "./shapes.ts";

const BusinessMetric = Type.Object(
  {
    name: Type.String({
      description: "Name in the pipeline's metric namespace.",
      pattern: "^[A-Za-z][A-Za-z0-9]{0,63}$",
    }),
    title: Type.String({ description: "What the dashboard calls it.", minLength: 1, maxLength: 100 }),
    statistic: Type.Enum(["Sum", "Average", "Minimum", "Maximum"], {
      description: "How its values of a period are put together.",
      default: "Sum",
    }),
  },
  closed,
);

const Alarms = Type.Object(
  {
    failedExecutions: Type.Integer({
      description: "Failed pipeline executions within an hour that raise the critical alarm.",
      minimum: 1,
      maximum: 100,
      default: 1,
    }),
    executionMinutes: Type.Integer({
      description: "Execution time that raises a warning.",
      minimum: 5,
      maximum: 40_320,
      default: 180,
    }),
    quarantinedFraction: Type.Number({
      description: "Share of quarantined rows in a day that raises the critical alarm.",
      exclusiveMinimum: 0,
      maximum: 1,
      default: 0.05,
    }),
    apiErrorFraction: Type.Number({
      description:
        "Share of requests that end in a server error within five minutes that raises the critical alarm.",
      exclusiveMinimum: 0,
      maximum: 1,
      default: 0.05,
    }),
    apiLatencyMs: Type.Integer({
      description: "Latency of the slowest hundredth of requests that raises the critical alarm.",
      minimum: 50,
      maximum: 29_000,
      default: 5000,
    }),
    suspiciousRequests: Type.Integer({
      description:
        "Requests within five minutes that look like probing of the model (out of range, in bursts, nearly alike) that raise a warning.",
      minimum: 1,
      maximum: 1_000_000,
      default: 50,
    }),
    waitingMinutes: Type.Integer({
      description: "How long an object may wait for its validation before a warning.",
      minimum: 15,
      maximum: 5760,
      default: 120,
    }),
    qualityLoss: fraction(
      "Share of the registered quality that the model in use may lose before a warning.",
      0.05,
    ),
    biasGap: fraction(
      "Largest accepted difference of the model's quality between two values of a segment.",
      0.1,
    ),
    predictionBandWidth: Type.Number({
      description: "Width of the expected band of predictions, in standard deviations.",
      minimum: 1,
      maximum: 10,
      default: 3,
    }),
  },
  { ...closedWithDefault, description: "Alarm thresholds." },
);

export const Monitoring = Type.Object(
  {
    logRetentionDays: Type.Integer({
      description: `How long logs are kept; one of ${LOG_RETENTION_DAYS.join(", ")}.`,
      default: 30,
    }),
    engine: Type.Enum(["builtin", "model-monitor"], {
      description:
        "Who monitors the model: the pipeline's own functions, or SageMaker Model Monitor where the account has it.",
      default: "builtin",
    }),
    schedule: Type.String({
      description: "When the monitors run: an EventBridge Scheduler cron(…) or rate(…) expression, in UTC.",
      maxLength: 256,
      default: "cron(0 0 * * ? *)",
    }),
    capture: Type.Object(
      {
        samplePercent: Type.Integer({
          description: "Share of the requests that are captured.",
          minimum: 1,
          maximum: 100,
          default: 100,
        }),
        retentionDays: Type.Integer({
          description: "How long captured requests and answers are kept.",
          minimum: 1,
          maximum: 3650,
          default: 90,
        }),
      },
      { ...closedWithDefault, description: "Capture of requests and answers, which the monitors work on." },
    ),
    segments: Type.Array(Type.String({ minLength: 1, maxLength: 255 }), {
      description: "Columns by whose values the model is checked for bias.",
      maxItems: 10,
      uniqueItems: true,
      default: [],
    }),
    businessMetrics: Type.Array(BusinessMetric, {
      description: "Further metrics that the team publishes, for the dashboard.",
      maxItems: 20,
      default: [],
    }),
    alarms: Alarms,
  },
  { ...closedWithDefault, description: "Logs, monitors and alarms." },
);

export const Alerts = Type.Object(
  {
    emails: Type.Array(Type.String({ format: "email", maxLength: 254 }), {
      description: "Addresses that get warnings and critical alerts; each must confirm its subscription.",
      maxItems: 10,
      uniqueItems: true,
      default: [],
    }),
    webhooks: Type.Array(Type.String({ maxLength: 2048 }), {
      description: "HTTPS addresses that get warnings and critical alerts.",
      maxItems: 10,
      uniqueItems: true,
      default: [],
    }),
  },
  { ...closedWithDefault, description: "Who is told." },
);
