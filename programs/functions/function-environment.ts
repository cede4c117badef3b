import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import { FUNCTIONS, type FunctionName } from "./index.ts";

/** Environment variables of a function: what every function gets, and what its definition adds. Never a secret. */
export function functionEnvironment(kind: FunctionName, setting: PipelineSetting): Record<string, string> {
  const { arns, names, spec, team, pipeline } = setting;
  return {
    AIDLC_TEAM: team,
    AIDLC_PIPELINE: pipeline,
    AIDLC_DATA_CLASSIFICATION: spec.dataClassification,
    AIDLC_PARAMETER_PREFIX: names.parameter("").slice(0, -1),
    AIDLC_METRIC_NAMESPACE: names.metricNamespace,
    AIDLC_WARNING_TOPIC: arns.topic(names.named("warning")),
    AIDLC_CRITICAL_TOPIC: arns.topic(names.named("critical")),
    ...FUNCTIONS[kind].environment?.(setting),
  };
}
