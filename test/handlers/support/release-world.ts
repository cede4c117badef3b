import {
  CloudWatchClient,
  PutMetricAlarmCommand,
  PutMetricDataCommand,
  SetAlarmStateCommand,
} from "@aws-sdk/client-cloudwatch";
import { DescribeTaskDefinitionCommand, ECSClient, RegisterTaskDefinitionCommand } from "@aws-sdk/client-ecs";
import { ListEndpointConfigsCommand } from "@aws-sdk/client-sagemaker";
import { createHandler } from "../../../handlers/release/handler.ts";
import { XGBOOST_REPOSITORY } from "../../../programs/built-in-algorithms.ts";
import { guardAlarms, RELEASE_GUARD } from "../../../programs/serving/alarms.ts";
import { containerDefinitions } from "../../../programs/serving/task.ts";
import type { PipelineSpec } from "../../../programs/spec.ts";
import { aSpec, productionInput } from "../../programs/support/inputs.ts";
import { type AwsAnswer, type AwsRequest, recordAws } from "../../support/aws-recorder.ts";
import { json } from "./aws-answers.ts";
import { CodeDeployDouble } from "./code-deploy-double.ts";
import { EndpointsDouble } from "./endpoints-double.ts";
import { LambdaDouble } from "./lambda-double.ts";
import { emulatorClient, pipelineInAws } from "./pipeline-in-aws.ts";
import { registryOf } from "./registered-model.ts";

export type Mode = "serverless" | "realtime" | "lambda" | "ecs";

/** Answers right by default; a test makes it answer otherwise. */
export type Model = (
  version: string,
  body: string,
  /** Of endpoints. */
  asked?: Pick<AwsRequest, "contentType" | "accept">,
) => { readonly status: number; readonly body: string };

const answersRight: Model = (_version, body) => {
  const { instances } = JSON.parse(body) as { instances: unknown[] };
  return { status: 200, body: JSON.stringify({ predictions: instances.map(() => "adelie") }) };
};

function specOf(mode: Mode) {
  const rollout = { canaryPercent: 10, stepPercent: 45, bakeMinutes: 5 };
  return mode === "ecs"
    ? { ...productionInput(mode).spec, serving: { ...productionInput(mode).spec.serving, rollout } }
    : aSpec({ serving: { mode, rollout } });
}

/**
 * A pipeline whose releases can be played. The emulator answers S3, SSM, SNS, KMS, ECR, the registry, models and configurations, alarms
 * and task definitions. It has no `UpdateEndpoint`, its endpoints never fail, it runs no models and shifts nothing: endpoints, their
 * runtime, CodeDeploy, the function and the service are played here, each state as long as a look.
 */
export async function releaseWorld(mode: Mode, spec: PipelineSpec = specOf(mode)) {
  const pipeline = await pipelineInAws(spec);
  const { setting } = pipeline;
  const { names } = setting;
  const registry = await registryOf(pipeline);
  await registry.pushImage("inference", "1", "layers");
  const clock = { now: new Date() };
  const world = { model: answersRight, killAt: undefined as number | undefined, killed: false };

  const endpoints = new EndpointsDouble(
    () => clock.now,
    (version, body, asked) => world.model(version, body, asked),
  );
  const lambda = new LambdaDouble((version, body) => world.model(version, body));
  const codeDeploy = new CodeDeployDouble(lambda);

  let calls = 0;
  let interruption: { isBefore(request: AwsRequest): boolean; happens(): Promise<unknown> } | undefined;
  const recorder = await recordAws(
    pipeline.environmentOf("release").AWS_ENDPOINT_URL ?? "",
    async (request) => {
      if (interruption?.isBefore(request)) {
        const { happens } = interruption;
        interruption = undefined;
        await happens();
      }
      if (changes(request)) calls += 1;
      if (world.killAt !== undefined && calls >= world.killAt) {
        world.killed = true;
        return death(request);
      }
      return (
        registryOfAws(request) ??
        endpoints.answer(request) ??
        lambda.answer(request) ??
        codeDeploy.answer(request)
      );
    },
  );
  const env = { ...pipeline.environmentOf("release"), AWS_ENDPOINT_URL: recorder.url };

  await pipeline.putParameter(
    "release/resources",
    JSON.stringify({
      modelPackageGroupName: names.named("models"),
      modelsBucket: names.bucket("models"),
      servingRoleArn: `arn:aws:iam::123456789012:role/aidlc/${names.named("inference")}`,
      volumeKeyArn: pipeline.keys.data,
      signingKeyArn: pipeline.keys.signing,
    }),
  );
  const cloudWatch = emulatorClient(CloudWatchClient, pipeline.environmentOf("release"));
  const alarms = [...guardAlarms(setting.spec, names).map(({ name }) => name), RELEASE_GUARD];
  for (const alarm of alarms) {
    await cloudWatch.send(
      new PutMetricAlarmCommand({
        AlarmName: names.named(alarm),
        ComparisonOperator: "GreaterThanThreshold",
        EvaluationPeriods: 1,
        MetricName: alarm,
        Namespace: "Test",
        Period: 60,
        Statistic: "Sum",
        Threshold: 1,
      }),
    );
  }

  return {
    mode,
    pipeline,
    names,
    clock,
    endpoints,
    lambda,
    codeDeploy,
    recorder,
    handle: createHandler(env, {
      now: () => clock.now,
      pause: async () => {
        clock.now = new Date(clock.now.getTime() + 15_000);
      },
    }),
    setModel: (model: Model) => {
      world.model = model;
    },
    /** The next change after so many ends the function, before it happens; undefined: none does. */
    killAfter: (count: number | undefined) => {
      world.killAt = count === undefined ? undefined : calls + count + 1;
      world.killed = false;
    },
    wasKilled: () => world.killed,
    /** What happens once, before the first request that is like this. */
    before: (isBefore: (request: AwsRequest) => boolean, happens: () => Promise<unknown>) => {
      interruption = { isBefore, happens };
    },
    /** The next version, approved. */
    approve: async (execution = "b1d2f3a4c5e6", metadata: Record<string, string> = {}): Promise<string> => {
      const { arn } = await registry.register({ execution, metadata });
      await registry.decide(arn, "Approved");
      return arn;
    },
    register: async () => (await registry.register()).arn,
    ring: async (alarm: string, StateValue: "ALARM" | "OK" = "ALARM") => {
      await cloudWatch.send(
        new SetAlarmStateCommand({ AlarmName: names.named(alarm), StateValue, StateReason: "test" }),
      );
    },
    putEndpointMetric: async (endpoint: string, MetricName: string, Value: number) => {
      await cloudWatch.send(
        new PutMetricDataCommand({
          Namespace: "AWS/SageMaker",
          MetricData: [
            {
              MetricName,
              Dimensions: [
                { Name: "EndpointName", Value: names.named(endpoint) },
                { Name: "VariantName", Value: "primary" },
              ],
              Timestamp: new Date(clock.now.getTime() + 120_000),
              Value,
            },
          ],
        }),
      );
    },
    /** Names of the pipeline's endpoint configurations. */
    configs: async (): Promise<string[]> => {
      const { EndpointConfigs = [] } = await registry.sagemaker.send(
        new ListEndpointConfigsCommand({ NameContains: names.prefix, MaxResults: 100 }),
      );
      return EndpointConfigs.map(({ EndpointConfigName = "" }) => EndpointConfigName).toSorted();
    },
    document: async (key: string): Promise<unknown> =>
      JSON.parse((await pipeline.read("models", `releases/${key}.json`)).toString()),
    containersOf: async (taskDefinition: string) => {
      const ecs = emulatorClient(ECSClient, pipeline.environmentOf("release"));
      const found = await ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition }));
      return found.taskDefinition?.containerDefinitions ?? [];
    },
    /** What the program makes with the first recorded release. */
    bringUp: async (arn: string) => {
      if (mode === "lambda") lambda.create(names.named("predict"), arn);
      if (mode !== "ecs") return;
      const ecs = emulatorClient(ECSClient, pipeline.environmentOf("release"));
      const { taskDefinition } = await ecs.send(
        new RegisterTaskDefinitionCommand({
          family: names.named("predict"),
          requiresCompatibilities: ["FARGATE"],
          networkMode: "awsvpc",
          cpu: "1024",
          memory: "2048",
          volumes: [{ name: "scratch" }],
          containerDefinitions: JSON.parse(
            containerDefinitions({
              image: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/first@sha256:1",
              modelPackageArn: arn,
              logGroup: "logs",
              region: "eu-west-1",
            }),
          ),
        }),
      );
      codeDeploy.createService(taskDefinition?.taskDefinitionArn ?? "");
    },
    close: () => recorder.close(),
  };
}

export type ReleaseWorld = Awaited<ReturnType<typeof releaseWorld>>;

/** The emulator knows one account; built-in algorithms come from another. */
function registryOfAws({ target, body }: AwsRequest): AwsAnswer | undefined {
  if (target?.endsWith(".BatchGetImage") !== true || !body.includes(XGBOOST_REPOSITORY)) return undefined;
  return json({ images: [{ imageId: { imageDigest: `sha256:${"b".repeat(64)}` } }], failures: [] });
}

/** Whether something is other than before once it is answered: dying between two reads is dying before the first. */
function changes({ method, target, path }: AwsRequest): boolean {
  if (target !== undefined) return !/\.(Describe|Get|List|BatchGet)\w+$/.test(target);
  return method !== "GET" && !path.endsWith("/invocations");
}

/** An end that no SDK tries again, in any service's form. */
function death({ target, path }: AwsRequest) {
  const isJson = target !== undefined || path.startsWith("/2015-03-31/") || path.startsWith("/endpoints/");
  return {
    status: 400,
    type: isJson ? "application/json" : "text/xml",
    body: isJson
      ? JSON.stringify({ __type: "Killed", message: "killed" })
      : "<Error><Code>Killed</Code><Message>killed</Message></Error>",
  };
}
