import { one, type PolicyCases } from "./policy-cases.ts";

const KEY = "arn:aws:kms:eu-west-1:111122223333:key/1";
const delivery = (...categories: readonly string[]) =>
  one("codepipeline/pipeline:Pipeline", "delivery", {
    stages: categories.map((category) => ({ name: category, actions: [{ category }] })),
    artifactStores: [{ encryptionKey: { id: KEY } }],
  });
const project = (properties: object = {}) =>
  one("codebuild/project:Project", "tests", { encryptionKey: KEY, ...properties });
const group = (properties: object) => one("codedeploy/deploymentGroup:DeploymentGroup", "live", properties);
const rollback = (...events: readonly string[]) => ({
  autoRollbackConfiguration: { enabled: true, events },
  alarmConfiguration: { alarms: ["errors"] },
});
const machine = (level: string) =>
  one("sfn/stateMachine:StateMachine", "release", {
    loggingConfiguration: { level },
    tracingConfiguration: { enabled: true },
  });
const parameter = (name: string) =>
  one("ssm/parameter:Parameter", name, { name: `/aidlc/fraud/churn/${name}` });
const training = one("sagemaker/pipeline:Pipeline", "training", {});

export const releaseCases: PolicyCases = {
  "delivery-tests-before-deploy": {
    broken: [delivery("Source", "Deploy", "Test")],
    kept: [delivery("Source", "Build", "Deploy")],
  },
  "delivery-waits-for-approval": {
    broken: [delivery("Source", "Build", "Deploy")],
    kept: [delivery("Source", "Build", "Approval", "Deploy")],
  },
  "delivery-artifacts-encrypted": {
    broken: [delivery("Source"), project({ encryptionKey: "" })],
    kept: [delivery("Source"), project()],
  },
  "build-logged": {
    broken: [project()],
    kept: [project({ logsConfig: { cloudwatchLogs: { groupName: "/aidlc/build" } } })],
  },
  "build-privileged-only-for-images": {
    broken: [project({ environment: { privilegedMode: true } })],
    kept: [project({ environment: { privilegedMode: false } })],
  },
  "deployment-rolls-back-on-alarm": {
    broken: [group(rollback("DEPLOYMENT_FAILURE"))],
    kept: [group(rollback("DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"))],
  },
  "deployment-in-steps": {
    broken: [group({ deploymentConfigName: "CodeDeployDefault.LambdaAllAtOnce" })],
    kept: [group({ deploymentConfigName: "CodeDeployDefault.LambdaCanary10Percent5Minutes" })],
  },
  "state-machine-logged": { broken: [machine("OFF")], kept: [machine("ALL")] },
  "configuration-externalised": {
    broken: [training, parameter("dataset/schema")],
    kept: [
      training,
      parameter("dataset/schema"),
      parameter("training/quality-gate"),
      parameter("monitoring/thresholds"),
    ],
  },
};
