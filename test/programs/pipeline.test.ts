import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { pipelineNames } from "../../programs/names.ts";
import { pipelineProgram } from "../../programs/pipeline.ts";
import { ACCOUNT, anInput, aSpec, PRODUCTION_FOUNDATION } from "./support/inputs.ts";
import {
  awsResources,
  ofType,
  type Registered,
  type Run,
  resource,
  runProgram,
} from "./support/run-program.ts";

const names = pipelineNames({ account: ACCOUNT, team: "fraud", pipeline: "churn" });

const phaseOf = ({ typeChain }: Registered) => typeChain[0]?.replace("aidlc:phase:", "") ?? "";

const declared: { readonly types: Readonly<Record<string, { readonly inputs: object }>> } = JSON.parse(
  readFileSync(new URL("../../src/sandbox/schema/aws.json", import.meta.url), "utf8"),
);
const takesTags = ({ type }: Registered) => "tags?" in (declared.types[type]?.inputs ?? {});

/** One line for each resource: phase, type, name. */
const inventory = (run: Run) =>
  awsResources(run)
    .map((each) => `${phaseOf(each)} ${each.type.replace("aws:", "")} ${each.name}\n`)
    .sort()
    .join("");

const SCHEDULED = aSpec({ training: { schedule: "cron(0 3 * * ? *)" } });
const PRODUCTION = anInput({
  spec: aSpec({ profile: "production", dataset: { replicaRegion: "eu-central-1" } }),
  foundation: PRODUCTION_FOUNDATION,
});

describe("a pipeline", () => {
  let run: Run;
  beforeAll(async () => {
    run = await runProgram(pipelineProgram(anInput({ spec: SCHEDULED })));
  });

  it("consists of these resources, each in its phase", async () => {
    await expect(inventory(run)).toMatchFileSnapshot("inventories/learning.txt");
    expect(awsResources(run).length).toBeGreaterThanOrEqual(120);
  });

  it("has these resources in production", async () => {
    const production = await runProgram(pipelineProgram(PRODUCTION));
    await expect(inventory(production)).toMatchFileSnapshot("inventories/production.txt");
    expect(awsResources(production).length).toBeGreaterThanOrEqual(200);
  });

  it("asks for the same at every run", async () => {
    const again = await runProgram(pipelineProgram(anInput({ spec: SCHEDULED })));
    const inputs = ({ resources }: Run) =>
      Object.fromEntries(resources.map((each) => [`${each.type} ${each.name}`, each.inputs]));
    expect(inputs(again)).toEqual(inputs(run));
    expect(again.outputs).toEqual(run.outputs);
  });

  it("works in its own account and region only, with owner tags on everything", () => {
    const provider = run.resources.find(({ type }) => type === "pulumi:providers:aws");
    expect(provider?.inputs).toMatchObject({ region: "eu-west-1", allowedAccountIds: '["111122223333"]' });
    expect(JSON.parse(String(provider?.inputs.defaultTags))).toEqual({
      tags: {
        "aidlc:managed-by": "aidlc",
        "aidlc:team": "fraud",
        "aidlc:pipeline": "churn",
        "aidlc:classification": "internal",
        "aidlc:owner": "ada@example.com",
        "aidlc:profile": "learning",
      },
    });
  });

  it("tags every resource that takes tags with its phase", () => {
    const untagged = awsResources(run).filter(
      (each) =>
        takesTags(each) &&
        (each.inputs.tags as Record<string, string> | undefined)?.["aidlc:phase"] !==
          phaseOf(each).toLowerCase(),
    );
    expect(untagged.map(({ type, name }) => `${type} ${name}`)).toEqual([]);
  });

  it("takes the session that it is given, in the account alone: neither role nor credentials enter the state", async () => {
    const account = { ...ACCOUNT, roleArn: "arn:aws:iam::111122223333:role/provision" };
    const { resources } = await runProgram(pipelineProgram(anInput({ account })));
    const { inputs = {} } = resources.find(({ type }) => type === "pulumi:providers:aws") ?? {};
    // The two last are the SDK's own.
    const names = [
      "allowedAccountIds",
      "defaultTags",
      "region",
      "skipCredentialsValidation",
      "skipRegionValidation",
    ];
    expect(Object.keys(inputs).sort()).toEqual(names);
    expect(JSON.parse(String(inputs.allowedAccountIds))).toEqual([ACCOUNT.accountId]);
  });

  it("gives every name its hash, so that pipelines of one account never collide", () => {
    const NAMING = ["bucket", "name", "pipelineName", "modelPackageGroupName", "dashboardName", "alarmName"];
    const named = awsResources(run).filter(
      ({ type }) =>
        !/s3\/bucket[A-Z]|s3\/inventory|rolePolicy|apigateway\/model:|glue\/catalogTable/.test(type),
    );
    for (const { inputs } of named) {
      const name = NAMING.map((key) => inputs[key]).find((value) => typeof value === "string");
      if (typeof name === "string")
        expect(name).toMatch(
          /mjx3emlm|^(alias\/)?(\/aws\/vendedlogs)?\/?aidlc\/fraud\/churn(\/|$)|^API-Gateway-Execution-Logs_api-id\//,
        );
    }
  });

  it("tells what status, releases and handlers need", () => {
    expect(run.outputs).toMatchObject({
      accountId: "111122223333",
      buckets: { raw: { name: names.bucket("raw"), arn: `arn:aws:s3:::${names.bucket("raw")}` } },
      keys: { data: { alias: "alias/aidlc/fraud/churn/data" } },
      training: { pipelineName: names.named("training"), modelPackageGroupName: names.named("models") },
      network: { vpcId: "vpc-0aaaaaaaaaaaaaaaa", jobSecurityGroupId: "jobs-id" },
      logGroupPrefix: "/aidlc/fraud/churn",
      parameterPrefix: "/aidlc/fraud/churn",
      metricNamespace: "AIDLC/fraud/churn",
    });
    const roles = Object.keys(run.outputs.roles as object);
    expect(roles).toHaveLength(ofType(run, "iam/role:Role").length);
  });
});

describe("what a spec changes", () => {
  const run = (change: Parameters<typeof aSpec>[0]) =>
    runProgram(pipelineProgram(anInput({ spec: aSpec(change) })));

  it("starts no training on schedule unless it is asked for", async () => {
    const unscheduled = await run({});
    const schedules = ofType(unscheduled, "scheduler/schedule:Schedule").map(({ name }) => name);
    expect(schedules).toContain("drift-schedule");
    expect(schedules).not.toContain("retraining");
  });

  it("starts the pipeline on schedule through a role of its own and keeps what was not delivered", async () => {
    const { inputs } = resource(
      await run({ training: { schedule: "rate(7 days)" } }),
      "scheduler/schedule:Schedule",
      "retraining",
    );
    expect(inputs).toMatchObject({
      scheduleExpression: "rate(7 days)",
      scheduleExpressionTimezone: "UTC",
      target: {
        arn: "arn:aws:test:::training",
        roleArn: "arn:aws:test:::schedule-role",
        sagemakerPipelineParameters: { pipelineParameters: [{ name: "Trigger", value: "schedule" }] },
        deadLetterConfig: { arn: "arn:aws:test:::dead-letters" },
      },
    });
  });

  it("subscribes every address to both topics, named by the address and not by its place", async () => {
    const first = await run({
      alerts: { emails: ["ada@example.com", "bob@example.com"], webhooks: ["https://x.example"] },
    });
    const second = await run({ alerts: { emails: ["bob@example.com"] } });
    const subscriptions = (of: Run) =>
      ofType(of, "sns/topicSubscription:TopicSubscription").map(({ name }) => name);
    expect(subscriptions(first)).toHaveLength(6);
    expect(subscriptions(second)).toHaveLength(2);
    expect(subscriptions(first)).toEqual(expect.arrayContaining(subscriptions(second)));
  });

  it("gives a dedicated pipeline a network of its own, in its architecture phase", async () => {
    const dedicated = await run({ network: { dedicated: true, cidr: "172.20.0.0/20" } });
    const subnets = ofType(dedicated, "ec2/subnet:Subnet");
    expect(subnets.map(({ inputs }) => [inputs.cidrBlock, inputs.availabilityZone])).toEqual([
      ["172.20.0.0/22", "eu-west-1a"],
      ["172.20.4.0/22", "eu-west-1b"],
    ]);
    expect(subnets.map(phaseOf)).toEqual(["Architecture", "Architecture"]);
    expect(dedicated.outputs.network).toMatchObject({ cidr: "172.20.0.0/20", vpcId: "network-id" });
  });

  it("lets instances of distributed training reach each other, and nobody otherwise", async () => {
    const rules = (of: Run) => ofType(of, "vpc/securityGroupIngressRule:SecurityGroupIngressRule");
    expect(rules(await run({}))).toEqual([]);
    const [rule] = rules(await run({ training: { instanceCount: 2 } }));
    expect(rule?.inputs).toMatchObject({ securityGroupId: "jobs-id", referencedSecurityGroupId: "jobs-id" });
  });

  it.each([
    ["public", 7],
    ["internal", 7],
    ["confidential", 14],
    ["restricted", 30],
  ] as const)("keeps deleted keys of %s data for %d days", async (dataClassification, days) => {
    const keys = ofType(await run({ dataClassification }), "kms/key:Key");
    expect(new Set(keys.map(({ inputs }) => inputs.deletionWindowInDays))).toEqual(new Set([days]));
  });

  it("keeps logs as long as it says", async () => {
    const groups = ofType(
      await run({ monitoring: { logRetentionDays: 90 } }),
      "cloudwatch/logGroup:LogGroup",
    );
    expect(groups.length).toBeGreaterThan(2);
    expect(new Set(groups.map(({ inputs }) => inputs.retentionInDays))).toEqual(new Set([90]));
  });

  it("limits cost and alerts at 50, 80 and 100 % and on the forecast, counting this pipeline's tags together", async () => {
    const { inputs } = resource(await run({ budget: { monthlyUsd: 15 } }), "budgets/budget:Budget", "budget");
    expect(inputs).toMatchObject({
      limitAmount: "15.00",
      filterExpression: {
        ands: [
          { tags: { key: "aidlc:team", values: ["fraud"] } },
          { tags: { key: "aidlc:pipeline", values: ["churn"] } },
        ],
      },
    });
    const notifications = inputs.notifications as readonly Record<string, unknown>[];
    expect(
      notifications.map(({ threshold, notificationType, subscriberSnsTopicArns }) => [
        threshold,
        notificationType,
        subscriberSnsTopicArns,
      ]),
    ).toEqual([
      [50, "ACTUAL", [`arn:aws:test:::warning`]],
      [80, "ACTUAL", [`arn:aws:test:::warning`]],
      [100, "ACTUAL", [`arn:aws:test:::critical`]],
      [100, "FORECASTED", [`arn:aws:test:::warning`]],
    ]);
  });
});

describe("what a destroy leaves", () => {
  /** Data, what protects it and what it can't be read without. */
  const HOLDS_DATA =
    /^aws:(s3\/(?!bucketNotification|bucketObject)|kms\/|ecr\/|secretsmanager\/|sagemaker\/modelPackageGroup)/;

  it("retains data with all of its protections and its keys, and nothing else", async () => {
    const resources = awsResources(await runProgram(pipelineProgram(anInput({ dataOnDestroy: "retain" }))));
    const retained = resources.filter(({ retainOnDelete }) => retainOnDelete);
    expect(new Set(retained)).toEqual(new Set(resources.filter(({ type }) => HOLDS_DATA.test(type))));
    expect(
      ofType({ resources, outputs: {} }, "s3/bucket:Bucket").map(({ inputs }) => inputs.forceDestroy),
    ).not.toContain(true);
  });

  it("retains data unless it is told otherwise", async () => {
    const resources = awsResources(await runProgram(pipelineProgram(anInput())));
    expect(resources.some(({ retainOnDelete }) => retainOnDelete)).toBe(true);
  });

  it("empties and deletes everything where data is to go", async () => {
    const deleted = await runProgram(pipelineProgram(anInput({ dataOnDestroy: "delete" })));
    expect(deleted.resources.some(({ retainOnDelete }) => retainOnDelete)).toBe(false);
    expect(ofType(deleted, "s3/bucket:Bucket").every(({ inputs }) => inputs.forceDestroy === true)).toBe(
      true,
    );
    expect(
      ofType(deleted, "ecr/repository:Repository").every(({ inputs }) => inputs.forceDelete === true),
    ).toBe(true);
  });
});
