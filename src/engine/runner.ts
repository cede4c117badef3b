import { PulumiCommand, type PulumiFn } from "@pulumi/pulumi/automation/index.js";
import { foundationProgram } from "../../programs/foundation.ts";
import { pipelineProgram } from "../../programs/pipeline.ts";
import { runAction } from "./engine.ts";
import type { FromRunner, ProgramRequest, RunRequest, ToRunner } from "./protocol.ts";

// The child process of one operation. Everything is imported before the supervisor hears "ready", so that a spare one starts
// work at once; it serves a single operation and exits, since a run leaves handlers and connections behind
// (pulumi/pulumi#10744, #11163).

const [folder, pluginFolder] = process.argv.slice(2);
if (!process.send || folder === undefined) throw new Error("A runner is started by the supervisor only");

const command = await PulumiCommand.get({ skipVersionCheck: true });
const abort = new AbortController();

process.on("message", (message: ToRunner) => {
  if (message.type === "cancel") abort.abort();
  else void serve(message.request);
});
// The supervisor died: end the engine in an orderly way, so that the state is whole and the lock is gone.
process.on("disconnect", () => abort.abort());
send({ type: "ready" });

async function serve(request: RunRequest): Promise<void> {
  const outcome = await runAction(request, {
    folder: folder as string,
    command,
    pluginFolder: pluginFolder || undefined,
    program: programOf(request.program),
    signal: abort.signal,
    onEvent: (timed) => send({ type: "event", timed }),
  });
  if (!process.connected) process.exit(1);
  send({ type: "outcome", outcome }, () => process.exit(0));
}

function programOf(program: ProgramRequest): PulumiFn {
  return program.name === "foundation" ? foundationProgram(program.input) : pipelineProgram(program.input);
}

function send(message: FromRunner, sent?: () => void): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => sent?.());
}
