import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { claimOperation } from "../../../src/operations/claims.ts";
import { ensureStack, findStack, listResources, recordSnapshot } from "../../../src/stacks/store.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { queuedOperation } from "../operations/queued-operation.ts";

let database: TestDatabase;
let stackId: string;
let token: number;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.drop());

/** A stack with an update that runs on it. */
beforeEach(async () => {
  stackId = await ensureStack(database.pool, "aidlc-foundation", randomUUID());
  const { id } = await queuedOperation(database.pool, { stackId });
  token = (await claimOperation(database.pool, id, { node: "n", leaseMs: 60_000 }))?.fencingToken ?? 0;
});

describe("a stack", () => {
  it("is made once per project and name, however many ask at once", async () => {
    const name = randomUUID();
    const ids = await Promise.all(
      Array.from({ length: 5 }, () => ensureStack(database.pool, "aidlc-pipeline", name)),
    );
    expect(new Set(ids).size).toBe(1);
    expect(await ensureStack(database.pool, "aidlc-foundation", name)).not.toBe(ids[0]);
  });

  it("has neither state nor outputs at first", async () => {
    expect(await findStack(database.pool, stackId)).toMatchObject({
      initialized: false,
      outputs: null,
      outputsRecordedAt: null,
    });
  });
});

describe("snapshots", () => {
  const resource = (name: string, change: object = {}) => ({
    urn: `urn:pulumi:s::p::aws:s3/bucket:Bucket::${name}`,
    type: "aws:s3/bucket:Bucket",
    name,
    awsId: name,
    phase: "learning" as const,
    parent: null,
    dependencies: [],
    inputs: { bucket: name },
    outputs: {},
    ...change,
  });

  it("replace the resources and outputs of the operation before", async () => {
    const record = (names: string[], outputs: object) =>
      recordSnapshot(database.pool, stackId, token, {
        exists: true,
        snapshot: { resources: names.map((name) => resource(name)), outputs: { ...outputs } },
      });
    await record(["a", "b"], { x: 1 });
    await record(["b", "c"], { y: [1, { z: null }] });
    const listed = await listResources(database.pool, stackId, { afterPosition: -1, limit: 10 });
    expect(listed.map(({ name }) => name)).toEqual(["b", "c"]);
    expect(await findStack(database.pool, stackId)).toMatchObject({
      initialized: true,
      outputs: { y: [1, { z: null }] },
      outputsRecordedAt: expect.any(Date),
    });
  });

  it("give a resource back as it was recorded", async () => {
    const whole = resource("a", {
      parent: "urn:x",
      dependencies: ["urn:b", "urn:c"],
      outputs: { list: [1, "2", null] },
    });
    const bare = resource("b", { awsId: null, phase: null, inputs: {}, outputs: {} });
    await recordSnapshot(database.pool, stackId, token, {
      exists: true,
      snapshot: { resources: [whole, bare], outputs: {} },
    });
    expect(await listResources(database.pool, stackId, { afterPosition: -1, limit: 10 })).toEqual([
      { ...whole, position: 0 },
      { ...bare, position: 1 },
    ]);
  });

  it("leave nothing of a stack that was destroyed", async () => {
    await recordSnapshot(database.pool, stackId, token, {
      exists: true,
      snapshot: { resources: [resource("a")], outputs: { x: 1 } },
    });
    await recordSnapshot(database.pool, stackId, token, { exists: false, snapshot: undefined });
    expect(await findStack(database.pool, stackId)).toMatchObject({ initialized: false, outputs: null });
    expect(await listResources(database.pool, stackId, { afterPosition: -1, limit: 10 })).toEqual([]);
  });

  it("keep what was known when the state could not be read", async () => {
    await recordSnapshot(database.pool, stackId, token, {
      exists: true,
      snapshot: { resources: [resource("a")], outputs: { x: 1 } },
    });
    await recordSnapshot(database.pool, stackId, token, { exists: true, snapshot: undefined });
    expect((await findStack(database.pool, stackId)).outputs).toEqual({ x: 1 });
    expect(await listResources(database.pool, stackId, { afterPosition: -1, limit: 10 })).toHaveLength(1);
  });
});
