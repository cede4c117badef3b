import { ALWAYS, each, lacks, type Policy, RECOMMENDED } from "./policy.ts";
import type { StackResource } from "./stack.ts";
import { at, list, missing, text } from "./values.ts";

const DELIVERY = "aws:codepipeline/pipeline:Pipeline";
const PROJECT = "aws:codebuild/project:Project";

interface Action {
  readonly category: unknown;
  readonly stage: number;
}

function actionsOf({ properties: bag }: StackResource): readonly Action[] {
  return list(bag.stages).flatMap((stage, index) =>
    list(at(stage, "actions")).map((action) => ({ category: at(action, "category"), stage: index })),
  );
}

export const releasePolicies: readonly Policy[] = [
  {
    id: "delivery-tests-before-deploy",
    title: "Nothing is deployed that wasn't tested",
    text: "A delivery pipeline builds, scans and tests before the first stage that deploys.",
    phase: "deployment",
    severity: "high",
    levels: ALWAYS,
    controls: { nist: ["SA-11", "CM-3", "CM-4"] },
    remedy: "Put a Build or Test action before the first Deploy, Invoke or StepFunctions stage",
    check: each([DELIVERY], (delivery) => {
      const actions = actionsOf(delivery);
      const deploys = actions.filter(({ category }) => category === "Deploy" || category === "Invoke");
      const first = Math.min(...deploys.map(({ stage }) => stage), Number.POSITIVE_INFINITY);
      return !actions.some(
        ({ category, stage }) => (category === "Build" || category === "Test") && stage < first,
      );
    }),
  },
  {
    id: "delivery-waits-for-approval",
    title: "A person approves what goes into production",
    text: "Between tests and production stands somebody who answers for the change by name.",
    phase: "deployment",
    severity: "high",
    levels: ALWAYS,
    controls: { nist: ["CM-3", "CM-5"] },
    remedy: "Add a Manual Approval action before the last stage that deploys",
    check: each([DELIVERY], (delivery) => {
      return !actionsOf(delivery).some(({ category }) => category === "Approval");
    }),
  },
  {
    id: "delivery-artifacts-encrypted",
    title: "Artifacts of builds and deliveries are encrypted with a customer managed key",
    text: "They hold the code that will handle the data, and what it was configured with.",
    phase: "deployment",
    severity: "medium",
    levels: ALWAYS,
    controls: { config: ["codebuild-project-artifact-encryption"], nist: ["SC-28"] },
    remedy: "Set encryptionKey on the project and on every artifact store",
    check: (stack) => [
      ...each([PROJECT], ({ properties: bag }) => missing(bag.encryptionKey))(stack),
      ...each([DELIVERY], ({ properties: bag }) =>
        list(bag.artifactStores).some((store) => missing(at(store, "encryptionKey.id"))),
      )(stack),
    ],
  },
  {
    id: "build-logged",
    title: "Every build logs",
    text: "What was built, from what, with which scans, is evidence for whoever approves it.",
    phase: "deployment",
    severity: "medium",
    levels: ALWAYS,
    controls: { config: ["codebuild-project-logging-enabled"], fsbp: ["CodeBuild.4"], nist: ["AU-12"] },
    remedy: "Set logsConfig.cloudwatchLogs to a log group of the stack",
    check: each(
      [PROJECT],
      ({ properties: bag }) =>
        at(bag, "logsConfig.cloudwatchLogs.status") === "DISABLED" ||
        (missing(at(bag, "logsConfig.cloudwatchLogs.groupName")) &&
          missing(at(bag, "logsConfig.s3Logs.location"))),
    ),
  },
  {
    id: "build-privileged-only-for-images",
    title: "Builds run privileged only where they build images",
    text: "A privileged build controls its host; only building a container image needs that.",
    phase: "deployment",
    severity: "medium",
    levels: RECOMMENDED,
    controls: {
      config: ["codebuild-project-environment-privileged-check"],
      fsbp: ["CodeBuild.5"],
      nist: ["AC-6"],
    },
    remedy: "Unset privilegedMode; leave it to projects whose name says image or container",
    check: each(
      [PROJECT],
      ({ name, properties: bag }) =>
        at(bag, "environment.privilegedMode") === true && !/image|container/i.test(name),
    ),
  },
  {
    id: "deployment-rolls-back-on-alarm",
    title: "A deployment takes itself back when an alarm rings",
    text: "A bad version is gone before somebody has read the alert.",
    phase: "deployment",
    severity: "high",
    levels: ALWAYS,
    controls: { nist: ["CM-3", "CP-10", "SI-2"] },
    remedy: "Set autoRollbackConfiguration for failures and alarms, and name the alarms",
    check: each(["aws:codedeploy/deploymentGroup:DeploymentGroup"], ({ properties: bag }) => {
      const rollback = at(bag, "autoRollbackConfiguration");
      if (at(rollback, "enabled") !== true) return "It doesn't roll back";
      const events = list(at(rollback, "events"));
      if (!events.includes("DEPLOYMENT_STOP_ON_ALARM")) return "It doesn't roll back on an alarm";
      return missing(at(bag, "alarmConfiguration.alarms")) ? "It watches no alarm" : undefined;
    }),
  },
  {
    id: "deployment-in-steps",
    title: "No deployment moves all requests at once",
    text: "A canary lets a tenth of the callers find what the tests didn't.",
    phase: "deployment",
    severity: "medium",
    levels: ALWAYS,
    controls: { nist: ["CM-3", "SA-11"] },
    remedy: "Use a canary or linear deployment configuration",
    check: each(["aws:codedeploy/deploymentGroup:DeploymentGroup"], ({ properties: bag }) =>
      /AllAtOnce$/.test(text(bag.deploymentConfigName) ?? ""),
    ),
  },
  {
    id: "state-machine-logged",
    title: "Every state machine logs and is traced",
    text: "A release or a repair that stopped half-way is understood from its execution's log.",
    phase: "deployment",
    severity: "medium",
    levels: ALWAYS,
    controls: {
      config: ["step-functions-state-machine-logging-enabled"],
      fsbp: ["StepFunctions.1"],
      nist: ["AU-12"],
    },
    remedy: "Set loggingConfiguration and tracingConfiguration",
    check: each(["aws:sfn/stateMachine:StateMachine"], ({ properties: bag }) => {
      const level = at(bag, "loggingConfiguration.level");
      if (level === undefined || level === "OFF") return "It doesn't log";
      return at(bag, "tracingConfiguration.enabled") !== true ? "It isn't traced" : undefined;
    }),
  },
  {
    id: "configuration-externalised",
    title: "Thresholds, hyperparameters and schedules stand in parameters",
    text: "What is hard-coded can be changed only with code, and nobody sees which value is in force.",
    phase: "deployment",
    severity: "low",
    levels: ALWAYS,
    controls: { nist: ["CM-2", "CM-6"] },
    remedy: "Write the value to an SSM parameter and read it from there",
    check: lacks((stack) => {
      if (stack.ofType("aws:sagemaker/pipeline:Pipeline").length === 0) return undefined;
      const names = stack.ofType("aws:ssm/parameter:Parameter").map(({ properties: bag }) => bag.name);
      const absent = ["dataset", "training", "monitoring"].filter(
        (part) => !names.some((name) => String(name).includes(`/${part}/`)),
      );
      return absent.length > 0 ? `No parameters of ${absent.join(", ")}` : undefined;
    }),
  },
];
