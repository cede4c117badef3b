import { CloudWatchClient, PutMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import {
  CreateEndpointCommand,
  CreateEndpointConfigCommand,
  CreateModelCommand,
  CreateNotebookInstanceCommand,
  DescribeNotebookInstanceCommand,
  ListEndpointsCommand,
  SageMakerClient,
} from "@aws-sdk/client-sagemaker";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { createHandler } from "../../handlers/stop-idle/handler.ts";
import { ownTags } from "../../programs/tags.ts";
import { aSpec } from "../programs/support/inputs.ts";
import { recordAws } from "../support/aws-recorder.ts";
import { jsonError } from "./support/aws-answers.ts";
import { expectExactGrants } from "./support/granted-calls.ts";
import { emulatorClient, type PipelineInAws, pipelineInAws } from "./support/pipeline-in-aws.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const pipelines: PipelineInAws[] = [];

async function aPipeline() {
  const pipeline = await pipelineInAws(aSpec({ notebook: {} }));
  pipelines.push(pipeline);
  const env = pipeline.environmentOf("stop-idle");
  const { names, team, pipeline: name } = pipeline.setting;
  const sagemaker = emulatorClient(SageMakerClient, env);
  const own = Object.entries(ownTags({ team, pipeline: name })).map(([Key, Value]) => ({ Key, Value }));
  const clock = { now: new Date(Date.now() + 3 * 3_600_000) };
  return {
    pipeline,
    names,
    clock,
    sagemaker,
    stop: createHandler(env, { now: () => clock.now }),
    endpoint: async (stage: string, Tags = own) => {
      const name = names.named(stage);
      await sagemaker.send(
        new CreateModelCommand({
          ModelName: name,
          ExecutionRoleArn: "arn:aws:iam::123456789012:role/aidlc/somebody",
          PrimaryContainer: { Image: "image" },
        }),
      );
      await sagemaker.send(
        new CreateEndpointConfigCommand({
          EndpointConfigName: name,
          ProductionVariants: [
            {
              VariantName: "primary",
              ModelName: name,
              ServerlessConfig: { MemorySizeInMB: 1024, MaxConcurrency: 1 },
            },
          ],
        }),
      );
      await sagemaker.send(new CreateEndpointCommand({ EndpointName: name, EndpointConfigName: name, Tags }));
      return name;
    },
    notebook: async (Tags = own) => {
      await sagemaker.send(
        new CreateNotebookInstanceCommand({
          NotebookInstanceName: names.named("notebook"),
          InstanceType: "ml.t3.medium",
          RoleArn: "arn:aws:iam::123456789012:role/aidlc/somebody",
          Tags,
        }),
      );
    },
    notebookStatus: async () =>
      (
        await sagemaker.send(
          new DescribeNotebookInstanceCommand({ NotebookInstanceName: names.named("notebook") }),
        )
      ).NotebookInstanceStatus,
    asked: async (endpointName: string, at: Date) => {
      await emulatorClient(CloudWatchClient, env).send(
        new PutMetricDataCommand({
          Namespace: "AWS/SageMaker",
          MetricData: [
            {
              MetricName: "Invocations",
              Dimensions: [
                { Name: "EndpointName", Value: endpointName },
                { Name: "VariantName", Value: "primary" },
              ],
              Timestamp: at,
              Value: 1,
            },
          ],
        }),
      );
    },
    endpoints: async (): Promise<string[]> => {
      const { Endpoints = [] } = await sagemaker.send(
        new ListEndpointsCommand({ NameContains: names.prefix }),
      );
      return Endpoints.map(({ EndpointName = "" }) => EndpointName);
    },
  };
}

type Idle = Awaited<ReturnType<typeof aPipeline>>;

const both = ({ names }: Idle) => ({ endpoints: [names.named("dev"), names.named("staging")] });

describe("an endpoint that tries versions", () => {
  let idle: Idle;
  beforeAll(async () => {
    idle = await aPipeline();
  });

  it("is deleted after an hour without a request, which is told once", async () => {
    const dev = await idle.endpoint("dev");
    expect(await idle.stop(both(idle))).toEqual({ stopped: [dev] });
    expect(await idle.stop(both(idle))).toEqual({ stopped: [] });
    expect(await idle.endpoints()).toEqual([]);
    expect(await idle.pipeline.takeAlerts()).toMatchObject([
      { severity: "warning", code: "idle_endpoints_stopped", detail: { endpoints: [dev] } },
    ]);
  });

  it("stays while it is asked, and for an hour after", async () => {
    const dev = await idle.endpoint("dev");
    await idle.asked(dev, new Date(idle.clock.now.getTime() - 50 * 60_000));
    expect(await idle.stop(both(idle))).toEqual({ stopped: [] });
    idle.clock.now = new Date(idle.clock.now.getTime() + 20 * 60_000);
    expect(await idle.stop(both(idle))).toEqual({ stopped: [dev] });
  });

  it("stays while it is young", async () => {
    const dev = await idle.endpoint("dev");
    const then = idle.clock.now;
    idle.clock.now = new Date(Date.now() + 30 * 60_000);
    expect(await idle.stop(both(idle))).toEqual({ stopped: [] });
    idle.clock.now = then;
    expect(await idle.stop(both(idle))).toEqual({ stopped: [dev] });
  });

  it("stays while a release is under way, and goes when that has died", async () => {
    const staging = await idle.endpoint("staging");
    const until = new Date(idle.clock.now.getTime() + 60_000).toISOString();
    const hold = { releaseId: "one", modelPackageArn: "arn:…/1", until, inherits: false };
    await idle.pipeline.put("models", "releases/under-way.json", JSON.stringify({ hold }));
    expect(await idle.stop(both(idle))).toEqual({ stopped: [] });
    idle.clock.now = new Date(idle.clock.now.getTime() + 120_000);
    expect(await idle.stop(both(idle))).toEqual({ stopped: [staging] });
  });

  it("stays when it bears another pipeline's tags", async () => {
    const dev = await idle.endpoint("dev", [
      { Key: "aidlc:team", Value: "research" },
      { Key: "aidlc:pipeline", Value: "another" },
    ]);
    expect(await idle.stop(both(idle))).toEqual({ stopped: [] });
    expect(await idle.endpoints()).toEqual([dev]);
  });
});

it("One that can't be deleted keeps nobody from deleting the others, or from being told of them", async () => {
  const idle = await aPipeline();
  const [dev, staging] = [await idle.endpoint("dev"), await idle.endpoint("staging")];
  const env = idle.pipeline.environmentOf("stop-idle");
  const aws = await recordAws(env.AWS_ENDPOINT_URL ?? "", ({ target, body }) =>
    target === "SageMaker.DeleteEndpoint" && body.includes(dev)
      ? jsonError("ResourceInUse", "Cannot delete it now")
      : undefined,
  );
  const stop = createHandler({ ...env, AWS_ENDPOINT_URL: aws.url }, { now: () => idle.clock.now });
  await expect(stop(both(idle))).rejects.toMatchObject({ name: "ResourceInUse" });
  expect(await idle.endpoints()).toEqual([dev]);
  await expect(stop({ endpoints: both(idle).endpoints.toReversed() })).rejects.toThrow();
  await aws.close();
  expect(await idle.pipeline.takeAlerts()).toMatchObject([
    { code: "idle_endpoints_stopped", detail: { endpoints: [staging] } },
  ]);
});

describe("a notebook", () => {
  it("is stopped while it runs, and left alone when it has stopped", async () => {
    const idle = await aPipeline();
    const event = { notebooks: [idle.names.named("notebook")] };
    expect(await idle.stop(event)).toEqual({ stopped: [] });
    await idle.notebook();
    expect(await idle.stop(event)).toEqual({ stopped: event.notebooks });
    expect(await idle.notebookStatus()).not.toBe("InService");
    expect(await idle.stop(event)).toEqual({ stopped: [] });
    expect(await idle.pipeline.takeAlerts()).toMatchObject([{ code: "idle_notebooks_stopped" }]);
  });

  it("that is somebody else's goes on", async () => {
    const idle = await aPipeline();
    await idle.notebook([]);
    expect(await idle.stop({ notebooks: [idle.names.named("notebook")] })).toEqual({ stopped: [] });
    expect(await idle.notebookStatus()).toBe("InService");
  });
});

it("stops nothing for an event that no schedule sends", async () => {
  const idle = await aPipeline();
  await expect(idle.stop({ everything: true })).rejects.toThrow("names neither");
});

expectExactGrants(() => pipelines.flatMap((pipeline) => pipeline.grantsOf("stop-idle")), {
  "s3:ListBucket": "S3 tells whoever may list that an object is not there",
});
