import {
  CreatePipelineCommand,
  ListPipelineExecutionsCommand,
  ListPipelineParametersForExecutionCommand,
  SageMakerClient,
} from "@aws-sdk/client-sagemaker";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createHandler } from "../../handlers/start-training/handler.ts";
import { TRAINING_MANIFEST } from "../../programs/storage-layout.ts";
import { aSpec } from "../programs/support/inputs.ts";
import { type AwsAnswer, type AwsRecorder, recordAws } from "../support/aws-recorder.ts";
import { expectExactGrants } from "./support/granted-calls.ts";
import { type PipelineInAws, pipelineInAws } from "./support/pipeline-in-aws.ts";

const HOUR_MS = 3_600_000;

let aws: PipelineInAws;
const pipelines: PipelineInAws[] = [];
/** A client of the test's own, whose calls are not the function's. */
let sagemaker: SageMakerClient;

async function makePipeline(): Promise<PipelineInAws> {
  const made = await pipelineInAws(aSpec({ training: { retrainOn: ["drift"], retrainCooldownHours: 6 } }));
  pipelines.push(made);
  const { names, arns } = made.setting;
  const { AWS_ENDPOINT_URL: endpoint = "", AWS_REGION: region = "" } = made.environmentOf("start-training");
  sagemaker = new SageMakerClient({ endpoint, region });
  await sagemaker.send(
    new CreatePipelineCommand({
      PipelineName: names.named("training"),
      PipelineDefinition: JSON.stringify({ Version: "2020-12-01", Metadata: {}, Parameters: [], Steps: [] }),
      ClientRequestToken: "a".repeat(32),
      RoleArn: arns.role(names.named("orchestration")),
    }),
  );
  return made;
}

const manifest = (...keys: string[]) =>
  JSON.stringify([{ prefix: `s3://${aws.bucket("validated")}/` }, ...keys]);

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html */
const alarmEvent = (alarm: string, value = "ALARM") => {
  const alarmName = aws.setting.names.named(alarm);
  return {
    version: "0",
    id: "c4c1c1c9-6542-e61b-6ef0-8c4d36933a92",
    "detail-type": "CloudWatch Alarm State Change",
    source: "aws.cloudwatch",
    account: "123456789012",
    time: "2019-10-02T17:04:40Z",
    region: "eu-west-1",
    resources: [`arn:aws:cloudwatch:eu-west-1:123456789012:alarm:${alarmName}`],
    detail: {
      alarmName,
      configuration: { description: "Drift", metrics: [] },
      previousState: { value: "OK", timestamp: "2019-10-01T13:56:40.987+0000" },
      state: {
        reason:
          "Threshold Crossed: 1 out of the last 1 datapoints [0.3] was greater than the threshold (0.1).",
        value,
        timestamp: "2019-10-02T17:04:40.989+0000",
      },
    },
  };
};

const start = (now?: () => number) => createHandler(aws.environmentOf("start-training"), now);

const executions = async () => {
  const { PipelineExecutionSummaries = [] } = await sagemaker.send(
    new ListPipelineExecutionsCommand({ PipelineName: aws.setting.names.named("training") }),
  );
  return PipelineExecutionSummaries;
};

const acceptData = async () => {
  await aws.put("validated", "data/one.csv", "species\nAdelie\n");
  await aws.put("validated", TRAINING_MANIFEST, manifest("data/one.csv"));
};

describe("an alarm that the spec retrains on", () => {
  beforeEach(async () => {
    aws = await makePipeline();
    await acceptData();
  });

  it("starts one training, which knows why it was started", async () => {
    const answer = await start()(alarmEvent("data-drift"));
    const [execution, ...more] = await executions();
    expect(more).toEqual([]);
    expect(answer).toEqual({ outcome: "started", executionArn: execution?.PipelineExecutionArn });
    const { PipelineParameters } = await sagemaker.send(
      new ListPipelineParametersForExecutionCommand({
        PipelineExecutionArn: execution?.PipelineExecutionArn,
      }),
    );
    expect(PipelineParameters).toEqual([{ Name: "Trigger", Value: "alarm data-drift" }]);
  });

  it("starts none again until the last one is old enough", async () => {
    await start()(alarmEvent("data-drift"));
    const later = (hours: number) => start(() => Date.now() + hours * HOUR_MS)(alarmEvent("output-shift"));
    expect(await later(0)).toEqual({ outcome: "skipped", reason: "cooling_down" });
    expect(await later(5.9)).toEqual({ outcome: "skipped", reason: "cooling_down" });
    expect(await executions()).toHaveLength(1);
    expect(await later(6.1)).toMatchObject({ outcome: "started" });
    expect(await executions()).toHaveLength(2);
  });
});

describe("no training is started", () => {
  beforeAll(async () => {
    aws = await makePipeline();
  });

  it.each([
    ["model-quality", "ALARM", "no_cause"],
    ["no-such-alarm", "ALARM", "no_cause"],
    ["data-drift", "OK", "no_alarm"],
    ["data-drift", "INSUFFICIENT_DATA", "no_alarm"],
  ])("by %s in state %s", async (alarm, state, reason) => {
    expect(await start()(alarmEvent(alarm, state))).toEqual({ outcome: "skipped", reason });
    expect(await executions()).toEqual([]);
  });

  it("by the alarm of another pipeline", async () => {
    const event = alarmEvent("data-drift");
    const alarmName = "aidlc-research-other-abcdefgh-data-drift";
    expect(await start()({ ...event, detail: { ...event.detail, alarmName } })).toEqual({
      outcome: "skipped",
      reason: "no_cause",
    });
  });

  it.each([
    ["there is no manifest", undefined],
    ["the manifest lists nothing", () => manifest()],
    ["nothing that the manifest lists is there any more", () => manifest("data/expired.csv")],
    ["the manifest lists raw data", () => manifest("raw/one.csv")],
    ["the manifest is no manifest", () => "{"],
  ])("where %s", async (_, content) => {
    if (content !== undefined) await aws.put("validated", TRAINING_MANIFEST, content());
    expect(await start()(alarmEvent("data-drift"))).toEqual({
      outcome: "skipped",
      reason: "no_accepted_data",
    });
    expect(await executions()).toEqual([]);
  });

  it("by what is no event of an alarm", async () => {
    await expect(start()({ detail: {} })).rejects.toThrow();
  });
});

/** The emulator's executions succeed at once and its starts know no tokens, so these answers are SageMaker's as documented. */
describe("where SageMaker says so", () => {
  beforeEach(() => {
    answers = {};
  });
  let recorder: AwsRecorder;
  let answers: Record<string, AwsAnswer> = {};
  beforeAll(async () => {
    aws = await makePipeline();
    await acceptData();
    recorder = await recordAws(aws.environmentOf("start-training").AWS_ENDPOINT_URL ?? "", ({ target }) =>
      target === undefined ? undefined : answers[target.replace("SageMaker.", "")],
    );
  });
  afterAll(() => recorder.close());

  const json = (status: number, body: object): AwsAnswer => ({
    status,
    type: "application/x-amz-json-1.1",
    body: JSON.stringify(body),
  });
  const startThere = () =>
    createHandler({ ...aws.environmentOf("start-training"), AWS_ENDPOINT_URL: recorder.url });

  it.each(["Executing", "Stopping"])(
    "an execution is under way, none is started beside it: %s",
    async (status) => {
      answers.ListPipelineExecutions = json(200, {
        PipelineExecutionSummaries: [
          {
            PipelineExecutionArn:
              "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/p/execution/abcdefghijkl",
            StartTime: 1,
            PipelineExecutionStatus: status,
          },
        ],
      });
      expect(await startThere()(alarmEvent("data-drift"))).toEqual({ outcome: "skipped", reason: "running" });
    },
  );

  it("another alarm was faster, nothing more is done", async () => {
    answers.StartPipelineExecution = json(400, {
      __type: "ConflictException",
      message: "There was a conflict",
    });
    expect(await startThere()(alarmEvent("data-drift"))).toEqual({ outcome: "skipped", reason: "running" });
  });

  it("the pipeline can't be started, the event is not lost", async () => {
    answers.StartPipelineExecution = json(400, { __type: "ResourceLimitExceeded", message: "Too many" });
    await expect(startThere()(alarmEvent("data-drift"))).rejects.toMatchObject({
      name: "ResourceLimitExceeded",
    });
  });
});

expectExactGrants(() => pipelines.flatMap((made) => made.grantsOf("start-training")));
