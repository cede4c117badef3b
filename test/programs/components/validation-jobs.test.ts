import { beforeAll, describe, expect, it } from "vitest";
import { pipelineNames } from "../../../programs/names.ts";
import { pipelineProgram } from "../../../programs/pipeline.ts";
import type { Statement } from "../../../programs/policy-document.ts";
import { ACCOUNT, anInput, aSpec, PRODUCTION_FOUNDATION } from "../support/inputs.ts";
import { asList, policyDocuments } from "../support/policy-documents.ts";
import { ofType, type Run, resource, runProgram } from "../support/run-program.ts";

const names = pipelineNames({ account: ACCOUNT, team: "fraud", pipeline: "churn" });
const REPOSITORY = "arn:aws:ecr:eu-west-1:444455556666:repository/platform/aidlc-validation-job";
const IMAGE = "444455556666.dkr.ecr.eu-west-1.amazonaws.com/platform/aidlc-validation-job:3";

const statementsOf = (run: Run, role: string): readonly Statement[] =>
  policyDocuments(run).find(({ resource: { name } }) => name === `${role}-role-policy`)?.statements ?? [];
const actionsOf = (run: Run, role: string) => statementsOf(run, role).flatMap(({ Action }) => asList(Action));

describe("validation by jobs", () => {
  let run: Run;
  beforeAll(async () => {
    run = await runProgram(
      pipelineProgram(
        anInput({
          spec: aSpec({
            profile: "production",
            dataset: { validationImage: IMAGE, replicaRegion: "eu-central-1" },
            network: { dedicated: true },
            alerts: { emails: ["ada@example.com"] },
          }),
          foundation: PRODUCTION_FOUNDATION,
        }),
      ),
    );
  }, 30_000);

  it("brings the jobs' programs, of the same sources as the function, where no role of the pipeline may write", () => {
    const keys = ofType(run, "s3/bucketObjectv2:BucketObjectv2").map(({ inputs }) => [
      inputs.bucket,
      inputs.key,
    ]);
    const models = names.bucket("models");
    expect(keys).toEqual(
      expect.arrayContaining([
        [models, "scripts/validate/job.js"],
        [models, "scripts/validate/child.js"],
      ]),
    );
    const writing = policyDocuments(run).filter(({ statements }) =>
      statements.some(
        ({ Effect, Action, Resource }) =>
          Effect === "Allow" &&
          asList(Action).includes("s3:PutObject") &&
          asList(Resource).some((arn) => arn.startsWith(`arn:aws:s3:::${names.bucket("models")}/scripts`)),
      ),
    );
    expect(writing).toEqual([]);
  });

  it("returns jobs that failed or were stopped to the function's queue, from this rule only", () => {
    const rule = resource(run, "cloudwatch/eventRule:EventRule", "job-failures").inputs;
    expect(JSON.parse(String(rule.eventPattern))).toMatchObject({
      "detail-type": ["SageMaker Processing Job State Change"],
      detail: {
        ProcessingJobName: [{ prefix: `${names.jobPrefix("validate")}-` }],
        ProcessingJobStatus: ["Failed", "Stopped"],
      },
    });
    expect(resource(run, "cloudwatch/eventTarget:EventTarget", "job-failures-validate").inputs).toMatchObject(
      { arn: "arn:aws:test:::ingest", deadLetterConfig: { arn: "arn:aws:test:::dead-letters" } },
    );
    const policy = String(resource(run, "sqs/queuePolicy:QueuePolicy", "ingest-policy").inputs.policy);
    expect(JSON.parse(policy).Statement).toContainEqual(
      expect.objectContaining({
        Sid: "FailedJobs",
        Principal: { Service: "events.amazonaws.com" },
        Condition: {
          ArnEquals: {
            "aws:SourceArn": `arn:aws:events:eu-west-1:111122223333:rule/${names.named("job-failures")}`,
          },
        },
      }),
    );
  });

  it("gives the function the network and the key that its jobs get", () => {
    const { environment } = resource(run, "lambda/function:Function", "validate").inputs;
    expect((environment as { variables: Record<string, string> }).variables).toMatchObject({
      AIDLC_JOB_KEY: "arn:aws:test:::data-key",
      AIDLC_JOB_SECURITY_GROUP: "jobs-id",
      AIDLC_JOB_SUBNETS: expect.stringContaining(","),
      AIDLC_JOB_PROGRAM: `s3://${names.bucket("models")}/scripts/validate/`,
    });
  });

  it("lets the function hand on the jobs' role alone, to SageMaker", () => {
    const pass = statementsOf(run, "validate").filter(({ Action }) =>
      asList(Action).includes("iam:PassRole"),
    );
    expect(pass).toEqual([
      expect.objectContaining({
        Resource: `arn:aws:iam::111122223333:role/aidlc/${names.named("validation-job")}`,
        Condition: { StringEquals: { "iam:PassedToService": "sagemaker.amazonaws.com" } },
      }),
    ]);
  });

  it("gives the jobs a role of their own: no queue, no other job, no image but theirs", () => {
    const actions = actionsOf(run, "validation-job");
    expect(actions.filter((action) => /^(sqs:|iam:|lambda:|sagemaker:.*Job$)/.test(action))).toEqual([]);
    const pull = statementsOf(run, "validation-job").find(({ Sid }) => Sid === "PullImages");
    expect(pull?.Resource).toEqual([REPOSITORY]);
  });

  it("finds every call of a job let through by the network's endpoints", () => {
    const through = ofType(run, "ec2/vpcEndpoint:VpcEndpoint").flatMap(({ inputs }) =>
      typeof inputs.policy === "string"
        ? (JSON.parse(inputs.policy).Statement as Statement[]).flatMap(({ Action }) => asList(Action))
        : [],
    );
    // SageMaker joins the network itself.
    const missing = actionsOf(run, "validation-job").filter(
      (action) => !action.startsWith("ec2:") && !through.includes(action),
    );
    expect(missing).toEqual([]);
  });
});

it("a pipeline without an image for them has nothing of the jobs", async () => {
  const run = await runProgram(pipelineProgram(anInput()));
  expect(run.resources.filter(({ name }) => /validation-|job-failures/.test(name))).toEqual([]);
  expect(actionsOf(run, "validate").filter((action) => /ProcessingJob|PassRole/.test(action))).toEqual([]);
});
