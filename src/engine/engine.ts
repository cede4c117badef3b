import {
  ConcurrentUpdateError,
  LocalWorkspace,
  type PulumiCommand,
  type EngineEvent as PulumiEvent,
  type PulumiFn,
  Stack,
} from "@pulumi/pulumi/automation/index.js";
import type { DataOnDestroy } from "../../programs/inputs.ts";
import { operationError } from "./diagnostics.ts";
import type { Action, OperationError, RunOutcome, RunRequest, Snapshot, TimedEvent } from "./protocol.ts";
import { type Redact, redactor } from "./redaction.ts";
import { retainedUrns, snapshotOf, unforcedUrns } from "./snapshot.ts";
import { translator } from "./translate.ts";

export interface EngineOptions {
  /** A private folder of this run alone, with `project` and `home` in it. */
  readonly folder: string;
  readonly command: PulumiCommand;
  /** Holds the executable that stands in for the AWS plugin; undefined: the official one. */
  readonly pluginFolder: string | undefined;
  readonly program: PulumiFn;
  readonly signal: AbortSignal;
  readonly onEvent: (event: TimedEvent) => void;
}

// More resources at once than this only makes AWS throttle.
const parallel = 16;

const changesState: Readonly<Record<Action, boolean>> = {
  preview: false,
  drift: false,
  update: true,
  reconcile: true,
  refresh: true,
  destroy: true,
};

/** Runs one action on one stack with the real engine. Failures of the run are part of the outcome; it throws only on defects. */
export async function runAction(request: RunRequest, options: EngineOptions): Promise<RunOutcome> {
  const redact = redactor([request.passphrase]);
  const events = translator(request.action, redact);
  let stackExists = request.stack.exists;
  let failure: unknown;
  let stack: Stack | undefined;
  try {
    stack = await openStack(request, options);
    stackExists = true;
    const onEvent = (event: PulumiEvent) => {
      const timed = events.translate(event);
      if (timed) options.onEvent(timed);
    };
    const common = { ...commonOptions, signal: options.signal, onEvent };
    if (request.action === "destroy") stackExists = await destroy(stack, request.data, common);
    else await perform(stack, request.action, common);
  } catch (error) {
    failure = error;
  }
  const { changes, steps, errors } = events.findings();
  const outcome = { changes, steps: [...steps].sort(byUrn), stackExists };
  const snapshot =
    stackExists && stack && changesState[request.action] ? await exported(stack, redact) : undefined;
  const withState = { ...outcome, ...(snapshot === undefined ? {} : { snapshot }) };
  // The exit code of an interrupted engine may say success: we asked for the end, so it is "cancelled".
  if (options.signal.aborted) return { ...withState, state: "cancelled", error: cancelledError };
  if (failure === undefined) return { ...withState, state: "succeeded" };
  return { ...withState, state: "failed", error: failureOf(failure, errors, redact) };
}

const cancelledError: OperationError = {
  code: "cancelled",
  message: "The operation was cancelled while it ran",
  remedy: "What was done stays done: apply the pipeline again to complete it",
};

async function openStack(request: RunRequest, options: EngineOptions): Promise<Stack> {
  const workspace = await LocalWorkspace.create({
    workDir: `${options.folder}/project`,
    pulumiHome: `${options.folder}/home`,
    pulumiCommand: options.command,
    program: options.program,
    secretsProvider: "passphrase",
    projectSettings: {
      name: request.stack.project,
      runtime: "nodejs",
      main: options.folder,
      ...(options.pluginFolder === undefined
        ? {}
        : { plugins: { providers: [{ name: "aws", path: options.pluginFolder }] } }),
    },
    envVars: {
      PULUMI_BACKEND_URL: backendOf(request, options.folder),
      PULUMI_CONFIG_PASSPHRASE: request.passphrase,
      PULUMI_SKIP_UPDATE_CHECK: "true",
      // Without it the engine tries for 2.5 s to install the plugin that an existing state names.
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      ...(request.attachedProviderPort === undefined
        ? {}
        : { PULUMI_DEBUG_PROVIDERS: `aws:${request.attachedProviderPort}` }),
    },
  });
  // Each of these would start the CLI once more, at 0.2 to 0.5 s: the stack is named on every command anyway, the outputs are
  // read with the state, and the history would only repeat what the events said.
  if (request.stack.exists) workspace.selectStack = async () => {};
  workspace.stackOutputs = async () => ({});
  const stack = request.stack.exists
    ? await Stack.select(request.stack.name, workspace)
    : await Stack.createOrSelect(request.stack.name, workspace);
  stack.info = async () => undefined;
  return stack;
}

/** A preview of a stack that doesn't exist yet plays in a backend of its own, so that it leaves no empty stack behind. */
function backendOf(request: RunRequest, folder: string): string {
  if (changesState[request.action] || request.stack.exists) return request.backendUrl;
  return `file://${folder}/home`;
}

const commonOptions = { parallel, color: "never" as const, suppressProgress: true, suppressOutputs: true };

type CommonOptions = typeof commonOptions & { signal: AbortSignal; onEvent: (event: PulumiEvent) => void };

async function perform(
  stack: Stack,
  action: Exclude<Action, "destroy">,
  common: CommonOptions,
): Promise<void> {
  switch (action) {
    case "preview":
      await stack.preview(common);
      return;
    case "update":
      await stack.up(common);
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
async function destroy(stack: Stack, data: DataOnDestroy, common: CommonOptions): Promise<boolean> {
  const { deployment } = await stack.exportStack();
  // The program runs for the account's role of today; state remembers the one of the last update (pulumi/pulumi#4981).
  const options = { ...common, runProgram: true };
  const kept = data === "retain" ? retainedUrns(deployment) : [];
  if (kept.length > 0) {
    await stack.destroy({ ...options, exclude: kept });
    return true;
  }
  // The engine takes inputs such as `forceDestroy` from the state. Only what exists is updated: a pipeline that could never be
  // created completely must be removable without being completed first.
  const target = data === "delete" ? unforcedUrns(deployment) : [];
  if (target.length > 0) await stack.up({ ...common, target });
  if (!common.signal.aborted) await stack.destroy({ ...options, remove: true });
  return common.signal.aborted;
}

async function exported(stack: Stack, redact: Redact): Promise<Snapshot | undefined> {
  try {
    return snapshotOf((await stack.exportStack()).deployment, redact);
  } catch {
    // A backend that can't be read any more: the run's own outcome is the one to tell.
    return undefined;
  }
}

function failureOf(
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
  const lines = text.split("\n").filter((line) => line.startsWith("error: "));
  return lines.length > 0 ? lines.map((line) => line.slice("error: ".length)).join("; ") : text.slice(-2_000);
}

function byUrn(a: { readonly urn: string }, b: { readonly urn: string }): number {
  return a.urn < b.urn ? -1 : a.urn > b.urn ? 1 : 0;
}
