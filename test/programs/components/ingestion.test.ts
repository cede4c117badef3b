import { beforeAll, describe, expect, it } from "vitest";
import { FUNCTIONS } from "../../../programs/functions/index.ts";
import { pipelineNames } from "../../../programs/names.ts";
import { pipelineProgram } from "../../../programs/pipeline.ts";
import { ACCOUNT, anInput, aSpec } from "../support/inputs.ts";
import { ofType, type Run, resource, runProgram } from "../support/run-program.ts";

const names = pipelineNames({ account: ACCOUNT, team: "fraud", pipeline: "churn" });

const WITH_FEATURES = aSpec({
  dataset: {
    schema: [
      { name: "id", type: "string", nullable: false },
      { name: "at", type: "timestamp", nullable: false },
    ],
    featureStore: { recordIdentifier: "id", eventTime: "at", online: false },
  },
});

describe("the way of the data", () => {
  let run: Run;
  beforeAll(async () => {
    run = await runProgram(pipelineProgram(anInput({ spec: WITH_FEATURES })));
  });

  const queue = (name: string) => resource(run, "sqs/queue:Queue", name).inputs;
  const statements = (name: string) =>
    JSON.parse(String(resource(run, "sqs/queuePolicy:QueuePolicy", name).inputs.policy)).Statement;

  it("begins with every new object in raw, which only this bucket may announce", () => {
    expect(
      resource(run, "s3/bucketNotification:BucketNotification", "raw-notification").inputs,
    ).toMatchObject({
      bucket: names.bucket("raw"),
      queues: [{ id: "ingest", queueArn: "arn:aws:test:::ingest", events: ["s3:ObjectCreated:*"] }],
    });
    expect(statements("ingest-policy")[0]).toMatchObject({
      Principal: { Service: "s3.amazonaws.com" },
      Condition: {
        StringEquals: { "aws:SourceAccount": ACCOUNT.accountId },
        ArnLike: { "aws:SourceArn": `arn:aws:s3:::${names.bucket("raw")}` },
      },
    });
  });

  it("has one notification resource for each bucket, since a second would take its place", () => {
    const buckets = ofType(run, "s3/bucketNotification:BucketNotification").map(
      ({ inputs }) => inputs.bucket,
    );
    expect(new Set(buckets).size).toBe(buckets.length);
  });

  it.each([
    ["ingest", "validate", 0],
    ["baseline-queue", "baseline", 300],
    ["features-queue", "features", 300],
  ] as const)("queue %s hides a message for longer than %s may try", (name, kind, windowSeconds) => {
    const { visibilityTimeoutSeconds, sqsManagedSseEnabled } = queue(name);
    expect(visibilityTimeoutSeconds).toBeGreaterThanOrEqual(
      6 * FUNCTIONS[kind].timeoutSeconds + windowSeconds,
    );
    expect(sqsManagedSseEnabled).toBe(true);
    expect(
      resource(run, "lambda/eventSourceMapping:EventSourceMapping", `${name}-consumer`).inputs,
    ).toMatchObject({
      eventSourceArn: `arn:aws:test:::${name}`,
      functionName: `arn:aws:test:::${kind}`,
      functionResponseTypes: ["ReportBatchItemFailures"],
      scalingConfig: { maximumConcurrency: 5 },
    });
  });

  it("loses nothing: what fails five times waits among the unprocessed, longer than it could wait before", () => {
    const unprocessed = queue("unprocessed");
    for (const name of ["ingest", "baseline-queue", "features-queue"]) {
      const { redrivePolicy, messageRetentionSeconds } = queue(name);
      expect(JSON.parse(String(redrivePolicy))).toEqual({
        deadLetterTargetArn: "arn:aws:test:::unprocessed",
        maxReceiveCount: 5,
      });
      expect(unprocessed.messageRetentionSeconds).toBeGreaterThan(Number(messageRetentionSeconds));
    }
    const sources = resource(run, "sqs/redriveAllowPolicy:RedriveAllowPolicy", "unprocessed-sources").inputs;
    expect(JSON.parse(String(sources.redriveAllowPolicy))).toEqual({
      redrivePermission: "byQueue",
      sourceQueueArns: ["ingest", "baseline-queue", "features-queue"].map((name) => `arn:aws:test:::${name}`),
    });
  });

  it("hands accepted data, and neither manifests nor baselines, to everyone who works on it", () => {
    expect(
      resource(run, "s3/bucketNotification:BucketNotification", "validated-notification").inputs.eventbridge,
    ).toBe(true);
    const { eventPattern } = resource(run, "cloudwatch/eventRule:EventRule", "accepted").inputs;
    expect(JSON.parse(String(eventPattern)).detail).toEqual({
      bucket: { name: [names.bucket("validated")] },
      object: { key: [{ prefix: "data/" }] },
    });
    for (const kind of ["baseline", "features"]) {
      expect(resource(run, "cloudwatch/eventTarget:EventTarget", `accepted-${kind}`).inputs).toMatchObject({
        arn: `arn:aws:test:::${kind}-queue`,
        deadLetterConfig: { arn: "arn:aws:test:::dead-letters" },
      });
      expect(statements(`${kind}-queue-policy`)[0].Condition).toEqual({
        ArnEquals: {
          "aws:SourceArn": `arn:aws:events:eu-west-1:111122223333:rule/${names.named("accepted")}`,
        },
      });
    }
  });

  it("is told by the stack's outputs", () => {
    expect(run.outputs).toMatchObject({
      ingestion: {
        queue: { arn: "arn:aws:test:::ingest" },
        unprocessed: { arn: "arn:aws:test:::unprocessed" },
      },
      catalog: { databaseName: names.database, acceptedTableName: "accepted" },
      featureGroup: { name: names.named("features") },
      secretArn: "arn:aws:test:::secret",
      functions: {
        validate: {
          name: names.named("validate"),
          arn: `arn:aws:lambda:eu-west-1:111122223333:function:${names.named("validate")}`,
        },
      },
    });
  });

  it("makes no features where the spec asks for no feature group", async () => {
    const plain = await runProgram(pipelineProgram(anInput()));
    expect(ofType(plain, "lambda/function:Function").map(({ name }) => name)).not.toContain("features");
    expect(ofType(plain, "sagemaker/featureGroup:FeatureGroup")).toEqual([]);
    expect(plain.outputs.functions).not.toHaveProperty("features");
  });
});
