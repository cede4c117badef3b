import { beforeAll, describe, expect, it } from "vitest";
import { pipelineNames } from "../../../programs/names.ts";
import { pipelineProgram } from "../../../programs/pipeline.ts";
import type { Statement } from "../../../programs/policy-document.ts";
import { someFeatures } from "../../handlers/support/accepted-records.ts";
import { ACCOUNT, anInput, aSpec } from "../support/inputs.ts";
import { asList, policyDocuments } from "../support/policy-documents.ts";
import { ofType, type Run, resource, runProgram } from "../support/run-program.ts";

const names = pipelineNames({ account: ACCOUNT, team: "fraud", pipeline: "churn" });

const TRANSFORMS = `arn:aws:s3:::${names.bucket("models")}/transforms/*`;

const SPEC = aSpec({
  dataset: {
    schema: [
      { name: "id", type: "string", nullable: false },
      { name: "at", type: "timestamp", nullable: false },
      { name: "amount", type: "number", nullable: false },
    ],
    featureStore: { recordIdentifier: "id", eventTime: "at", online: false },
    features: someFeatures({
      target: "amount",
      drop: ["id"],
      derive: [
        { name: "hour", operation: "datePart", column: "at", part: "hour" },
        { name: "hourBin", operation: "quantileBin", column: "hour", bins: 4 },
      ],
    }),
  },
});

describe("declared features", () => {
  let run: Run;
  let builtIn: Run;
  let realtime: Run;
  beforeAll(async () => {
    run = await runProgram(pipelineProgram(anInput({ spec: SPEC })));
    const training = { ...SPEC.training, algorithm: "xgboost" as const };
    builtIn = await runProgram(pipelineProgram(anInput({ spec: { ...SPEC, training } })));
    const serving = { ...SPEC.serving, mode: "realtime" as const };
    realtime = await runProgram(pipelineProgram(anInput({ spec: { ...SPEC, serving } })));
  });

  const grants = (role: string, of: Run): readonly Statement[] =>
    policyDocuments(of).find(({ resource: { name } }) => name === `${role}-role-policy`)?.statements ?? [];
  const resourcesFor = (role: string, action: string, of = run) =>
    grants(role, of)
      .filter(({ Action }) => asList(Action).includes(action))
      .flatMap(({ Resource }) => asList(Resource));

  it("are fitted by a function that the pipeline's definition calls, and its role alone may", () => {
    const { pipelineDefinition } = resource(run, "sagemaker/pipeline:Pipeline", "training").inputs;
    expect(JSON.parse(String(pipelineDefinition)).Steps[1]).toMatchObject({
      Name: "Fit",
      FunctionArn: "arn:aws:test:::fit-transform",
    });
    expect(resourcesFor("orchestration", "lambda:InvokeFunction")).toEqual(
      ["pin-manifest", "fit-transform"].map(
        (name) => `arn:aws:lambda:${ACCOUNT.region}:${ACCOUNT.accountId}:function:${names.named(name)}`,
      ),
    );
  });

  it("are written by that function, and read by the processing and the training", () => {
    expect(resourcesFor("fit-transform", "s3:PutObject")).toEqual([TRANSFORMS]);
    expect(resourcesFor("processing", "s3:GetObject")).toContain(TRANSFORMS);
    expect(resourcesFor("training", "s3:GetObject")).toContain(TRANSFORMS);
  });

  it("are not read by the training of a built-in algorithm, which has no channel for them", () => {
    expect(resourcesFor("training", "s3:GetObject", builtIn)).not.toContain(TRANSFORMS);
  });

  it("are read by the gate and by releases, which make them for a model that can't", () => {
    for (const role of ["gate", "release"]) {
      expect(resourcesFor(role, "s3:GetObject", builtIn)).toContain(TRANSFORMS);
      // It may still serve when the spec has gone on to an own image.
      expect(resourcesFor(role, "s3:GetObject")).toContain(TRANSFORMS);
      expect(resourcesFor(role, "s3:GetObject", realtime)).not.toContain(TRANSFORMS);
    }
  });

  it("that follow from a record alone are in the feature group as well", () => {
    const [group] = ofType(run, "sagemaker/featureGroup:FeatureGroup");
    expect(group?.inputs.featureDefinitions).toMatchObject([
      { featureName: "id" },
      { featureName: "at" },
      { featureName: "amount" },
      { featureName: "hour", featureType: "Fractional" },
    ]);
  });

  it("reach jobs and functions as a parameter", () => {
    const { insecureValue } = resource(run, "ssm/parameter:Parameter", "dataset-features").inputs;
    expect(JSON.parse(String(insecureValue))).toEqual(SPEC.dataset.features);
  });
});

it("without any there is nothing to fit", async () => {
  const run = await runProgram(pipelineProgram(anInput()));
  expect(ofType(run, "lambda/function:Function").map(({ name }) => name)).not.toContain("fit-transform");
  const { pipelineDefinition } = resource(run, "sagemaker/pipeline:Pipeline", "training").inputs;
  expect(String(pipelineDefinition)).not.toContain("Fit");
});
