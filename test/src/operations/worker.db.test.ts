import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import pino from "pino";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { AuditTrail } from "../../../src/audit/trail.ts";
import type { ProgramRequest, RunOutcome, RunRequest, TimedEvent } from "../../../src/engine/protocol.ts";
import { markerVariable } from "../../../src/engine/reaper.ts";
import type { Runner, Supervisor } from "../../../src/engine/supervisor.ts";
import { AppError } from "../../../src/errors.ts";
import { createMetrics } from "../../../src/metrics.ts";
import { claimOperation, recordRunner } from "../../../src/operations/claims.ts";
import { listEvents } from "../../../src/operations/events.ts";
import { stackPassphrases } from "../../../src/operations/passphrases.ts";
import type { RunCredentialsIssuer } from "../../../src/operations/run-credentials.ts";
import type { OperationKind } from "../../../src/operations/states.ts";
import {
  findOperation,
  insertOperation,
  type Operation,
  requestCancel,
} from "../../../src/operations/store.ts";
import { submitOperation } from "../../../src/operations/submit.ts";
import { type StackOwner, Worker } from "../../../src/operations/worker.ts";
import { inTransaction } from "../../../src/postgres/pool.ts";
import { openQueue, type Queue } from "../../../src/queue/queue.ts";
import { ensureStack, findStack } from "../../../src/stacks/store.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

const program: ProgramRequest = {
  name: "foundation",
  input: { account: { accountId: "111122223333", region: "eu-central-1" } },
};
const registered = { team: "ml", name: "main", aws: program.input.account, externalId: "aidlc-1" };
const succeeded: RunOutcome = { state: "succeeded", changes: { create: 2 }, steps: [], stackExists: true };

let database: TestDatabase;
let queue: Queue;
let stackId: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  await database.pool.query("insert into teams (name, display_name) values ('ml', 'ML')");
  queue = await openQueue(database.url, () => {});
});

beforeEach(async () => {
  stackId = await ensureStack(database.pool, "aidlc-foundation", randomUUID());
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

afterAll(async () => {
  await queue.stop(1_000);
  await database.drop();
});

async function queued(kind: OperationKind = "update"): Promise<Operation> {
  return insertOperation(database.pool, {
    id: randomUUID(),
    kind,
    stackId,
    team: "ml",
    subject: { type: "account", account: "main" },
    revision: null,
    options: {},
    requestId: "r-1",
    requestedBy: "user:ada",
  });
}

type Script = (
  request: Omit<RunRequest, "attachedProviderPort">,
  signal: AbortSignal,
  onEvent: (event: TimedEvent) => void,
) => Promise<RunOutcome>;

/** The real worker; a script stands in for runner and engine, whose own behaviour the acceptance tests show. */
function workerWith(
  script: Script,
  {
    owner = {},
    marker = "m",
    grant = async () => ({ revoke: () => {} }),
  }: { owner?: Partial<StackOwner>; marker?: string; grant?: RunCredentialsIssuer["grant"] } = {},
) {
  const requests: Omit<RunRequest, "attachedProviderPort">[] = [];
  const ended: RunOutcome[] = [];
  const dispose = vi.fn(async () => {});
  const take: Supervisor["take"] = async (): Promise<Runner> => ({
    marker,
    processGroup: 4711,
    run: (request, signal, onEvent) => {
      requests.push(request);
      return script(request, signal, onEvent);
    },
    dispose,
  });
  const account: StackOwner = {
    accountOf: async () => registered,
    programFor: async () => program,
    onEnded: async (_client, _operation, outcome) => void ended.push(outcome),
    ...owner,
  };
  const worker = new Worker({
    pool: database.pool,
    audit: new AuditTrail("a passphrase of the tests"),
    queue,
    supervisor: { take } as unknown as Supervisor,
    owners: { account, pipeline: account },
    passphrases: stackPassphrases("master"),
    credentials: { grant },
    backendUrl: "file:///nowhere",
    node: "node-a",
    enforcedPolicies: [],
    orderlyEndMs: 200,
    metrics: createMetrics(database.pool),
    log: pino({ level: "silent" }),
  });
  return { worker, requests, ended, dispose };
}

const read = async (id: string) => (await findOperation(database.pool, id)) as Operation;

describe("a worker", () => {
  it("runs a queued operation to its end: result, outputs, events, and the owner's own rows", async () => {
    const operation = await queued();
    const urn = "urn:pulumi:s::p::aws:s3/bucket:Bucket::raw";
    const snapshot = {
      outputs: { bucket: "raw-1" },
      resources: [
        {
          urn,
          type: "aws:s3/bucket:Bucket",
          name: "raw",
          awsId: "raw-1",
          phase: null,
          parent: null,
          dependencies: [],
          inputs: {},
          outputs: {},
        },
      ],
    };
    const { worker, requests, ended } = workerWith(async (_request, _signal, onEvent) => {
      onEvent({ at: new Date(), event: { type: "diagnostic", severity: "warning", message: "careful" } });
      return { ...succeeded, snapshot };
    });
    await worker.run({ operationId: operation.id });
    expect(await read(operation.id)).toMatchObject({
      state: "succeeded",
      result: { changes: { create: 2 } },
      error: null,
    });
    expect(await findStack(database.pool, stackId)).toMatchObject({
      initialized: true,
      outputs: { bucket: "raw-1" },
    });
    expect((await listEvents(database.pool, operation.id, 0, 9)).map(({ body }) => body.message)).toEqual([
      "careful",
    ]);
    expect(ended).toHaveLength(1);
    expect(requests[0]).toMatchObject({
      operationId: operation.id,
      action: "update",
      stack: { project: "aidlc-foundation", exists: false },
      program,
    });
  });

  it("gives a run the credentials of its account, and takes them back when it has ended", async () => {
    const operation = await queued();
    const revoke = vi.fn();
    const grant = vi.fn(async () => ({ provider: { url: "http://127.0.0.1:1/x", token: "t" }, revoke }));
    const { worker, requests } = workerWith(
      async () => {
        expect(revoke).not.toHaveBeenCalled();
        return succeeded;
      },
      { grant },
    );
    await worker.run({ operationId: operation.id });
    expect(grant).toHaveBeenCalledWith(
      expect.objectContaining({ id: operation.id }),
      registered,
      expect.objectContaining({ id: stackId }),
    );
    expect(requests[0]?.credentials).toEqual({ provider: { url: "http://127.0.0.1:1/x", token: "t" } });
    expect(revoke).toHaveBeenCalledOnce();
  });

  it("gives a stack that exists, and its own passphrase, to the next run", async () => {
    const first = await queued();
    const { worker, requests } = workerWith(async () => ({
      ...succeeded,
      snapshot: { outputs: {}, resources: [] },
    }));
    await worker.run({ operationId: first.id });
    await worker.run({ operationId: (await queued("preview")).id });
    expect(requests.map((request) => request.stack.exists)).toEqual([false, true]);
    expect(requests[0]?.passphrase).toBe(requests[1]?.passphrase);
    stackId = await ensureStack(database.pool, "aidlc-foundation", randomUUID());
    await worker.run({ operationId: (await queued()).id });
    expect(requests[2]?.passphrase).not.toBe(requests[0]?.passphrase);
  });

  it("records steps and a digest for a preview; equal plans have equal digests", async () => {
    const step = (name: string) => ({
      action: "create",
      urn: `u:${name}`,
      type: "aws:s3/bucket:Bucket",
      name,
      changes: [],
    });
    const digestOf = async (names: string[]) => {
      const { id } = await queued("preview");
      await workerWith(async () => ({ ...succeeded, steps: names.map(step) })).worker.run({
        operationId: id,
      });
      const { result } = await read(id);
      expect(result?.steps).toHaveLength(names.length);
      return result?.digest;
    };
    expect(await digestOf(["a", "b"])).toMatch(/^[0-9a-f]{64}$/);
    expect(await digestOf(["a", "b"])).toBe(await digestOf(["a", "b"]));
    expect(await digestOf(["a"])).not.toBe(await digestOf(["a", "b"]));
  });

  it("hands exceptions from policies to the run and stores what it found, however it ended", async () => {
    const { id } = await queued();
    const exception = {
      policy: "budget-with-alerts",
      reason: "It is paid for by somebody else",
      approvedBy: "finance@example.com",
      expiresAt: "2030-01-01T00:00:00.000Z",
    };
    const finding = {
      policy: "budget-with-alerts",
      title: "It has a budget",
      phase: "architecture",
      severity: "medium",
      enforcement: "mandatory",
      remedy: "Set one",
    } as const;
    const error = { code: "policy_refused", message: "No", remedy: "Set one" } as const;
    const { worker, requests } = workerWith(
      async (_request, _signal, onEvent) => {
        onEvent({ at: new Date(), phase: "architecture", event: { type: "policy", finding } });
        return { state: "failed", changes: {}, steps: [], stackExists: false, findings: [finding], error };
      },
      { owner: { exceptionsFor: async () => [exception] } },
    );
    await worker.run({ operationId: id });
    expect(requests[0]?.policies).toEqual({ exceptions: [exception], enforced: [] });
    expect(await read(id)).toMatchObject({ state: "failed", error, result: { findings: [finding] } });
    expect(await listEvents(database.pool, id, 0, 9)).toEqual([
      expect.objectContaining({ type: "policy", phase: "architecture", body: { finding } }),
    ]);
  });

  it("runs nothing that was cancelled while it waited, and gives back the job of what somebody else runs", async () => {
    const cancelled = await queued();
    await requestCancel(database.pool, cancelled.id);
    const taken = await queued();
    await claimOperation(database.pool, taken.id, { node: "node-b", leaseMs: 60_000 });
    const { worker, requests } = workerWith(async () => succeeded);
    await worker.run({ operationId: cancelled.id });
    // The job must stay in the queue: without it the next change of the stack would begin beside this one.
    await expect(worker.run({ operationId: taken.id })).rejects.toThrow(
      /is running and can't be claimed yet/,
    );
    await worker.run({ operationId: randomUUID() });
    expect(requests).toEqual([]);
    expect((await read(cancelled.id)).state).toBe("cancelled");
    expect((await read(taken.id)).state).toBe("running");
  });

  it("leaves a change queued while another one of the stack still runs, whatever the queue believes", async () => {
    const living = await queued();
    await claimOperation(database.pool, living.id, { node: "node-b", leaseMs: 60_000 });
    const next = await queued("reconcile");
    const { worker, requests } = workerWith(async () => succeeded);
    await expect(worker.run({ operationId: next.id })).rejects.toThrow(/is queued and can't be claimed yet/);
    expect(requests).toEqual([]);
    expect((await read(next.id)).state).toBe("queued");
  });

  it("records who runs the operation while it runs", async () => {
    const operation = await queued();
    const end = Promise.withResolvers<RunOutcome>();
    const { worker } = workerWith(() => end.promise);
    const running = worker.run({ operationId: operation.id });
    await vi.waitFor(async () => {
      const found = await database.pool.query(
        "select state, node, runner, process_group from operations where id = $1",
        [operation.id],
      );
      expect(found.rows[0]).toEqual({ state: "running", node: "node-a", runner: "m", process_group: 4711 });
    });
    end.resolve(succeeded);
    await running;
  });

  it("asks a running operation to stop, and records what that one makes of it", async () => {
    const operation = await queued();
    const started = Promise.withResolvers<void>();
    const { worker, ended } = workerWith(async (_request, signal) => {
      started.resolve();
      await once(signal, "abort");
      return { ...succeeded, state: "cancelled" };
    });
    const running = worker.run({ operationId: operation.id });
    await started.promise;
    expect(worker.cancel(operation.id)).toBe(true);
    await running;
    expect((await read(operation.id)).state).toBe("cancelled");
    expect(ended.map(({ state }) => state)).toEqual(["cancelled"]);
    expect(worker.cancel(operation.id)).toBe(false);
  });

  it("stops everything it runs on a shutdown, and waits for the ends", async () => {
    const operations = [await queued("preview"), await queued("preview")];
    let started = 0;
    const { worker } = workerWith(async (_request, signal) => {
      started += 1;
      await once(signal, "abort");
      return { ...succeeded, state: "cancelled" };
    });
    const runs = operations.map(({ id }) => worker.run({ operationId: id }));
    await vi.waitFor(() => expect(started).toBe(2));
    await worker.cancelAll();
    await Promise.all(runs);
    for (const { id } of operations) expect((await read(id)).state).toBe("cancelled");
  });

  it("writes nothing when the claim was lost while it ran", async () => {
    const operation = await queued();
    const { worker, ended } = workerWith(async () => {
      await database.pool.query("update operations set state = 'queued' where id = $1", [operation.id]);
      await claimOperation(database.pool, operation.id, { node: "node-b", leaseMs: 60_000 });
      return { ...succeeded, snapshot: { outputs: { late: true }, resources: [] } };
    });
    await worker.run({ operationId: operation.id });
    expect((await read(operation.id)).state).toBe("running");
    expect((await findStack(database.pool, stackId)).outputs).toBeNull();
    expect(ended).toEqual([]);
  });
});

describe("an operation that could not be run", () => {
  it("has failed with the reason, when its program can't be built", async () => {
    const operation = await queued();
    const reason = new AppError(
      "foundation_not_ready",
      'The foundation of account "main" is not provisioned',
    );
    const { worker, requests } = workerWith(async () => succeeded, {
      owner: { programFor: () => Promise.reject(reason) },
    });
    await worker.run({ operationId: operation.id });
    expect(requests).toEqual([]);
    expect(await read(operation.id)).toMatchObject({
      state: "failed",
      error: { message: reason.message, remedy: expect.stringMatching(/^Nothing was changed/) },
    });
  });

  it("starts nothing and looks at nothing when AWS refuses the account's role", async () => {
    const operation = await queued();
    const programFor = vi.fn(async () => program);
    const refusal = new AppError("account_refused", "The session is another account's; AKIAIOSFODNN7EXAMPLE");
    const { worker, requests } = workerWith(async () => succeeded, {
      owner: { programFor },
      grant: () => Promise.reject(refusal),
    });
    await worker.run({ operationId: operation.id });
    expect(await read(operation.id)).toMatchObject({
      state: "failed",
      error: { code: "access_denied", message: "The session is another account's; [secret]" },
    });
    expect(programFor).not.toHaveBeenCalled();
    expect(requests).toEqual([]);
  });

  it("takes back the credentials that it was given", async () => {
    const operation = await queued();
    const revoke = vi.fn();
    const programFor = () => Promise.reject(new AppError("foundation_not_ready", "Not yet"));
    const { worker } = workerWith(async () => succeeded, {
      owner: { programFor },
      grant: async () => ({ revoke }),
    });
    await worker.run({ operationId: operation.id });
    expect(revoke).toHaveBeenCalledOnce();
  });

  it("tells no detail of a failure that is the service's own", async () => {
    const operation = await queued();
    const reason = new Error("connect ECONNREFUSED postgres://aidlc:hunter22@10.0.0.7/internal");
    const { worker } = workerWith(async () => succeeded, {
      owner: { programFor: () => Promise.reject(reason) },
    });
    await worker.run({ operationId: operation.id });
    const { state, error } = await read(operation.id);
    expect(state).toBe("failed");
    expect(JSON.stringify(error)).not.toMatch(/hunter22|10\.0\.0\.7/);
  });

  it("never begins when it can't be put on record who runs it", async () => {
    const operation = await queued();
    // A text that the database refuses stands for its failure at this very moment.
    const { worker, requests, dispose } = workerWith(async () => succeeded, { marker: "\0" });
    await worker.run({ operationId: operation.id });
    expect(requests).toEqual([]);
    expect(dispose).toHaveBeenCalledTimes(1);
    expect(await read(operation.id)).toMatchObject({
      state: "failed",
      error: { remedy: expect.stringMatching(/^Nothing was changed/) },
    });
  });

  it("is recorded with its true end once the database takes it, not as lost", async () => {
    const operation = await queued();
    let refusals = 1;
    const { worker } = workerWith(async () => succeeded, {
      owner: {
        onEnded: async (client) => {
          if (refusals-- > 0) await client.query("select pg_terminate_backend(pg_backend_pid())");
        },
      },
    });
    await worker.run({ operationId: operation.id });
    expect(await read(operation.id)).toMatchObject({
      state: "succeeded",
      result: { changes: { create: 2 } },
    });
  });

  it("leaves neither an end nor a snapshot when its owner's rows can't be written", async () => {
    const operation = await queued();
    const reason = new Error("a defect");
    const { worker } = workerWith(
      async () => ({ ...succeeded, snapshot: { outputs: { half: true }, resources: [] } }),
      {
        owner: { onEnded: () => Promise.reject(reason) },
      },
    );
    await expect(worker.run({ operationId: operation.id })).rejects.toBe(reason);
    expect((await read(operation.id)).state).toBe("running");
    expect((await findStack(database.pool, stackId)).outputs).toBeNull();
  });
});

/** What the audit trail has of an operation. */
async function audited(id: string) {
  const found = await database.pool.query(
    "select subject, action, team, request_id, after from audit_entries where target = $1",
    [`/operations/${id}`],
  );
  return found.rows;
}

describe("the audit trail", () => {
  it.each(["update", "destroy", "reconcile", "refresh"] as const)(
    "has how an %s ended and who asked for it",
    async (kind) => {
      const operation = await queued(kind);
      const error = { code: "engine_failed", message: "It failed", remedy: "Repeat it" } as const;
      const { worker } = workerWith(async () => ({ ...succeeded, state: "failed", error }));
      await worker.run({ operationId: operation.id });
      expect(await audited(operation.id)).toEqual([
        {
          subject: "service",
          action: "operation.end",
          team: "ml",
          request_id: "r-1",
          after: {
            state: "failed",
            kind,
            subject: { type: "account", account: "main" },
            revision: null,
            requestedBy: "user:ada",
            changes: { create: 2 },
            error: "engine_failed",
          },
        },
      ]);
    },
  );

  it.each(["preview", "drift"] as const)("has no end of a %s, which changes nothing", async (kind) => {
    const operation = await queued(kind);
    await workerWith(async () => succeeded).worker.run({ operationId: operation.id });
    expect(await audited(operation.id)).toEqual([]);
  });

  it("has no end that was not recorded", async () => {
    const operation = await queued();
    const { worker } = workerWith(async () => succeeded, {
      owner: { onEnded: () => Promise.reject(new Error("a defect")) },
    });
    await expect(worker.run({ operationId: operation.id })).rejects.toThrow("a defect");
    expect(await audited(operation.id)).toEqual([]);
  });
});

describe("settling what a dead service left behind", () => {
  /** An operation that claims to run on this node, with a live process of its runner. */
  async function leftBehind(kind: OperationKind) {
    const operation = await inTransaction(database.pool, (client) =>
      submitOperation(client, queue, {
        kind,
        stackId,
        team: "ml",
        subject: { type: "account", account: "main" },
        revision: null,
        options: {},
        requestId: "r-1",
        requestedBy: "user:ada",
      }),
    );
    const claim = await claimOperation(database.pool, operation.id, { node: "node-a", leaseMs: 60_000 });
    const marker = randomUUID();
    const child = spawn(process.execPath, ["-e", "console.log('up'); setInterval(() => {}, 1000)"], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { PATH: process.env.PATH, [markerVariable]: marker },
    });
    children.push(child);
    await once(createInterface({ input: child.stdout }), "line");
    await recordRunner(database.pool, operation.id, claim?.fencingToken ?? 0, {
      marker,
      processGroup: child.pid,
    });
    return { id: operation.id, child };
  }

  const lapse = (id: string) =>
    database.pool.query("update operations set lease_until = now() - interval '1 s' where id = $1", [id]);
  const worker = () => workerWith(async () => succeeded).worker;

  it.each([
    ["update", "needs_repair"],
    ["destroy", "needs_repair"],
    ["reconcile", "needs_repair"],
    ["refresh", "needs_repair"],
    ["preview", "failed"],
    ["drift", "failed"],
  ] as const)("proves its processes dead and then ends a %s as %s", async (kind, state) => {
    const { id, child } = await leftBehind(kind);
    await worker().settleLapsed({ all: true });
    expect(child.signalCode ?? (await once(child, "exit"))[1]).toBe("SIGKILL");
    expect(await read(id)).toMatchObject({
      state,
      error: { code: "runner_lost", message: expect.stringMatching(/./), remedy: expect.stringMatching(/./) },
    });
    const ends = (await audited(id)).map(({ after }) => after);
    expect(ends).toMatchObject(state === "needs_repair" ? [{ state, kind, error: "runner_lost" }] : []);
  });

  it("touches nothing whose lease still runs, unless this is a start", async () => {
    const { id, child } = await leftBehind("update");
    await worker().settleLapsed();
    expect((await read(id)).state).toBe("running");
    expect(child.signalCode).toBeNull();
    await lapse(id);
    await worker().settleLapsed();
    expect((await read(id)).state).toBe("needs_repair");
  });

  it("never ends what this very service runs, even when its lease lapsed", async () => {
    const operation = await queued();
    const end = Promise.withResolvers<RunOutcome>();
    const { worker: busy } = workerWith(() => end.promise);
    const running = busy.run({ operationId: operation.id });
    await vi.waitFor(async () => expect((await read(operation.id)).state).toBe("running"));
    await lapse(operation.id);
    await busy.settleLapsed();
    expect((await read(operation.id)).state).toBe("running");
    end.resolve(succeeded);
    await running;
    expect((await read(operation.id)).state).toBe("succeeded");
  });

  it("frees the queue for the next change of the stack", async () => {
    const { id } = await leftBehind("update");
    // As the queue stands after a crash: the job is active and nobody works on it.
    await database.pool.query("update pgboss.job set state = 'active', started_on = now() where id = $1", [
      id,
    ]);
    const next = await inTransaction(database.pool, (client) =>
      submitOperation(client, queue, {
        kind: "update",
        stackId,
        team: "ml",
        subject: { type: "account", account: "main" },
        revision: null,
        options: {},
        requestId: "r-2",
        requestedBy: "user:ada",
      }),
    );
    await worker().settleLapsed({ all: true });
    const begun = Promise.withResolvers<string>();
    const second = await openQueue(database.url, () => {});
    try {
      await second.work(1, async ({ operationId }) => {
        if (operationId === next.id) begun.resolve(operationId);
      });
      expect(await begun.promise).toBe(next.id);
    } finally {
      await second.stop(5_000);
    }
  }, 15_000);

  it("is the same the second time", async () => {
    const { id } = await leftBehind("update");
    await worker().settleLapsed({ all: true });
    const first = await read(id);
    await worker().settleLapsed({ all: true });
    expect(await read(id)).toEqual(first);
  });
});
