import { beforeAll, describe, expect, it, vi } from "vitest";
import { DRILLS } from "../../programs/drills.ts";
import { pipelineNames } from "../../programs/names.ts";
import { pipelineProgram } from "../../programs/pipeline.ts";
import type { Release } from "../../programs/release.ts";
import { ACCOUNT, anInput, aSpec, PRODUCTION_FOUNDATION } from "./support/inputs.ts";
import { ofType, type Run, resource, runProgram } from "./support/run-program.ts";

// Each run of a whole production pipeline takes a while on a busy machine.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const names = pipelineNames({ account: ACCOUNT, team: "fraud", pipeline: "churn" });

const production = (change: Parameters<typeof aSpec>[0] = {}, release?: Release) =>
  runProgram(
    pipelineProgram(
      anInput({
        spec: aSpec({
          profile: "production",
          dataset: { replicaRegion: "eu-central-1" },
          alerts: { emails: ["ada@example.com"] },
          ...change,
        }),
        foundation: PRODUCTION_FOUNDATION,
        ...(release && { release }),
      }),
    ),
  );

interface Step {
  readonly name: string;
  readonly action: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly onFailure?: string;
  readonly onCancel?: string;
  readonly nextStep?: string;
  readonly isEnd?: boolean;
}

const TEMPLATE = "fis/experimentTemplate:ExperimentTemplate";

describe("failure drills", () => {
  let run: Run;
  beforeAll(async () => {
    run = await production();
  });

  const steps = (drill: string) =>
    (
      JSON.parse(String(resource(run, "ssm/document:Document", `${drill}-drill-runbook`).inputs.content)) as {
        readonly mainSteps: readonly Step[];
      }
    ).mainSteps;

  it("throttle, terminate and delay, each by a runbook that FIS limits in time", () => {
    expect(ofType(run, TEMPLATE).map(({ name }) => name)).toEqual(DRILLS.map((drill) => `${drill}-drill`));
    for (const drill of DRILLS) {
      expect(resource(run, TEMPLATE, `${drill}-drill`).inputs.actions).toEqual([
        {
          name: drill,
          actionId: "aws:ssm:start-automation-execution",
          parameters: [
            { key: "documentArn", value: `arn:aws:test:::${drill}-drill-runbook` },
            { key: "maxDuration", value: "PT15M" },
          ],
        },
      ]);
    }
  });

  it("end when something is lost or the model fails, and write an encrypted log", () => {
    for (const { inputs } of ofType(run, TEMPLATE)) {
      expect(inputs).toMatchObject({
        roleArn: "arn:aws:test:::drills-role",
        stopConditions: [
          { source: "aws:cloudwatch:alarm", value: "arn:aws:test:::model-degraded" },
          { source: "aws:cloudwatch:alarm", value: "arn:aws:test:::undelivered" },
        ],
        logConfiguration: {
          logSchemaVersion: 2,
          cloudwatchLogsConfiguration: { logGroupArn: "arn:aws:test:::drills-logs:*" },
        },
      });
    }
    expect(resource(run, "cloudwatch/logGroup:LogGroup", "drills-logs").inputs.kmsKeyId).toBe(
      "arn:aws:test:::logs-key",
    );
  });

  it.each(["throttle", "latency"])("%s makes good what it did, also when it is stopped or fails", (drill) => {
    const all = steps(drill);
    expect(all.at(-1)).toMatchObject({ name: "restore", isEnd: true });
    const between = all.filter(({ name }) => name === "inject" || name === "wait");
    expect(between).toHaveLength(2);
    for (const { onFailure, onCancel } of between) {
      expect([onFailure, onCancel]).toEqual(["step:restore", "step:restore"]);
    }
  });

  it("do nothing that their role may not do, and nothing to another pipeline", () => {
    const { policy } = resource(run, "iam/rolePolicy:RolePolicy", "drill-actions-role-policy").inputs;
    for (const drill of DRILLS) {
      for (const { action, inputs } of steps(drill).filter(({ action }) => action === "aws:executeAwsApi")) {
        expect(String(policy), `${drill} ${action}`).toContain(`"${inputs.Service}:${inputs.Api}"`);
        const named = inputs.FunctionName ?? inputs.PipelineName;
        if (named !== undefined) expect(named).toContain(names.prefix);
      }
    }
  });

  it("strike a task as well, once there are some", async () => {
    const released = await production(
      {
        serving: {
          mode: "ecs",
          internalDomain: {
            name: "predict.example.com",
            certificateArn:
              "arn:aws:acm:eu-west-1:111122223333:certificate/0f0e0d0c-0b0a-4908-8706-050403020100",
          },
        },
      },
      {
        modelPackageArn: `arn:aws:sagemaker:eu-west-1:111122223333:model-package/${names.named("models")}/1`,
        imageDigest: `sha256:${"0".repeat(64)}`,
      },
    );
    expect(resource(released, TEMPLATE, "task-drill").inputs).toMatchObject({
      actions: [{ actionId: "aws:ecs:stop-task" }],
      targets: [
        {
          resourceType: "aws:ecs:task",
          selectionMode: "COUNT(1)",
          parameters: { cluster: names.named("serving"), service: names.named("predict") },
        },
      ],
    });
  });

  it("are none in the profile learning", async () => {
    expect(ofType(await runProgram(pipelineProgram(anInput())), TEMPLATE)).toEqual([]);
  });
});
