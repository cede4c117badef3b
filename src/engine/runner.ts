import { PulumiCommand, type PulumiFn } from "@pulumi/pulumi/automation/index.js";
import { foundationProgram } from "../../programs/foundation.ts";
import { pipelineProgram } from "../../programs/pipeline.ts";
import { runAction } from "./governed.ts";
import { LeaseGuard } from "./lease-guard.ts";
import type { PendingOperation } from "./pending.ts";
import {
  type FromRunner,
  type LookUp,
  type ProgramRequest,
  type RunRequest,
  runsProgram,
  SupervisorGone,
  type TimedEvent,
  type ToRunner,
  type Whereabouts,
} from "./protocol.ts";
import { repairStack } from "./repair.ts";
import { forgetStackTraces } from "./stack-traces.ts";

// The child process that runs operations for the supervisor, one at a time. Everything is imported before the supervisor hears
// "ready", so that a spare one starts work at once. A program leaves handlers and connections behind in the process that ran it
// (pulumi/pulumi#10744, #11163), so the first operation with a program is the last of this process.

forgetStackTraces();

if (!process.send) throw new Error("A runner is started by the supervisor only");

const pluginFolder = process.argv[2] || undefined;
const command = await PulumiCommand.get({ skipVersionCheck: true });
let abort: AbortController | undefined;
let answer: PromiseWithResolvers<readonly Whereabouts[]> | undefined;
let quiet: PromiseWithResolvers<void> | undefined;
let kept: PromiseWithResolvers<void> | undefined;
const guard = new LeaseGuard(() => {
  abort?.abort();
  kept?.reject(new SupervisorGone("The lease was not confirmed"));
});

process.on("message", (message: ToRunner) => {
  switch (message.type) {
    case "run":
      return void serve(message.request, message.folder);
    case "lease":
      return guard.confirm(message.until);
    case "cancel":
      return abort?.abort();
    case "found":
      return answer?.resolve(message.whereabouts);
    case "notFound":
      return answer?.reject(new Error(message.message));
    case "kept":
      return kept?.resolve();
    case "notKept":
      return kept?.reject(new Error(message.message));
    case "quiet":
      return quiet?.resolve();
    case "notQuiet":
      return quiet?.reject(new Error(message.message));
  }
});
// The supervisor died: end the engine in an orderly way, so that the state is whole and the lock is gone.
process.on("disconnect", () => {
  if (abort === undefined) process.exit(1);
  abort.abort();
  kept?.reject(new SupervisorGone("The supervisor has ended"));
});
send({ type: "ready" });

async function serve(request: RunRequest, folder: string): Promise<void> {
  abort = new AbortController();
  const options = {
    folder,
    command,
    pluginFolder,
    program: programOf(request.program),
    signal: abort.signal,
    onEvent: (timed: TimedEvent) => send({ type: "event", timed }),
    keepPending: (entries: readonly PendingOperation[]) => {
      kept = Promise.withResolvers();
      if (process.connected) send({ type: "keep", entries });
      else kept.reject(new SupervisorGone("The supervisor has ended"));
      return kept.promise;
    },
    quiesce: () => {
      const asked = Promise.withResolvers<void>();
      quiet = asked;
      // Whoever would answer may be gone.
      options.signal.addEventListener("abort", () => asked.reject(options.signal.reason));
      send({ type: "quiesce" });
      return asked.promise;
    },
  };
  const outcome = await (request.action === "repair"
    ? repairStack(request, options, askSupervisor)
    : runAction(request, options));
  abort = undefined;
  guard.release();
  if (!process.connected) process.exit(1);
  send({ type: "outcome", outcome }, () => {
    if (runsProgram(request.action)) process.exit(0);
  });
}

/** What bears which tags, and what there is of a type, a run has no right to ask AWS. */
const askSupervisor: LookUp = (creates, known) => {
  answer = Promise.withResolvers();
  send({ type: "lookUp", creates, known });
  return answer.promise;
};

function programOf(program: ProgramRequest): PulumiFn {
  return program.name === "foundation" ? foundationProgram(program.input) : pipelineProgram(program.input);
}

function send(message: FromRunner, sent?: () => void): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => sent?.());
}
