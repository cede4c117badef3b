import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { startNodeProcess } from "../support/node-process.ts";
import {
  administratorKey,
  ended,
  firstResource,
  type Requester,
  requester,
  type TestResponse,
} from "../support/service.ts";

const spec = await readFile(new URL("../../examples/penguins.yaml", import.meta.url), "utf8");
const team = "/v1/teams/research";
const pipeline = `${team}/pipelines/penguins`;

interface Node extends Requester {
  readonly child: ChildProcess;
}

describe("a service that is killed in the middle of an update", () => {
  let dataDir: string;
  let node: Node;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "aidlc-crash-"));
    node = await startNode(dataDir);
    await node.request("POST", "/v1/teams", { name: "research" });
    const account = { accountId: "123456789012", region: "eu-central-1" };
    await ended(node, await node.request("PUT", `${team}/accounts/${parse(spec).account}`, account));
  });
  afterAll(async () => {
    const closed = once(node.child, "exit");
    node.child.kill("SIGTERM");
    await closed;
    await rm(dataDir, { recursive: true, force: true });
  });

  it("completes it on its next start, with what was done and no process of the first attempt left", async () => {
    const fault = { kind: "latency", type: "*", operation: "create", latencyMs: 300 };
    await node.request("POST", "/sandbox/v1/faults", fault);
    const { body: update } = await node.request("PUT", pipeline, spec);
    await firstResource(node, update.id, "done");
    const killed = once(node.child, "exit");
    node.child.kill("SIGKILL");
    await killed;

    node = await startNode(dataDir, node.token);
    await node.request("DELETE", "/sandbox/v1/faults");
    // Neither asked for again nor repaired by anybody: the next start takes it over.
    const completed = await finished(node, update.id);
    expect(completed, JSON.stringify(completed.error)).toMatchObject({ state: "succeeded" });
    expect(completed.result.changes.same).toBeGreaterThan(0);
    expect((await node.request("GET", pipeline)).body.state).toBe("ready");
  });

  it("refuses a second service on the same data folder while it runs", async () => {
    await expect(startNode(dataDir, node.token)).rejects.toThrow(
      /Another service runs with this data folder/,
    );
    expect((await node.request("GET", "/readyz")).status).toBe(200);
  });
});

/** Waits until an operation has ended, whichever node runs it. */
async function finished(node: Node, id: string): Promise<TestResponse["body"]> {
  for (;;) {
    const { body } = await node.request("GET", `/v1/operations/${id}`, undefined, { prefer: "wait=60" });
    if (body.finishedAt !== undefined) return body;
  }
}

/**
 * The service as its own process on the data of `dataDir`, ready; rejects with what it said when it ends before. Only the first
 * on its data needs no `token`.
 */
async function startNode(dataDir: string, token?: string): Promise<Node> {
  const { url, child } = await startNodeProcess({ AIDLC_DATA_DIR: dataDir });
  return { child, ...requester(url, token ?? (await administratorKey(url))) };
}
