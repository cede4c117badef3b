import type { PipelineNames } from "./names.ts";

export const DRILLS = ["throttle", "terminate", "latency"] as const;
export type Drill = (typeof DRILLS)[number];

/** Long enough for an alarm of one period to ring. */
const MINUTES = 10;

interface Call {
  readonly service: "lambda" | "sagemaker";
  readonly api: string;
  readonly inputs: Readonly<Record<string, string | number | boolean>>;
  readonly output?: { readonly name: string; readonly selector: string };
}

interface DrillDefinition {
  readonly description: string;
  readonly before?: Call;
  readonly inject: Call;
  /** Absent where AWS itself, or the next run, makes good what the drill did. */
  readonly restore?: Call;
}

/**
 * What each drill does. FIS has actions for what runs on EC2, ECS and EKS; its actions for Lambda need an extension inside every
 * function that they may strike, and its API errors are those of EC2 and Kinesis only
 * (https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html). So drills are runbooks, which FIS starts, watches
 * and stops.
 */
export function drillDefinitions(names: PipelineNames): Readonly<Record<Drill, DrillDefinition>> {
  const gate = { FunctionName: names.named("gate") };
  return {
    throttle: {
      description: "Requests are throttled: the gate answers one at a time",
      inject: {
        service: "lambda",
        api: "PutFunctionConcurrency",
        inputs: { ...gate, ReservedConcurrentExecutions: 1 },
      },
      restore: { service: "lambda", api: "DeleteFunctionConcurrency", inputs: gate },
    },
    terminate: {
      description: "The newest training run is stopped",
      before: {
        service: "sagemaker",
        api: "ListPipelineExecutions",
        inputs: {
          PipelineName: names.named("training"),
          SortBy: "CreationTime",
          SortOrder: "Descending",
          MaxResults: 1,
        },
        output: { name: "Execution", selector: "$.PipelineExecutionSummaries[0].PipelineExecutionArn" },
      },
      inject: {
        service: "sagemaker",
        api: "StopPipelineExecution",
        inputs: {
          PipelineExecutionArn: "{{ find.Execution }}",
          ClientRequestToken: "{{ automation:EXECUTION_ID }}",
        },
      },
    },
    latency: {
      description: "New data is late: validation takes nothing from its queue",
      before: {
        service: "lambda",
        api: "ListEventSourceMappings",
        inputs: { FunctionName: names.named("validate") },
        output: { name: "Mapping", selector: "$.EventSourceMappings[0].UUID" },
      },
      inject: {
        service: "lambda",
        api: "UpdateEventSourceMapping",
        inputs: { UUID: "{{ find.Mapping }}", Enabled: false },
      },
      restore: {
        service: "lambda",
        api: "UpdateEventSourceMapping",
        inputs: { UUID: "{{ find.Mapping }}", Enabled: true },
      },
    },
  };
}

const step = (name: string, { service, api, inputs, output }: Call) => ({
  name,
  action: "aws:executeAwsApi",
  inputs: { Service: service, Api: api, ...inputs },
  ...(output && { outputs: [{ Name: output.name, Selector: output.selector, Type: "String" }] }),
});

/** The drill as an Automation runbook: whatever happens after the injection, also a stop, ends in the restoration. */
export function drillRunbook(
  { description, before, inject, restore }: DrillDefinition,
  assumeRole: string,
): string {
  const restored = { onFailure: "step:restore", onCancel: "step:restore" };
  return JSON.stringify({
    schemaVersion: "0.3",
    description,
    assumeRole,
    mainSteps: [
      ...(before ? [step("find", before)] : []),
      restore
        ? { ...step("inject", inject), ...restored, nextStep: "wait" }
        : { ...step("inject", inject), isEnd: true },
      ...(restore
        ? [
            {
              name: "wait",
              action: "aws:sleep",
              inputs: { Duration: `PT${MINUTES}M` },
              ...restored,
              nextStep: "restore",
            },
            { ...step("restore", restore), isEnd: true },
          ]
        : []),
    ],
  });
}

/** How long FIS lets a drill run before it stops it. */
export const DRILL_LIMIT = `PT${MINUTES + 5}M`;
