import { PulumiCommand, type PulumiFn } from "@pulumi/pulumi/automation/index.js";
import { foundationProgram } from "../../programs/foundation.ts";
import { pipelineProgram } from "../../programs/pipeline.ts";
import { runAction } from "./governed.ts";
import {
  type FromRunner,
  type ProgramRequest,
  type RunRequest,
  runsProgram,
  type ToRunner,
} from "./protocol.ts";
import { forgetStackTraces } from "./stack-traces.ts";

// The child process that runs operations for the supervisor, one at a time. Everything is imported before the supervisor hears
// "ready", so that a spare one starts work at once. A program leaves handlers and connections behind in the process that ran it
// (pulumi/pulumi#10744, #11163), so the first operation with a program is the last of this process.

forgetStackTraces();

if (!process.send) throw new Error("A runner is started by the supervisor only");

const pluginFolder = process.argv[2] || undefined;
const command = await PulumiCommand.get({ skipVersionCheck: true });
let abort: AbortController | undefined;

process.on("message", (message: ToRunner) => {
  if (message.type === "cancel") abort?.abort();
  else void serve(message.request, message.folder);
});
// The supervisor died: end the engine in an orderly way, so that the state is whole and the lock is gone.
process.on("disconnect", () => {
  if (abort === undefined) process.exit(1);
  abort.abort();
});
send({ type: "ready" });

async function serve(request: RunRequest, folder: string): Promise<void> {
  abort = new AbortController();
  const outcome = await runAction(request, {
    folder,
    command,
    pluginFolder,
    program: programOf(request.program),
    signal: abort.signal,
    onEvent: (timed) => send({ type: "event", timed }),
  });
  abort = undefined;
  if (!process.connected) process.exit(1);
  send({ type: "outcome", outcome }, () => {
    if (runsProgram(request.action)) process.exit(0);
  });
}

function programOf(program: ProgramRequest): PulumiFn {
  return program.name === "foundation" ? foundationProgram(program.input) : pipelineProgram(program.input);
}

function send(message: FromRunner, sent?: () => void): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => sent?.());
}
