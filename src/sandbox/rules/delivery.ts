import { buildSpecProblem } from "../documents/build-spec.ts";
import { stateMachineProblems } from "../documents/state-machine.ts";
import { parseJson } from "../json-text.ts";
import { type PropertyMap, valuesAt } from "../values.ts";
import {
  atMost,
  bytesOf,
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

// https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
const stagesOfAPipeline = 50;
const actionsOfAStage = 50;
// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
const definitionBytes = 1_048_576;
// https://docs.aws.amazon.com/fis/latest/userguide/fis-quotas.html
const fisQuotas = { actions: 20, stopConditions: 5 };

/** Settings without which CodePipeline refuses an action. */
const requiredSettings: Readonly<Record<string, readonly string[]>> = {
  CodeBuild: ["ProjectName"],
  CodeDeploy: ["ApplicationName", "DeploymentGroupName"],
  CodeDeployToECS: [
    "ApplicationName",
    "DeploymentGroupName",
    "TaskDefinitionTemplateArtifact",
    "AppSpecTemplateArtifact",
  ],
  CodeStarSourceConnection: ["ConnectionArn", "FullRepositoryId", "BranchName"],
  ECR: ["RepositoryName"],
  Lambda: ["FunctionName"],
  StepFunctions: ["StateMachineArn"],
};

/** CodePipeline, CodeBuild, CodeDeploy, Step Functions and fault injection. */
export const deliveryRules: Rules = {
  *"codepipeline/pipeline"(inputs) {
    const stages = objectsOf(inputs.stages);
    if (stages.length < 2)
      yield failure(
        "stages",
        "Pipeline has only 1 stage(s). There should be a minimum of 2 stages in a pipeline",
      );
    yield* atMost("stages", stages.length, stagesOfAPipeline, "stages", "use several pipelines");
    for (const name of repeated(stages.map(({ name }) => String(name))))
      yield failure("stages", `has two stages "${name}": rename one`);
    yield* artifactFailures(stages);
    for (const [index, stage] of stages.entries()) yield* stageFailures(stage, index);
    for (const store of objectsOf(inputs.artifactStores))
      if (store.type !== "S3")
        yield failure(["artifactStores", "type"], `must be "S3", not "${String(store.type)}"`);
    const isV2 = inputs.pipelineType === "V2";
    for (const name of ["triggers", "variables"])
      if (isGiven(inputs[name]) && !isV2) yield failure(name, "needs the pipelineType V2: set it");
    if (["QUEUED", "PARALLEL"].includes(String(inputs.executionMode)) && !isV2)
      yield failure("executionMode", `${String(inputs.executionMode)} needs the pipelineType V2: set it`);
  },
  *"codebuild/project"(inputs) {
    const source = objectOf(inputs.source);
    const artifacts = objectOf(inputs.artifacts);
    const inPipeline = source.type === "CODEPIPELINE";
    if (
      Object.keys(artifacts).length > 0 &&
      Object.keys(source).length > 0 &&
      inPipeline !== (artifacts.type === "CODEPIPELINE")
    )
      yield failure(["artifacts", "type"], "must be CODEPIPELINE if the source's is, and only then");
    if (source.type === "NO_SOURCE" && !isGiven(source.buildspec))
      yield failure(["source", "buildspec"], "is required by NO_SOURCE: set it");
    if (
      ["S3", "GITHUB", "GITHUB_ENTERPRISE", "BITBUCKET", "GITLAB", "CODECOMMIT"].includes(
        String(source.type),
      ) &&
      !isGiven(source.location)
    )
      yield failure(["source", "location"], `is required by ${String(source.type)}: set it`);
    if (artifacts.type === "S3" && !isGiven(artifacts.location))
      yield failure(["artifacts", "location"], "is required by S3: set it");
    const problem = buildSpecProblem(textOf(source.buildspec));
    if (problem !== undefined) yield failure(["source", "buildspec"], `YAML_FILE_ERROR: ${problem}`);
    const names = textsAt(inputs, "environment", "environmentVariables", "name");
    for (const name of repeated(names))
      yield failure(["environment", "environmentVariables"], `has two variables "${name}": rename one`);
    for (const name of names)
      if (name.startsWith("CODEBUILD_"))
        yield failure(
          ["environment", "environmentVariables"],
          `must not begin with CODEBUILD_: rename "${name}"`,
        );
    const cache = objectOf(inputs.cache);
    if (cache.type === "S3" && !isGiven(cache.location))
      yield failure(["cache", "location"], "is required by S3: set it");
    if (cache.type === "LOCAL" && !isGiven(cache.modes))
      yield failure(["cache", "modes"], "is required by LOCAL: set it");
    const { vpcId, subnets, securityGroupIds } = objectOf(inputs.vpcConfig);
    if (isGiven(vpcId)) {
      yield* atMost(["vpcConfig", "subnets"], valuesAt(subnets, []).length, 16, "subnets", "name fewer");
      yield* atMost(
        ["vpcConfig", "securityGroupIds"],
        valuesAt(securityGroupIds, []).length,
        5,
        "security groups",
        "name fewer",
      );
    }
  },
  *"codedeploy/deploymentGroup"(inputs) {
    const style = objectOf(inputs.deploymentStyle);
    const isEcs = isGiven(inputs.ecsService);
    const config = textOf(inputs.deploymentConfigName) ?? "";
    if (isEcs) {
      if (style.deploymentType !== "BLUE_GREEN" || style.deploymentOption !== "WITH_TRAFFIC_CONTROL")
        yield failure(
          "deploymentStyle",
          "For ECS deployment group, deployment style must be BLUE_GREEN with WITH_TRAFFIC_CONTROL",
        );
      if (!isGiven(inputs.blueGreenDeploymentConfig))
        yield failure("blueGreenDeploymentConfig", "is required by ECS: set it");
      const pair = objectOf(objectOf(inputs.loadBalancerInfo).targetGroupPairInfo);
      const groups = objectsOf(pair.targetGroups).length;
      if (groups !== 2)
        yield failure("loadBalancerInfo", `must name exactly two target groups for ECS, not ${groups}`);
      if (valuesAt(pair.prodTrafficRoute, ["listenerArns"]).length !== 1)
        yield failure("loadBalancerInfo", "must name exactly one listener as the production traffic route");
      if (config.startsWith("CodeDeployDefault.") && !config.startsWith("CodeDeployDefault.ECS"))
        yield failure("deploymentConfigName", `must be one of CodeDeployDefault.ECS…, not "${config}"`);
    }
    if (
      config.startsWith("CodeDeployDefault.Lambda") &&
      (style.deploymentType !== "BLUE_GREEN" || style.deploymentOption !== "WITH_TRAFFIC_CONTROL")
    )
      yield failure(
        "deploymentStyle",
        "For Lambda deployment group, deployment type should be BLUE_GREEN with WITH_TRAFFIC_CONTROL",
      );
    // https://docs.aws.amazon.com/codedeploy/latest/userguide/limits.html
    yield* atMost(
      "alarmConfiguration",
      valuesAt(inputs, ["alarmConfiguration", "alarms"]).length,
      10,
      "alarms",
      "use a composite alarm",
    );
    yield* atMost(
      "triggerConfigurations",
      objectsOf(inputs.triggerConfigurations).length,
      10,
      "triggers",
      "use fewer",
    );
    const events = textsAt(inputs, "autoRollbackConfiguration", "events");
    if (events.includes("DEPLOYMENT_STOP_ON_ALARM") && !isGiven(inputs.alarmConfiguration))
      yield failure("alarmConfiguration", "is required to roll back on alarms: name them");
  },
  *"codedeploy/deploymentConfig"(inputs) {
    const platform = textOf(inputs.computePlatform) ?? "Server";
    const needed = platform === "Server" ? "minimumHealthyHosts" : "trafficRoutingConfig";
    const other = platform === "Server" ? "trafficRoutingConfig" : "minimumHealthyHosts";
    if (!isGiven(inputs[needed])) yield failure(needed, `is required by the platform ${platform}: set it`);
    if (isGiven(inputs[other])) yield failure(other, `is not for the platform ${platform}: leave it out`);
    const canary = objectOf(objectOf(inputs.trafficRoutingConfig).timeBasedCanary);
    const percent = numberOf(canary.percentage);
    if (percent !== undefined && (percent < 1 || percent > 99))
      yield failure("trafficRoutingConfig", `must shift 1 to 99 percent first, not ${percent}`);
  },
  *"sfn/stateMachine"(inputs) {
    const definition = textOf(inputs.definition);
    if (definition === undefined) return;
    yield* atMost("definition", bytesOf(definition), definitionBytes, "bytes", "nest state machines");
    for (const problem of stateMachineProblems(parseJson(definition)))
      yield failure("definition", `Invalid State Machine Definition: ${problem}`);
    const logging = objectOf(inputs.loggingConfiguration);
    const destination = textOf(logging.logDestination);
    if (isGiven(logging.level) && logging.level !== "OFF" && !isGiven(logging.logDestination))
      yield failure(
        ["loggingConfiguration", "logDestination"],
        "is required for logs: set the log group's ARN with :*",
      );
    if (destination !== undefined && !destination.endsWith(":*"))
      yield failure(
        ["loggingConfiguration", "logDestination"],
        `must end with ":*", "${destination}" does not`,
      );
  },
  *"fis/experimentTemplate"(inputs) {
    const actions = objectsOf(inputs.actions);
    const targets = new Set(textsAt(inputs, "targets", "name"));
    yield* atMost("actions", actions.length, fisQuotas.actions, "actions", "use several templates");
    yield* atMost(
      "stopConditions",
      objectsOf(inputs.stopConditions).length,
      fisQuotas.stopConditions,
      "stop conditions",
      "use a composite alarm",
    );
    const names = actions.map(({ name }) => String(name));
    for (const [index, action] of actions.entries()) {
      const target = textOf(objectOf(action.target).value);
      if (target !== undefined && !targets.has(target))
        yield failure(
          ["actions", index, "target"],
          `names the target "${target}", which is none of ${[...targets].join(", ")}`,
        );
      for (const before of textsAt(action, "startAfters"))
        if (!names.includes(before))
          yield failure(
            ["actions", index, "startAfters"],
            `names the action "${before}", which is none of ${names.join(", ")}`,
          );
      if (!/^aws:[a-z0-9-]+:[a-zA-Z0-9/-]+$/.test(String(action.actionId)))
        yield failure(
          ["actions", index, "actionId"],
          `must be an action of FIS, not "${String(action.actionId)}"`,
        );
    }
    for (const [index, condition] of objectsOf(inputs.stopConditions).entries())
      if (condition.source === "aws:cloudwatch:alarm" && !isGiven(condition.value))
        yield failure(
          ["stopConditions", index, "value"],
          "is required by aws:cloudwatch:alarm: set the alarm's ARN",
        );
    for (const [index, target] of objectsOf(inputs.targets).entries()) {
      if (isGiven(target.resourceArns) === isGiven(target.resourceTags) && !isGiven(target.parameters))
        yield failure(["targets", index], "must have either resourceArns or resourceTags");
      if (!/^(ALL|COUNT\(\d+\)|PERCENT\(\d+\))$/.test(String(target.selectionMode)))
        yield failure(
          ["targets", index, "selectionMode"],
          `must be ALL, COUNT(n) or PERCENT(n), not "${String(target.selectionMode)}"`,
        );
    }
  },
};

function* stageFailures(stage: PropertyMap, index: number) {
  const path = ["stages", index];
  const actions = objectsOf(stage.actions);
  yield* atMost(path, actions.length, actionsOfAStage, "actions", "split the stage");
  for (const name of repeated(actions.map(({ name }) => String(name))))
    yield failure(path, `has two actions "${name}": rename one`);
  if (!/^[A-Za-z0-9.@\-_]{1,100}$/.test(String(stage.name)))
    yield failure(
      [...path, "name"],
      `must have 1 to 100 of letters, digits . @ - _, not "${String(stage.name)}"`,
    );
  for (const [position, action] of actions.entries()) {
    const here = [...path, "actions", position];
    if ((action.category === "Source") !== (index === 0))
      yield failure(
        here,
        index === 0
          ? "the first stage may contain only source actions"
          : "only the first stage may contain source actions",
      );
    const settings = objectOf(action.configuration);
    for (const setting of requiredSettings[textOf(action.provider) ?? ""] ?? [])
      if (!isGiven(settings[setting]))
        yield failure(
          [...here, "configuration"],
          `Action configuration for action '${String(action.name)}' is missing required configuration '${setting}'`,
        );
    if (action.provider === "S3" && action.category === "Source")
      for (const setting of ["S3Bucket", "S3ObjectKey"])
        if (!isGiven(settings[setting]))
          yield failure([...here, "configuration"], `is missing required configuration '${setting}'`);
    const order = numberOf(action.runOrder) ?? 1;
    if (order < 1 || order > 999)
      yield failure([...here, "runOrder"], `must be between 1 and 999, not ${order}`);
  }
}

function* artifactFailures(stages: readonly PropertyMap[]) {
  const made = new Set<string>();
  for (const [index, stage] of stages.entries()) {
    const actions = objectsOf(stage.actions).sort(
      (a, b) => (numberOf(a.runOrder) ?? 1) - (numberOf(b.runOrder) ?? 1),
    );
    for (const action of actions) {
      for (const artifact of textsAt(action, "inputArtifacts"))
        if (!made.has(artifact))
          yield failure(
            ["stages", index],
            `The input artifact "${artifact}" of "${String(action.name)}" is made by no earlier action`,
          );
      for (const artifact of textsAt(action, "outputArtifacts")) {
        if (made.has(artifact))
          yield failure(
            ["stages", index],
            `The output artifact "${artifact}" is made by two actions: rename one`,
          );
        made.add(artifact);
      }
    }
  }
}
