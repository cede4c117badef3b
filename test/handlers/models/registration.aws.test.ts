import { PutObjectCommand } from "@aws-sdk/client-s3";
import type { Context } from "aws-lambda";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { createHandler as createGate } from "../../../handlers/evaluate-gate/handler.ts";
import { createHandler as createRecorder } from "../../../handlers/register-model/handler.ts";
import { createHandler as createSigner } from "../../../handlers/sign-model/handler.ts";
import { createHandler as createVerifier } from "../../../handlers/verify-model/handler.ts";
import type { FunctionName } from "../../../programs/functions/index.ts";
import { TRAINING_MANIFEST } from "../../../programs/storage-layout.ts";
import { type AwsRecorder, recordAws } from "../../support/aws-recorder.ts";
import { type PipelineInAws, pipelineInAws } from "../support/pipeline-in-aws.ts";
import { modelPackageEvent, type Registry, registryOf } from "../support/registered-model.ts";
import { answersOfTraining, type TrainedModel, train } from "../support/trained-model.ts";

let pipeline: PipelineInAws;
let registry: Registry;
let aws: AwsRecorder;
let steps: TrainedModel["steps"] = [];

beforeAll(async () => {
  pipeline = await pipelineInAws();
  registry = await registryOf(pipeline);
  await registry.pushImage("training", "1", "trains");
  await registry.pushImage("inference", "1", "serves");
  await pipeline.s3.send(
    new PutObjectCommand({
      Bucket: pipeline.bucket("validated"),
      Key: "data/one.csv",
      Body: "species\nAdelie\n",
      // As validation notes it on what it accepts.
      Metadata: { verdict: "accepted" },
    }),
  );
  await pipeline.put(
    "validated",
    TRAINING_MANIFEST,
    JSON.stringify([{ prefix: `s3://${pipeline.bucket("validated")}/data/` }, "one.csv"]),
  );
  aws = await recordAws(
    inject("awsUrl"),
    answersOfTraining(() => steps),
  );
});

afterAll(() => aws.close());

const envOf = (kind: FunctionName) => ({ ...pipeline.environmentOf(kind), AWS_ENDPOINT_URL: aws.url });

/** What EventBridge does when a version is registered: the three functions get the same event at the same time. */
async function registration(change: Parameters<typeof train>[2] = {}) {
  const model = await train(pipeline, registry, change);
  steps = model.steps;
  const event = modelPackageEvent(model.arn);
  const context = { getRemainingTimeInMillis: () => 900_000 } as Context;
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const [, , judged] = await Promise.all([
    createRecorder(envOf("register-model"))(event),
    createSigner(envOf("sign-model"))(event),
    createGate(envOf("evaluate-gate"), turn)(event, context),
  ]);
  return { ...model, outcome: judged.outcome };
}

const verify = (model: { arn: string }) =>
  createVerifier(envOf("verify-model"))({ modelPackageArn: model.arn });

it("brings a good version to a release once somebody approved it", async () => {
  const model = await registration();
  expect(model.outcome).toBe("passed");
  await expect(verify(model)).rejects.toMatchObject({ name: "ModelNotApproved" });

  await registry.decide(model.arn, "Approved");
  expect(await verify(model)).toMatchObject({ outcome: "verified" });
});

it("keeps a bad version from its release, and another's artifact from a good one's", async () => {
  const bad = await registration({ metrics: { accuracy: { value: 0.5 } } });
  expect(bad.outcome).toBe("rejected");
  await expect(verify(bad)).rejects.toMatchObject({ name: "ModelNotApproved" });

  const good = await registration();
  await registry.decide(good.arn, "Approved");
  await pipeline.put("models", good.artifactKey, await pipeline.read("models", bad.artifactKey));
  await expect(verify(good)).rejects.toMatchObject({ name: "ArtifactReplaced" });
});
