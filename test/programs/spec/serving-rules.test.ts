import { describe, expect, it } from "vitest";
import { type PipelineSpec, specProblems } from "../../../programs/spec.ts";
import { aSpec } from "../support/inputs.ts";

type Change = NonNullable<NonNullable<Parameters<typeof aSpec>[0]>["serving"]>;

const CERTIFICATE = "arn:aws:acm:eu-west-1:111122223333:certificate/0f0e0d0c-0b0a-4908-8706-050403020100";
const internalDomain = { name: "predict.internal.example.com", certificateArn: CERTIFICATE };
const publicDomain = {
  name: "predict.example.com",
  certificateArn: CERTIFICATE.replace("eu-west-1", "us-east-1"),
};
const jwt = { issuer: "https://id.example.com/", audience: "churn" };
const night = { name: "night", expression: "cron(0 20 ? * * *)", minCapacity: 2, maxCapacity: 3 };

const learning = (serving: Change) => aSpec({ serving });
const production = (serving: Change, rest: Parameters<typeof aSpec>[0] = {}) =>
  aSpec({
    profile: "production",
    dataset: { replicaRegion: "eu-central-1" },
    alerts: { emails: ["ada@example.com"] },
    serving,
    ...rest,
  });

const ofServing = (spec: PipelineSpec) =>
  specProblems(spec)
    .map(({ path }) => path)
    .filter((path) => path.startsWith("/serving"));

const BREACHES: readonly (readonly [rule: string, spec: PipelineSpec, paths: readonly string[]])[] = [
  ["jwt needs to know whose tokens", learning({ auth: "jwt" }), ["/serving/jwt"]],
  ["iam has no issuer", learning({ jwt }), ["/serving/jwt"]],
  [
    "an issuer is reached by HTTPS",
    learning({ auth: "jwt", jwt: { ...jwt, issuer: "http://id.example.com" } }),
    ["/serving/jwt/issuer"],
  ],
  [
    "an issuer has no query",
    learning({ auth: "jwt", jwt: { ...jwt, issuer: "https://id.example.com/?a" } }),
    ["/serving/jwt/issuer"],
  ],
  [
    "an issuer carries no password",
    learning({ auth: "jwt", jwt: { ...jwt, issuer: "https://a:b@id.example.com" } }),
    ["/serving/jwt/issuer"],
  ],
  ["serverless memory has steps", learning({ memoryMb: 2000 }), ["/serving/memoryMb"]],
  ["serverless memory has an end", learning({ memoryMb: 7168 }), ["/serving/memoryMb"]],
  [
    "tasks' memory has steps",
    production({ mode: "ecs", memoryMb: 2000, internalDomain }),
    ["/serving/memoryMb"],
  ],
  [
    "the least capacity is at most the most",
    learning({ mode: "realtime", autoscaling: { minCapacity: 5, maxCapacity: 4 } }),
    ["/serving/autoscaling/minCapacity"],
  ],
  [
    "a canary needs two instances",
    learning({ mode: "realtime", autoscaling: { minCapacity: 1 } }),
    ["/serving/autoscaling/minCapacity"],
  ],
  [
    "a schedule keeps them, too",
    learning({ mode: "realtime", autoscaling: { schedules: [{ ...night, minCapacity: 1 }] } }),
    ["/serving/autoscaling/schedules/0/minCapacity"],
  ],
  [
    "a schedule is an expression",
    learning({ mode: "realtime", autoscaling: { schedules: [{ ...night, expression: "at(noon)" }] } }),
    ["/serving/autoscaling/schedules/0/expression"],
  ],
  [
    "schedules are named once",
    learning({ mode: "realtime", autoscaling: { schedules: [night, night] } }),
    ["/serving/autoscaling/schedules/1/name"],
  ],
  [
    "a serverless endpoint has no schedules",
    learning({ autoscaling: { schedules: [night] } }),
    ["/serving/autoscaling/schedules"],
  ],
  [
    "nothing keeps functions warm in learning",
    learning({ mode: "lambda", autoscaling: { schedules: [night] } }),
    ["/serving/autoscaling/schedules"],
  ],
  [
    "SageMaker bakes no longer than an hour",
    learning({ mode: "realtime", rollout: { bakeMinutes: 61 } }),
    ["/serving/rollout/bakeMinutes"],
  ],
  [
    "SageMaker takes no smaller steps than 10 %",
    learning({ mode: "realtime", rollout: { stepPercent: 5 } }),
    ["/serving/rollout/stepPercent"],
  ],
  [
    "CodeDeploy shifts for two days at most",
    learning({ mode: "lambda", rollout: { canaryPercent: 1, bakeMinutes: 60 } }),
    ["/serving/rollout/bakeMinutes"],
  ],
  ["tasks need private subnets", learning({ mode: "ecs", internalDomain }), ["/serving/mode"]],
  ["tasks are reached by TLS", production({ mode: "ecs" }), ["/serving/internalDomain"]],
  ["nothing else has an internal name", production({ internalDomain }), ["/serving/internalDomain"]],
  ["learning has no public name", learning({ publicDomain }), ["/serving/publicDomain"]],
  [
    "CloudFront's certificates are in us-east-1",
    production({ publicDomain: { ...publicDomain, certificateArn: CERTIFICATE } }),
    ["/serving/publicDomain/certificateArn"],
  ],
  [
    "a host name is one",
    production({ publicDomain: { ...publicDomain, name: "https://predict" } }),
    ["/serving/publicDomain/name"],
  ],
  [
    "confidential data is served under an own name",
    production({}, { dataClassification: "confidential" }),
    ["/serving/publicDomain"],
  ],
];

describe("what a spec says of serving", () => {
  it.each(BREACHES)("%s", (_rule, spec, paths) => {
    expect(ofServing(spec)).toEqual(paths);
  });

  it.each([
    ["serverless in learning", learning({})],
    ["tokens", learning({ auth: "jwt", jwt })],
    ["a scheduled real-time endpoint", learning({ mode: "realtime", autoscaling: { schedules: [night] } })],
    [
      "capacity at one moment",
      learning({
        mode: "realtime",
        autoscaling: { schedules: [{ ...night, expression: "at(2027-01-31T12:00:00)" }] },
      }),
    ],
    ["a function of an odd size", learning({ mode: "lambda", memoryMb: 1769 })],
    ["tasks in production", production({ mode: "ecs", internalDomain })],
    [
      "confidential data under an own name",
      production({ publicDomain }, { dataClassification: "confidential" }),
    ],
  ])("allows %s", (_what, spec) => {
    expect(ofServing(spec)).toEqual([]);
  });
});
