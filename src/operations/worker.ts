import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import type { Logger } from "pino";
import type { PolicyException } from "../../programs/policies/evaluate.ts";
import { type AuditTrail, serviceContext } from "../audit/trail.ts";
import type { TeamAccount } from "../aws/team-account.ts";
import { digestOf } from "../digest.ts";
import { lostEnd, type ProgramRequest, type RunOutcome, type TimedEvent } from "../engine/protocol.ts";
import { reap, waitUntilGone } from "../engine/reaper.ts";
import type { Runner, Supervisor } from "../engine/supervisor.ts";
import { AppError } from "../errors.ts";
import type { Metrics } from "../metrics.ts";
import { inTransaction } from "../postgres/pool.ts";
import { isUnavailable } from "../postgres/unavailable.ts";
import type { Queue, QueuedOperation } from "../queue/queue.ts";
import { redactText } from "../redaction.ts";
import { findStack, recordSnapshot, type StackRow } from "../stacks/store.ts";
import {
  type Claim,
  claimOperation,
  finishOperation,
  lapsedOperations,
  recordRunner,
  renewLease,
} from "./claims.ts";
import { EventRecorder } from "./event-recorder.ts";
import type { StackPassphrases } from "./passphrases.ts";
import type { GrantedCredentials, RunCredentialsIssuer } from "./run-credentials.ts";
import { changesStack, isEnded, laneOf } from "./states.ts";
import { findOperation, type Operation, type OperationResult } from "./store.ts";

/** What a feature does for the operations on its own stacks. */
export interface StackOwner {
  /** The account that the operation works in, as it is registered now; throws `AppError` when there is none. */
  accountOf(operation: Operation): Promise<TeamAccount>;
  /** The program and its input as they are now; throws `AppError` when it can't be built. */
  programFor(operation: Operation): Promise<ProgramRequest>;
  /** Exceptions from policies that its operations may use; none unless given. */
  exceptionsFor?(operation: Operation): Promise<readonly PolicyException[]>;
  /** Takes the locks that `onEnded` needs, before any other: those of requests come in the same order. */
  beforeEnded?(client: pg.PoolClient, operation: Operation, outcome: RunOutcome): Promise<void>;
  /** Takes the end of an operation over into the feature's own rows, in the transaction that ends it. */
  onEnded(client: pg.PoolClient, operation: Operation, outcome: RunOutcome): Promise<void>;
}

export interface WorkerOptions {
  readonly pool: pg.Pool;
  readonly audit: AuditTrail;
  readonly queue: Queue;
  readonly supervisor: Supervisor;
  readonly owners: Readonly<Record<Operation["subject"]["type"], StackOwner>>;
  readonly passphrases: StackPassphrases;
  readonly credentials: Pick<RunCredentialsIssuer, "grant">;
  readonly backendUrl: string;
  readonly node: string;
  /** Ids of policies that are mandatory although a profile only advises them. */
  readonly enforcedPolicies: readonly string[];
  /** What a runner without its supervisor gets to let its engine complete what it has begun with AWS. */
  readonly orderlyEndMs: number;
  readonly metrics: Metrics;
  readonly log: Logger;
}

// A lease outlives a few missed renewals, so that a slow database doesn't end a healthy operation.
const leaseMs = 30_000;
const renewMs = 5_000;
const recordRetryMs = 1_000;

/** Runs queued operations to their ends. Every end is recorded; a job is only given back when the database can't be reached. */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #running = new Map<string, AbortController>();
  #settling: Promise<void> | undefined;
  #givenUp = false;

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  async run(job: QueuedOperation): Promise<void> {
    const { pool, node, log } = this.#options;
    const claim = await claimOperation(pool, job.operationId, { node, leaseMs });
    if (!claim) {
      await this.settleLapsed();
      const operation = await findOperation(pool, job.operationId);
      if (operation === undefined || isEnded(operation.state)) return;
      // Its job must stay, or the next change of the stack would begin beside it: the queue tries again.
      throw new Error(`Operation ${operation.id} is ${operation.state} and can't be claimed yet`);
    }
    const { id, requestId, kind, team, subject } = claim.operation;
    const operationLog = log.child({ operationId: id, requestId, kind });
    operationLog.info({ team, subject }, "operation started");
    const startedMs = performance.now();
    const controller = new AbortController();
    this.#running.set(id, controller);
    const renewal = setInterval(() => void this.#renew(claim, controller, operationLog), renewMs);
    try {
      const outcome = await this.#execute(claim, controller.signal, operationLog);
      await this.#record(claim, outcome, operationLog);
      const durationMs = Math.round(performance.now() - startedMs);
      this.#options.metrics.operations.observe({ kind, state: outcome.state }, durationMs / 1000);
      const { state, changes, error } = outcome;
      operationLog.info({ state, changes, error, durationMs }, "operation ended");
    } finally {
      clearInterval(renewal);
      this.#running.delete(id);
    }
  }

  /** Asks an operation that runs on this node to stop; false when none does. */
  cancel(operationId: string): boolean {
    const controller = this.#running.get(operationId);
    controller?.abort();
    return controller !== undefined;
  }

  /** From now on an end that can't be recorded at once is left to the next start, which settles the operation. */
  giveUpRecording(): void {
    this.#givenUp = true;
  }

  /** Asks every running operation to stop. */
  cancelAll(): void {
    for (const controller of this.#running.values()) controller.abort();
  }

  /**
   * Ends operations of this node that nobody runs any more, after every process of theirs is proved dead: those whose lease
   * lapsed, and on a start all of them, since only one service can hold the node's name. Idempotent; calls at the same time
   * share one pass.
   */
  settleLapsed({ all }: { readonly all: boolean } = { all: false }): Promise<void> {
    this.#settling ??= this.#settle(all).finally(() => {
      this.#settling = undefined;
    });
    return this.#settling;
  }

  async #settle(all: boolean): Promise<void> {
    const { pool, queue, node, log } = this.#options;
    for (const lapsed of await lapsedOperations(pool, node, { all })) {
      if (this.#running.has(lapsed.id)) continue;
      if (lapsed.runner !== null) await waitUntilGone(lapsed.runner, this.#options.orderlyEndMs);
      const killed = lapsed.runner === null ? 0 : await reap(lapsed.runner);
      const end = lostEnd(lapsed.kind, "The service ended while this operation ran");
      await inTransaction(pool, async (client) => {
        if (!(await finishOperation(client, lapsed.id, lapsed.fencingToken, { ...end, result: null })))
          return;
        await this.#auditEnd(client, (await findOperation(client, lapsed.id)) as Operation);
      });
      await queue.discard(laneOf(lapsed.kind), lapsed.id);
      log.warn(
        { operationId: lapsed.id, killed, state: end.state },
        "an operation that nobody runs any more was settled",
      );
    }
  }

  async #execute(claim: Claim, signal: AbortSignal, log: Logger): Promise<RunOutcome> {
    const { pool, passphrases, backendUrl, enforcedPolicies } = this.#options;
    const { operation, fencingToken } = claim;
    const prepared = await this.#prepare(claim, log);
    if ("state" in prepared) return prepared;
    const { stack, program, exceptions, credentials } = prepared;
    const { revoke, ...sessions } = credentials;
    const recorder = new EventRecorder(pool, operation.id, fencingToken, log);
    try {
      const outcome = await prepared.run(
        {
          operationId: operation.id,
          action: operation.kind,
          stack: { project: stack.project, name: stack.name, exists: stack.initialized },
          program,
          data: operation.options.data ?? "retain",
          policies: { exceptions, enforced: enforcedPolicies },
          passphrase: passphrases.of(stack.project, stack.name),
          backendUrl,
          credentials: sessions,
        },
        signal,
        (timed: TimedEvent) => recorder.add(timed),
      );
      await recorder.close();
      return outcome;
    } finally {
      revoke();
    }
  }

  /**
   * All that comes before the engine's start. A failure here is truly "nothing was changed"; the runner is on record before it
   * begins, so that whoever settles this operation after a crash finds every process of it.
   */
  async #prepare(claim: Claim, log: Logger): Promise<PreparedRun | RunOutcome> {
    const { pool, supervisor, owners } = this.#options;
    const { operation, fencingToken } = claim;
    let runner: Runner | undefined;
    let credentials: GrantedCredentials | undefined;
    try {
      const owner = owners[operation.subject.type];
      const [account, stack] = await Promise.all([
        owner.accountOf(operation),
        findStack(pool, operation.stackId),
      ]);
      credentials = await this.#options.credentials.grant(operation, account, stack);
      const [program, exceptions = []] = await Promise.all([
        owner.programFor(operation),
        owner.exceptionsFor?.(operation),
      ]);
      runner = await supervisor.take();
      await recordRunner(pool, operation.id, fencingToken, runner);
      return { run: runner.run, program, exceptions, stack, credentials };
    } catch (error) {
      log.error({ err: error }, "operation could not be started");
      credentials?.revoke();
      await runner?.dispose();
      return failedBeforeRun(error);
    }
  }

  async #renew(claim: Claim, controller: AbortController, log: Logger): Promise<void> {
    try {
      const { id } = claim.operation;
      const { held, cancelRequested } = await renewLease(this.#options.pool, id, claim.fencingToken, leaseMs);
      if (!held) log.error("the lease was lost: stopping the operation");
      if (!held || cancelRequested) controller.abort();
    } catch (error) {
      // The next renewal tries again, long before the lease lapses.
      log.warn({ err: error }, "the lease could not be renewed");
    }
  }

  /** Records the end, again and again while the database can't be had: it must not be lost, nor told as another one. */
  async #record(claim: Claim, outcome: RunOutcome, log: Logger): Promise<void> {
    for (;;) {
      try {
        const kept = await this.#recordOnce(claim, outcome);
        if (!kept) log.error("a newer claim holds this operation: its end was not recorded");
        return;
      } catch (error) {
        if (!isUnavailable(error) || this.#givenUp) throw error;
        log.warn({ err: error }, "the end of an operation could not be recorded yet");
        await sleep(recordRetryMs);
      }
    }
  }

  async #recordOnce({ operation, fencingToken }: Claim, outcome: RunOutcome): Promise<boolean> {
    const { pool, owners } = this.#options;
    const owner = owners[operation.subject.type];
    return inTransaction(pool, async (client) => {
      await owner.beforeEnded?.(client, operation, outcome);
      const end = {
        state: outcome.state,
        result: resultOf(operation, outcome),
        error: outcome.error ?? null,
      };
      if (!(await finishOperation(client, operation.id, fencingToken, end))) return false;
      const { snapshot, stackExists } = outcome;
      if (snapshot !== undefined || !stackExists) {
        await recordSnapshot(client, operation.stackId, fencingToken, { exists: stackExists, snapshot });
      }
      await owner.onEnded(client, operation, outcome);
      await this.#auditEnd(client, (await findOperation(client, operation.id)) as Operation);
      return true;
    });
  }

  async #auditEnd(client: pg.PoolClient, operation: Operation): Promise<void> {
    const { id, kind, state, team, requestId, requestedBy, revision, result, error } = operation;
    if (!changesStack(kind)) return;
    await this.#options.audit.change(client, serviceContext(requestId), {
      action: "operation.end",
      team,
      target: `/operations/${id}`,
      before: { state: "running" },
      after: {
        state,
        kind,
        subject: operation.subject,
        revision,
        requestedBy,
        changes: result?.changes,
        error: error?.code,
      },
    });
  }
}

/** An operation that is ready to run, and known to be. */
interface PreparedRun extends Pick<Runner, "run"> {
  readonly program: ProgramRequest;
  readonly exceptions: readonly PolicyException[];
  readonly stack: StackRow;
  readonly credentials: GrantedCredentials;
}

function resultOf(operation: Operation, outcome: RunOutcome): OperationResult {
  const planned = operation.kind === "preview" || operation.kind === "drift";
  return {
    changes: outcome.changes,
    ...(outcome.findings === undefined ? {} : { findings: outcome.findings }),
    ...(planned ? { steps: outcome.steps } : {}),
    ...(operation.kind === "preview" && outcome.state === "succeeded"
      ? { digest: digestOf(outcome.steps) }
      : {}),
  };
}

function failedBeforeRun(error: unknown): RunOutcome {
  const refused = error instanceof AppError && error.code === "account_refused";
  return {
    state: "failed",
    changes: {},
    steps: [],
    stackExists: true,
    error: {
      code: refused ? "access_denied" : "engine_failed",
      // Of what isn't ours, only the log tells: it may name hosts, paths or worse.
      message: error instanceof AppError ? redactText(error.message) : "The operation could not be started",
      remedy: refused
        ? "Nothing was changed: mend the role or its registration, then repeat it"
        : "Nothing was changed: look at the service's logs, then repeat it",
    },
  };
}
