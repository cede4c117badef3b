import { describe, expect, it } from "vitest";
import { pipelineNames } from "../../../programs/names.ts";
import { ACCOUNT, PRODUCTION_FOUNDATION } from "../support/inputs.ts";
import {
  actionsOf,
  type Change,
  grantOf,
  grantsOf,
  learningRun,
  productionRun,
} from "../support/pipeline-runs.ts";
import { asList, policyDocuments } from "../support/policy-documents.ts";
import { ofType, resource } from "../support/run-program.ts";

const names = pipelineNames({ account: ACCOUNT, team: "fraud", pipeline: "churn" });
const TYPE = "sagemaker/notebookInstance:NotebookInstance";
describe("a notebook", () => {
  it("exists only where the spec asks for one", async () => {
    const run = await learningRun({});
    expect(ofType(run, TYPE)).toEqual([]);
    expect(ofType(run, "scheduler/schedule:Schedule").map(({ name }) => name)).not.toContain(
      "stop-notebooks",
    );
    expect(run.outputs.roles).not.toHaveProperty("notebook");
  });

  it("is encrypted, without root and with IMDSv2", async () => {
    const { inputs } = resource(await learningRun({ notebook: { volumeGb: 40 } }), TYPE, "notebook");
    expect(inputs).toMatchObject({
      volumeSize: 40,
      kmsKeyId: "arn:aws:test:::data-key",
      rootAccess: "Disabled",
      instanceMetadataServiceConfiguration: { minimumInstanceMetadataServiceVersion: "2" },
    });
  });

  it("has no way to the internet in production, only to the private subnets", async () => {
    const run = await productionRun({ notebook: {} });
    expect(resource(run, TYPE, "notebook").inputs).toMatchObject({
      directInternetAccess: "Disabled",
      subnetId: PRODUCTION_FOUNDATION.network.privateSubnetIds[0],
      securityGroups: ["jobs-id"],
    });
  });

  it("is stopped by a function on time, because stopping a stopped one is an error", async () => {
    const run = await learningRun({ notebook: { stopSchedule: "cron(0 18 * * ? *)" } });
    expect(resource(run, "scheduler/schedule:Schedule", "stop-notebooks").inputs).toMatchObject({
      scheduleExpression: "cron(0 18 * * ? *)",
      target: {
        arn: "arn:aws:test:::stop-idle",
        input: JSON.stringify({ notebooks: [names.named("notebook")] }),
      },
    });
    expect(grantOf(run, "stop-idle", "StopNotebook")?.Resource).toBe(
      `arn:aws:sagemaker:eu-west-1:111122223333:notebook-instance/${names.named("notebook")}`,
    );
  });

  it("finds the pipeline's settings and its experiments without waiting for these to exist", async () => {
    const run = await learningRun({ notebook: {} });
    const { inputs } = resource(
      run,
      "sagemaker/notebookInstanceLifecycleConfiguration:NotebookInstanceLifecycleConfiguration",
      "notebook-start",
    );
    const script = Buffer.from(String(inputs.onStart), "base64").toString();
    expect(script).toContain("export AIDLC_PARAMETER_PREFIX='/aidlc/fraud/churn'");
    const parameter = resource(run, "ssm/parameter:Parameter", "experiments-arn").inputs;
    expect(parameter.insecureValue).toBe("arn:aws:test:::experiments");
    expect(script).toContain(
      `MLFLOW_TRACKING_URI=$(aws ssm get-parameter --region eu-west-1 --name '${parameter.name}' `,
    );
    expect(script).not.toContain("arn:");
  });

  it("writes experiments and nothing else, and registers no model", async () => {
    const run = await learningRun({ notebook: {} });
    const writes = grantsOf(run, "notebook").filter(({ Action }) => asList(Action).includes("s3:PutObject"));
    expect(writes.map(({ Resource }) => Resource)).toEqual([
      [`arn:aws:s3:::${names.bucket("models")}/mlflow/*`],
    ]);
    expect(actionsOf(run, "notebook")).not.toContain("sagemaker:CreateModelPackage");
  });

  it("gets its volume's key by a grant for AWS's own use, and only with a notebook", async () => {
    const grant = async (change: Change) =>
      policyDocuments(await learningRun(change))
        .find(({ resource: { name } }) => name === "data-key")
        ?.statements.find(({ Sid }) => Sid === "NotebookVolume");
    expect(await grant({})).toBeUndefined();
    expect((await grant({ notebook: {} }))?.Condition).toMatchObject({
      Bool: { "kms:GrantIsForAWSResource": "true" },
    });
  });
});

describe("idle endpoints", () => {
  it("of development and staging are looked for every hour, and no other can be deleted", async () => {
    const run = await learningRun({});
    expect(resource(run, "scheduler/schedule:Schedule", "stop-endpoints").inputs).toMatchObject({
      scheduleExpression: "rate(1 hour)",
      target: { input: JSON.stringify({ endpoints: [names.named("dev"), names.named("staging")] }) },
    });
    expect(grantOf(run, "stop-idle", "RemoveIdleEndpoints")?.Resource).toEqual(
      ["dev", "staging"].map(
        (stage) => `arn:aws:sagemaker:eu-west-1:111122223333:endpoint/${names.named(stage)}`,
      ),
    );
  });
});

describe("experiment tracking", () => {
  it("keeps its artifacts in the models bucket and registers no model by itself", async () => {
    expect(
      resource(await learningRun({}), "sagemaker/mlflowApp:MlflowApp", "experiments").inputs,
    ).toMatchObject({
      artifactStoreUri: `s3://${names.bucket("models")}/mlflow`,
      modelRegistrationMode: "AutoModelRegistrationDisabled",
      roleArn: "arn:aws:test:::tracking-role",
    });
  });

  it("reaches its own folder only", async () => {
    const reached = grantsOf(await learningRun({}), "tracking").flatMap(({ Action, Resource }) =>
      asList(Action).some((action) => /^s3:(Get|Put)/.test(action)) ? asList(Resource) : [],
    );
    expect(new Set(reached)).toEqual(new Set([`arn:aws:s3:::${names.bucket("models")}/mlflow/*`]));
  });
});
