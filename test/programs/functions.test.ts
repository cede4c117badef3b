import { beforeAll, describe, expect, it } from "vitest";
import { FUNCTION_NAMES, FUNCTIONS } from "../../programs/functions/index.ts";
import { pipelineNames } from "../../programs/names.ts";
import { pipelineProgram } from "../../programs/pipeline.ts";
import type { Statement } from "../../programs/policy-document.ts";
import { ACCOUNT, anInput, aSpec } from "./support/inputs.ts";
import { asList, policyDocuments } from "./support/policy-documents.ts";
import { ofType, type Run, resource, runProgram } from "./support/run-program.ts";

const names = pipelineNames({ account: ACCOUNT, team: "fraud", pipeline: "churn" });

const SPEC = aSpec({
  dataset: {
    schema: [
      { name: "id", type: "string", nullable: false },
      { name: "at", type: "timestamp", nullable: false },
    ],
    featureStore: { recordIdentifier: "id", eventTime: "at", online: true },
    validationImage: "111122223333.dkr.ecr.eu-west-1.amazonaws.com/aidlc-validation-job:1",
  },
  training: { retrainOn: ["drift"] },
});

describe("functions of a pipeline", () => {
  let run: Run;
  beforeAll(async () => {
    run = await runProgram(pipelineProgram(anInput({ spec: SPEC })));
  });

  const grants = (role: string): readonly Statement[] =>
    policyDocuments(run).find(({ resource: { name } }) => name === `${role}-role-policy`)?.statements ?? [];

  const allowed = (role: string, action: RegExp) =>
    grants(role)
      .filter(({ Action }) => asList(Action).some((each) => action.test(each)))
      .flatMap(({ Resource }) => asList(Resource));

  it("each write to an encrypted log group that exists before them", () => {
    for (const { name, inputs } of ofType(run, "lambda/function:Function")) {
      const group = resource(run, "cloudwatch/logGroup:LogGroup", `${name}-logs`).inputs;
      expect(inputs.loggingConfig).toMatchObject({ logGroup: group.name });
      expect(group).toMatchObject({ kmsKeyId: "arn:aws:test:::logs-key", retentionInDays: 30 });
    }
  });

  it("each keep what they could not do, tell of errors and are traced", () => {
    for (const { name, inputs } of ofType(run, "lambda/function:Function")) {
      expect(inputs).toMatchObject({
        deadLetterConfig: { targetArn: "arn:aws:test:::dead-letters" },
        tracingConfig: { mode: "Active" },
        role: `arn:aws:test:::${name}-role`,
      });
      expect(resource(run, "cloudwatch/metricAlarm:MetricAlarm", `${name}-errors`).inputs.metricName).toBe(
        "Errors",
      );
    }
  });

  it("fit into Lambda's limits", () => {
    for (const kind of FUNCTION_NAMES) {
      const {
        timeoutSeconds,
        memoryMb,
        storageMb = 512,
      } = FUNCTIONS[kind] as {
        timeoutSeconds: number;
        memoryMb: number;
        storageMb?: number;
      };
      expect(timeoutSeconds, kind).toBeLessThanOrEqual(900);
      expect(memoryMb, kind).toBeGreaterThanOrEqual(128);
      expect(memoryMb, kind).toBeLessThanOrEqual(10_240);
      expect(storageMb, kind).toBeLessThanOrEqual(10_240);
      expect(names.named(kind).length, kind).toBeLessThanOrEqual(63);
    }
  });

  it("delete versions of data by erasure only, and neither proofs nor models", () => {
    const roles = policyDocuments(run)
      .filter(({ statements }) =>
        statements.some(({ Action }) => asList(Action).includes("s3:DeleteObjectVersion")),
      )
      .map(({ resource: { name } }) => name);
    expect(roles).toEqual(["erase-role-policy"]);
    const erased = allowed("erase", /^s3:DeleteObject/);
    expect(erased).toContain(`arn:aws:s3:::${names.bucket("validated")}/data/*`);
    // What is left to do is no proof, and goes when there is one.
    const progress = `arn:aws:s3:::${names.bucket("validated")}/erasures/progress/*`;
    expect(
      erased.filter((arn) => arn !== progress && (arn.includes("/erasures") || arn.includes("-models-"))),
    ).toEqual([]);
  });

  it("have evidence read every day, through the schedules' role", () => {
    expect(resource(run, "scheduler/schedule:Schedule", "evidence-schedule").inputs).toMatchObject({
      name: names.named("evidence"),
      // A rate would have it read what is just being made.
      scheduleExpression: "cron(0 4 * * ? *)",
      target: {
        arn: "arn:aws:test:::evidence",
        roleArn: "arn:aws:test:::schedule-role",
        deadLetterConfig: { arn: "arn:aws:test:::dead-letters" },
      },
    });
    expect(allowed("schedule", /^lambda:InvokeFunction$/)).toContain(
      `arn:aws:lambda:eu-west-1:111122223333:function:${names.named("evidence")}`,
    );
  });

  it("let evidence keep its readings, where it can't read or delete them", () => {
    expect(allowed("evidence", /^s3:(Put|Delete)|^s3:GetObject/)).toEqual([
      `arn:aws:s3:::${names.bucket("access-logs")}/evidence/*`,
    ]);
  });

  it("let evidence see how everything is protected, and no data", () => {
    const actions = grants("evidence").flatMap(({ Action }) => asList(Action));
    expect(actions).toEqual(expect.arrayContaining(["s3:GetBucketPolicy", "kms:GetKeyPolicy"]));
    expect(actions.filter((action) => /^s3:(GetObject|List)|GetSecretValue/.test(action))).toEqual([]);
    // That of alerts, through SNS.
    expect(allowed("evidence", /^kms:(Decrypt|GenerateDataKey)/)).toEqual(["arn:aws:test:::logs-key"]);
  });

  it.each([
    ["validate", "ingest"],
    ["baseline", "baseline"],
    ["features", "features"],
  ])("let %s consume its own queue only", (role, queue) => {
    expect(allowed(role, /^sqs:ReceiveMessage$/)).toEqual([
      `arn:aws:sqs:eu-west-1:111122223333:${names.named(queue)}`,
    ]);
  });

  it("let the monitor read captures and labels and write nothing but its reports", () => {
    const predictions = `arn:aws:s3:::${names.bucket("predictions")}`;
    expect(allowed("monitor", /^s3:PutObject$/)).toEqual([`${predictions}/monitoring/*`]);
    expect(allowed("monitor", /^s3:GetObject$/)).toEqual(
      expect.arrayContaining([`${predictions}/captures/*`, `${predictions}/labels/*`]),
    );
  });

  it("have no grant that their boundary would cut off for its service", async () => {
    const { boundaryStatements } = await import("../../programs/boundary-policy.ts");
    const { arnsIn } = await import("../../programs/arns.ts");
    const boundary = boundaryStatements(arnsIn(ACCOUNT), ACCOUNT.accountId, ACCOUNT.region);
    const covers = (action: string, arn: string) =>
      boundary.some(
        ({ Effect, Action, Resource }) =>
          Effect === "Allow" &&
          asList(Action).some((each) => matches(each, action)) &&
          asList(Resource).some((each) => matches(each, arn)),
      );
    const cutOff = policyDocuments(run)
      .filter(({ resource: { type } }) => type === "aws:iam/rolePolicy:RolePolicy")
      .flatMap(({ resource: { name }, statements }) =>
        statements.flatMap(({ Action, Resource }) =>
          asList(Action).flatMap((action) =>
            asList(Resource)
              .filter((arn) => !covers(action, arn))
              .map((arn) => `${name}: ${action} on ${arn}`),
          ),
        ),
      )
      // Mocks answer with ARNs of this form, which no boundary names.
      .filter((line) => !line.includes("arn:aws:test:::"));
    expect(cutOff).toEqual([]);
  });
});

/** Whether everything that `narrow` stands for is within `wide`, as IAM compares them. */
function matches(wide: string, narrow: string): boolean {
  const pattern = wide
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${pattern}$`).test(narrow);
}
