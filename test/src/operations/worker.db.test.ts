import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import pino from "pino";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { AuditTrail } from "../../../src/audit/trail.ts";
import { hostId } from "../../../src/engine/host.ts";
import type { ProgramRequest, RunOutcome, RunRequest, TimedEvent } from "../../../src/engine/protocol.ts";
import { markerVariable } from "../../../src/engine/reaper.ts";
import type { Runner, Supervisor } from "../../../src/engine/supervisor.ts";
import { AppError } from "../../../src/errors.ts";
import { createMetrics } from "../../../src/metrics.ts";
import { type Claim, claimOperation, recordRunner } from "../../../src/operations/claims.ts";
import { listEvents } from "../../../src/operations/events.ts";
import { stackPassphrases } from "../../../src/operations/passphrases.ts";
import type { RunCredentialsIssuer } from "../../../src/operations/run-credentials.ts";
import type { StackOwner } from "../../../src/operations/stack-owner.ts";
import type { OperationKind } from "../../../src/operations/states.ts";
import { findOperation, type Operation, requestCancel } from "../../../src/operations/store.ts";
import { submitOperation } from "../../../src/operations/submit.ts";
import { Worker } from "../../../src/operations/worker.ts";
import { inTransaction } from "../../../src/postgres/pool.ts";
import { ensureStack, findStack } from "../../../src/stacks/store.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { queuedOperation } from "./queued-operation.ts";

const program: ProgramRequest = {
  name: "foundation",
  input: { account: { accountId: "111122223333", region: "eu-central-1" } },
};
const registered = { team: "ml", name: "main", aws: program.input.account, externalId: "aidlc-1" };
const succeeded: RunOutcome = { state: "succeeded", changes: { create: 2 }, steps: [], stackExists: true };

let database: TestDatabase;
let stackId: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  await database.pool.query("insert into teams (name, display_name) values ('ml', 'ML')");
});

beforeEach(async () => {
  stackId = await ensureStack(database.pool, "aidlc-foundation", randomUUID());
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

afterAll(async () => {
  await database.drop();
});

async function queued(kind: OperationKind = "update"): Promise<Operation> {
  return queuedOperation(database.pool, { kind, stackId });
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
    run: (request, { signal, onEvent }) => {
      requests.push(request);
      return script(request, signal, onEvent);
    },
    confirmLease: () => {},
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
    supervisor: { take, sweep: async () => {} } as unknown as Supervisor,
    owners: { account, pipeline: account },
    passphrases: stackPassphrases("master"),
    credentials: { grant },
    backendUrl: "file:///nowhere",
    node: "node-a",
    enforcedPolicies: [],
    whereabouts: async () => [],
    leaseMs: 60_000,
    metrics: createMetrics(database.pool),
    log: pino({ level: "silent" }),
  });
  return { worker, requests, ended, dispose };
}

/** Runs a queued operation, as the dispatcher has it run. */
async function claimAndRun(worker: Worker, id: string): Promise<void> {
  const claim = await claimOperation(database.pool, id, { node: "node-a", leaseMs: 60_000 });
  return worker.run(claim as Claim);
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
    await claimAndRun(worker, operation.id);
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
    await claimAndRun(worker, operation.id);
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
    await claimAndRun(worker, first.id);
    await claimAndRun(worker, (await queued("preview")).id);
    expect(requests.map((request) => request.stack.exists)).toEqual([false, true]);
    expect(requests[0]?.passphrase).toBe(requests[1]?.passphrase);
    stackId = await ensureStack(database.pool, "aidlc-foundation", randomUUID());
    await claimAndRun(worker, (await queued()).id);
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
      await claimAndRun(workerWith(async () => ({ ...succeeded, steps: names.map(step) })).worker, id);
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
    await claimAndRun(worker, id);
    expect(requests[0]?.policies).toEqual({ exceptions: [exception], enforced: [] });
    expect(await read(id)).toMatchObject({ state: "failed", error, result: { findings: [finding] } });
    expect(await listEvents(database.pool, id, 0, 9)).toEqual([
      expect.objectContaining({ type: "policy", phase: "architecture", body: { finding } }),
    ]);
  });

  it("records who runs the operation while it runs", async () => {
    const operation = await queued();
    const end = Promise.withResolvers<RunOutcome>();
    const { worker } = workerWith(() => end.promise);
    const running = claimAndRun(worker, operation.id);
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
    const running = claimAndRun(worker, operation.id);
    await started.promise;
    expect(worker.cancel(operation.id)).toBe(true);
    await running;
    expect((await read(operation.id)).state).toBe("cancelled");
    expect(ended.map(({ state }) => state)).toEqual(["cancelled"]);
    expect(worker.cancel(operation.id)).toBe(false);
  });

  it("stops everything it runs on a shutdown, and gives it back to the queue", async () => {
    const operations = [await queued("preview"), await queued("preview")];
    let started = 0;
    const { worker } = workerWith(async (_request, signal) => {
      started += 1;
      await once(signal, "abort");
      return { ...succeeded, state: "cancelled" };
    });
    const runs = operations.map(({ id }) => claimAndRun(worker, id));
    await vi.waitFor(() => expect(started).toBe(2));
    worker.stopAll();
    await Promise.all(runs);
    for (const { id } of operations) expect((await read(id)).state).toBe("queued");
  });

  it("writes nothing when the claim was lost while it ran", async () => {
    const operation = await queued();
    const { worker, ended } = workerWith(async () => {
      await database.pool.query("update operations set state = 'queued' where id = $1", [operation.id]);
      await claimOperation(database.pool, operation.id, { node: "node-b", leaseMs: 60_000 });
      return { ...succeeded, snapshot: { outputs: { late: true }, resources: [] } };
    });
    await claimAndRun(worker, operation.id);
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
    await claimAndRun(worker, operation.id);
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
    await claimAndRun(worker, operation.id);
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
    await claimAndRun(worker, operation.id);
    expect(revoke).toHaveBeenCalledOnce();
  });

  it("tells no detail of a failure that is the service's own", async () => {
    const operation = await queued();
    const reason = new Error("connect ECONNREFUSED postgres://aidlc:hunter22@10.0.0.7/internal");
    const { worker } = workerWith(async () => succeeded, {
      owner: { programFor: () => Promise.reject(reason) },
    });
    await claimAndRun(worker, operation.id);
    const { state, error } = await read(operation.id);
    expect(state).toBe("failed");
    expect(JSON.stringify(error)).not.toMatch(/hunter22|10\.0\.0\.7/);
  });

  it("never begins when it can't be put on record who runs it", async () => {
    const operation = await queued();
    // A text that the database refuses stands for its failure at this very moment.
    const { worker, requests, dispose } = workerWith(async () => succeeded, { marker: "\0" });
    await claimAndRun(worker, operation.id);
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
    await claimAndRun(worker, operation.id);
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
    await expect(claimAndRun(worker, operation.id)).rejects.toBe(reason);
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
      await claimAndRun(worker, operation.id);
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
    await claimAndRun(workerWith(async () => succeeded).worker, operation.id);
    expect(await audited(operation.id)).toEqual([]);
  });

  it("has no end that was not recorded", async () => {
    const operation = await queued();
    const { worker } = workerWith(async () => succeeded, {
      owner: { onEnded: () => Promise.reject(new Error("a defect")) },
    });
    await expect(claimAndRun(worker, operation.id)).rejects.toThrow("a defect");
    expect(await audited(operation.id)).toEqual([]);
  });
});

describe("settling what a dead service left behind", () => {
  /** An operation that claims to run on this node, with a live process of its runner. */
  async function leftBehind(kind: OperationKind) {
    const operation = await inTransaction(database.pool, (client) =>
      submitOperation(client, {
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
      host: hostId(),
    });
    await lapse(operation.id);
    return { id: operation.id, child };
  }

  const lapse = (id: string) =>
    database.pool.query("update operations set lease_until = now() - interval '1 s' where id = $1", [id]);
  const worker = () => workerWith(async () => succeeded).worker;

  it.each(["update", "destroy", "reconcile", "refresh", "preview", "drift"] as const)(
    "proves its processes dead and then queues a %s for its next attempt",
    async (kind) => {
      const { id, child } = await leftBehind(kind);
      await worker().takeOverLapsed();
      expect(child.signalCode ?? (await once(child, "exit"))[1]).toBe("SIGKILL");
      expect(await read(id)).toMatchObject({ state: "queued", error: null });
    },
  );

  it("repairs the stack of a change before it begins anew", async () => {
    const { id } = await leftBehind("update");
    const { worker, requests } = workerWith(async () => succeeded);
    await worker.takeOverLapsed();
    await claimAndRun(worker, id);
    expect(requests.map(({ action }) => action)).toEqual(["repair", "update"]);
    expect((await read(id)).state).toBe("succeeded");
  });

  it("begins a check anew without touching the stack", async () => {
    const check = await leftBehind("drift");
    const { worker, requests } = workerWith(async () => succeeded);
    await worker.takeOverLapsed();
    await claimAndRun(worker, check.id);
    expect(requests.map(({ action }) => action)).toEqual(["drift"]);
  });

  it("ends an operation that was cancelled as cancelled, when its stack is repaired", async () => {
    const { id } = await leftBehind("update");
    await requestCancel(database.pool, id);
    const { worker, requests } = workerWith(async () => succeeded);
    await worker.takeOverLapsed();
    expect((await read(id)).state).toBe("queued");
    await claimAndRun(worker, id);
    expect(requests.map(({ action }) => action)).toEqual(["repair"]);
    expect(await read(id)).toMatchObject({ state: "cancelled", error: { code: "cancelled" } });
  });

  it("gives an operation up as failed when its processes were lost three times", async () => {
    const { id } = await leftBehind("update");
    await database.pool.query("update operations set attempt = 3 where id = $1", [id]);
    const { worker, requests } = workerWith(async () => succeeded);
    await worker.takeOverLapsed();
    await claimAndRun(worker, id);
    expect(requests.map(({ action }) => action)).toEqual(["repair"]);
    expect(await read(id)).toMatchObject({ state: "failed", error: { code: "runner_lost" } });
  });

  it("ends as needs_repair what a repair can't tell, and repairs again before the stack's next change", async () => {
    const { id } = await leftBehind("update");
    const unclear: RunOutcome = {
      ...succeeded,
      state: "needs_repair",
      unsettled: true,
      error: { code: "unclear_resource", message: "Two keys", remedy: "Delete one" },
    };
    const { worker } = workerWith(async () => unclear);
    await worker.takeOverLapsed();
    await claimAndRun(worker, id);
    expect(await read(id)).toMatchObject({ state: "needs_repair", error: { remedy: "Delete one" } });
    const next = await queued("destroy");
    const { worker: later, requests } = workerWith(async () => succeeded);
    await claimAndRun(later, next.id);
    expect(requests.map(({ action }) => action)).toEqual(["repair", "destroy"]);
    const last = await queued("update");
    await claimAndRun(later, last.id);
    expect(requests.map(({ action }) => action)).toEqual(["repair", "destroy", "update"]);
  });

  it("continues the numbers of its events", async () => {
    const { id } = await leftBehind("update");
    await database.pool.query(
      "insert into operation_events (operation_id, sequence, at, type, body) values ($1, 41, now(), 'summary', '{}')",
      [id],
    );
    const { worker } = workerWith(async (_request, _signal, onEvent) => {
      onEvent({ at: new Date(), event: { type: "summary", changes: {}, durationMs: 1 } });
      return succeeded;
    });
    await worker.takeOverLapsed();
    await claimAndRun(worker, id);
    const numbers = (await listEvents(database.pool, id, 0, 10)).map(({ sequence }) => sequence);
    expect(numbers).toEqual([41, 42, 43]);
  });

  it("never takes over what this very service runs, even when its lease lapsed", async () => {
    const operation = await queued();
    const end = Promise.withResolvers<RunOutcome>();
    const { worker: busy } = workerWith(() => end.promise);
    const running = claimAndRun(busy, operation.id);
    await vi.waitFor(async () => expect((await read(operation.id)).state).toBe("running"));
    await lapse(operation.id);
    await busy.takeOverLapsed();
    expect((await read(operation.id)).state).toBe("running");
    end.resolve(succeeded);
    await running;
    expect((await read(operation.id)).state).toBe("succeeded");
  });

  it("is the same the second time", async () => {
    const { id } = await leftBehind("update");
    await worker().takeOverLapsed();
    const first = await read(id);
    await worker().takeOverLapsed();
    expect(await read(id)).toEqual(first);
  });
});

describe("a run that is lost while its worker lives", () => {
  const lost: RunOutcome = {
    ...succeeded,
    state: "failed",
    unsettled: true,
    error: { code: "runner_lost", message: "It is gone", remedy: "Repeat it" },
  };

  it("is begun anew, three times at most", async () => {
    const operation = await queued();
    const { worker } = workerWith(async ({ action }) => (action === "repair" ? succeeded : lost));
    for (const state of ["queued", "queued", "queued"] as const) {
      await claimAndRun(worker, operation.id);
      expect((await read(operation.id)).state).toBe(state);
    }
    await claimAndRun(worker, operation.id);
    expect(await read(operation.id)).toMatchObject({ state: "failed", error: { code: "runner_lost" } });
  });

  it("ends as cancelled once its stack is repaired, when somebody had asked for its end", async () => {
    const operation = await queued();
    const started = Promise.withResolvers<void>();
    const actions: string[] = [];
    const { worker } = workerWith(async ({ action }, signal) => {
      actions.push(action);
      if (action === "repair") return succeeded;
      started.resolve();
      await once(signal, "abort");
      const error = { code: "cancelled", message: "It was killed", remedy: "None" } as const;
      return { ...lost, state: "cancelled", error };
    });
    const running = claimAndRun(worker, operation.id);
    await started.promise;
    worker.cancel(operation.id);
    await running;
    expect((await read(operation.id)).state).toBe("queued");
    await claimAndRun(worker, operation.id);
    expect(actions).toEqual(["update", "repair"]);
    expect(await read(operation.id)).toMatchObject({ state: "cancelled" });
  });
});
