import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LocalWorkspace, PulumiCommand, type Stack } from "@pulumi/pulumi/automation/index.js";
import { afterAll, beforeAll, expect, it } from "vitest";
import { organizationProgram } from "../../programs/organization.ts";
import { SandboxProvider } from "../../src/engine/sandbox-provider.ts";
import { startTestService, type TestResponse, type TestService } from "../support/service.ts";

const accountId = "999988887777";

let service: TestService;
let sandbox: SandboxProvider;
let folder: string;
let stack: Stack;

beforeAll(async () => {
  service = await startTestService();
  sandbox = new SandboxProvider(service.databaseUrl, { PATH: process.env.PATH ?? "" });
  folder = await mkdtemp(join(tmpdir(), "aidlc-organization-"));
  stack = await LocalWorkspace.createStack(
    {
      projectName: "aidlc-pipeline",
      stackName: "organization",
      program: organizationProgram({
        account: { accountId, region: "us-east-1" },
        targets: ["r-ab12", "111122223333"],
        regions: ["eu-central-1", "us-east-1"],
        exemptRoles: ["arn:aws:iam::*:role/aidlc-provisioner"],
      }),
    },
    {
      pulumiCommand: await PulumiCommand.get({ skipVersionCheck: true }),
      pulumiHome: join(folder, "home"),
      envVars: {
        HOME: folder,
        PULUMI_BACKEND_URL: `file://${folder}`,
        PULUMI_CONFIG_PASSPHRASE: "of this test alone",
        PULUMI_DEBUG_PROVIDERS: `aws:${await sandbox.port()}`,
        PULUMI_SKIP_UPDATE_CHECK: "true",
      },
    },
  );
});
afterAll(async () => {
  await sandbox?.close();
  await service?.remove();
  await rm(folder, { recursive: true, force: true });
});

const inventory = async (): Promise<TestResponse["body"][]> =>
  (await service.request("GET", `/sandbox/v1/resources?account=${accountId}`)).body.items;

it("the organization's guardrails come up by hand, change nothing a second time, and go", async () => {
  await stack.up();
  const attached = (await inventory()).filter(({ type }) => type.endsWith(":PolicyAttachment"));
  expect(attached.map(({ inputs }) => inputs.targetId).sort()).toEqual(
    ["111122223333", "r-ab12"].flatMap((target) => [target, target, target]),
  );
  const again = await stack.up({ expectNoChanges: true });
  expect(Object.keys(again.summary.resourceChanges ?? {})).toEqual(["same"]);
  await stack.destroy();
  expect(await inventory()).toEqual([]);
});
