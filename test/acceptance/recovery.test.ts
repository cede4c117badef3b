import { readdir, readFile } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import {
  ended,
  firstResource,
  startTestService,
  type TestResponse,
  type TestService,
} from "../support/service.ts";
import { expectStateEqualsInventory, inventoryOf } from "../support/stack-truth.ts";

const spec = await readFile(new URL("../../examples/penguins.yaml", import.meta.url), "utf8");
const team = "/v1/teams/research";
const account = `${team}/accounts/${parse(spec).account}`;

let service: TestService;
const send = (method: string, path: string, body?: unknown) => service.request(method, path, body);

beforeAll(async () => {
  service = await startTestService({ AIDLC_CANCEL_SECONDS: "2" });
  await send("POST", "/v1/teams", { name: "research" });
  await ended(service, await send("PUT", account, { accountId: "123456789012", region: "eu-central-1" }));
});
afterEach(async () => {
  await send("DELETE", "/sandbox/v1/faults");
});
afterAll(async () => {
  await service?.remove();
});

describe.each([
  { killed: "engine", kill: async () => killAll(await enginesOf(service.dataDir)) },
  { killed: "provider", kill: async () => killAll(await providers()) },
  {
    // As soon as the engine has taken the provider's end for a refusal, and before it has ended itself.
    killed: "provider-and-runner",
    kill: async (operationId: string) => {
      await killAll(await providers());
      await firstResource(service, operationId, "failed");
      await killAll(await runners());
    },
  },
])("a killed $killed, while AWS has made what was asked for and not answered yet", ({ killed, kill }) => {
  it("costs nothing: what was made is found and taken into the state, and the operation completes", async () => {
    const pipeline = `${team}/pipelines/killed-${killed}`;
    const fault = { kind: "latency", moment: "after", type: "*", operation: "create", latencyMs: 60_000 };
    expect((await send("POST", "/sandbox/v1/faults", fault)).status).toBe(201);
    const accepted = await send("PUT", pipeline, spec);
    await firstResource(service, accepted.body.id, "started");
    await unansweredResources(`killed-${killed}`);
    await send("DELETE", "/sandbox/v1/faults");
    await kill(accepted.body.id);
    const operation = await ended(service, accepted);
    expect(operation, JSON.stringify(operation.error)).toMatchObject({ state: "succeeded" });
    const { body } = await send("GET", `/v1/operations/${accepted.body.id}/events?limit=1000`);
    const found = body.items.filter((event: TestResponse["body"]) =>
      /existed on AWS/.test(JSON.stringify(event)),
    );
    expect(found.length).toBeGreaterThanOrEqual(5);
    await expectStateEqualsInventory(service, `killed-${killed}`);
  });
});

describe("an engine that is killed in the midst of deletions", () => {
  it("leaves nothing in the state that AWS has no more, although the operation goes no further", async () => {
    const pipeline = `${team}/pipelines/half-deleted`;
    await ended(service, await send("PUT", pipeline, spec));
    const before = (await inventory("half-deleted")).length;
    const fault = { kind: "latency", moment: "after", type: "*", operation: "delete", latencyMs: 10_000 };
    expect((await send("POST", "/sandbox/v1/faults", fault)).status).toBe(201);
    const accepted = await send("DELETE", pipeline);
    while ((await inventory("half-deleted")).length > before - 5)
      await new Promise((resolve) => setTimeout(resolve, 50));
    await send("DELETE", "/sandbox/v1/faults");
    const engines = await enginesOf(service.dataDir);
    await send("POST", `/v1/operations/${accepted.body.id}/cancel`);
    for (const pid of engines) process.kill(pid, "SIGKILL");
    const operation = await ended(service, accepted);
    expect(operation, JSON.stringify(operation.error)).toMatchObject({ state: "cancelled" });
    await expectStateEqualsInventory(service, "half-deleted");
  });
});

describe("a cancelled operation whose engine does not stop", () => {
  it("is ended rung by rung, and is cancelled only when its stack is whole", async () => {
    const pipeline = `${team}/pipelines/hung`;
    const accepted = await send("PUT", pipeline, spec);
    await firstResource(service, accepted.body.id, "done");
    for (const pid of await enginesOf(service.dataDir)) process.kill(pid, "SIGSTOP");
    await send("POST", `/v1/operations/${accepted.body.id}/cancel`);
    const operation = await ended(service, accepted);
    expect(operation).toMatchObject({ state: "cancelled", error: { code: "cancelled" } });
    await expectStateEqualsInventory(service, "hung");
    // Without a lock in the way, and nothing to be found first.
    const removed = await ended(
      service,
      await send("DELETE", `${pipeline}?data=delete&confirm=research/hung`),
    );
    expect(removed, JSON.stringify(removed.error)).toMatchObject({ state: "succeeded" });
    expect(await inventory("hung")).toEqual([]);
  });
});

/** Resolves when the sandbox has something of the pipeline that no engine was told of. */
async function unansweredResources(pipeline: string): Promise<void> {
  while ((await inventory(pipeline)).length < 5) await new Promise((resolve) => setTimeout(resolve, 50));
}

const inventory = (pipeline: string) => inventoryOf(service, pipeline);

async function killAll(pids: readonly number[]): Promise<void> {
  expect(pids).not.toEqual([]);
  for (const pid of pids) process.kill(pid, "SIGKILL");
}

/** Process ids of the sandbox's providers that this service, which runs in this process, has started. */
function providers(): Promise<number[]> {
  return childrenWith("--database-url-on-stdin");
}

/** Process ids of its runners, those that wait for work too. */
function runners(): Promise<number[]> {
  return childrenWith("/engine/runner.ts");
}

/** Process ids of children of this process by a part of their command lines. */
async function childrenWith(part: string): Promise<number[]> {
  const children = await readFile(`/proc/${process.pid}/task/${process.pid}/children`, "utf8");
  const commands = await Promise.all(
    children.split(" ").map(async (pid) => ({
      pid: Number(pid),
      command: await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""),
    })),
  );
  return commands.filter(({ command }) => command.includes(part)).map(({ pid }) => pid);
}

/** Process ids of the engines that work for this service. */
async function enginesOf(dataDir: string): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
      const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      return environment.includes(`PULUMI_HOME=${dataDir}`) && command.startsWith("pulumi\0")
        ? [Number(pid)]
        : [];
    }),
  );
  return commands.flat();
}
