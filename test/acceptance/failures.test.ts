import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import {
  ended,
  firstResource,
  startTestService,
  type TestResponse,
  type TestService,
} from "../support/service.ts";

const spec = await readFile(new URL("../../examples/penguins.yaml", import.meta.url), "utf8");
const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const team = "/v1/teams/research";
const account = `${team}/accounts/${parse(spec).account}`;

describe("when something goes wrong", () => {
  let service: TestService;
  const send = (method: string, path: string, body?: unknown) => service.request(method, path, body);
  const fault = async (body: object) =>
    expect((await send("POST", "/sandbox/v1/faults", body)).status).toBe(201);

  beforeAll(async () => {
    service = await startTestService();
    await send("POST", "/v1/teams", { name: "research" });
    await ended(service, await send("PUT", account, { accountId: "123456789012", region: "eu-central-1" }));
  });
  afterEach(async () => {
    await send("DELETE", "/sandbox/v1/faults");
  });
  afterAll(async () => {
    await service?.remove();
  });

  it("a refused resource fails the update with a typed error that names it, and the next update completes it", async () => {
    const pipeline = `${team}/pipelines/refused`;
    await fault({
      kind: "error",
      type: "aws:sns/topic:Topic",
      operation: "create",
      code: "AuthorizationError",
      message: "AccessDenied: not authorized to perform SNS:CreateTopic",
    });
    const failed = await ended(service, await send("PUT", pipeline, spec));
    expect(failed).toMatchObject({
      state: "failed",
      error: { code: "access_denied", resource: { type: "aws:sns/topic:Topic" } },
    });
    expect(failed.error.remedy).not.toBe("");
    const { body: status } = await send("GET", `${pipeline}/status`);
    expect(status.state).toBe("failed");
    expect(status.appliedRevision).toBeUndefined();
    expect(status.phases.some((phase: TestResponse["body"]) => phase.state === "failed")).toBe(true);

    await send("DELETE", "/sandbox/v1/faults");
    const completed = await ended(service, await send("PUT", pipeline, spec));
    expect(completed.state).toBe("succeeded");
    expect(completed.result.changes.same).toBeGreaterThan(0);
  });

  it("a cancelled update ends as cancelled, leaves no lock, and can be completed", async () => {
    const pipeline = `${team}/pipelines/cancelled`;
    await fault({ kind: "latency", type: "*", operation: "create", latencyMs: 500 });
    const accepted = await send("PUT", pipeline, spec);
    await firstResource(service, accepted.body.id, "started");
    expect((await send("POST", `/v1/operations/${accepted.body.id}/cancel`)).status).toBe(202);
    const cancelled = await ended(service, accepted);
    expect(cancelled).toMatchObject({ state: "cancelled", error: { code: "cancelled" } });

    await send("DELETE", "/sandbox/v1/faults");
    expect(await ended(service, await send("PUT", pipeline, spec))).toMatchObject({ state: "succeeded" });
    expect((await send("POST", `/v1/operations/${accepted.body.id}/cancel`)).status).toBe(409);
  });

  it("a partially created pipeline can be destroyed and leaves nothing", async () => {
    const pipeline = `${team}/pipelines/partial`;
    await fault({
      kind: "error",
      type: "aws:kms/key:Key",
      operation: "create",
      code: "LimitExceededException",
      message: "too many keys",
    });
    expect(await ended(service, await send("PUT", pipeline, spec))).toMatchObject({
      state: "failed",
      error: { code: "quota_exceeded" },
    });
    await send("DELETE", "/sandbox/v1/faults");
    expect(
      await ended(service, await send("DELETE", `${pipeline}?data=delete&confirm=research/partial`)),
    ).toMatchObject({
      state: "succeeded",
    });
    const { body } = await send("GET", "/sandbox/v1/resources?limit=200&pipeline=partial");
    expect(body.items.filter((item: TestResponse["body"]) => item.deletionDueAt === undefined)).toEqual([]);
  });

  it("a lock of somebody who works by hand is left alone, and the runbook's commands remove it", async () => {
    const pipeline = `${team}/pipelines/locked`;
    // A stack that is there, soon: its first update comes to nothing.
    await fault({
      kind: "error",
      type: "*",
      operation: "create",
      code: "AccessDenied",
      message: "AccessDenied",
    });
    expect(await ended(service, await send("PUT", pipeline, spec))).toMatchObject({ state: "failed" });
    await send("DELETE", "/sandbox/v1/faults");
    const locks = join(service.dataDir, "state/.pulumi/locks/organization/aidlc-pipeline/research.locked");
    await mkdir(locks, { recursive: true });
    const lock = { pid: 1, username: "ada", hostname: "laptop", timestamp: "2026-01-01T00:00:00Z" };
    await writeFile(join(locks, "by-hand.json"), JSON.stringify(lock));
    const locked = await ended(service, await send("PUT", pipeline, spec));
    expect(locked).toMatchObject({ state: "failed", error: { code: "stack_locked" } });
    expect(locked.error.remedy).toMatch(/runbook/);

    const commands = `eval "$(node ${root}/scripts/stack-environment.ts aidlc-pipeline research.locked)"
      printf '{"name": "aidlc-pipeline", "runtime": "nodejs"}' > Pulumi.yaml
      pulumi stack export --stack research.locked
      pulumi cancel --yes research.locked`;
    const { stdout } = await run("sh", ["-ec", commands], {
      cwd: service.dataDir,
      env: { PATH: process.env.PATH, HOME: service.dataDir, AIDLC_DATA_DIR: service.dataDir },
      maxBuffer: 64 * 1024 * 1024,
    });
    expect(stdout).toContain("has been canceled");
    expect(await ended(service, await send("PUT", pipeline, spec))).toMatchObject({ state: "succeeded" });
  });

  it("operations leave no process and no work folder behind", async () => {
    // Spares are the only runners left; each has one folder.
    const folders = await readdir(join(service.dataDir, "work"));
    const markers = await runnerMarkers(service.dataDir);
    expect(markers.filter((marker) => !folders.includes(marker))).toEqual([]);
    expect(new Set(markers).size).toBe(folders.length);
  });
});

/** The marker of every process on this machine that belongs to a runner of this service. */
async function runnerMarkers(dataDir: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const environments = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/environ`, "utf8").catch(() => "")),
  );
  return environments
    .map((text) => text.split("\0"))
    .filter((entries) => entries.some((entry) => entry.startsWith(`HOME=${dataDir}`)))
    .flatMap((entries) => entries.filter((entry) => entry.startsWith("AIDLC_RUNNER=")))
    .map((entry) => entry.slice("AIDLC_RUNNER=".length));
}
