import type { Alarm } from "../alarms.ts";
import { type Metric, ownMetric } from "../metrics.ts";
import type { PipelineNames } from "../names.ts";
import type { PipelineSpec } from "../spec.ts";
import { endpointNames } from "./endpoints.ts";
import { ALIAS, PREDICTOR } from "./function-names.ts";
import { apiMetric, endpointMetric, functionMetric } from "./metrics.ts";

const MINUTE = 60;
const FIVE_MINUTES = 5 * MINUTE;

/** Three bad minutes of five: soon enough for a rollback, and one slow request is no incident. */
const SUSTAINED = { periodSeconds: MINUTE, evaluationPeriods: 5, breachingPeriods: 3 } as const;

function failures(name: string, what: string, metric: Metric, fraction: number): Alarm {
  return {
    name,
    kind: "threshold",
    description: `${what}: more than ${fraction * 100} % of requests fail`,
    severity: "critical",
    metric: { ...metric, statistic: "Average" },
    comparison: "GreaterThanThreshold",
    threshold: fraction,
    ...SUSTAINED,
  };
}

function slowness(name: string, what: string, metric: Metric, limitMs: number, unitsPerMs = 1): Alarm {
  return {
    name,
    kind: "threshold",
    description: `${what}: one request of a hundred takes more than ${limitMs} ms`,
    severity: "critical",
    metric: { ...metric, statistic: "p99" },
    comparison: "GreaterThanThreshold",
    threshold: limitMs * unitsPerMs,
    ...SUSTAINED,
  };
}

/**
 * What a release watches, and takes its version back for. Endpoints and functions are watched before there are any: the very first
 * version can fail too.
 */
export function guardAlarms({ monitoring, serving }: PipelineSpec, names: PipelineNames): Alarm[] {
  const { apiErrorFraction, apiLatencyMs } = monitoring.alarms;
  const alarms = [
    failures("api-errors", "The API", apiMetric(names, "5XXError"), apiErrorFraction),
    slowness("api-slow", "The API", apiMetric(names, "Latency"), apiLatencyMs),
  ];
  for (const endpoint of endpointNames(serving.mode, names)) {
    const part = endpoint.slice(names.prefix.length + 1);
    const what = `Endpoint ${part}`;
    alarms.push(
      failures(`${part}-errors`, what, endpointMetric(endpoint, "Invocation5XXErrors"), apiErrorFraction),
      // In microseconds.
      slowness(`${part}-slow`, what, endpointMetric(endpoint, "ModelLatency"), apiLatencyMs, 1000),
    );
  }
  if (serving.mode === "lambda") {
    const metric = (name: "Errors" | "Duration") => {
      const functionName = names.named(PREDICTOR);
      return {
        ...functionMetric(functionName, name),
        dimensions: { FunctionName: functionName, Resource: `${functionName}:${ALIAS}` },
      };
    };
    alarms.push(
      failures("predict-errors", "The model's function", metric("Errors"), apiErrorFraction),
      slowness("predict-slow", "The model's function", metric("Duration"), apiLatencyMs),
    );
  }
  return alarms;
}

/** What people are told of besides. */
export function trafficAlarms({ monitoring }: PipelineSpec, names: PipelineNames): Alarm[] {
  const { suspiciousRequests } = monitoring.alarms;
  return [
    {
      name: "gate-throttled",
      kind: "threshold",
      description: "Requests were refused because the account's functions are all busy",
      severity: "warning",
      metric: functionMetric(names.named("gate"), "Throttles"),
      comparison: "GreaterThanThreshold",
      threshold: 0,
      periodSeconds: FIVE_MINUTES,
    },
    {
      name: "probing",
      kind: "threshold",
      description: `${suspiciousRequests} or more requests within five minutes look like probing of the model`,
      severity: "warning",
      metric: ownMetric(names, "SuspiciousRequests"),
      comparison: "GreaterThanOrEqualToThreshold",
      threshold: suspiciousRequests,
      periodSeconds: FIVE_MINUTES,
    },
  ];
}

/** The alarm that combines those of a release. */
export const RELEASE_GUARD = "release-guard";
