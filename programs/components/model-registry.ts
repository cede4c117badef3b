import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { registryPolicy } from "../delivery/registry-policy.ts";
import { policyDocument } from "../policy-document.ts";
import { EventAlert } from "./event-alert.ts";
import { EventTrigger } from "./event-trigger.ts";
import { HandlerFunction, type HandlerFunctionArgs } from "./handler-function.ts";

/** What happens to every version as soon as it is registered, each once for each. */
const ON_REGISTRATION = ["register-model", "sign-model", "evaluate-gate"] as const;

/**
 * The group of the pipeline's model versions. Each version is recorded, signed and cross-checked when it is registered, and
 * then waits for somebody's approval.
 */
export class ModelRegistry extends pulumi.ComponentResource {
  readonly group: aws.sagemaker.ModelPackageGroup;
  readonly functions: Readonly<Record<(typeof ON_REGISTRATION)[number], HandlerFunction>>;

  constructor(name: string, args: HandlerFunctionArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:ModelRegistry", name, {}, opts);
    const { setting, alerts, roles, tags } = args;
    const { names, team, pipeline, dataOnDestroy } = setting;
    // A group with versions can't be deleted by AWS's rules; `delete` needs them removed first.
    const keep = { parent: this, retainOnDelete: dataOnDestroy === "retain" };
    this.group = new aws.sagemaker.ModelPackageGroup(
      "models",
      {
        modelPackageGroupName: names.named("models"),
        modelPackageGroupDescription: `Models of AIDLC ${team}/${pipeline}; each waits for approval`,
        tags,
      },
      keep,
    );
    new aws.sagemaker.ModelPackageGroupPolicy(
      "models-policy",
      {
        modelPackageGroupName: this.group.modelPackageGroupName,
        resourcePolicy: policyDocument(registryPolicy(setting)),
      },
      keep,
    );
    const handler = (kind: (typeof ON_REGISTRATION)[number]) =>
      new HandlerFunction(kind, args, { parent: this });
    this.functions = {
      "register-model": handler("register-model"),
      "sign-model": handler("sign-model"),
      "evaluate-gate": handler("evaluate-gate"),
    };
    const pattern = modelEvent(names.named("models"), "PendingManualApproval");
    new EventTrigger(
      "registered",
      {
        name: names.named("registered"),
        description: "A model version was registered",
        pattern,
        targets: Object.fromEntries(ON_REGISTRATION.map((kind) => [kind, { arn: this.functions[kind].arn }])),
        functions: Object.fromEntries(ON_REGISTRATION.map((kind) => [kind, this.functions[kind].function])),
        deadLetterQueueArn: alerts.deadLetters.sendableArn,
        tags,
      },
      { parent: this },
    );
    new EventAlert(
      "approval-needed",
      {
        name: names.named("approval-needed"),
        description: "A model passed the quality gate and waits for approval",
        pattern,
        topicArn: alerts.topics.warning.publishableArn,
        roleArn: roles.of("alerts").readyArn,
        deadLetterQueueArn: alerts.deadLetters.sendableArn,
        message: {
          paths: { model: "$.detail.ModelPackageArn" },
          text: `A model of ${team}/${pipeline} waits for approval: <model>`,
        },
        tags,
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}

/** https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html */
export const modelEvent = (group: string, approval: "PendingManualApproval" | "Approved") => ({
  source: ["aws.sagemaker"],
  "detail-type": ["SageMaker Model Package State Change"],
  detail: { ModelPackageGroupName: [group], ModelApprovalStatus: [approval] },
});
