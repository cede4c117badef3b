import { beforeAll, describe, expect, it } from "vitest";
import type { Statement } from "../../../programs/policy-document.ts";
import { asList, policyDocuments } from "../support/policy-documents.ts";
import { ofType, type Run, resource } from "../support/run-program.ts";
import { INTERNAL_DOMAIN, LIVE, learning, names, production, RELEASE } from "../support/serving.ts";

const grants = (run: Run, role: string): readonly Statement[] =>
  policyDocuments(run).find(({ resource: { name } }) => name === `${role}-role-policy`)?.statements ?? [];

const actions = (run: Run, role: string) => grants(run, role).flatMap(({ Action }) => asList(Action));

const granted = (run: Run, role: string, action: string) =>
  grants(run, role)
    .filter(({ Action }) => asList(Action).includes(action))
    .flatMap(({ Resource }) => asList(Resource));

const trusted = (run: Run, role: string) =>
  JSON.parse(String(resource(run, "iam/role:Role", `${role}-role`).inputs.assumeRolePolicy)).Statement[0];

describe("who serves", () => {
  let runs: Readonly<Record<"serverless" | "realtime" | "lambda" | "ecs", Run>>;
  beforeAll(async () => {
    runs = {
      serverless: await learning({}),
      realtime: await production({ mode: "realtime" }, LIVE),
      lambda: await learning({ mode: "lambda" }, RELEASE),
      ecs: await production({ mode: "ecs", internalDomain: INTERNAL_DOMAIN }, RELEASE),
    };
  });

  it("asks as the gate what its mode has, of this pipeline only", () => {
    const endpoints = `arn:aws:sagemaker:eu-west-1:111122223333:endpoint/${names.prefix}-*`;
    const alias = `arn:aws:lambda:eu-west-1:111122223333:function:${names.named("predict")}:live`;
    expect(granted(runs.serverless, "gate", "sagemaker:InvokeEndpoint")).toEqual([endpoints]);
    expect(granted(runs.realtime, "gate", "sagemaker:InvokeEndpoint")).toEqual([endpoints]);
    expect(granted(runs.lambda, "gate", "lambda:InvokeFunction")).toEqual([alias]);
    for (const action of ["sagemaker:InvokeEndpoint", "lambda:InvokeFunction"]) {
      expect(granted(runs.ecs, "gate", action)).toEqual([]);
    }
  });

  it("writes captures and nothing else, and reads only how the traffic is divided, as the gate", () => {
    expect(granted(runs.serverless, "gate", "s3:PutObject")).toEqual([
      `arn:aws:s3:::${names.bucket("predictions")}/captures/*`,
    ]);
    expect(granted(runs.serverless, "gate", "s3:GetObject")).toEqual([
      `arn:aws:s3:::${names.bucket("models")}/releases/traffic.json`,
    ]);
    expect(actions(runs.realtime, "gate")).not.toContain("s3:GetObject");
  });

  it("touches no data as the authorizer, and is outside the network, since issuers are", async () => {
    const run = await production({
      auth: "jwt",
      jwt: { issuer: "https://id.example.com", audience: "churn" },
    });
    expect(actions(run, "authorizer").filter((action) => /^(s3|kms|sagemaker|ec2):/.test(action))).toEqual(
      [],
    );
    expect(resource(run, "lambda/function:Function", "authorizer").inputs).not.toHaveProperty("vpcConfig");
    expect(resource(run, "lambda/function:Function", "gate").inputs).toHaveProperty("vpcConfig");
  });

  it.each([
    ["serverless", "sagemaker.amazonaws.com"],
    ["realtime", "sagemaker.amazonaws.com"],
    ["lambda", "lambda.amazonaws.com"],
    ["ecs", "ecs-tasks.amazonaws.com"],
  ] as const)("is the model, in mode %s, in the hands of %s", (mode, service) => {
    expect(trusted(runs[mode], "inference").Principal).toEqual({ Service: service });
  });

  it("captures by itself on a real-time endpoint only; elsewhere the gate does", () => {
    expect(granted(runs.realtime, "inference", "s3:PutObject")).toEqual([
      `arn:aws:s3:::${names.bucket("predictions")}/captures/*`,
    ]);
    for (const mode of ["serverless", "lambda", "ecs"] as const) {
      expect(actions(runs[mode], "inference")).not.toContain("s3:PutObject");
    }
  });

  it("may, as a function, write the traces, logs and dead letters that the function is set up for", () => {
    expect(actions(runs.lambda, "inference")).toEqual(
      expect.arrayContaining(["xray:PutTraceSegments", "logs:PutLogEvents", "sqs:SendMessage"]),
    );
  });

  it("shifts, as CodeDeploy for this pipeline, this alias or these tasks", () => {
    expect(trusted(runs.lambda, "rollout").Condition).toMatchObject({
      ArnLike: {
        "aws:SourceArn": `arn:aws:codedeploy:eu-west-1:111122223333:deploymentgroup:${names.named("serving")}/*`,
      },
    });
    const predictor = `arn:aws:lambda:eu-west-1:111122223333:function:${names.named("predict")}`;
    expect(granted(runs.lambda, "rollout", "lambda:UpdateAlias")).toEqual([predictor, `${predictor}:*`]);
    expect(actions(runs.lambda, "rollout").filter((action) => /^ecs|^elastic/.test(action))).toEqual([]);
    expect(granted(runs.ecs, "rollout", "iam:PassRole")).toEqual(
      ["inference", "launch"].map((role) => `arn:aws:iam::111122223333:role/aidlc/${names.named(role)}`),
    );
  });

  it("has no role for what its mode does not have", () => {
    const roles = (run: Run) => ofType(run, "iam/role:Role").map(({ name }) => name);
    expect(roles(runs.serverless)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(rollout|launch|authorizer)-role$/)]),
    );
    expect(roles(runs.ecs)).toEqual(expect.arrayContaining(["rollout-role", "launch-role"]));
  });
});
