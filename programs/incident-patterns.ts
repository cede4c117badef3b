import { pipelineAlarms } from "./alarms.ts";
import { BUCKETS } from "./names.ts";
import type { PipelineSetting } from "./phases/pipeline-setting.ts";

/** GuardDuty calls findings from here on medium; most below are scans of what everybody sees. */
const LEAST_SEVERITY = 4;

export interface IncidentPattern {
  readonly name: string;
  readonly description: string;
  readonly pattern: object;
}

/** Events that the responder gets, each only when it is about this pipeline. */
export function incidentPatterns({ arns, names, spec }: PipelineSetting): readonly IncidentPattern[] {
  const own = [{ prefix: `${names.prefix}-` }];
  const buckets = BUCKETS.map(names.bucket);
  return [
    {
      name: "threat",
      description: "GuardDuty found a threat to a bucket, a role or a function of the pipeline",
      pattern: {
        source: ["aws.guardduty"],
        "detail-type": ["GuardDuty Finding"],
        detail: {
          severity: [{ numeric: [">=", LEAST_SEVERITY] }],
          $or: [
            { resource: { s3BucketDetails: { name: buckets } } },
            { resource: { accessKeyDetails: { userName: own } } },
            { resource: { lambdaDetails: { functionName: own } } },
          ],
        },
      },
    },
    {
      name: "finding",
      description: "Security Hub has a new serious finding about the pipeline",
      pattern: {
        source: ["aws.securityhub"],
        "detail-type": ["Security Hub Findings - Imported"],
        detail: {
          findings: {
            // Its own come straight from GuardDuty.
            ProductName: [{ "anything-but": ["GuardDuty"] }],
            RecordState: ["ACTIVE"],
            Resources: { Id: [...buckets.map(arns.bucket), { wildcard: `*${names.prefix}-*` }] },
            Severity: { Label: ["HIGH", "CRITICAL"] },
            Workflow: { Status: ["NEW"] },
          },
        },
      },
    },
    {
      name: "critical-alarm",
      description: "A critical alarm of the pipeline rings",
      pattern: {
        source: ["aws.cloudwatch"],
        "detail-type": ["CloudWatch Alarm State Change"],
        detail: {
          alarmName: [
            ...pipelineAlarms(spec, names)
              .filter(({ severity }) => severity === "critical")
              .map(({ name }) => names.named(name)),
            names.named("model-degraded"),
          ],
          state: { value: ["ALARM"] },
        },
      },
    },
  ];
}
