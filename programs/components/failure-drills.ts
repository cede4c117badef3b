import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { DRILL_LIMIT, DRILLS, type Drill, drillDefinitions, drillRunbook } from "../drills.ts";
import { fromKinds } from "../from-kinds.ts";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import type { Tags } from "../tags.ts";
import type { PipelineKeys } from "./pipeline-keys.ts";
import type { PipelineRoles } from "./pipeline-roles.ts";

export interface FailureDrillsArgs {
  readonly setting: PipelineSetting;
  readonly keys: PipelineKeys;
  readonly roles: PipelineRoles;
  /** Alarms that end a drill: none that a drill makes ring. FIS takes five. */
  readonly stopAlarmArns: readonly pulumi.Input<string>[];
  /** The tasks that answer, once a model was released in mode `ecs`. */
  readonly tasks?: { readonly cluster: string; readonly service: string } | undefined;
  readonly tags: Tags;
}

type TemplateArgs = Pick<aws.fis.ExperimentTemplateArgs, "description" | "actions" | "targets">;

/** Experiments that somebody starts to see whether alarms ring and the pipeline recovers. None runs by itself. */
export class FailureDrills extends pulumi.ComponentResource {
  readonly templateIds: Readonly<Record<Drill, pulumi.Output<string>>>;

  constructor(name: string, args: FailureDrillsArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:FailureDrills", name, {}, opts);
    const { setting, keys, roles, tasks, tags } = args;
    const { names, spec } = setting;
    const logs = new aws.cloudwatch.LogGroup(
      "drills-logs",
      {
        name: names.logGroup("drills"),
        kmsKeyId: keys.logs.arn,
        retentionInDays: spec.monitoring.logRetentionDays,
        tags,
      },
      { parent: this },
    );
    const template = (part: string, experiment: TemplateArgs) =>
      new aws.fis.ExperimentTemplate(
        `${part}-drill`,
        {
          ...experiment,
          roleArn: roles.of("drills").readyArn,
          stopConditions: args.stopAlarmArns.map((value) => ({ source: "aws:cloudwatch:alarm", value })),
          logConfiguration: {
            logSchemaVersion: 2,
            cloudwatchLogsConfiguration: { logGroupArn: pulumi.interpolate`${logs.arn}:*` },
          },
          experimentOptions: { accountTargeting: "single-account", emptyTargetResolutionMode: "fail" },
          tags: { ...tags, Name: names.named(`drill-${part}`) },
        },
        { parent: this },
      ).id;
    this.templateIds = fromKinds(DRILLS, (drill) => template(drill, this.started(drill, args)));
    if (tasks !== undefined) template("task", lostTask(tasks));
    this.registerOutputs({});
  }

  /** A drill by a runbook, which FIS starts and stops. */
  private started(drill: Drill, { setting, roles, tags }: FailureDrillsArgs): TemplateArgs {
    const definition = drillDefinitions(setting.names)[drill];
    const document = new aws.ssm.Document(
      `${drill}-drill-runbook`,
      {
        name: setting.names.named(`drill-${drill}`),
        documentType: "Automation",
        documentFormat: "JSON",
        content: roles.of("drill-actions").readyArn.apply((role) => drillRunbook(definition, role)),
        tags,
      },
      { parent: this },
    );
    return {
      description: definition.description,
      actions: [
        {
          name: drill,
          actionId: "aws:ssm:start-automation-execution",
          parameters: [
            { key: "documentArn", value: document.arn },
            { key: "maxDuration", value: DRILL_LIMIT },
          ],
        },
      ],
    };
  }
}

function lostTask(tasks: NonNullable<FailureDrillsArgs["tasks"]>): TemplateArgs {
  return {
    description: "One of the tasks that answer is lost",
    actions: [{ name: "task", actionId: "aws:ecs:stop-task", target: { key: "Tasks", value: "task" } }],
    targets: [
      {
        name: "task",
        resourceType: "aws:ecs:task",
        selectionMode: "COUNT(1)",
        parameters: { ...tasks },
      },
    ],
  };
}
