import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import * as aws from "@pulumi/aws";
import { type EngineEvent, LocalWorkspace } from "@pulumi/pulumi/automation/index.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { ended, startTestService, type TestResponse, type TestService } from "../support/service.ts";

const spec = await readFile(new URL("../../examples/penguins.yaml", import.meta.url), "utf8");
const account = `/v1/teams/research/accounts/${parse(spec).account}`;
const pipeline = "/v1/teams/research/pipelines/penguins";
const policy = "backup-plan-covers-data";
const exception = `${pipeline}/policy-exceptions/${policy}`;

const until = (ms: number) => ({
  reason: "The data is collected again every night",
  expiresAt: new Date(Date.now() + ms).toISOString(),
});

describe("policies on the real engine", () => {
  let service: TestService;
  const send = (method: string, path: string, body?: unknown) => service.request(method, path, body);
  const inventory = async (): Promise<TestResponse["body"][]> => {
    const { body } = await send("GET", "/sandbox/v1/resources?limit=200");
    return body.items;
  };
  const refusal = { policy, enforcement: "mandatory" };

  beforeAll(async () => {
    // The organisation asks of learning pipelines too what their profile only advises.
    service = await startTestService({ AIDLC_ENFORCED_POLICIES: policy });
    await send("POST", "/v1/teams", { name: "research" });
    const registered = await send("PUT", account, { accountId: "123456789012", region: "eu-central-1" });
    expect(await ended(service, registered)).toMatchObject({ state: "succeeded" });
  });
  afterAll(() => service?.remove());

  it("tell what a preview would be refused for, beside its whole plan", async () => {
    const preview = await ended(service, await send("POST", `${pipeline}/previews`, spec));
    expect(preview).toMatchObject({ state: "failed", error: { code: "policy_refused" } });
    expect(preview.result.steps.length).toBeGreaterThan(60);
    expect(preview.result.digest).toBeUndefined();
    expect(preview.result.findings[0]).toMatchObject(refusal);
    expect(preview.result.findings[0].exception).toBeUndefined();
  });

  it("refuse an update before anything is created", async () => {
    const before = await inventory();
    const update = await ended(service, await send("PUT", pipeline, spec));
    expect(update).toMatchObject({
      state: "failed",
      result: { changes: {} },
      error: { code: "policy_refused", message: expect.stringContaining(policy) },
    });
    expect(update.error.remedy).toMatch(/backup plan.*exception/);
    expect(update.result.findings[0]).toMatchObject(refusal);
    expect(await inventory()).toEqual(before);
    expect((await send("GET", `${pipeline}/resources`)).body.items).toEqual([]);
    const { body: events } = await send("GET", `/v1/operations/${update.id}/events`);
    expect(events.items[0]).toMatchObject({
      type: "policy",
      phase: "infrastructure",
      body: { finding: refusal },
    });
    expect(events.items.filter(({ type }: { type: string }) => type === "resource")).toEqual([]);
  });

  it("let it through by an exception, which the finding shows, until that expires", async () => {
    expect((await send("PUT", exception, until(3_600_000))).status).toBe(201);
    const update = await ended(service, await send("PUT", pipeline, spec));
    expect(update).toMatchObject({ state: "succeeded" });
    const finding = update.result.findings.find((one: { policy: string }) => one.policy === policy);
    expect(finding).toMatchObject({ ...refusal, exception: { approvedBy: "administrator" } });

    expect((await send("PUT", exception, until(1_000))).status).toBe(200);
    await sleep(1_000);
    const late = await ended(service, await send("PUT", pipeline, spec));
    expect(late).toMatchObject({ state: "failed", error: { code: "policy_refused" } });
    expect((await send("GET", exception)).body).toMatchObject({ policy, active: false });
  });

  it("are a policy pack of the engine's own for whoever works by hand", async () => {
    const folder = await mkdtemp(join(tmpdir(), "aidlc-policy-pack-"));
    const pack = fileURLToPath(new URL("../../programs/policies/pack", import.meta.url));
    const plugin = fileURLToPath(new URL("../../src/sandbox/plugin", import.meta.url));
    const plugins = {
      providers: [{ name: "aws", path: plugin }],
      analyzers: [{ name: "policy-aidlc", path: pack }],
    };
    const preview = async (properties: { kmsKeyId?: string }) => {
      const program = async () => {
        const provider = new aws.Provider("aws", { region: "eu-central-1" });
        new aws.cloudwatch.LogGroup("logs", { retentionInDays: 30, ...properties }, { provider });
      };
      const stack = await LocalWorkspace.createOrSelectStack(
        { stackName: "by-hand", projectName: "aidlc-by-hand", program },
        {
          workDir: folder,
          projectSettings: { name: "aidlc-by-hand", runtime: "nodejs", ...{ plugins } },
          envVars: {
            PULUMI_HOME: join(folder, "home"),
            PULUMI_BACKEND_URL: `file://${folder}`,
            PULUMI_CONFIG_PASSPHRASE: "by-hand",
            PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
            PULUMI_SKIP_UPDATE_CHECK: "true",
            AIDLC_SANDBOX_DATABASE_URL: service.databaseUrl,
          },
        },
      );
      const violations: (string | undefined)[] = [];
      const onEvent = ({ policyEvent }: EngineEvent) => {
        if (policyEvent?.enforcementLevel === "mandatory") violations.push(policyEvent.policyName);
      };
      const done = await stack.preview({ policyPacks: [pack], onEvent }).then(
        () => "passed",
        () => "refused",
      );
      return { done, violations: violations.filter((name) => name?.startsWith("log-group")) };
    };
    expect(await preview({})).toEqual({ done: "refused", violations: ["log-group-encrypted"] });
    const kmsKeyId = "arn:aws:kms:eu-central-1:123456789012:key/0f0e0d0c-0b0a-4908-8706-050403020100";
    expect((await preview({ kmsKeyId })).violations).toEqual([]);
    await rm(folder, { recursive: true, force: true });
  });
});
