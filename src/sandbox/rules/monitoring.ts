import { dashboardFailures } from "../documents/dashboard.ts";
import { eventPatternProblem } from "../documents/event-pattern.ts";
import { parseJson } from "../json-text.ts";
import { type PropertyMap, valuesAt } from "../values.ts";
import {
  atMost,
  failure,
  isGiven,
  numberOf,
  objectOf,
  objectsOf,
  type Rules,
  repeated,
  textOf,
  textsAt,
} from "./rule.ts";

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
const actionsOfAnAlarm = 5;
const metricsOfAnAlarm = 10;
const dimensionsOfAMetric = 30;
const dayInSeconds = 86_400;
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
const alarmRuleCharacters = 10_240;
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
const eventPatternCharacters = 2048;

/** Services that EventBridge calls only with a role. */
const targetsWithRole =
  /:(ecs|states|codebuild|codepipeline|sagemaker|kinesis|firehose|batch|execute-api):|:events:.*:(event-bus|api-destination)\//;

/** CloudWatch, EventBridge, Scheduler and budgets. */
export const monitoringRules: Rules = {
  *"cloudwatch/metricAlarm"(inputs) {
    yield* actionFailures(inputs);
    const period = numberOf(inputs.period);
    const periods = numberOf(inputs.evaluationPeriods);
    if (period !== undefined && ![10, 20, 30].includes(period) && period % 60 !== 0)
      yield failure("period", `must be 10, 20, 30 or a multiple of 60, not ${period}`);
    const longest = (period ?? 0) >= 3600 ? 7 * dayInSeconds : dayInSeconds;
    if (period !== undefined && periods !== undefined && period * periods > longest)
      yield failure(
        "evaluationPeriods",
        `Metrics cannot be checked across more than ${longest} seconds (EvaluationPeriods * Period), not ${period * periods}`,
      );
    const datapoints = numberOf(inputs.datapointsToAlarm);
    if (datapoints !== undefined && periods !== undefined && datapoints > periods)
      yield failure("datapointsToAlarm", `must not exceed evaluationPeriods, ${periods}, not ${datapoints}`);
    if (isGiven(inputs.metricName)) {
      for (const name of ["namespace", "period"])
        if (!isGiven(inputs[name])) yield failure(name, "is required beside metricName: set it");
      if (!isGiven(inputs.statistic) && !isGiven(inputs.extendedStatistic))
        yield failure("statistic", "or extendedStatistic is required beside metricName: set one");
    }
    if (
      !isGiven(inputs.threshold) &&
      !isGiven(inputs.thresholdMetricId) &&
      !isGiven(inputs.evaluationCriteria)
    )
      yield failure("threshold", "is required: set it");
    yield* atMost(
      "dimensions",
      Object.keys(objectOf(inputs.dimensions)).length,
      dimensionsOfAMetric,
      "dimensions",
      "use fewer",
    );
    yield* metricQueryFailures(inputs);
  },
  *"cloudwatch/compositeAlarm"(inputs) {
    yield* actionFailures(inputs);
    const rule = textOf(inputs.alarmRule);
    if (rule === undefined) return;
    yield* atMost("alarmRule", rule.length, alarmRuleCharacters, "characters", "nest composite alarms");
    if (!/\b(ALARM|OK|INSUFFICIENT_DATA)\(|^\s*(TRUE|FALSE)\s*$/.test(rule))
      yield failure("alarmRule", "must combine ALARM(…), OK(…) and INSUFFICIENT_DATA(…) with AND, OR, NOT");
    if ((rule.match(/\(/g) ?? []).length !== (rule.match(/\)/g) ?? []).length)
      yield failure("alarmRule", "has unbalanced parentheses");
  },
  *"cloudwatch/dashboard"(inputs) {
    const body = parseJson(inputs.dashboardBody);
    if (body !== undefined) yield* dashboardFailures(body, textOf(inputs.dashboardBody) ?? "");
    const name = textOf(inputs.dashboardName);
    if (name !== undefined && !/^[A-Za-z0-9_-]{1,255}$/.test(name))
      yield failure("dashboardName", `must have letters, digits, - and _, at most 255, not "${name}"`);
  },
  *"cloudwatch/eventRule"(inputs) {
    if (!isGiven(inputs.eventPattern) && !isGiven(inputs.scheduleExpression))
      yield failure("eventPattern", "or scheduleExpression is required: set one");
    const pattern = textOf(inputs.eventPattern);
    yield* atMost(
      "eventPattern",
      pattern?.length ?? 0,
      eventPatternCharacters,
      "characters",
      "use several rules",
    );
    const problem = pattern === undefined ? undefined : eventPatternProblem(parseJson(pattern));
    if (problem !== undefined)
      yield failure("eventPattern", `Event pattern is not valid. Reason: ${problem}`);
    yield* scheduleFailures(inputs.scheduleExpression, false);
    const bus = textOf(inputs.eventBusName);
    if (isGiven(inputs.scheduleExpression) && bus !== undefined && bus !== "default")
      yield failure("scheduleExpression", "is supported only on the default event bus");
  },
  *"cloudwatch/eventTarget"(inputs) {
    const given = ["input", "inputPath", "inputTransformer"].filter((name) => isGiven(inputs[name]));
    if (given.length > 1)
      yield failure(
        given[0] ?? "input",
        `conflicts with ${given.slice(1).join(", ")}: keep only one of them`,
      );
    const arn = textOf(inputs.arn);
    if (arn !== undefined && targetsWithRole.test(arn) && !isGiven(inputs.roleArn))
      yield failure("roleArn", `is required for target ${arn}: set it`);
    if (arn?.includes(":ecs:") && !isGiven(inputs.ecsTarget))
      yield failure("ecsTarget", `is required for target ${arn}: set it`);
    if (arn?.endsWith(".fifo") && !isGiven(inputs.sqsTarget))
      yield failure("sqsTarget", "with a messageGroupId is required for a FIFO queue: set it");
    const id = textOf(inputs.targetId);
    if (id !== undefined && !/^[.\-_A-Za-z0-9]{1,64}$/.test(id))
      yield failure("targetId", `must have at most 64 of letters, digits, . - _, not "${id}"`);
  },
  *"scheduler/schedule"(inputs) {
    yield* scheduleFailures(inputs.scheduleExpression, true);
    const window = objectOf(inputs.flexibleTimeWindow);
    const minutes = numberOf(window.maximumWindowInMinutes);
    if (window.mode === "FLEXIBLE" && !isGiven(window.maximumWindowInMinutes))
      yield failure(["flexibleTimeWindow", "maximumWindowInMinutes"], "is required by FLEXIBLE: set it");
    if (minutes !== undefined && (minutes < 1 || minutes > 1440))
      yield failure(
        ["flexibleTimeWindow", "maximumWindowInMinutes"],
        `must be between 1 and 1440, not ${minutes}`,
      );
    const target = textOf(objectOf(inputs.target).arn);
    const universal = /^arn:[\w-]+:scheduler:::(aws-sdk:)?/.test(target ?? "");
    const input = textOf(objectOf(inputs.target).input);
    if (universal && input !== undefined && parseJson(input) === undefined)
      yield failure(["target", "input"], "must be JSON for a universal target");
  },
  *"budgets/budget"(inputs) {
    const notifications = objectsOf(inputs.notifications);
    // https://docs.aws.amazon.com/cost-management/latest/userguide/management-limits.html
    yield* atMost("notifications", notifications.length, 5, "notifications", "leave some out");
    for (const [index, one] of notifications.entries()) {
      const emails = valuesAt(one.subscriberEmailAddresses, []).length;
      const topics = valuesAt(one.subscriberSnsTopicArns, []).length;
      const path = ["notifications", index];
      yield* atMost(path, emails, 10, "e-mail subscribers", "publish to a topic");
      yield* atMost(path, topics, 1, "topics", "fan out from one");
      if (emails + topics === 0)
        yield failure(path, "Unable to create notification without subscribers: name one");
    }
    const amounts = ["limitAmount", "plannedLimits", "autoAdjustData"].filter((name) =>
      isGiven(inputs[name]),
    );
    if (amounts.length !== 1)
      yield failure(
        "limitAmount",
        `exactly one of limitAmount, plannedLimits, autoAdjustData must be set, ${amounts.length || "none"} is`,
      );
    if (isGiven(inputs.limitAmount) && !isGiven(inputs.limitUnit))
      yield failure("limitUnit", "is required beside limitAmount: set it");
  },
  *"cloudwatch/logMetricFilter"(inputs) {
    const [transformation] = objectsOf(inputs.metricTransformation);
    if (isGiven(transformation?.defaultValue) && isGiven(transformation?.dimensions))
      yield failure("metricTransformation", "can't have both a defaultValue and dimensions: keep one");
  },
  *"xray/samplingRule"(inputs) {
    if (typeof inputs.version === "number" && inputs.version !== 1)
      yield failure("version", `must be 1, not ${String(inputs.version)}`);
  },
};

function* actionFailures(inputs: PropertyMap) {
  for (const name of ["alarmActions", "okActions", "insufficientDataActions"]) {
    const actions = valuesAt(inputs[name], []);
    yield* atMost(name, actions.length, actionsOfAnAlarm, "actions", "fan out from a topic");
    for (const arn of textsAt(inputs, name))
      if (!arn.startsWith("arn:")) yield failure(name, `must be ARNs, not "${arn}"`);
  }
}

function* metricQueryFailures(inputs: PropertyMap) {
  const queries = objectsOf(inputs.metricQueries);
  if (queries.length === 0) return;
  const metrics = queries.filter(({ metric }) => isGiven(metric)).length;
  yield* atMost("metricQueries", metrics, metricsOfAnAlarm, "metrics", "use several alarms");
  const returned = queries.filter(({ returnData }) => returnData === true).length;
  if (returned !== 1 && !isGiven(inputs.thresholdMetricId))
    yield failure(
      "metricQueries",
      `Exactly one element of the metrics list should return data, ${returned} do`,
    );
  for (const id of repeated(queries.map(({ id }) => String(id))))
    yield failure("metricQueries", `has two queries of the id "${id}": rename one`);
  for (const [index, query] of queries.entries()) {
    if (isGiven(query.metric) === isGiven(query.expression))
      yield failure(["metricQueries", index], "must have either a metric or an expression");
    if (!/^[a-z][a-zA-Z0-9_]*$/.test(String(query.id)))
      yield failure(
        ["metricQueries", index, "id"],
        `must begin with a lower-case letter, not "${String(query.id)}"`,
      );
  }
}

function* scheduleFailures(value: PropertyMap[string] | undefined, allowsMoments: boolean) {
  const expression = textOf(value);
  if (expression === undefined || expression === "") return;
  const [, kind, body = ""] = /^(rate|cron|at)\((.*)\)$/.exec(expression) ?? [];
  const fields = body.trim().split(/\s+/);
  const problem =
    kind === undefined || (kind === "at" && !allowsMoments)
      ? `must be rate(…)${allowsMoments ? ", at(…)" : ""} or cron(…)`
      : kind === "rate"
        ? rateProblem(fields)
        : kind === "cron"
          ? cronProblem(fields)
          : undefined;
  if (problem !== undefined)
    yield failure(
      "scheduleExpression",
      `Parameter ScheduleExpression is not valid: ${problem}, not "${expression}"`,
    );
}

function rateProblem([count = "", unit = ""]: readonly string[]): string | undefined {
  const isOne = Number(count) === 1;
  if (!/^[1-9]\d*$/.test(count) || !/^(minute|hour|day)s?$/.test(unit))
    return "a rate is a number of minutes, hours or days";
  return unit.endsWith("s") === isOne
    ? `the unit of ${count} is ${isOne ? "singular" : "plural"}`
    : undefined;
}

function cronProblem(fields: readonly string[]): string | undefined {
  if (fields.length !== 6)
    return `a cron expression has 6 fields (minutes hours day month weekday year), this one ${fields.length}`;
  const [, , day, , weekday] = fields;
  return day !== "?" && weekday !== "?"
    ? "either the day of the month or the day of the week must be ?"
    : undefined;
}
