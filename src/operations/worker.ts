import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import type { Logger } from "pino";
import type { PolicyException } from "../../programs/policies/evaluate.ts";
import { gateOf } from "../approvals/gate.ts";
import type { ApprovalTerms } from "../approvals/terms.ts";
import { awaitApproval } from "../approvals/transitions.ts";
import { type AuditTrail, serviceContext } from "../audit/trail.ts";
import type { TeamAccount } from "../aws/team-account.ts";
import { digestOf } from "../digest.ts";
import { deadlineIn } from "../engine/deadline.ts";
import { hostId } from "../engine/host.ts";
import type {
  Action,
  ApprovalGate,
  Deadline,
  ProgramRequest,
  RunOutcome,
  SpareRequest,
  TimedEvent,
} from "../engine/protocol.ts";
import type { Runner, Supervisor } from "../engine/supervisor.ts";
import { AppError } from "../errors.ts";
import type { Metrics } from "../metrics.ts";
import { inTransaction, type Queryable } from "../postgres/pool.ts";
import { isUnavailable } from "../postgres/unavailable.ts";
import { removeHalfWritten } from "../recovery/half-written.ts";
import { giveBack, type LapsedOperation, lapsedOperations, proveDead } from "../recovery/lapsed.ts";
import type { Whereabout } from "../recovery/look-up.ts";
import {
  type Afterwards,
  afterwards,
  type Interruption,
  type Verdict,
  verdictOnLapsed,
} from "../recovery/verdict.ts";
import { redactText } from "../redaction.ts";
import { findStack, recordSnapshot, type StackRow, setUnsettled } from "../stacks/store.ts";
import { type Claim, finishOperation, recordRunner, renewLease } from "./claims.ts";
import { EventRecorder } from "./event-recorder.ts";
import { lastSequence } from "./events.ts";
import type { StackPassphrases } from "./passphrases.ts";
import type { GrantedCredentials, RunCredentialsIssuer } from "./run-credentials.ts";
import { actionOf, changesStack } from "./states.ts";
import { findOperation, type Operation, type OperationResult } from "./store.ts";

/** What a feature does for the operations on its own stacks. */
export interface StackOwner {
  /** The account that the operation works in, as it is registered now; throws `AppError` when there is none. */
  accountOf(operation: Operation): Promise<TeamAccount>;
  /** The program and its input as they are now; throws `AppError` when it can't be built. */
  programFor(operation: Operation): Promise<ProgramRequest>;
  /** Exceptions from policies that its operations may use; none unless given. */
  exceptionsFor?(operation: Operation): Promise<readonly PolicyException[]>;
  /** What a reconciliation leaves as it is; nothing unless given. */
  spareFor?(operation: Operation): Promise<SpareRequest | undefined>;
  /** Under which terms its plan is approved before it is applied; undefined: it is applied as it is, as all are unless given. */
  approvalTerms?(db: Queryable, operation: Operation): Promise<ApprovalTerms | undefined>;
  /** For a destroy: ends what uses the stack's resources without being one of them, and tells of it; nothing unless given. */
  quiesce?(operation: Operation, account: TeamAccount, run: QuiesceRun): Promise<void>;
  /** Takes the locks that `onEnded` needs, before any other: those of requests come in the same order. */
  beforeEnded?(client: pg.PoolClient, operation: Operation, outcome: RunOutcome): Promise<void>;
  /** Takes over what an operation found whose plan waits for approval, in the transaction that has it wait. */
  onHeldBack?(client: pg.PoolClient, operation: Operation, outcome: RunOutcome): Promise<void>;
  /** Takes the end of an operation over into the feature's own rows, in the transaction that ends it. */
  onEnded(client: pg.PoolClient, operation: Operation, outcome: RunOutcome): Promise<void>;
}

export interface QuiesceRun {
  readonly onEvent: (event: TimedEvent) => void;
  readonly signal: AbortSignal;
}

export interface WorkerOptions {
  readonly pool: pg.Pool;
  readonly audit: AuditTrail;
  readonly supervisor: Supervisor;
  readonly owners: Readonly<Record<Operation["subject"]["type"], StackOwner>>;
  readonly passphrases: StackPassphrases;
  readonly credentials: Pick<RunCredentialsIssuer, "grant">;
  readonly backendUrl: string;
  readonly node: string;
  /** Ids of policies that are mandatory although a profile only advises them. */
  readonly enforcedPolicies: readonly string[];
  /** Finds what an engine had asked AWS for when it disappeared. */
  readonly whereabouts: Whereabout;
  /** How long a claim holds without being renewed. */
  readonly leaseMs: number;
  readonly metrics: Metrics;
  readonly log: Logger;
}

const recordRetryMs = 1_000;
// A backend or a session that can't be had now may be there in a moment; then it is a person's turn.
const repairRetriesMs = [2_000, 10_000] as const;

/** Runs claimed operations to their ends, and records them; repairs what runs that were lost left behind. */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #host = hostId();
  readonly #running = new Map<string, RunningOperation>();
  #settling: Promise<void> | undefined;
  #givenUp = false;

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  /** Runs an operation that this node has just claimed; rejects when its end can't be recorded, and leaves it to its lease. */
  async run(claim: Claim): Promise<void> {
    const { id, requestId, kind, team, subject } = claim.operation;
    const log = this.#options.log.child({ operationId: id, requestId, kind, attempt: claim.attempt });
    log.info({ team, subject }, "operation started");
    const startedMs = performance.now();
    const running = new RunningOperation(claim, log, deadlineIn(this.#options.leaseMs));
    this.#running.set(id, running);
    const renewal = setInterval(() => void this.#renew(running), this.#options.leaseMs / 6);
    try {
      // The claim's own moment is the database's: this one is ours, before it was asked.
      await this.#renew(running);
      const outcome = await this.#execute(running);
      const next = afterwards(outcome, { ...claim, interruption: running.interruption });
      if (!(await this.#record(running, outcome, next))) {
        log.error("a newer claim holds this operation: its end was not recorded");
        return;
      }
      const durationMs = Math.round(performance.now() - startedMs);
      const { state, changes, error } = outcome;
      if (next.step === "give_back") {
        log.warn({ state, error, durationMs }, "the operation went back to the queue");
        return;
      }
      this.#options.metrics.operations.observe({ kind, state }, durationMs / 1000);
      log.info({ state, changes, error, durationMs }, "operation ended");
    } finally {
      clearInterval(renewal);
      this.#running.delete(id);
    }
  }

  /** Asks an operation that runs on this node to stop; false when none does. */
  cancel(operationId: string): boolean {
    const running = this.#running.get(operationId);
    running?.interrupt("cancel");
    return running !== undefined;
  }

  /** From now on an end that can't be recorded at once is left to the next start, which settles the operation. */
  giveUpRecording(): void {
    this.#givenUp = true;
  }

  /** Asks every running operation to stop; each goes back to the queue. */
  stopAll(): void {
    for (const running of this.#running.values()) running.interrupt("stop");
  }

  /**
   * Takes over operations that nobody runs any more, of whichever node, after every process of theirs is proved dead: those whose lease
   * lapsed, and on a start all of this node's, since only one service can hold its name. They go back to the queue. Idempotent; calls at
   * the same time share one pass.
   */
  takeOverLapsed({ atStart }: { readonly atStart: boolean } = { atStart: false }): Promise<void> {
    this.#settling ??= this.#takeOver(atStart).finally(() => {
      this.#settling = undefined;
    });
    return this.#settling;
  }

  async #takeOver(atStart: boolean): Promise<void> {
    const { pool, node, log } = this.#options;
    const lapsed = await lapsedOperations(pool, { host: this.#host, allOf: atStart ? node : null });
    // Of this node's own it knows better, and what it can't renew for now its runners will end.
    const lost = lapsed.filter(({ id }) => !this.#running.has(id));
    await Promise.all(
      lost.map((operation) =>
        this.#takeOverOne(operation).catch((error: unknown) =>
          log.error({ err: error, operationId: operation.id }, "an operation could not be taken over yet"),
        ),
      ),
    );
  }

  async #takeOverOne(lapsed: LapsedOperation): Promise<void> {
    const { pool, log } = this.#options;
    const { id: operationId, node, fencingToken, attempt } = lapsed;
    const killed = await proveDead(lapsed, this.#host);
    const verdict = verdictOnLapsed(lapsed);
    if (await giveBack(pool, operationId, fencingToken, { countsAttempt: true, verdict }))
      log.warn(
        { operationId, node, attempt, killed, verdict },
        "an operation that nobody ran was taken over",
      );
  }

  async #execute(running: RunningOperation): Promise<RunOutcome> {
    const { pool, owners, credentials } = this.#options;
    const { operation, fencingToken, verdict } = running.claim;
    const { log } = running;
    let sessions: GrantedCredentials | undefined;
    try {
      const [account, stack] = await Promise.all([
        owners[operation.subject.type].accountOf(operation),
        findStack(pool, operation.stackId),
      ]);
      const after = await lastSequence(pool, operation.id);
      const recorder = new EventRecorder(pool, operation.id, fencingToken, log, after);
      const isRepair = operation.kind === "repair";
      const needsRepair = changesStack(operation.kind) && (stack.unsettled || isRepair);
      if (verdict !== null && !needsRepair) return endedBy(verdict, stack.initialized);
      sessions = await credentials.grant(operation, account, stack);
      const run = { account, stack, sessions, recorder };
      try {
        if (!needsRepair) return await this.#perform(running, actionOf(operation.kind), run);
        const repaired = await this.#repair(running, run);
        if (isRepair || repaired.state !== "succeeded") return repaired;
        if (verdict !== null) return { ...repaired, ...endedBy(verdict, repaired.stackExists) };
        if (running.interruption === "cancel") return { ...repaired, ...cancelledEnd };
        const settled = { ...stack, initialized: repaired.stackExists };
        return await this.#perform(running, actionOf(operation.kind), { ...run, stack: settled });
      } finally {
        await recorder.close();
      }
    } catch (error) {
      log.error({ err: error }, "operation could not be started");
      return failedBeforeRun(error);
    } finally {
      sessions?.revoke();
    }
  }

  /** Brings an unsettled stack in order before anything else is done with it; what it can't do, its outcome says. */
  async #repair(running: RunningOperation, run: RunContext): Promise<RunOutcome> {
    const { operation, fencingToken } = running.claim;
    for (const retryMs of [...repairRetriesMs, undefined]) {
      const outcome = await this.#perform(running, "repair", run);
      if (outcome.state === "succeeded") {
        await removeHalfWritten(this.#options.backendUrl, run.stack);
        const { snapshot, stackExists } = outcome;
        await recordSnapshot(this.#options.pool, operation.stackId, fencingToken, {
          exists: stackExists,
          snapshot,
        });
      }
      if (outcome.state !== "failed" || outcome.error?.code === "runner_lost") return outcome;
      if (retryMs === undefined) return needsRepair(outcome);
      running.log.warn({ error: outcome.error }, "the stack could not be repaired: trying again");
      await sleep(retryMs, undefined, { signal: running.stopSignal }).catch(() => {});
    }
    throw new Error("A repair is tried a number of times");
  }

  /**
   * Runs one action in a runner of its own. A failure before it begins is truly "nothing was changed"; the runner is on record
   * by then, so that whoever takes this operation over after a crash finds every process of it.
   */
  async #perform(running: RunningOperation, action: Action, run: RunContext): Promise<RunOutcome> {
    const { pool, supervisor, owners, passphrases, backendUrl, enforcedPolicies } = this.#options;
    const { operation, fencingToken } = running.claim;
    const { stack, sessions, recorder, account } = run;
    const { revoke: _, ...credentials } = sessions;
    const owner = owners[operation.subject.type];
    const [program, exceptions = [], gate, spare] = await Promise.all([
      owner.programFor(operation),
      owner.exceptionsFor?.(operation),
      action === "repair" ? undefined : this.#gateOf(operation),
      action === "repair" ? undefined : owner.spareFor?.(operation),
    ]);
    const runner = await supervisor.take();
    try {
      await recordRunner(pool, operation.id, fencingToken, { ...runner, host: this.#host });
    } catch (error) {
      await runner.dispose();
      throw error;
    }
    running.runner = runner;
    const outcome = await runner.run(
      {
        operationId: operation.id,
        action,
        stack: { project: stack.project, name: stack.name, exists: stack.initialized },
        program,
        data: operation.options.data ?? "retain",
        policies: { exceptions, enforced: enforcedPolicies },
        passphrase: passphrases.of(stack.project, stack.name),
        backendUrl,
        credentials,
        ...(gate && { gate }),
        ...(spare && { spare }),
      },
      {
        // A repair that comes before its operation's end is not what somebody asked to cancel.
        signal: action === "repair" && operation.kind !== "repair" ? running.stopSignal : running.signal,
        onEvent: (timed) => recorder.add(timed),
        lookUp: (creates, known) => this.#options.whereabouts({ account, operation, creates, known }),
        quiesce: async () =>
          owner.quiesce?.(operation, account, {
            onEvent: (timed) => recorder.add(timed),
            signal: running.signal,
          }),
        leaseUntil: () => running.leaseUntil,
      },
    );
    running.runner = undefined;
    if (changesStack(operation.kind) && !outcome.unsettled)
      await setUnsettled(pool, operation.stackId, fencingToken, false).catch((error: unknown) =>
        running.log.warn(
          { err: error },
          "the next operation on the stack repairs it first, although it is whole",
        ),
      );
    return outcome;
  }

  async #gateOf(operation: Operation): Promise<ApprovalGate | undefined> {
    const { pool, owners } = this.#options;
    const terms = await owners[operation.subject.type].approvalTerms?.(pool, operation);
    return terms && gateOf(pool, operation, terms);
  }

  async #renew(running: RunningOperation): Promise<void> {
    const { pool, leaseMs } = this.#options;
    const { operation, fencingToken } = running.claim;
    const until = deadlineIn(leaseMs);
    try {
      const { held, cancelRequested } = await renewLease(pool, operation.id, fencingToken, leaseMs);
      if (held) running.confirmLease(until);
      else running.log.error("the lease was lost: stopping the operation");
      if (!held) running.interrupt("stop");
      else if (cancelRequested) running.interrupt("cancel");
    } catch (error) {
      // The next renewal tries again, long before the lease lapses.
      running.log.warn({ err: error }, "the lease could not be renewed");
    }
  }

  /** Records what became of it, again and again while the database can't be had: it must not be lost, nor told as another one. */
  async #record(running: RunningOperation, outcome: RunOutcome, next: Afterwards): Promise<boolean> {
    const { operation, fencingToken } = running.claim;
    for (;;) {
      try {
        if (next.step === "give_back")
          return await giveBack(this.#options.pool, operation.id, fencingToken, next);
        return await this.#recordEnd(running.claim, outcome);
      } catch (error) {
        if (!isUnavailable(error) || this.#givenUp) throw error;
        running.log.warn({ err: error }, "the end of an operation could not be recorded yet");
        await sleep(recordRetryMs);
      }
    }
  }

  async #recordEnd({ operation, fencingToken }: Claim, outcome: RunOutcome): Promise<boolean> {
    const { pool, owners, audit } = this.#options;
    const owner = owners[operation.subject.type];
    return inTransaction(pool, async (client) => {
      const result = resultOf(operation, outcome);
      if (outcome.state === "awaiting_approval") {
        const terms = await owner.approvalTerms?.(client, operation);
        if (terms === undefined) throw new Error("A run waits for an approval that nothing asked for");
        await owner.onHeldBack?.(client, operation, outcome);
        return awaitApproval(client, audit, { operation, fencingToken, outcome, result, terms });
      }
      await owner.beforeEnded?.(client, operation, outcome);
      const end = { state: outcome.state, result, error: outcome.error ?? null };
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

interface RunContext {
  readonly account: TeamAccount;
  readonly stack: StackRow;
  readonly sessions: GrantedCredentials;
  readonly recorder: EventRecorder;
}

/** An operation while this node runs it: its lease, and who wants it to stop. */
class RunningOperation {
  readonly claim: Claim;
  readonly log: Logger;
  runner: Runner | undefined;
  readonly #cancel = new AbortController();
  readonly #stop = new AbortController();
  #leaseUntil: Deadline;

  constructor(claim: Claim, log: Logger, leaseUntil: Deadline) {
    this.claim = claim;
    this.log = log;
    this.#leaseUntil = leaseUntil;
  }

  get leaseUntil(): Deadline {
    return this.#leaseUntil;
  }

  confirmLease(until: Deadline): void {
    this.#leaseUntil = until;
    this.runner?.confirmLease(until);
  }

  interrupt(why: Exclude<Interruption, undefined>): void {
    (why === "cancel" ? this.#cancel : this.#stop).abort();
  }

  get interruption(): Interruption {
    return this.#cancel.signal.aborted ? "cancel" : this.#stop.signal.aborted ? "stop" : undefined;
  }

  /** Aborted by a person's wish, or by the service's own. */
  get signal(): AbortSignal {
    return AbortSignal.any([this.#cancel.signal, this.#stop.signal]);
  }

  get stopSignal(): AbortSignal {
    return this.#stop.signal;
  }
}

const cancelledEnd = {
  state: "cancelled",
  error: {
    code: "cancelled",
    message: "The operation was cancelled while its stack was repaired",
    remedy: "What was done before stays done: apply again to complete it",
  },
} as const;

function endedBy(verdict: Verdict, stackExists: boolean): RunOutcome {
  return { ...verdict, changes: {}, steps: [], stackExists };
}

/** What stands in the way is outside the service: a person must see to it, and the next operation on the stack, or a repair, does the rest. */
function needsRepair(outcome: RunOutcome): RunOutcome {
  const { error } = outcome;
  return {
    ...outcome,
    state: "needs_repair",
    ...(error && {
      error: {
        ...error,
        remedy: `${error.remedy}. Then ask for a repair, or apply again (docs/recovery.md)`,
      },
    }),
  };
}

function resultOf({ kind }: Operation, { state, changes, steps, findings }: RunOutcome): OperationResult {
  const unapplied = state === "awaiting_approval" || steps.length > 0;
  return {
    changes,
    ...(findings === undefined ? {} : { findings }),
    ...(kind === "preview" || kind === "drift" || unapplied ? { steps } : {}),
    ...((kind === "preview" && state === "succeeded") || (changesStack(kind) && unapplied)
      ? { digest: digestOf(steps) }
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
