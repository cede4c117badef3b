import {
  type EngineEvent as PulumiEvent,
  type Stack,
  StackNotFoundError,
} from "@pulumi/pulumi/automation/index.js";
import { redactor } from "../redaction.ts";
import {
  cliEnvironment,
  commonOptions,
  type EngineOptions,
  failureOf,
  insistent,
  openStack,
} from "./engine.ts";
import {
  entriesOfCreates,
  idsByUrn,
  type PendingDeployment,
  pendingWork,
  withCandidates,
  withEntries,
  withoutTwins,
  withUnansweredAsEntries,
} from "./pending.ts";
import { parseUrn } from "./phase.ts";
import type { LookUp, OperationError, RunOutcome, RunRequest, Whereabouts } from "./protocol.ts";
import { secretsOf } from "./secrets.ts";
import { snapshotOf } from "./snapshot.ts";
import { type ExportedState, stateFile } from "./state-file.ts";
import { translator } from "./translate.ts";

/**
 * Settles a stack whose engine disappeared: removes its lock, finds out what became of everything that it had begun, and leaves a
 * state that says so. Only for when every process of that engine is proved dead. Idempotent; of what is unclear nothing is
 * touched, and the outcome `needs_repair` names it.
 */
export async function repairStack(
  request: RunRequest,
  options: EngineOptions,
  lookUp: LookUp,
): Promise<RunOutcome> {
  const redact = redactor(secretsOf(request));
  const events = translator(request.action, redact);
  const environment = cliEnvironment(request, options.folder);
  const state = stateFile(options, request.stack.name, environment);
  try {
    const stack = await openStack(request, options, environment);
    options.signal.throwIfAborted();
    // It removes the locks of all, and asks nobody to stop.
    await stack.cancel();
    const exported = await state.read();
    const write = (deployment: PendingDeployment) => state.write({ ...exported, deployment });
    const before = withEntries(withUnansweredAsEntries(deploymentOf(exported)), request.pending ?? []);
    const work = pendingWork(before, request.begun);
    if (work.isNone) return settled(before, { imported: 0, absent: 0 });
    const whereabouts = work.creates.length === 0 ? [] : await lookUp(work.creates, work.known);
    const unclear = new Set(
      work.creates.flatMap(({ urn }, index) => (whereabouts[index]?.state === "unclear" ? [urn] : [])),
    );
    const withFound = withCandidates(before, whereabouts);
    const candidates = work.creates.filter((_, index) => whereabouts[index]?.state === "candidate");
    const targets = [...new Set([...candidates.map(({ urn }) => urn), ...work.others])];
    options.signal.throwIfAborted();
    // To write the state is to drop its entries.
    await options.keepPending(before.pending_operations ?? []);
    await write(withFound);
    if (targets.length > 0) {
      await refresh(stack, targets, options, (event) => {
        const timed = events.translate(event);
        if (timed) options.onEvent(timed);
      });
    }
    const after = withoutTwins({ ...deploymentOf(await state.read()), pending_operations: [] });
    await write(after);
    await options.keepPending(entriesOfCreates(before, unclear));
    const ids = idsByUrn(after);
    const imported = candidates.filter(({ urn }) => ids.has(urn));
    for (const { urn } of imported)
      tell(options, urn, `It existed on AWS as ${ids.get(urn)}: the stack has it now`);
    const outcome = settled(after, {
      imported: imported.length,
      absent: work.creates.length - imported.length - unclear.size,
    });
    if (unclear.size === 0) return outcome;
    return {
      ...outcome,
      state: "needs_repair",
      unsettled: true,
      error: unclearError(work.creates, whereabouts),
    };
  } catch (error) {
    // The engine disappeared before it had made the stack.
    if (error instanceof StackNotFoundError)
      return { state: "succeeded", changes: {}, steps: [], stackExists: false };
    const { errors } = events.findings();
    const failure = options.signal.aborted ? interrupted : failureOf(error, errors, redact);
    const end = options.signal.aborted ? "cancelled" : "failed";
    return { state: end, changes: {}, steps: [], stackExists: true, unsettled: true, error: failure };
  }

  function settled(deployment: PendingDeployment, changes: Readonly<Record<string, number>>): RunOutcome {
    const counted = Object.fromEntries(Object.entries(changes).filter(([, count]) => count > 0));
    const snapshot = snapshotOf(deployment, redact);
    return { state: "succeeded", changes: counted, steps: [], stackExists: true, snapshot };
  }
}

function deploymentOf({ deployment }: ExportedState): PendingDeployment {
  return (deployment ?? {}) as PendingDeployment;
}

const interrupted: OperationError = {
  code: "cancelled",
  message: "The repair was stopped",
  remedy: "The next operation on the stack repairs it first",
};

/** The provider itself tells what exists, and fills in what the state should know of it. */
async function refresh(
  stack: Stack,
  targets: readonly string[],
  { signal }: EngineOptions,
  onEvent: (event: PulumiEvent) => void,
): Promise<void> {
  await stack.refresh({
    ...commonOptions,
    target: [...targets],
    runProgram: false,
    signal: insistent(signal),
    onEvent,
  });
}

function tell({ onEvent }: EngineOptions, urn: string, message: string): void {
  const { phase } = parseUrn(urn);
  onEvent({
    at: new Date(),
    ...(phase === undefined ? {} : { phase }),
    event: { type: "diagnostic", severity: "warning", message, urn },
  });
}

function unclearError(
  creates: readonly { readonly urn: string }[],
  whereabouts: readonly Whereabouts[],
): OperationError {
  const told = creates.flatMap(({ urn }, index) => {
    const found = whereabouts[index];
    return found?.state === "unclear" ? [{ urn, ...found }] : [];
  });
  const [first, ...others] = told as [(typeof told)[number], ...typeof told];
  const { type, name } = parseUrn(first.urn);
  return {
    code: "unclear_resource",
    message: first.message,
    remedy: first.remedy,
    resource: { urn: first.urn, type, name },
    ...(others.length > 0 ? { others: others.map(({ message, remedy }) => `${message}. ${remedy}`) } : {}),
  };
}
