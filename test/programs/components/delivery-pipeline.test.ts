import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { pipelineNames } from "../../../programs/names.ts";
import { ACCOUNT, FOUNDATION } from "../support/inputs.ts";
import { actionsOf, grantsOf, learningRun, productionRun } from "../support/pipeline-runs.ts";
import { asList } from "../support/policy-documents.ts";
import { ofType, type Run, resource } from "../support/run-program.ts";

const names = pipelineNames({ account: ACCOUNT, team: "fraud", pipeline: "churn" });
interface Action {
  readonly name: string;
  readonly provider: string;
  readonly configuration: Readonly<Record<string, string>>;
}

interface Stage {
  readonly name: string;
  readonly actions: readonly Action[];
}

const pipelineOf = (of: Run) => resource(of, "codepipeline/pipeline:Pipeline", "delivery").inputs;
const stagesOf = (of: Run) => pipelineOf(of).stages as readonly Stage[];
const actionOf = (of: Run, stage: string): Action => {
  const action = stagesOf(of).find(({ name }) => name === stage)?.actions[0];
  if (action === undefined) throw new Error(`There is no stage ${stage}`);
  return action;
};
const projectsOf = (of: Run) => ofType(of, "codebuild/project:Project");
const services = (of: Run, role: string) =>
  new Set(actionsOf(of, role).map((action) => action.split(":")[0]));

describe("delivery of code", () => {
  it("scans before anything runs, builds, tests, asks somebody, and trains", async () => {
    const of = await learningRun();
    expect(pipelineOf(of)).toMatchObject({ pipelineType: "V2", name: "aidlc-mjx3emlm-delivery" });
    expect(stagesOf(of).map(({ name, actions }) => [name, actions[0]?.provider])).toEqual([
      ["Source", "S3"],
      ["Scan", "CodeBuild"],
      ["Build", "CodeBuild"],
      ["Test", "CodeBuild"],
      ["Approval", "Manual"],
      ["Training", "StepFunctions"],
    ]);
  });

  it("starts when the team's bundle arrives, and polls for nothing", async () => {
    const of = await learningRun();
    expect(actionOf(of, "Source").configuration).toEqual({
      S3Bucket: FOUNDATION.artifacts.bucket.name,
      S3ObjectKey: "fraud/churn/source.zip",
      PollForSourceChanges: "false",
    });
    const rule = resource(of, "cloudwatch/eventRule:EventRule", "source-arrived");
    expect(JSON.parse(String(rule.inputs.eventPattern)).detail).toEqual({
      bucket: { name: [FOUNDATION.artifacts.bucket.name] },
      object: { key: ["fraud/churn/source.zip"] },
    });
    expect(
      resource(of, "cloudwatch/eventTarget:EventTarget", "source-arrived-delivery").inputs,
    ).toMatchObject({ arn: "arn:aws:test:::delivery", roleArn: "arn:aws:test:::starts-role" });
  });

  it("encrypts its artifacts with the store's key", async () => {
    expect(pipelineOf(await learningRun()).artifactStores).toEqual([
      {
        type: "S3",
        location: FOUNDATION.artifacts.bucket.name,
        encryptionKey: { type: "KMS", id: FOUNDATION.artifacts.keyArn },
      },
    ]);
  });

  it("keeps its artifacts apart from other pipelines': the hash is among the 20 characters that name their folder", () => {
    expect(names.delivery.slice(0, 20)).toContain(names.hash);
    expect(names.delivery.startsWith(names.artifactPrefix)).toBe(true);
  });

  it("trains with the images of this version of the source", async () => {
    const of = await learningRun();
    const build = JSON.parse(actionOf(of, "Build").configuration.EnvironmentVariables ?? "[]");
    const training = JSON.parse(actionOf(of, "Training").configuration.Input ?? "{}");
    expect(build).toEqual([{ name: "IMAGE_TAG", value: "source-#{Source.VersionId}", type: "PLAINTEXT" }]);
    expect(training).toEqual({ trigger: "code", imageTag: "source-#{Source.VersionId}" });
  });

  it("tells the topic of warnings that it waits for approval, and of a failure after the source", async () => {
    const of = await learningRun();
    expect(actionOf(of, "Approval").configuration.NotificationArn).toBe("arn:aws:test:::warning");
    const rule = resource(of, "cloudwatch/eventRule:EventRule", "delivery-failed");
    expect(JSON.parse(String(rule.inputs.eventPattern)).detail).toMatchObject({
      stage: [{ "anything-but": ["Source"] }],
      state: ["FAILED"],
    });
  });

  it("builds nothing where every image comes from elsewhere", async () => {
    const image = `999988887777.dkr.ecr.eu-west-1.amazonaws.com/shared/models@sha256:${"0".repeat(64)}`;
    const of = await learningRun({ training: { image, algorithm: "xgboost" } });
    expect(stagesOf(of).map(({ name }) => name)).not.toContain("Build");
    expect(projectsOf(of).map(({ name }) => name)).toEqual(["scan", "test"]);
  });
});

describe("builds", () => {
  it("are privileged only to build images", async () => {
    const privileged = projectsOf(await learningRun()).map(({ name, inputs }) => [
      name,
      (inputs.environment as { privilegedMode: boolean }).privilegedMode,
    ]);
    expect(Object.fromEntries(privileged)).toEqual({ scan: false, test: false, images: true });
  });

  it("log to the encrypted group and end in time, one at a time", async () => {
    for (const { inputs } of projectsOf(await learningRun())) {
      expect(inputs).toMatchObject({
        logsConfig: {
          cloudwatchLogs: { groupName: "/aidlc/fraud/churn/cicd" },
          s3Logs: { status: "DISABLED" },
        },
        concurrentBuildLimit: 1,
        encryptionKey: FOUNDATION.artifacts.keyArn,
      });
      expect(inputs.buildTimeout).toBeLessThanOrEqual(60);
    }
  });

  it("run what their specification says", async () => {
    for (const { inputs } of projectsOf(await learningRun())) {
      const { buildspec } = inputs.source as { buildspec: string };
      expect(parse(buildspec)).toMatchObject({ version: 0.2, phases: { build: {} } });
    }
  });

  it("reach neither data nor the pipeline's network in production", async () => {
    const of = await productionRun();
    for (const { inputs } of projectsOf(of)) expect(inputs).not.toHaveProperty("vpcConfig");
    for (const role of ["ci-check", "cicd"]) {
      const buckets = grantsOf(of, role).flatMap(({ Resource }) =>
        asList(Resource).filter((arn) => arn.startsWith("arn:aws:s3:::")),
      );
      expect(buckets, role).toEqual([`${FOUNDATION.artifacts.bucket.arn}/${names.artifactPrefix}*`]);
    }
  });

  it("that run unreviewed code can push no image and start nothing", async () => {
    const of = await learningRun();
    expect(services(of, "ci-check")).toEqual(new Set(["s3", "kms", "logs", "codebuild"]));
    expect(services(of, "cicd")).toEqual(new Set(["s3", "kms", "logs", "ecr"]));
  });
});
