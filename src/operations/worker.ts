import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import type { Logger } from "pino";
import { gateOf } from "../approvals/gate.ts";
import type { AuditTrail } from "../audit/trail.ts";
import type { TeamAccount } from "../aws/team-account.ts";
import { deadlineIn } from "../engine/deadline.ts";
import { hostId } from "../engine/host.ts";
import type { PendingOperation } from "../engine/pending.ts";
import type { Action, ApprovalGate, RunOutcome } from "../engine/protocol.ts";
import type { Supervisor } from "../engine/supervisor.ts";
import type { Metrics } from "../metrics.ts";
import { removeHalfWritten } from "../recovery/half-written.ts";
import { giveBack, type LapsedOperation, lapsedOperations, proveDead } from "../recovery/lapsed.ts";
import { leftByEngines } from "../recovery/left-by-engines.ts";
import type { Whereabout } from "../recovery/look-up.ts";
import { type Afterwards, afterwards, verdictOnLapsed } from "../recovery/verdict.ts";
import { findStack, keepPending, recordSnapshot, type StackRow, setSettled } from "../stacks/store.ts";
import { type Claim, recordRunner, renewLease } from "./claims.ts";
import { cancelledEnd, endedBy, failedBeforeRun, needsRepair, recordEnd } from "./ends.ts";
import { EventRecorder } from "./event-recorder.ts";
import { lastSequence } from "./events.ts";
import { Insistence } from "./insistence.ts";
import type { StackPassphrases } from "./passphrases.ts";
import type { GrantedCredentials, RunCredentialsIssuer } from "./run-credentials.ts";
import { RunningOperation } from "./running-operation.ts";
import type { StackOwner } from "./stack-owner.ts";
import { actionOf, changesStack } from "./states.ts";
import type { Operation } from "./store.ts";

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

// A backend or a session that can't be had now may be there in a moment; then it is a person's turn.
const repairRetriesMs = [2_000, 10_000] as const;

/** Runs claimed operations to their ends, and records them; repairs what runs that were lost left behind. */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #host = hostId();
  readonly #running = new Map<string, RunningOperation>();
  #settling: Promise<void> | undefined;
  readonly #insistence = new Insistence();

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
    this.#insistence.giveUp();
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
    await this.#options.supervisor.sweep();
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
      const recorder = new EventRecorder(pool, operation.id, fencingToken, log, after, this.#insistence);
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
      // Each time: the repair before may have been killed while it wrote, too.
      await removeHalfWritten(this.#options.backendUrl, run.stack);
      const outcome = await this.#perform(running, "repair", run);
      if (outcome.state === "succeeded") {
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
    const [program, exceptions = [], gate, spare, left] = await Promise.all([
      owner.programFor(operation),
      owner.exceptionsFor?.(operation),
      action === "repair" ? undefined : this.#gateOf(operation),
      action === "repair" ? undefined : owner.spareFor?.(operation),
      action === "repair" ? leftByEngines(pool, operation.stackId) : undefined,
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
        ...left,
      },
      {
        // A repair that comes before its operation's end is not what somebody asked to cancel.
        signal: action === "repair" && operation.kind !== "repair" ? running.stopSignal : running.signal,
        onEvent: (timed) => recorder.add(timed),
        lookUp: (creates, known) => this.#options.whereabouts({ account, operation, creates, known }),
        keepPending: (entries) => this.#keepPending(running, entries),
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
      await setSettled(pool, operation.stackId, fencingToken).catch((error: unknown) =>
        running.log.warn(
          { err: error },
          "the next operation on the stack repairs it first, although it is whole",
        ),
      );
    return outcome;
  }

  async #keepPending(
    { claim: { operation, fencingToken }, log }: RunningOperation,
    entries: readonly PendingOperation[],
  ): Promise<void> {
    const isKept = await this.#insistence.on(log, "what an engine had begun could not be kept yet", () =>
      keepPending(this.#options.pool, operation.stackId, fencingToken, entries),
    );
    if (!isKept) throw new Error("A newer operation holds the stack");
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
    return this.#insistence.on(running.log, "the end of an operation could not be recorded yet", () =>
      next.step === "give_back"
        ? giveBack(this.#options.pool, operation.id, fencingToken, next)
        : recordEnd(this.#options, running.claim, outcome),
    );
  }
}

interface RunContext {
  readonly account: TeamAccount;
  readonly stack: StackRow;
  readonly sessions: GrantedCredentials;
  readonly recorder: EventRecorder;
}
