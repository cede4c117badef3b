import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { ended, startTestService, type TestResponse, type TestService } from "../support/service.ts";

const account = { accountId: "123456789012", region: "eu-central-1" };
const team = "/v1/teams/research";
const penguins = parse(await readFile(new URL("../../examples/penguins.yaml", import.meta.url), "utf8"));

// Of another account: the sandbox does not look for what is not the account's own.
const internalDomain = {
  name: "predict.internal.example.com",
  certificateArn: "arn:aws:acm:eu-central-1:999988887777:certificate/0f0e0d0c-0b0a-4908-8706-050403020100",
};

// Of AWS's own registry.
const MODEL_IMAGE = "492215442770.dkr.ecr.eu-central-1.amazonaws.com/sagemaker-xgboost:1.7-1";

const night = { name: "night", expression: "cron(0 20 ? * * *)", minCapacity: 2, maxCapacity: 2 };

/** A mode, what its spec says besides, and what comes with the first release. */
const MODES: readonly (readonly [mode: string, serving: object, released: readonly string[]])[] = [
  ["serverless", { auth: "jwt", jwt: { issuer: "https://id.example.com", audience: "penguins" } }, []],
  [
    "realtime",
    { autoscaling: { schedules: [night] } },
    [
      "appautoscaling/policy:Policy",
      "appautoscaling/scheduledAction:ScheduledAction",
      "appautoscaling/target:Target",
    ],
  ],
  [
    "lambda",
    {},
    [
      "appautoscaling/policy:Policy",
      "appautoscaling/target:Target",
      "lambda/alias:Alias",
      "lambda/function:Function",
    ],
  ],
  [
    "ecs",
    { internalDomain },
    [
      "appautoscaling/policy:Policy",
      "appautoscaling/target:Target",
      "codedeploy/deploymentGroup:DeploymentGroup",
      "ecs/service:Service",
      "ecs/taskDefinition:TaskDefinition",
    ],
  ],
];

// A production pipeline has more than 400 resources; provisioning one takes minutes on a busy machine.
const timeout = 600_000;

describe.each(MODES)(
  "a production pipeline that serves by %s, on the real engine",
  (mode, serving, released) => {
    const path = `${team}/pipelines/${mode}`;
    const spec = {
      ...penguins,
      profile: "production",
      dataset: { ...penguins.dataset, replicaRegion: "eu-west-1" },
      serving: { mode, ...serving },
    };
    let service: TestService;
    const run = async (method: string, at: string, body?: unknown): Promise<TestResponse["body"]> =>
      ended(service, await service.request(method, at, body));

    beforeAll(async () => {
      service = await startTestService();
      await service.request("POST", "/v1/teams", { name: "research" });
      const foundation = { ...account, foundation: { profile: "production" } };
      expect(await run("PUT", `${team}/accounts/main`, foundation)).toMatchObject({ state: "succeeded" });
    }, timeout);
    afterAll(() => service?.remove());

    /** Error and all, so that a failure tells what AWS said. */
    const outcome = ({ state, error }: TestResponse["body"]) => ({ state, error });
    const succeeded = { state: "succeeded", error: undefined };

    /** What a release does before it is recorded. */
    const createEndpoint = async (name: string, variantName: string, roleArn: string) => {
      const parts = [
        ["model:Model", { name, executionRoleArn: roleArn, primaryContainer: { image: MODEL_IMAGE } }],
        [
          "endpointConfiguration:EndpointConfiguration",
          {
            name,
            productionVariants: [
              { modelName: name, variantName, initialInstanceCount: 2, instanceType: "ml.m5.large" },
            ],
          },
        ],
        ["endpoint:Endpoint", { name, endpointConfigName: name }],
      ] as const;
      for (const [kind, inputs] of parts) {
        const body = {
          type: `aws:sagemaker/${kind}`,
          account: account.accountId,
          region: account.region,
          inputs,
        };
        const created = await service.request("POST", "/sandbox/v1/resources", body);
        expect([created.status, created.body.detail]).toEqual([201, undefined]);
      }
    };

    const types = async () => {
      const found = new Map<string, number>();
      for (let cursor = ""; ; ) {
        const { body } = await service.request("GET", `${path}/resources?limit=200${cursor}`);
        for (const { type } of body.items) found.set(type, (found.get(type) ?? 0) + 1);
        if (body.nextCursor === undefined) return found;
        cursor = `&cursor=${body.nextCursor}`;
      }
    };

    it(
      "goes up before its first model, and gets what needs one once a release is recorded",
      async () => {
        expect(outcome(await run("PUT", path, spec))).toEqual(succeeded);
        const before = await types();
        const { outputs } = (await service.request("GET", `${path}/outputs`)).body;
        const [endpoint] = outputs.serving.endpointNames ?? [];
        const release = {
          modelPackageArn: `${outputs.training.modelPackageGroupArn.replace("-group", "")}/1`,
          imageDigest: `sha256:${"a".repeat(64)}`,
          ...(endpoint && { endpoint: { name: endpoint, variantName: outputs.serving.variantName } }),
        };
        if (endpoint) await createEndpoint(endpoint, outputs.serving.variantName, outputs.roles.inference);
        expect(outcome(await run("POST", `${path}/releases`, release))).toEqual(succeeded);
        const after = await types();
        const more = [...after].filter(([type, count]) => count > (before.get(type) ?? 0));
        expect(
          more
            .map(([type]) => type)
            .filter((type) => type.startsWith("aws:"))
            .toSorted(),
        ).toEqual(expect.arrayContaining(released.map((type) => `aws:${type}`)));
      },
      timeout,
    );

    it(
      "has no difference to another update, and none when a release divides the traffic",
      async () => {
        const preview = await run("POST", `${path}/previews`, spec);
        expect(Object.keys(preview.result.changes)).toEqual(["same"]);
        const query = `?limit=200&type=${encodeURIComponent("aws:ssm/parameter:Parameter")}`;
        const { body } = await service.request("GET", `/sandbox/v1/resources${query}`);
        const traffic = body.items.find(({ awsId }: { awsId: string }) => awsId.endsWith("/serving/traffic"));
        const change = { insecureValue: JSON.stringify({ weights: { blue: 100 } }) };
        expect((await service.request("PATCH", `/sandbox/v1/resources/${traffic.id}`, change)).status).toBe(
          200,
        );
        expect((await run("POST", `${path}/drift-checks`)).result.steps).toEqual([]);
      },
      timeout,
    );

    it(
      "comes down",
      async () => {
        expect(await run("DELETE", `${path}?data=delete`)).toMatchObject({ state: "succeeded" });
      },
      timeout,
    );
  },
);
