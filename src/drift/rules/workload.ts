import type { PropertyChange } from "../../engine/protocol.ts";
import { benign, cost, data, promotion, security, type TypeRules, unknown, wholly } from "./rule.ts";

const code = security("high", "What runs with the pipeline's rights was changed");
const rights = security("high", "With which rights it runs was changed");
const surroundings = security("high", "What the code is told about its surroundings was changed");
const where = security("high", "Where on the network it runs was changed");
const size = cost("medium", "How much it takes to run was changed");
const capacity = cost("medium", "How much capacity is kept was changed");
const shifted = promotion("A release shifts the traffic");
const released = promotion("A release brings its own model and image");
const api = security("high", "What the API lets through was changed");
const delivered = security("high", "What is built and brought out, and how, was changed");

/** A release takes another digest of the pipeline's own repository; an image from elsewhere is no release. */
function namesSameRepository({ before, after }: PropertyChange): boolean {
  const [was, is] = [before, after].map((image) => /^(.+)@sha256:[0-9a-f]{64}$/.exec(String(image))?.[1]);
  return was !== undefined && was === is;
}

/** Training, serving, functions, delivery: what works, and what a release changes of it. */
export const workloadRules: Readonly<Record<string, TypeRules>> = {
  "aws:lambda/function:Function": {
    properties: [
      // Only the inference function is made from an image, and each release gives it another one.
      [/^imageUri$/, (change) => (namesSameRepository(change) ? released : code)],
      [/^environment\.variables\.AIDLC_MODEL_PACKAGE$/, released],
      [/^version$/, promotion("A release publishes a version")],
      [/^(code|s3|filename|handler|runtime|packageType|layers|imageConfig|sourceCodeHash)/, code],
      [/^(role|kmsKeyArn)/, rights],
      [/^environment/, surroundings],
      [/^vpcConfig/, where],
      [/^(memorySize|timeout|reservedConcurrentExecutions|architectures|ephemeralStorage)/, size],
      [/^(deadLetterConfig)/, data("high", "Where events go that fail was changed")],
      [/^(loggingConfig|tracingConfig)/, security("medium", "What is recorded of its runs was changed")],
    ],
    otherwise: unknown("medium", "A property of the function was changed"),
  },
  "aws:lambda/layerVersion:LayerVersion": wholly(code),
  "aws:lambda/alias:Alias": {
    properties: [[/^(functionVersion|routingConfig)/, shifted]],
    otherwise: unknown("medium", "A property of the alias was changed"),
  },
  "aws:lambda/permission:Permission": wholly(security("high", "Who may call the function was changed")),
  "aws:lambda/eventSourceMapping:EventSourceMapping": {
    properties: [
      [/^(batchSize|maximumBatchingWindow|scalingConfig|parallelizationFactor)/, size],
      [/^enabled/, data("high", "Whether what arrives is worked on was changed")],
    ],
    otherwise: data("medium", "How what arrives is worked on was changed"),
  },
  "aws:sagemaker/endpoint:Endpoint": {
    properties: [[/^endpointConfigName/, released]],
    otherwise: unknown("medium", "A property of the endpoint was changed"),
  },
  "aws:sagemaker/endpointConfiguration:EndpointConfiguration": {
    properties: [
      [/(variantName|modelName|initialVariantWeight|initialInstanceCount)/, released],
      [/^(productionVariants|shadowProductionVariants)$/, released],
      [/^kmsKeyArn/, security("high", "How the endpoint's volume is enciphered was changed")],
    ],
    otherwise: unknown("medium", "A property of the endpoint was changed"),
  },
  "aws:sagemaker/modelPackageGroup:ModelPackageGroup": {
    holds: "its model versions",
    properties: [[/approval/i, promotion("Approving versions is people's work")]],
    otherwise: unknown("medium", "A property of the model registry was changed"),
  },
  "aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy": wholly(
    security("critical", "Who may register or approve models was changed"),
  ),
  "aws:sagemaker/pipeline:Pipeline": {
    properties: [
      [/^roleArn/, rights],
      [/^parallelismConfiguration/, size],
    ],
    otherwise: code,
  },
  "aws:sagemaker/featureGroup:FeatureGroup": {
    holds: "its features",
    properties: [
      [/^roleArn/, rights],
      [/SecurityConfig|kms/i, security("high", "How features are enciphered was changed")],
      [/^throughputConfig/, size],
    ],
    otherwise: data("high", "What features are kept was changed"),
  },
  "aws:sagemaker/mlflowApp:MlflowApp": {
    holds: "its experiments",
    properties: [[/^roleArn/, rights]],
    otherwise: unknown("medium", "How experiments are tracked was changed"),
  },
  "aws:sagemaker/notebookInstance:NotebookInstance": {
    holds: "its volume",
    properties: [
      [/^(instanceType|volumeSize|accelerator)/, size],
      [/^notebookInstanceStatus/, benign("People start and stop it")],
      [/^(subnetId|securityGroups|directInternetAccess)/, where],
    ],
    otherwise: rights,
  },
  "aws:sagemaker/notebookInstanceLifecycleConfiguration:NotebookInstanceLifecycleConfiguration": wholly(code),
  "aws:sagemaker/monitoringSchedule:MonitoringSchedule": {
    properties: [
      [/scheduleExpression|scheduleConfig/, cost("medium", "How often the model is checked was changed")],
    ],
    otherwise: security("medium", "How the model is watched was changed"),
  },
  "aws:sagemaker/dataQualityJobDefinition:DataQualityJobDefinition": wholly(
    security("medium", "How the model is watched was changed"),
  ),
  "aws:ecs/service:Service": {
    properties: [
      [/^(taskDefinition|loadBalancers)/, shifted],
      [/^desiredCount/, promotion("Scaling and releases set how many tasks run")],
      [/^networkConfiguration/, where],
      [/^enableExecuteCommand/, security("critical", "Whether people get into tasks was changed")],
    ],
    otherwise: unknown("medium", "How tasks are run was changed"),
  },
  "aws:ecs/taskDefinition:TaskDefinition": {
    properties: [
      [/^(revision|arn$|arnWithoutRevision)/, released],
      [/^(cpu|memory|ephemeralStorage)/, size],
      [/^(taskRoleArn|executionRoleArn)/, rights],
    ],
    otherwise: code,
  },
  "aws:ecs/cluster:Cluster": wholly(security("medium", "What is recorded of tasks was changed")),
  "aws:appautoscaling/target:Target": wholly(capacity),
  "aws:appautoscaling/policy:Policy": wholly(capacity),
  "aws:appautoscaling/scheduledAction:ScheduledAction": wholly(capacity),
  "aws:lb/listener:Listener": {
    properties: [[/^defaultActions\[0\]\.(targetGroupArn|forward)/, shifted]],
    otherwise: security("high", "How callers' connections are protected was changed"),
  },
  "aws:lb/targetGroup:TargetGroup": wholly(unknown("medium", "How tasks are reached was changed")),
  "aws:lb/loadBalancer:LoadBalancer": {
    properties: [
      [/^(enableDeletionProtection)/, data("medium", "Whether it can be deleted by mistake was changed")],
      [/^(idleTimeout|clientKeepAlive)/, unknown("low", "How long connections stay was changed")],
    ],
    otherwise: security("high", "Who reaches the load balancer was changed"),
  },
  "aws:apigateway/usagePlan:UsagePlan": wholly(cost("medium", "How much callers may ask was changed")),
  "aws:apigateway/methodSettings:MethodSettings": {
    properties: [[/throttling/i, cost("medium", "How much callers may ask was changed")]],
    otherwise: security("medium", "What is recorded of requests was changed"),
  },
  "aws:apigateway/stage:Stage": {
    properties: [
      [/^(cacheCluster|cache)/, size],
      [
        /^(accessLogSettings|xrayTracingEnabled)/,
        security("high", "What is recorded of requests was changed"),
      ],
      [/^deployment$/, security("high", "Which deployment of the API answers was changed")],
    ],
    otherwise: api,
  },
  "aws:apigateway/*": wholly(api),
  "aws:cloudfront/distribution:Distribution": {
    properties: [
      [/^priceClass/, cost("low", "Where the edge answers was changed")],
      [/^(etag|inProgressValidationBatches|status|lastModifiedTime)/, benign("AWS counts it")],
    ],
    otherwise: security("high", "What the edge lets through was changed"),
  },
  "aws:cloudfront/*": wholly(security("medium", "What the edge tells browsers was changed")),
  "aws:glue/job:Job": {
    properties: [
      [/^(roleArn|securityConfiguration)/, rights],
      [/^(workerType|numberOfWorkers|maxCapacity|timeout|maxRetries|executionProperty)/, size],
    ],
    otherwise: code,
  },
  "aws:glue/trigger:Trigger": wholly(cost("medium", "When the job runs was changed")),
  "aws:sfn/stateMachine:StateMachine": {
    properties: [
      [/^roleArn/, rights],
      [
        /^(loggingConfiguration|tracingConfiguration)/,
        security("medium", "What is recorded of runs was changed"),
      ],
    ],
    otherwise: code,
  },
  "aws:codebuild/project:Project": {
    properties: [[/^(environment\.computeType|buildTimeout|queuedTimeout|concurrentBuildLimit)/, size]],
    otherwise: delivered,
  },
  "aws:codebuild/reportGroup:ReportGroup": wholly(
    security("low", "What is kept of test reports was changed"),
  ),
  "aws:codepipeline/pipeline:Pipeline": wholly(delivered),
  "aws:codedeploy/*": wholly(security("high", "How a release is shifted and taken back was changed")),
};
