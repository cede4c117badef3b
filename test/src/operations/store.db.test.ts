import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { claimOperation, finishOperation, recordRunner, renewLease } from "../../../src/operations/claims.ts";
import { appendEvents, listEvents, type StoredEvent } from "../../../src/operations/events.ts";
import type { OperationKind } from "../../../src/operations/states.ts";
import {
  activeChange,
  findOperation,
  lastDrift,
  requestCancel,
  supersedePending,
} from "../../../src/operations/store.ts";
import { giveBack, lapsedOperations } from "../../../src/recovery/lapsed.ts";
import { ensureStack, findStack, recordSnapshot } from "../../../src/stacks/store.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { queuedOperation } from "./queued-operation.ts";

const node = { node: "node-a", leaseMs: 60_000 };
const succeeded = { state: "succeeded", result: { changes: {} }, error: null } as const;

let database: TestDatabase;
let stackId: string;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.drop());

beforeEach(async () => {
  stackId = await ensureStack(database.pool, "aidlc-foundation", randomUUID());
});

async function queued(kind: OperationKind = "update", on = stackId): Promise<string> {
  return (await queuedOperation(database.pool, { kind, stackId: on })).id;
}

async function claimed(kind: OperationKind = "update"): Promise<{ id: string; token: number }> {
  const id = await queued(kind);
  const claim = await claimOperation(database.pool, id, node);
  if (!claim) throw new Error("Nobody else claims it");
  return { id, token: claim.fencingToken };
}

const stateOf = async (id: string) => (await findOperation(database.pool, id))?.state;
const event = (sequence: number, change: Partial<StoredEvent> = {}): StoredEvent => ({
  sequence,
  at: new Date("2026-01-31T12:00:00.123Z"),
  type: "diagnostic",
  phase: null,
  body: { message: `event ${sequence}` },
  ...change,
});

/** What a node that was thought dead would still hold after another one took its operation over. */
async function lostClaim(kind: OperationKind = "update") {
  const old = await claimed(kind);
  await database.pool.query("update operations set state = 'queued' where id = $1", [old.id]);
  const newer = await claimOperation(database.pool, old.id, { ...node, node: "node-b" });
  return { id: old.id, oldToken: old.token, newToken: newer?.fencingToken ?? 0 };
}

describe("claiming", () => {
  it("gives an operation to exactly one of many who ask at once", async () => {
    const id = await queued();
    const asked = Array.from({ length: 8 }, (_, index) =>
      claimOperation(database.pool, id, { ...node, node: `node-${index}` }),
    );
    const claims = (await Promise.all(asked)).filter((claim) => claim !== undefined);
    expect(claims).toHaveLength(1);
    expect(claims[0]?.operation).toMatchObject({ id, state: "running", startedAt: expect.any(Date) });
  });

  it.each(["running", "cancelled", "superseded", "succeeded", "needs_repair", "awaiting_approval"])(
    "gives nobody an operation that is %s",
    async (state) => {
      const id = await queued();
      await database.pool.query("update operations set state = $2 where id = $1", [id, state]);
      expect(await claimOperation(database.pool, id, node)).toBeUndefined();
      expect(await stateOf(id)).toBe(state);
    },
  );

  it("gives nobody an operation that doesn't exist", async () => {
    expect(await claimOperation(database.pool, randomUUID(), node)).toBeUndefined();
  });

  it("gives every claim a higher fencing token than the one before", async () => {
    const first = await claimed();
    const second = await claimed("preview");
    const third = await claimed("drift");
    expect(second.token).toBeGreaterThan(first.token);
    expect(third.token).toBeGreaterThan(second.token);
  });

  it("hands the stack to a change, and leaves it alone for what only reads", async () => {
    const stackToken = async () =>
      (await database.pool.query("select fencing_token from stacks where id = $1", [stackId])).rows[0]
        .fencing_token;
    const change = await claimed("update");
    expect(await stackToken()).toBe(change.token);
    await claimed("preview");
    await claimed("drift");
    expect(await stackToken()).toBe(change.token);
  });
});

describe("an old fencing token", () => {
  it("appends no event", async () => {
    const { id, oldToken, newToken } = await lostClaim();
    expect(await appendEvents(database.pool, id, oldToken, [event(1)])).toBe(false);
    expect(await listEvents(database.pool, id, 0, 10)).toEqual([]);
    expect(await appendEvents(database.pool, id, newToken, [event(1)])).toBe(true);
  });

  it("ends no operation", async () => {
    const { id, oldToken, newToken } = await lostClaim();
    expect(await finishOperation(database.pool, id, oldToken, succeeded)).toBe(false);
    expect(await stateOf(id)).toBe("running");
    expect(await finishOperation(database.pool, id, newToken, succeeded)).toBe(true);
  });

  it("renews no lease", async () => {
    const { id, oldToken, newToken } = await lostClaim();
    expect(await renewLease(database.pool, id, oldToken, 60_000)).toEqual({
      held: false,
      cancelRequested: false,
    });
    expect(await renewLease(database.pool, id, newToken, 60_000)).toEqual({
      held: true,
      cancelRequested: false,
    });
  });

  it("records no runner", async () => {
    const { id, oldToken } = await lostClaim();
    await recordRunner(database.pool, id, oldToken, { marker: "old", processGroup: 1, host: "this" });
    const found = await database.pool.query("select runner, process_group from operations where id = $1", [
      id,
    ]);
    expect(found.rows[0]).toEqual({ runner: null, process_group: null });
  });

  it("writes no snapshot of the stack", async () => {
    const { oldToken, newToken } = await lostClaim();
    const state = (bucket: string) => ({ exists: true, snapshot: { resources: [], outputs: { bucket } } });
    expect(await recordSnapshot(database.pool, stackId, newToken, state("new"))).toBe(true);
    expect(await recordSnapshot(database.pool, stackId, oldToken, state("old"))).toBe(false);
    expect((await findStack(database.pool, stackId)).outputs).toEqual({ bucket: "new" });
  });

  it("writes no snapshot once the next change of the stack has begun", async () => {
    const first = await claimed();
    await finishOperation(database.pool, first.id, first.token, succeeded);
    await claimed();
    const snapshot = { resources: [], outputs: { bucket: "late" } };
    expect(await recordSnapshot(database.pool, stackId, first.token, { exists: true, snapshot })).toBe(false);
    expect((await findStack(database.pool, stackId)).outputs).toBeNull();
  });
});

describe("the end of an operation", () => {
  it("keeps result, error and moment, and gives the lease back", async () => {
    const { id, token } = await claimed();
    const error = { code: "throttled", message: "slow", remedy: "again" } as const;
    await finishOperation(database.pool, id, token, {
      state: "failed",
      result: { changes: { create: 2 } },
      error,
    });
    expect(await findOperation(database.pool, id)).toMatchObject({
      state: "failed",
      result: { changes: { create: 2 } },
      error,
      finishedAt: expect.any(Date),
    });
    expect((await renewLease(database.pool, id, token, 60_000)).held).toBe(false);
  });

  it("is written once: a second one changes nothing", async () => {
    const { id, token } = await claimed();
    await finishOperation(database.pool, id, token, succeeded);
    expect(await finishOperation(database.pool, id, token, { ...succeeded, state: "failed" })).toBe(false);
    expect(await stateOf(id)).toBe("succeeded");
  });

  it("is the end of its events: none is appended after it", async () => {
    const { id, token } = await claimed();
    await appendEvents(database.pool, id, token, [event(1)]);
    await finishOperation(database.pool, id, token, succeeded);
    // Streams close when they see the end; an event after it would be in the table but in no stream.
    expect(await appendEvents(database.pool, id, token, [event(2)])).toBe(false);
    expect(await listEvents(database.pool, id, 0, 10)).toHaveLength(1);
  });
});

describe("leases", () => {
  const lapsed = async (allOf: string | null = null) =>
    (await lapsedOperations(database.pool, { host: "this", allOf })).map((operation) => operation.id);
  const lapse = (id: string, seconds = 1) =>
    database.pool.query(
      "update operations set lease_until = clock_timestamp() - $2 * interval '1 second' where id = $1",
      [id, seconds],
    );
  const runsOn = (host: string) => ({ marker: "m-1", processGroup: 7, host });

  it("that run are not lapsed, and those that ran out are, whoever's node it was", async () => {
    const { id } = await claimed();
    expect(await lapsed()).not.toContain(id);
    await lapse(id);
    expect(await lapsed()).toContain(id);
  });

  it("begin anew with every renewal", async () => {
    const { id, token } = await claimed();
    await lapse(id);
    await renewLease(database.pool, id, token, 60_000);
    expect(await lapsed()).not.toContain(id);
  });

  it("last as long as they are given", async () => {
    const { id, token } = await claimed();
    await renewLease(database.pool, id, token, 1_500);
    const found = await database.pool.query(
      "select extract(epoch from lease_until - clock_timestamp()) as seconds from operations where id = $1",
      [id],
    );
    expect(Number(found.rows[0].seconds)).toBeGreaterThan(0);
    expect(Number(found.rows[0].seconds)).toBeLessThanOrEqual(1.5);
  });

  it("of processes on another host are over only after the time in which these end themselves", async () => {
    const { id, token } = await claimed();
    await recordRunner(database.pool, id, token, runsOn("another"));
    await lapse(id);
    expect(await lapsed()).not.toContain(id);
    await lapse(id, 60);
    expect(await lapsed()).toContain(id);
  });

  it("don't matter on a start: whatever claims to run on that node is found", async () => {
    const { id } = await claimed();
    expect(await lapsed("node-a")).toContain(id);
    expect(await lapsed("node-of-nobody")).not.toContain(id);
  });

  it("of ended operations are never found", async () => {
    const { id, token } = await claimed();
    await finishOperation(database.pool, id, token, succeeded);
    expect(await lapsed("node-a")).not.toContain(id);
  });

  it("name the processes to be proved dead, and where they are", async () => {
    const { id, token } = await claimed("drift");
    await recordRunner(database.pool, id, token, runsOn("this"));
    const found = await lapsedOperations(database.pool, { host: "this", allOf: "node-a" });
    expect(found.find((operation) => operation.id === id)).toMatchObject({
      runner: "m-1",
      host: "this",
      node: "node-a",
      fencingToken: token,
      attempt: 1,
      verdict: null,
      cancelRequested: false,
    });
  });
});

describe("giving an operation back", () => {
  const how = { countsAttempt: true, verdict: null };

  it("queues it for its next attempt, and refuses whatever its old claim still writes", async () => {
    const { id, token } = await claimed();
    expect(await giveBack(database.pool, id, token, how)).toBe(true);
    expect(await findOperation(database.pool, id)).toMatchObject({ state: "queued" });
    expect(await appendEvents(database.pool, id, token, [event(1)])).toBe(false);
    expect(await finishOperation(database.pool, id, token, succeeded)).toBe(false);
    expect((await renewLease(database.pool, id, token, 60_000)).held).toBe(false);
    expect(await claimOperation(database.pool, id, node)).toMatchObject({ attempt: 2, verdict: null });
    // Nor while the next claim runs it.
    expect(await appendEvents(database.pool, id, token, [event(1)])).toBe(false);
    expect(await finishOperation(database.pool, id, token, succeeded)).toBe(false);
  });

  it("keeps the end that it is to come to once its stack is repaired", async () => {
    const { id, token } = await claimed();
    const error = { code: "cancelled", message: "It was cancelled", remedy: "None" } as const;
    const verdict = { state: "cancelled", error } as const;
    await giveBack(database.pool, id, token, { countsAttempt: false, verdict });
    expect(await claimOperation(database.pool, id, node)).toMatchObject({ attempt: 1, verdict });
  });

  it("is refused for a claim that was lost", async () => {
    const { id, token } = await claimed();
    await giveBack(database.pool, id, token, how);
    expect(await giveBack(database.pool, id, token, how)).toBe(false);
  });
});

describe("cancelling", () => {
  it("ends a queued operation at once, so that nobody can claim it", async () => {
    const id = await queued();
    expect(await requestCancel(database.pool, id)).toMatchObject({
      state: "cancelled",
      finishedAt: expect.any(Date),
      cancelRequestedAt: expect.any(Date),
    });
    expect(await claimOperation(database.pool, id, node)).toBeUndefined();
  });

  it("of a running operation is told with its next renewal, and doesn't end it", async () => {
    const { id, token } = await claimed();
    expect(await requestCancel(database.pool, id)).toMatchObject({ state: "running", finishedAt: null });
    expect(await renewLease(database.pool, id, token, 60_000)).toEqual({ held: true, cancelRequested: true });
  });

  it("remembers when it was asked for first", async () => {
    const { id } = await claimed();
    const first = await requestCancel(database.pool, id);
    const second = await requestCancel(database.pool, id);
    expect(second?.cancelRequestedAt).toEqual(first?.cancelRequestedAt);
  });

  it("of an ended operation changes nothing", async () => {
    const { id, token } = await claimed();
    await finishOperation(database.pool, id, token, succeeded);
    expect(await requestCancel(database.pool, id)).toBeUndefined();
    expect(await findOperation(database.pool, id)).toMatchObject({
      state: "succeeded",
      cancelRequestedAt: null,
    });
  });

  it("and claiming at the same moment leave either a cancelled or a running operation that knows", async () => {
    for (let round = 0; round < 10; round++) {
      const id = await queued();
      const [claim] = await Promise.all([
        claimOperation(database.pool, id, node),
        requestCancel(database.pool, id),
      ]);
      const operation = await findOperation(database.pool, id);
      expect(operation?.state).toBe(claim ? "running" : "cancelled");
      expect(operation?.cancelRequestedAt).not.toBeNull();
    }
  });
});

describe("superseding", () => {
  it("ends queued updates of the stack, whatever waits there for approval, and nothing else", async () => {
    const update = await queued("update");
    const waiting = (await claimed("reconcile")).id;
    await database.pool.query("update operations set state = 'awaiting_approval' where id = $1", [waiting]);
    const others = [await queued("reconcile"), await queued("preview"), (await claimed("update")).id];
    const elsewhere = await queued(
      "update",
      await ensureStack(database.pool, "aidlc-foundation", randomUUID()),
    );
    await supersedePending(database.pool, stackId);
    for (const id of [update, waiting]) {
      expect(await findOperation(database.pool, id)).toMatchObject({
        state: "superseded",
        finishedAt: expect.any(Date),
      });
    }
    for (const id of [...others, elsewhere]) expect(await stateOf(id)).not.toBe("superseded");
  });
});

describe("activeChange", () => {
  it("is the newest change that has not ended, never something that only reads", async () => {
    expect(await activeChange(database.pool, stackId)).toBeUndefined();
    await queued("preview");
    await queued("drift");
    expect(await activeChange(database.pool, stackId)).toBeUndefined();
    const { id: first, token } = await claimed("update");
    expect((await activeChange(database.pool, stackId))?.id).toBe(first);
    const second = await queued("destroy");
    expect((await activeChange(database.pool, stackId))?.id).toBe(second);
    await requestCancel(database.pool, second);
    expect((await activeChange(database.pool, stackId))?.id).toBe(first);
    await finishOperation(database.pool, first, token, succeeded);
    expect(await activeChange(database.pool, stackId)).toBeUndefined();
  });
});

describe("events", () => {
  it("come back in order, whole, from where the reader left off", async () => {
    const { id, token } = await claimed();
    await appendEvents(database.pool, id, token, [
      event(1),
      event(2, { phase: "learning", type: "resource" }),
    ]);
    await appendEvents(database.pool, id, token, [event(3)]);
    expect(await listEvents(database.pool, id, 0, 10)).toEqual([
      event(1),
      event(2, { phase: "learning", type: "resource" }),
      event(3),
    ]);
    expect((await listEvents(database.pool, id, 1, 1)).map(({ sequence }) => sequence)).toEqual([2]);
  });

  it("are stored together or not at all", async () => {
    const { id, token } = await claimed();
    const wrong = { ...event(2), type: null as unknown as string };
    await expect(appendEvents(database.pool, id, token, [event(1), wrong])).rejects.toMatchObject({
      code: "23502",
    });
    expect(await listEvents(database.pool, id, 0, 10)).toEqual([]);
  });

  it("that come again, because nobody heard that they were stored, stay as they were", async () => {
    const { id, token } = await claimed();
    await appendEvents(database.pool, id, token, [event(1)]);
    const again = [event(1, { type: "another" }), event(2)];
    expect(await appendEvents(database.pool, id, token, again)).toBe(true);
    expect(await listEvents(database.pool, id, 0, 10)).toEqual([event(1), event(2)]);
  });
});

describe("lastDrift", () => {
  async function pipeline(): Promise<string> {
    await database.pool.query(
      "insert into teams (name, display_name) values ('ml', 'ML') on conflict do nothing",
    );
    const inserted = await database.pool.query(
      "insert into pipelines (team, name, account, stack_id, desired_revision) values ('ml', $1, 'main', $2, 1) returning id",
      [`p-${randomUUID()}`.slice(0, 30), stackId],
    );
    return inserted.rows[0].id;
  }

  async function ran(
    pipelineId: string,
    kind: OperationKind,
    result: object = { changes: {} },
  ): Promise<string> {
    const { id, token } = await claimed(kind);
    await database.pool.query(
      "update operations set account = null, pipeline = 'churn', pipeline_id = $2 where id = $1",
      [id, pipelineId],
    );
    await finishOperation(database.pool, id, token, { ...succeeded, result: result as never });
    return id;
  }

  it("is the newest completed check with what it found", async () => {
    const id = await pipeline();
    const steps = [{ action: "update", urn: "u", type: "aws:s3/bucket:Bucket", name: "raw", changes: [] }];
    await ran(id, "drift");
    const check = await ran(id, "drift", { changes: { update: 1 }, steps });
    expect(await lastDrift(database.pool, id)).toEqual({
      operationId: check,
      checkedAt: expect.any(Date),
      steps,
    });
  });

  it("can still be read once a change of the stack has ended", async () => {
    const id = await pipeline();
    const check = await ran(id, "drift");
    await ran(id, "update");
    expect(await lastDrift(database.pool, id)).toMatchObject({ operationId: check });
  });

  it("is none before the first check", async () => {
    expect(await lastDrift(database.pool, await pipeline())).toBeUndefined();
  });
});
