import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { CUT_OFF, containmentRunbooks, runbook } from "../containment.ts";
import { incidentPatterns } from "../incident-patterns.ts";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import { policyDocument } from "../policy-document.ts";
import { AlertTopic } from "./alert-topic.ts";
import type { EventAlert } from "./event-alert.ts";
import { HandlerFunction, type HandlerFunctionArgs } from "./handler-function.ts";

export interface IncidentResponseArgs extends HandlerFunctionArgs {
  /** Rules that notice tampering: the responder gets their events too. */
  readonly tampering: readonly EventAlert[];
}

/** Incidents are looked into long after they happened. */
const LEAST_LOG_DAYS = 365;

/**
 * Findings, critical alarms and tampering go to a topic and from there to the responder, which sets objects apart and starts
 * runbooks that contain roles and functions. What it did stands in a log group of its own and in the runbooks' executions.
 */
export class IncidentResponse extends pulumi.ComponentResource {
  readonly topicArn: pulumi.Output<string>;
  readonly responderArn: pulumi.Output<string>;

  constructor(name: string, args: IncidentResponseArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:IncidentResponse", name, {}, opts);
    const { setting, keys, alerts, tags } = args;
    const { arns, names, spec, team, pipeline } = setting;
    new aws.cloudwatch.LogGroup(
      "incidents-logs",
      {
        name: names.logGroup("incidents"),
        kmsKeyId: keys.logs.arn,
        retentionInDays: Math.max(LEAST_LOG_DAYS, spec.monitoring.logRetentionDays),
        tags,
      },
      { parent: this },
    );
    this.topicArn = new AlertTopic(
      name,
      {
        name: names.named("incidents"),
        displayName: `AIDLC incidents: ${team}/${pipeline}`,
        arn: arns.topic(names.named("incidents")),
        keyArn: keys.logs.arn,
        // EventBridge comes as a role, which its own policy lets in.
        publishers: [],
        alerts: { emails: [], webhooks: [] },
        deadLetterQueueArn: alerts.deadLetters.sendableArn,
        tags,
      },
      { parent: this },
    ).publishableArn;
    this.contain(setting, args);
    const responder = new HandlerFunction("respond", args, { parent: this });
    this.responderArn = responder.arn;
    this.subscribe(name, args, responder);
    this.listen(args);
    this.registerOutputs({ topicArn: this.topicArn });
  }

  private subscribe(name: string, { alerts }: IncidentResponseArgs, responder: HandlerFunction): void {
    const permission = new aws.lambda.Permission(
      `${name}-permission`,
      {
        statementId: "incidents",
        action: "lambda:InvokeFunction",
        function: responder.function.name,
        principal: "sns.amazonaws.com",
        sourceArn: this.topicArn,
      },
      { parent: this },
    );
    new aws.sns.TopicSubscription(
      `${name}-responder`,
      {
        topic: this.topicArn,
        protocol: "lambda",
        // Once SNS may call it.
        endpoint: pulumi.all([responder.arn, permission.id]).apply(([arn]) => arn),
        redrivePolicy: pulumi.jsonStringify({ deadLetterTargetArn: alerts.deadLetters.sendableArn }),
      },
      { parent: this },
    );
  }

  private listen({ setting, roles, alerts, tampering, tags }: IncidentResponseArgs): void {
    const target = (name: string, rule: pulumi.Input<string>) =>
      new aws.cloudwatch.EventTarget(
        `${name}-to-responder`,
        {
          rule,
          targetId: "incidents",
          arn: this.topicArn,
          roleArn: roles.of("incidents").readyArn,
          deadLetterConfig: { arn: alerts.deadLetters.sendableArn },
          retryPolicy: { maximumEventAgeInSeconds: 3600, maximumRetryAttempts: 10 },
        },
        { parent: this },
      );
    for (const { name, description, pattern } of incidentPatterns(setting)) {
      const rule = new aws.cloudwatch.EventRule(
        name,
        { name: setting.names.named(name), description, eventPattern: JSON.stringify(pattern), tags },
        { parent: this },
      );
      target(name, rule.name);
    }
    for (const { kind, ruleName } of tampering) target(kind, ruleName);
  }

  /** What the responder can do to roles and functions, and with whose rights. */
  private contain({ names }: PipelineSetting, { roles, tags }: IncidentResponseArgs): void {
    const cutOff = new aws.iam.Policy(
      "cut-off",
      {
        name: names.named("cut-off"),
        path: "/aidlc/",
        description: "Attached to a role in an incident: denies everything until somebody detaches it",
        policy: policyDocument([CUT_OFF]),
        tags,
      },
      { parent: this },
    );
    const assumeRole = roles.of("containment").readyArn;
    const documents = containmentRunbooks(names);
    const document = (kind: keyof typeof documents, content: pulumi.Input<string>) =>
      new aws.ssm.Document(
        `${kind}-runbook`,
        { name: documents[kind], documentType: "Automation", documentFormat: "JSON", content, tags },
        { parent: this },
      );
    document(
      "revoke",
      pulumi.all([assumeRole, cutOff.arn]).apply(([role, policyArn]) =>
        runbook({
          description: "Cuts off a role of the pipeline with all of its sessions",
          assumeRole: role,
          target: { name: "RoleName", prefix: names.prefix },
          step: {
            service: "iam",
            api: "AttachRolePolicy",
            inputs: { RoleName: "{{ RoleName }}", PolicyArn: policyArn },
          },
        }),
      ),
    );
    document(
      "disable",
      assumeRole.apply((role) =>
        runbook({
          description: "Stops a function of the pipeline: without the gate nobody gets a prediction",
          assumeRole: role,
          target: { name: "FunctionName", prefix: names.prefix },
          step: {
            service: "lambda",
            api: "PutFunctionConcurrency",
            inputs: { FunctionName: "{{ FunctionName }}", ReservedConcurrentExecutions: 0 },
          },
        }),
      ),
    );
  }
}
