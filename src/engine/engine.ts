import {
  ConcurrentUpdateError,
  LocalWorkspace,
  type PulumiCommand,
  type EngineEvent as PulumiEvent,
  type PulumiFn,
  Stack,
  StackAlreadyExistsError,
} from "@pulumi/pulumi/automation/index.js";
import type { DataOnDestroy } from "../../programs/inputs.ts";
import type { PolicyFinding } from "../../programs/policies/evaluate.ts";
import { type Redact, redactor } from "../redaction.ts";
import { withoutSidecars } from "./backend-url.ts";
import { credentialVariables, withStateProfile } from "./credentials.ts";
import { operationError } from "./diagnostics.ts";
import { type HeldBack, type Plan, passGate, planOfDestroy } from "./gate.ts";
import { pendingWork } from "./pending.ts";
import { isAwsType } from "./phase.ts";
import { findingsOfState, isGoverned, isRefused, policyEvents, refusal } from "./policies.ts";
import {
  type Action,
  changesState,
  type KeepPending,
  lostEnd,
  type OperationError,
  type ResourceRecord,
  type RunOutcome,
  type RunRequest,
  runsProgram,
  type TimedEvent,
} from "./protocol.ts";
import { secretsOf } from "./secrets.ts";
import { retainedUrns, snapshotOf, starterUrns, unforcedUrns } from "./snapshot.ts";
import { findSpared, gateOfLosses, sparingProgram } from "./spared-drift.ts";
import { stateFile } from "./state-file.ts";
import { translator } from "./translate.ts";
import { earlyNotice, forgotten, kept } from "./unanswered.ts";

export interface EngineOptions {
  /** A private folder of this run alone, with `project` and `home` in it. */
  readonly folder: string;
  readonly command: PulumiCommand;
  /** Holds the executable that stands in for the AWS plugin; undefined: the official one. */
  readonly pluginFolder: string | undefined;
  readonly program: PulumiFn;
  readonly signal: AbortSignal;
  readonly onEvent: (event: TimedEvent) => void;
  readonly keepPending: KeepPending;
  /** For a destroy: ends what uses the stack's resources without being one of them. */
  readonly quiesce?: () => Promise<void>;
}

// With 16, updates of 465 resources waited for a free place and took 1.37 times their critical path, with 64 they take 1.12 times,
// and with 128 no less. AWS's throttling is the provider's to retry.
const parallel = 64;

/**
 * Runs one action on one stack with the real engine; `judged` are the breaches of policies that its caller found already.
 * Failures of the run are part of the outcome; it throws only on defects.
 */
export async function runEngine(
  request: RunRequest,
  options: EngineOptions,
  judged: readonly PolicyFinding[] = [],
): Promise<RunOutcome> {
  const redact = redactor(secretsOf(request));
  const events = translator(request.action, redact);
  const preview = previewing(redact, options.onEvent);
  let stackExists = request.stack.exists;
  let failure: unknown;
  let spared: Awaited<ReturnType<typeof findSpared>> | undefined;
  const environment = cliEnvironment(request, options.folder);
  const stateOfStack = stateFile(options, request.stack.name, environment);
  const exportState: ExportState = async () => (await stateOfStack.read()).deployment;
  const notice = earlyNotice(options.keepPending);
  try {
    const program = sparingProgram(options.program, () => spared?.sparing);
    const stack = await openStack(request, { ...options, program }, environment);
    stackExists = true;
    options.signal.throwIfAborted();
    const onEvent = (event: PulumiEvent) => {
      const timed = events.translate(event);
      if (timed) options.onEvent(timed);
      if (event.resOpFailedEvent === undefined || !changesState(request.action)) return;
      const { unanswered } = events.findings();
      if (unanswered.length > 0) notice.tell(unanswered);
    };
    const plain = { ...commonOptions, signal: insistent(options.signal), onEvent };
    if (request.action === "reconcile" && request.spare !== undefined)
      spared = await findSpared(stack, request.spare, redact, plain);
    const common = { ...plain, ...spared?.options };
    const gate = spared === undefined ? request.gate : gateOfLosses(request.gate, spared.sparing);
    let held: HeldBack | undefined;
    let refresh = false;
    if (gate !== undefined) {
      ({ held, refresh } = await passGate(gate, request.action, async (refreshed) =>
        request.action === "destroy"
          ? planOfDestroy(onAws(await exportState()))
          : preview.plan(stack, {
              ...common,
              refresh: refreshed,
              ...(refreshed ? { runProgram: true } : {}),
            }),
      ));
    }
    options.signal.throwIfAborted();
    if (held !== undefined)
      return {
        ...held,
        stackExists,
        ...(spared && { drift: spared.drift }),
        ...(judged.length > 0 ? { findings: judged } : {}),
      };
    if (request.action === "destroy")
      stackExists = await destroy(stack, request.data, exportState, { ...common, quiesce: options.quiesce });
    else if (request.action !== "repair") await perform(stack, request.action, common, refresh);
  } catch (error) {
    failure = error;
  }
  const { changes, steps, engineLost, unanswered } = events.findings();
  const errors = [...preview.errors(), ...events.findings().errors];
  const state = stackExists && changesState(request.action) ? await exported(exportState) : undefined;
  // A killed engine leaves entries of its own, but for what the provider had left unanswered before.
  const begun = changesState(request.action) ? unanswered : [];
  await notice.told();
  const isForgotten = begun.length > 0 && !(await kept(begun, state, options.keepPending, stateOfStack));
  // What a preview could not know is known now; what was breached already isn't told twice.
  const late =
    failure === undefined && state !== undefined && isGoverned(request.action)
      ? findingsOfState(request, state, judged)
      : [];
  for (const timed of policyEvents(late)) options.onEvent(timed);
  const findings = [...judged, ...late];
  const outcome: Omit<RunOutcome, "state"> = {
    changes,
    steps,
    stackExists,
    ...(failure !== undefined &&
    (begun.length > 0 || isUnsettled(request.action, stackExists, engineLost, state))
      ? { unsettled: true as const }
      : {}),
    ...(findings.length > 0 ? { findings } : {}),
    ...(spared === undefined ? {} : { drift: spared.drift }),
    ...(state === undefined ? {} : { snapshot: snapshotOf(state, redact) }),
  };
  if (isForgotten) return { ...outcome, state: "needs_repair", error: forgotten(begun) };
  // The exit code of an interrupted engine may say success: we asked for the end, so it is "cancelled".
  if (options.signal.aborted) return { ...outcome, state: "cancelled", error: cancelledError };
  if (failure === undefined && isRefused(late))
    return { ...outcome, state: "failed", error: refusal(late, "What was applied stays applied") };
  if (failure === undefined) return { ...outcome, state: "succeeded" };
  if (engineLost) return { ...outcome, ...lostEnd("The engine was killed in the middle of its work") };
  return { ...outcome, state: "failed", error: failureOf(failure, errors, redact) };
}

/** Makes plans within an operation that changes something: of their events only errors are told, for the rest is yet to happen. */
function previewing(redact: Redact, onEvent: (event: TimedEvent) => void) {
  const errors: { readonly message: string; readonly urn?: string }[] = [];
  return {
    errors: () => errors,
    plan: async (stack: Stack, options: CommonOptions & { refresh: boolean }): Promise<Plan> => {
      const events = translator("preview", redact);
      try {
        await stack.preview({
          ...options,
          onEvent: (event) => {
            const timed = events.translate(event);
            if (timed?.event.type === "diagnostic" && timed.event.severity === "error") onEvent(timed);
          },
        });
      } finally {
        errors.push(...events.findings().errors);
      }
      return events.findings();
    },
  };
}

/** Whether a failed run may have left a lock, or something on AWS that its state doesn't know. */
function isUnsettled(action: Action, stackExists: boolean, engineLost: boolean, state: unknown): boolean {
  if (!changesState(action) || !stackExists) return false;
  return engineLost || state === undefined || !pendingWork(state).isNone;
}

const cancelledError: OperationError = {
  code: "cancelled",
  message: "The operation was cancelled while it ran",
  remedy: "What was done stays done: apply the pipeline again to complete it",
};

export async function openStack(
  request: RunRequest,
  options: EngineOptions,
  environment: Readonly<Record<string, string>>,
): Promise<Stack> {
  const workspace = await LocalWorkspace.create({
    workDir: `${options.folder}/project`,
    pulumiCommand: options.command,
    ...(runsProgram(request.action) ? { program: options.program } : {}),
    secretsProvider: "passphrase",
    projectSettings: {
      name: request.stack.project,
      runtime: "nodejs",
      main: options.folder,
      ...(options.pluginFolder === undefined
        ? {}
        : { plugins: { providers: [{ name: "aws", path: options.pluginFolder }] } }),
    },
    envVars: { ...environment },
  });
  // Each of these would start the CLI once more, at 0.15 to 0.3 s: the stack is named on every command anyway, the outputs are
  // read with the state, and the history would only repeat what the events said.
  if (request.stack.exists) workspace.selectStack = async () => {};
  workspace.stackOutputs = async () => ({});
  const stack = await newOrExisting(request, workspace);
  stack.info = async () => undefined;
  return stack;
}

async function newOrExisting({ stack, action }: RunRequest, workspace: LocalWorkspace): Promise<Stack> {
  if (stack.exists || action === "repair") return Stack.select(stack.name, workspace);
  try {
    return await Stack.create(stack.name, workspace);
  } catch (error) {
    // An earlier first operation came this far and no further.
    if (error instanceof StackAlreadyExistsError && changesState(action))
      return Stack.select(stack.name, workspace);
    throw error;
  }
}

/** What the CLI sees besides the runner's own, allow-listed environment. */
export function cliEnvironment(request: RunRequest, folder: string): Record<string, string> {
  return {
    ...credentialVariables(request.credentials, folder),
    PULUMI_HOME: `${folder}/home`,
    HOME: folder,
    TMPDIR: `${folder}/tmp`,
    PULUMI_BACKEND_URL: backendOf(request, folder),
    PULUMI_CONFIG_PASSPHRASE: request.passphrase,
    PULUMI_SKIP_UPDATE_CHECK: "true",
    // Deriving a key from a passphrase takes 0.14 s; without this the CLI does it a second time on every command of a stack that
    // exists, for a new salt that the next run throws away.
    PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true",
    // A check reads the state, compares and ends: collecting garbage less often takes 15 % off its processor time (0.71 to 0.61 s
    // for 412 resources). https://go.dev/doc/gc-guide#GOGC
    ...(request.action === "drift" ? { GOGC: "400" } : {}),
    // The engine writes the whole state with every resource. Where that goes over a wire it goes compressed; in a file it is
    // quicker as it is.
    ...(request.backendUrl.startsWith("file:") ? {} : { PULUMI_DIY_BACKEND_ZSTD: "true" }),
    // Without it the engine tries for 2.5 s to install the plugin that an existing state names.
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    ...(request.attachedProviderPort === undefined
      ? {}
      : { PULUMI_DEBUG_PROVIDERS: `aws:${request.attachedProviderPort}` }),
  };
}

/** A preview of a stack that doesn't exist yet plays in a backend of its own, so that it leaves no empty stack behind. */
function backendOf(request: RunRequest, folder: string): string {
  if (changesState(request.action) || request.stack.exists)
    return withStateProfile(withoutSidecars(request.backendUrl), request.credentials);
  return `file://${folder}/home`;
}

/**
 * A signal that tells a listener which comes too late as well. The SDK only waits for the event (pulumi/pulumi#19954), and adds its
 * listener after a while of preparations: an abort before that would be lost, and the operation run to its end.
 */
export function insistent(signal: AbortSignal): AbortSignal {
  return new Proxy(signal, {
    get: (target, key) => {
      if (key === "addEventListener") {
        return (type: "abort", listener: () => void) =>
          target.aborted ? queueMicrotask(listener) : target.addEventListener(type, listener);
      }
      const value: unknown = Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

export const commonOptions = {
  parallel,
  color: "never" as const,
  suppressProgress: true,
  suppressOutputs: true,
};

type CommonOptions = typeof commonOptions & { signal: AbortSignal; onEvent: (event: PulumiEvent) => void };

async function perform(
  stack: Stack,
  action: Exclude<Action, "destroy" | "repair">,
  common: CommonOptions,
  refresh: boolean,
): Promise<void> {
  switch (action) {
    case "preview":
      await stack.preview(common);
      return;
    case "update":
      await stack.up({ ...common, ...(refresh ? { refresh, runProgram: true } : {}) });
      return;
    case "reconcile":
      await stack.up({ ...common, refresh: true, runProgram: true });
      return;
    case "refresh":
      await stack.refresh({ ...common, runProgram: true });
      return;
    case "drift":
      // Without the program: a newer version of it would make its own changes look like drift, and it takes twice as long.
      await stack.previewRefresh({ ...common, runProgram: false });
      return;
  }
}

/**
 * Destroys what a stack holds and returns whether the stack still exists: with `retain` it keeps what holds data, so that a
 * later pipeline of the same name takes it over; with `delete` the stack goes with its last resource.
 */
async function destroy(
  stack: Stack,
  data: DataOnDestroy,
  exportState: ExportState,
  { quiesce, ...common }: CommonOptions & { readonly quiesce: EngineOptions["quiesce"] },
): Promise<boolean> {
  const deployment = await exportState();
  // The program runs for the account's role of today; state remembers the one of the last update (pulumi/pulumi#4981).
  const options = { ...common, runProgram: true };
  const kept = data === "retain" ? retainedUrns(deployment) : [];
  // First what begins things by itself, so that nothing is begun any more; then what it had begun.
  const starters = starterUrns(deployment).filter((urn) => !kept.includes(urn));
  if (starters.length > 0) await stack.destroy({ ...options, target: starters, targetDependents: true });
  if (common.signal.aborted) return true;
  await quiesce?.();
  if (common.signal.aborted) return true;
  if (kept.length > 0) {
    await stack.destroy({ ...options, exclude: kept });
    return true;
  }
  // The engine takes inputs such as `forceDestroy` from the state. Only what exists is updated: a pipeline that could never be
  // created completely must be removable without being completed first.
  const target = data === "delete" ? unforcedUrns(deployment) : [];
  if (target.length > 0) await stack.up({ ...common, target });
  if (common.signal.aborted) return true;
  if (onAws(deployment).length > 0) await stack.destroy(options);
  if (common.signal.aborted) return true;
  // Not by the engine's own `remove`: beside a program it can leave the stack's root, and then refuses.
  const left = onAws(await exportState());
  if (left.length > 0)
    throw new Error(`The stack still has ${left.map((resource) => resource.urn).join(", ")}`);
  await stack.workspace.removeStack(stack.name, { force: true });
  return false;
}

/** What a deployment holds on AWS. */
function onAws(deployment: unknown): readonly ResourceRecord[] {
  return snapshotOf(deployment, (text) => text).resources.filter(({ type }) => isAwsType(type));
}

async function exported(exportState: ExportState): Promise<unknown> {
  try {
    return await exportState();
  } catch {
    // A backend that can't be read any more: the run's own outcome is the one to tell.
    return undefined;
  }
}

type ExportState = () => Promise<unknown>;

export function failureOf(
  failure: unknown,
  errors: readonly { readonly message: string; readonly urn?: string }[],
  redact: Redact,
): OperationError {
  const error = operationError(errors, redact(errorLines(failure)));
  return failure instanceof ConcurrentUpdateError ? { ...error, code: "stack_locked" } : error;
}

/** What the CLI said was wrong; the error itself repeats its whole output and the command line. */
function errorLines(failure: unknown): string {
  const text = failure instanceof Error ? failure.message : String(failure);
  const lines = [...new Set(text.split("\n"))].filter((line) => line.startsWith("error: "));
  return lines.length > 0 ? lines.map((line) => line.slice("error: ".length)).join("; ") : text.slice(-2_000);
}
