import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../src/postgres/embedded.ts";
import { nodeCommand, startNodeProcess } from "../support/node-process.ts";
import {
  administratorKey,
  approverKey,
  ended,
  firstResource,
  type Requester,
  requester,
  startTestService,
  type TestResponse,
  type TestService,
} from "../support/service.ts";
import { everything, expectStateEqualsInventory } from "../support/stack-truth.ts";

const spec = await readFile(new URL("../../examples/penguins.yaml", import.meta.url), "utf8");
const team = "/v1/teams/research";
const pipeline = `${team}/pipelines/penguins`;
/** Leaves less free than an operation asks for, and enough for those that are under way. */
const FILLER_BYTES = 90 * 1024 * 1024;
const slowCreations = { kind: "latency", type: "*", operation: "create", latencyMs: 300 };

async function provisionFoundation(service: Requester): Promise<void> {
  await service.request("POST", "/v1/teams", { name: "research" });
  const account = { accountId: "123456789012", region: "eu-central-1" };
  const accepted = await service.request("PUT", `${team}/accounts/${parse(spec).account}`, account);
  expect(await ended(service, accepted)).toMatchObject({ state: "succeeded" });
}

describe("a database that is killed in the middle of an update", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startTestService();
    await provisionFoundation(service);
  });
  afterAll(() => service?.remove());

  it("comes back, and the update ends in truth, with every event told once", async () => {
    await service.request("POST", "/sandbox/v1/faults", slowCreations);
    const accepted = await service.request("PUT", pipeline, spec);
    await firstResource(service, accepted.body.id, "done");
    const pidFile = await readFile(join(service.dataDir, "postgres", "data", "postmaster.pid"), "utf8");
    process.kill(Number(pidFile.split("\n")[0]), "SIGKILL");
    const operation = await ended(answering(service), accepted);
    expect(operation, JSON.stringify(operation.error)).toMatchObject({ state: "succeeded" });
    const events = await everything(service, `/v1/operations/${accepted.body.id}/events?`);
    expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
    await expectStateEqualsInventory(service, "penguins");
  });
});

describe("a state backend whose disk is full", () => {
  let folder: string;
  let database: EmbeddedPostgres;
  let filler: string;
  let node: Requester & { readonly approver: string; readonly child: ChildProcess };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "aidlc-full-disk-"));
    database = await startEmbeddedPostgres(join(folder, "postgres"));
    node = await startOnSmallDisk(folder, database.url);
    await provisionFoundation(node);
  });
  afterAll(async () => {
    const closed = once(node.child, "exit");
    node.child.kill("SIGTERM");
    await closed;
    await database.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it("stops the update while its state can still be written, and says what to mend", async () => {
    await node.request("POST", "/sandbox/v1/faults", slowCreations);
    const accepted = await node.request("PUT", pipeline, spec);
    await firstResource(node, accepted.body.id, "done");
    filler = `/proc/${node.child.pid}/root${join(folder, "states", "filler")}`;
    await writeFile(filler, Buffer.alloc(FILLER_BYTES));
    const stopped = await ended(node, accepted);
    expect(stopped, JSON.stringify(stopped)).toMatchObject({
      state: "failed",
      error: { code: "backend_unavailable", remedy: expect.stringContaining("Make room") },
    });
    await expectStateEqualsInventory(node, "penguins");
    await node.request("DELETE", "/sandbox/v1/faults");
  });

  it("begins nothing before there is room again, and completes it then", async () => {
    const refused = await ended(node, await node.request("PUT", pipeline, spec));
    expect(refused).toMatchObject({ state: "failed", error: { code: "backend_unavailable" } });
    await rm(filler);
    const completed = await ended(node, await node.request("PUT", pipeline, spec));
    expect(completed, JSON.stringify(completed.error)).toMatchObject({ state: "succeeded" });
    await expectStateEqualsInventory(node, "penguins");
  });
});

/** A requester that asks again while the database is away. */
const answering = (service: TestService): TestService => ({
  ...service,
  request: async (...args): Promise<TestResponse> => {
    for (;;) {
      const answer = await service.request(...args);
      if (answer.status < 500) return answer;
    }
  },
});

/** The service as a process of its own that keeps states on a disk of 128 MiB, which only it and its engines see. */
async function startOnSmallDisk(folder: string, databaseUrl: string) {
  const states = join(folder, "states");
  await mkdir(states);
  const mountAndRun = 'mount -t tmpfs -o size=128m,mode=0700 tmpfs "$1" && exec "$2" "$3"';
  const own = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mountAndRun, "sh"] as const;
  const { url, child } = await startNodeProcess(
    {
      AIDLC_DATA_DIR: join(folder, "data"),
      DATABASE_URL: databaseUrl,
      PULUMI_BACKEND_URL: `file://${states}`,
    },
    [...own, states, ...nodeCommand],
  );
  const approver = await approverKey(databaseUrl);
  return { child, approver, ...requester(url, await administratorKey(url)) };
}
